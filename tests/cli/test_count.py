import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import smearcount
import smearcount.api
import smearcount.detector.load
from doubles.square_detector import SquareDetector, some_smear
from smearcount.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line with the detector of squares; return exit code, stdout, stderr."""
    loaded = smearcount.api._detector_of
    monkeypatch.setattr(
        smearcount.api,
        "_detector_of",
        lambda model, threads=None: SquareDetector() if model is None else loaded(model, threads),
    )

    def call(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["smearcount", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return call


def test_one_row_per_image_and_a_total(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "a.png", reds=2)
    some_smear(tmp_path / "b.png", reds=5)
    code, out, err = run("count", tmp_path)
    assert code == 0
    assert err == ""
    words = [line.split() for line in out.splitlines()]
    assert next(w for w in words if w and w[0].endswith("a.png"))[1:4] == ["1", "2", "1"]
    assert next(w for w in words if w and w[0].endswith("b.png"))[1:4] == ["1", "5", "1"]
    assert next(w for w in words if w and w[0] == "total")[3:6] == ["2", "7", "2"]


def test_command_and_python_agree_box_for_box(run: Run, tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    code, out, _ = run("count", path, "--threshold", "0.01", "--edge", "inside", "--json")
    assert code == 0
    (image,) = json.loads(out)["images"]
    result = smearcount.count(path, threshold=0.01, edge="inside", model=SquareDetector())
    assert image["counts"] == result.counts
    assert image["excluded"] == result.excluded
    boxes = np.array([cell["box_xyxy_px"] for cell in image["detections"]], np.float32)
    assert np.array_equal(boxes, result.detections.boxes_xyxy_px)
    scores = np.array([cell["score"] for cell in image["detections"]], np.float32)
    assert np.array_equal(scores, result.detections.scores)
    names = [
        smearcount.detector.load.load_detector().card.classes[i - 1]
        for _, _, i in result.detections
    ]
    assert [cell["class"] for cell in image["detections"]] == names
    assert [cell["counted"] for cell in image["detections"]] == result.counted.tolist()


def test_json_is_one_document_with_nothing_around_it(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "a.png")
    code, out, err = run("count", tmp_path / "a.png", tmp_path / "gone.png", "--json")
    assert code == 1
    document = json.loads(out)
    assert document["schema_version"] == 1
    counted, failed = document["images"]
    assert counted["counts"] == {"WBC": 1, "RBC": 3, "Platelets": 1}
    assert failed["status"] == "error"
    assert failed["counts"] is None
    assert "gone.png" in failed["error"]
    assert document["total"] == {
        "images_counted": 1,
        "images_failed": 1,
        "counts": {"WBC": 1, "RBC": 3, "Platelets": 1},
        "intervals": None,
    }
    assert document["slides"] == []
    assert "gone.png" in err


def test_a_low_threshold_returns_the_doubtful_too(run: Run, tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")

    def reds(*words: str) -> int:
        return int(
            json.loads(run("count", path, "--json", *words)[1])["images"][0]["counts"]["RBC"]
        )

    assert reds() == 3
    assert reds("--threshold", "0.01") == 4
    assert reds("--threshold", "0.95") == 0


def test_the_results_folder_holds_what_it_promises(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "in" / "a.png")
    out = tmp_path / "deep" / "out"
    code, _, err = run("count", tmp_path / "in", "-o", out)
    assert code == 0
    assert str(out) in err
    assert {"counts.csv", "detections.json", "run.json"} <= {p.name for p in out.iterdir()}
    with Image.open(out / "annotated" / "a.jpg") as drawn:
        assert drawn.width == 160
    assert json.loads((out / "run.json").read_text())["command"][:2] == ["smearcount", "count"]
    assert not list(out.rglob(".*")), "no drafts are left behind"


def test_results_inside_the_input_folder_are_not_counted_next_time(
    run: Run, tmp_path: Path
) -> None:
    some_smear(tmp_path / "a.png")
    for _ in range(2):
        _, out, _ = run("count", tmp_path, "-o", tmp_path / "out", "--json")
        assert len(json.loads(out)["images"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("--threshold", "nan"),
        ("--threshold", "2"),
        ("--threshold", "-0.1"),
        ("--threshold", "high"),
        ("--edge", "left"),
        ("--pixel-size", "0"),
        ("--pixel-size", "inf"),
        ("--pixel-size", "7.5"),
        ("--pixel-size", "1e-9"),
        ("--model", "no-such-model.onnx"),
        ("--colour", "red"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_why(
    run: Run, tmp_path: Path, words: tuple[str, str]
) -> None:
    code, out, err = run("count", some_smear(tmp_path / "a.png"), *words)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err
    assert words[0].strip("-").split("-")[0] in err or words[1] in err


def test_no_path_or_a_folder_without_images_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run("count")[0] == 2
    code, out, err = run("count", tmp_path)
    assert (code, out) == (2, "")
    assert str(tmp_path) in err
    assert len(err.splitlines()) == 1


def a_bomb(path: Path) -> None:
    """Write a BMP header that claims 100,000 by 100,000 pixels."""
    header = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    side = (100_000).to_bytes(4, "little")
    info = (40).to_bytes(4, "little") + side + side + b"\x01\0\x18\0" + bytes(24)
    path.write_bytes(header + info + bytes(300))


def test_bad_inputs_fail_one_by_one_and_the_rest_is_counted(run: Run, tmp_path: Path) -> None:
    good, also = some_smear(tmp_path / "good.png"), some_smear(tmp_path / "also.png")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "text.jpg").write_text("not an image")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:-60])
    Image.new("RGB", (1, 1)).save(tmp_path / "tiny.png")
    a_bomb(tmp_path / "bomb.bmp")
    bad = ["gone.png", "empty.jpg", "text.jpg", "cut.png", "tiny.png", "bomb.bmp"]
    if hasattr(os, "geteuid") and os.geteuid() != 0:  # root reads everything
        some_smear(tmp_path / "locked.png").chmod(0)
        bad.append("locked.png")
    code, out, err = run("count", good, *(tmp_path / name for name in bad), also, "--json")
    assert code == 1
    first, *failed, last = json.loads(out)["images"]
    assert first["counts"] == last["counts"] == {"WBC": 1, "RBC": 3, "Platelets": 1}
    sentences = err.splitlines()
    assert len(sentences) == len(bad)
    for name, image, sentence in zip(bad, failed, sentences, strict=True):
        assert image["status"] == "error"
        assert image["counts"] is None
        assert name in image["error"]
        assert sentence == f"smearcount: {image['error']}"


def test_a_model_with_a_wrong_hash_is_refused(run: Run, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"not what the card says")
    SquareDetector.card.write(model.with_suffix(".json"))
    code, out, err = run("count", some_smear(tmp_path / "a.png"), "--model", model)
    assert (code, out) == (1, "")
    assert str(model) in err
    assert "Traceback" not in err


def test_version_and_help(run: Run) -> None:
    assert run("--version") == (0, f"smearcount {smearcount.__version__}\n", "")
    code, out, _ = run("count", "--help")
    assert code == 0
    for option in ("--threshold", "--model", "--pixel-size", "--edge", "--json", "-o"):
        assert option in out


CLI_WITH_SQUARES = """
import sys
sys.path.insert(0, sys.argv.pop(1))
delay_s = float(sys.argv.pop(1))
import smearcount.api
from doubles.square_detector import SquareDetector
smearcount.api.load_detector = lambda path=None, **_: SquareDetector(None, delay_s)
from smearcount.cli import main
try:
    main()
finally:
    heavy = {"torch", "pandas", "matplotlib", "scipy", "torchvision"} & set(sys.modules)
    if heavy:
        print("imported", *heavy)
"""


def command(delay_s: float, *words: str | Path) -> list[str]:
    tests = str(Path(__file__).parents[1])
    return [sys.executable, "-c", CLI_WITH_SQUARES, tests, str(delay_s), *map(str, words)]


def test_counting_never_imports_torch_and_friends(tmp_path: Path) -> None:
    some_smear(tmp_path / "a.png")
    done = subprocess.run(
        command(0, "count", tmp_path, "-o", tmp_path / "out"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "imported" not in done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    for n in range(40):
        some_smear(tmp_path / f"{n}.png")
    out = tmp_path / "out"
    process = subprocess.Popen(
        command(0.2, "count", tmp_path, "-o", out),
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background makes its children deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not (out / "annotated" / "1.jpg").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert not (out / "counts.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_long_work_shows_a_bar_on_the_terminal_and_none_in_a_pipe(tmp_path: Path) -> None:
    import pty

    for n in range(3):
        some_smear(tmp_path / f"{n}.png")
    words = command(0.2, "count", tmp_path)
    quiet = subprocess.run(words, capture_output=True, text=True, check=True)
    assert quiet.stderr == ""
    ours, theirs = pty.openpty()
    shown = subprocess.run(
        words,
        stdout=subprocess.PIPE,
        stderr=theirs,
        check=True,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(theirs)
    assert b"/3" in os.read(ours, 100_000)
    os.close(ours)
    assert shown.stdout.decode() == quiet.stdout


def test_images_are_summed_into_slides_and_a_report_is_written(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "in/A/1.png", reds=2)
    some_smear(tmp_path / "in/A/2.png", reds=5)
    some_smear(tmp_path / "in/B/1.png", reds=4)
    out = tmp_path / "out"
    code, _, _ = run("count", tmp_path / "in", "-o", out, "--group-by", "folder", "--report")
    assert code == 0
    rows = (out / "slides.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == [
        str(tmp_path / "in/A"),
        str(tmp_path / "in/B"),
    ]
    assert "Blood cell counts" in (out / "report.html").read_text()
    code, text, err = run("count", tmp_path / "in/A", "-o", out, "--group-by", "folder", "--json")
    (slide,) = json.loads(text)["slides"]
    assert (slide["fields"], slide["classes"]["RBC"]["total"]) == (2, 7)
    assert "report.html, 1 picture in annotated" in err, "what is left of the first run is told"


def test_what_a_folder_holds_beside_the_images_counted_is_told(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "in/a.png")
    for name in ("b.HEIC", "c.svs", "notes.txt"):
        (tmp_path / "in" / name).touch()
    frames = [Image.open(some_smear(tmp_path / f"{n}.png", reds=n)) for n in (2, 3)]
    frames[0].save(tmp_path / "in" / "stack.tif", save_all=True, append_images=frames[1:])
    code, _, err = run("count", tmp_path / "in", "--threshold", "0.5")
    assert code == 0
    assert "2 files left out (1 HEIC and 1 SVS, such as" in err
    assert "b.HEIC): in folders only" in err
    assert "stack.tif only the first page" in err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links")
def test_a_pipe_and_a_loop_of_links_fail_alone(run: Run, tmp_path: Path) -> None:
    good = some_smear(tmp_path / "in/a.png")
    os.mkfifo(tmp_path / "in/pipe.png")
    (tmp_path / "in/loop.png").symlink_to("loop.png")
    (tmp_path / "in/again").symlink_to(tmp_path / "in", target_is_directory=True)
    code, out, _ = run("count", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert code == 1
    rows = json.loads(out)["images"]
    assert len(rows) == 3, "the folder is not walked again through the link to it"
    images = {Path(image["image"]).name: image for image in rows}
    assert {name: image["status"] for name, image in images.items()} == {
        good.name: "counted",
        "pipe.png": "error",
        "loop.png": "error",
    }
    assert "a pipe, not a file" in images["pipe.png"]["error"]


@pytest.mark.parametrize(
    "words", [("train", "x", "-o", "y"), ("compare", "x", "-o", "y"), ("evaluate", "shipped", "x")]
)
def test_a_command_beyond_the_base_install_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr("smearcount.cli.extras.find_spec", lambda name: None)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert 'pip install "smearcount[' in err
    assert len(err.splitlines()) == 1


def test_an_image_of_no_slide_is_told(run: Run, tmp_path: Path) -> None:
    for name in ("P1_a.png", "P1_b.png", "p2_a.png"):
        some_smear(tmp_path / name)
    code, _, err = run("count", tmp_path, "-o", tmp_path / "out", "--group-by", "P[0-9]")
    assert code == 0
    assert "1 of 3 images" in err
    assert "p2_a.png" in err


def test_slides_and_report_need_a_folder_and_a_rule_that_fits(run: Run, tmp_path: Path) -> None:
    some_smear(tmp_path / "a.png")
    for words in (["--report"], ["--group-by", "folder"]):
        code, _, err = run("count", tmp_path, *words)
        assert code == 2
        assert "-o FOLDER" in err
    code, _, err = run("count", tmp_path, "-o", tmp_path / "out", "--group-by", "slide-[0-9]+")
    assert code == 2
    assert "no slide" in err


def test_the_terminal_shows_the_reason_and_nothing_that_libtiff_prints(tmp_path: Path) -> None:
    file = tmp_path / "damaged.tif"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, compression="tiff_lzw")
    content = bytearray(file.read_bytes())
    content[1000:1100] = bytes([255]) * 100
    file.write_bytes(content)
    command = [sys.executable, "-m", "smearcount", "count", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"smearcount: {file}: the file is cut short, damaged or of a kind that cannot be decoded; "
        "copy it again, or save it as JPEG, PNG, TIFF, BMP or WebP.\n"
    )
