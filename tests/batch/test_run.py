import csv
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

import smearcount
from doubles.square_detector import RED_CELL, SquareDetector, save, some_smear
from smearcount.api import count_folder
from smearcount.batch.run import count_batch, picture_names
from smearcount.errors import WriteError
from smearcount.results.image_outcome import ImageOutcome
from smearcount.settings import Settings


def looks(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def without_seconds(out: Path) -> list[dict[str, str]]:
    with (out / "counts.csv").open(newline="", encoding="utf-8") as stream:
        return [{**row, "seconds": ""} for row in csv.DictReader(stream)]


def test_a_batch_agrees_with_counting_each_image_alone(tmp_path: Path) -> None:
    paths = [str(some_smear(tmp_path / f"{n}.png", reds=n)) for n in range(3)]
    outcomes = count_folder(paths, model=SquareDetector()).outcomes
    for path, outcome in zip(paths, outcomes, strict=True):
        alone = smearcount.count(path, model=SquareDetector())
        assert outcome.result is not None
        assert outcome.result.counts == alone.counts
        assert (outcome.result.detections.boxes_xyxy_px == alone.detections.boxes_xyxy_px).all()


def test_each_outcome_is_told_as_soon_as_it_is_known(tmp_path: Path) -> None:
    told: list[ImageOutcome] = []
    paths = [str(some_smear(tmp_path / "a.png")), str(tmp_path / "gone.png")]
    batch = count_folder(paths, model=SquareDetector(), on_result=told.append)
    assert list(batch.outcomes) == told
    assert [outcome.error is None for outcome in told] == [True, False]


def test_an_unforeseen_failure_of_one_image_does_not_end_the_batch(tmp_path: Path) -> None:
    class Stumbling(SquareDetector):
        def detect(self, pixels):  # type: ignore[no-untyped-def]
            if (pixels == RED_CELL).all(axis=2).any():
                raise MemoryError("no room")
            return super().detect(pixels)

    paths = [str(some_smear(tmp_path / "bad.png")), str(save(tmp_path / "good.png"))]
    bad, good = count_folder(paths, tmp_path / "out", model=Stumbling()).outcomes
    assert bad.error is not None
    assert "bad.png" in bad.error
    assert "no room" in bad.error
    assert good.result is not None


def test_a_second_run_looks_at_nothing_again_and_writes_the_same_bytes(tmp_path: Path) -> None:
    paths = [str(some_smear(tmp_path / f"{n}.png", reds=n)) for n in range(4)]
    out, log = tmp_path / "out", tmp_path / "log"
    count_folder(paths, out, model=SquareDetector(log))
    before = {name: (out / name).read_bytes() for name in ("counts.csv", "detections.json")}
    assert looks(log) == 4
    outcomes = count_folder(paths, out, model=SquareDetector(log)).outcomes
    assert looks(log) == 4
    assert {name: (out / name).read_bytes() for name in before} == before
    # What comes from the journal can still be drawn: its pixels are read again.
    assert outcomes[0].result is not None
    assert outcomes[0].result.draw().width >= 160


@pytest.mark.parametrize(
    "settings", [Settings(threshold=0.01), Settings(edge="inside"), Settings(pixel_size_um=0.1)]
)
def test_other_settings_count_again(tmp_path: Path, settings: Settings) -> None:
    path, log = str(some_smear(tmp_path / "a.png")), tmp_path / "log"
    count_folder([path], tmp_path / "out", model=SquareDetector(log))
    once = looks(log)
    count_folder([path], tmp_path / "out", settings=settings, model=SquareDetector(log))
    assert looks(log) > once


def test_back_at_the_first_settings_the_picture_is_theirs_again(tmp_path: Path) -> None:
    path, out = str(some_smear(tmp_path / "a.png")), tmp_path / "out"
    drawn = []
    for settings in (Settings(), Settings(threshold=0.01), Settings()):
        count_folder([path], out, settings=settings, model=SquareDetector())
        drawn.append((out / "annotated" / "a.jpg").read_bytes())
    assert drawn[0] != drawn[1]
    assert drawn[0] == drawn[2]


def test_the_picture_beside_a_count_is_of_that_photograph(tmp_path: Path) -> None:
    first, second = (
        str(some_smear(tmp_path / d / "a.png", reds=n)) for n, d in ((1, "x"), (4, "y"))
    )
    out = tmp_path / "out"
    drawn = []
    for path in (first, second, first):
        count_folder([path], out, model=SquareDetector())
        drawn.append((out / "annotated" / "a.jpg").read_bytes())
    assert drawn[0] != drawn[1]
    assert drawn[0] == drawn[2]


def test_another_model_counts_again(tmp_path: Path) -> None:
    class Retrained(SquareDetector):
        card = SquareDetector.card.model_copy(update={"sha256": "1" * 64})

    path, log = str(some_smear(tmp_path / "a.png")), tmp_path / "log"
    count_folder([path], tmp_path / "out", model=SquareDetector(log))
    count_folder([path], tmp_path / "out", model=Retrained(log))
    assert looks(log) == 2


def test_a_changed_image_is_counted_again_even_if_size_and_time_are_kept(tmp_path: Path) -> None:
    path, log, out = tmp_path / "a.bmp", tmp_path / "log", tmp_path / "out"
    some_smear(path, reds=3)
    times = path.stat()
    count_folder([str(path)], out, model=SquareDetector(log))
    some_smear(path, reds=4)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    (again,) = count_folder([str(path)], out, model=SquareDetector(log)).outcomes
    assert again.result is not None
    assert again.result.counts["RBC"] == 4
    assert looks(log) == 2


def test_a_failed_image_gets_another_chance(tmp_path: Path) -> None:
    path, out = tmp_path / "a.png", tmp_path / "out"
    (failed,) = count_folder([str(path)], out, model=SquareDetector()).outcomes
    assert failed.error is not None
    some_smear(path)
    (counted,) = count_folder([str(path)], out, model=SquareDetector()).outcomes
    assert counted.result is not None


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_journal_line_cut_short_is_ignored(tmp_path: Path, cut: int) -> None:
    paths = [str(some_smear(tmp_path / f"{n}.png")) for n in range(3)]
    out, log = tmp_path / "out", tmp_path / "log"
    count_folder(paths, out, model=SquareDetector(log))
    journal = out / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    for _ in range(2):
        outcomes = count_folder(paths, out, model=SquareDetector(log)).outcomes
        assert all(outcome.result is not None for outcome in outcomes)
        assert looks(log) == 4  # only the cut one, and only once


def test_a_journal_of_rubbish_is_no_obstacle(tmp_path: Path) -> None:
    path, out = str(some_smear(tmp_path / "a.png")), tmp_path / "out"
    out.mkdir()
    (out / "journal.jsonl").write_bytes(b'\xff\xfe\n[1]\n{"run": 3}\n{"half')
    (outcome,) = count_folder([path], out, model=SquareDetector()).outcomes
    assert outcome.result is not None


def test_a_lost_picture_is_drawn_again(tmp_path: Path) -> None:
    path, out = str(some_smear(tmp_path / "a.png")), tmp_path / "out"
    count_folder([path], out, model=SquareDetector())
    (out / "annotated" / "a.jpg").unlink()
    count_folder([path], out, model=SquareDetector())
    assert (out / "annotated" / "a.jpg").exists()


def test_inputs_of_the_same_name_get_pictures_of_their_own(tmp_path: Path) -> None:
    paths = [str(some_smear(tmp_path / d / "a.png", reds=n)) for n, d in enumerate("xyz")]
    count_folder(paths, tmp_path / "out", model=SquareDetector())
    assert len(list((tmp_path / "out" / "annotated").iterdir())) == 3
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert len({image["picture"] for image in record["images"]}) == 3


def test_picture_names_differ_whatever_the_inputs_are_called() -> None:
    names = picture_names(["a.png", "b/a.png", "a-2.png", "A.jpg", "a.png"])
    assert len({name.casefold() for name in names}) == 5
    assert names[0] == "a.jpg"


def test_the_record_is_enough_to_repeat_the_run(tmp_path: Path) -> None:
    path = str(some_smear(tmp_path / "a.png"))
    settings = Settings(threshold=0.3, edge="inside")
    (outcome,) = count_folder(
        [path],
        tmp_path / "out",
        settings=settings,
        model=SquareDetector(),
        command=("smearcount", "count"),
    ).outcomes
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert outcome.result is not None
    assert record["images"][0]["sha256"] == outcome.result.image.sha256
    assert record["model"]["sha256"] == SquareDetector.card.sha256
    assert record["settings"]["threshold"] == 0.3
    assert record["settings"]["edge"] == "inside"
    assert record["command"] == ["smearcount", "count"]
    assert {"smearcount", "python", "numpy", "onnxruntime", "pillow"} <= set(record["versions"])


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = some_smear(tmp_path / "a.png")
    with pytest.raises(WriteError, match=r"a\.png"):
        count_folder([str(path)], path, model=SquareDetector())


def test_memory_does_not_grow_with_the_batch(tmp_path: Path) -> None:
    path = str(some_smear(tmp_path / "a.png"))
    count_folder([path], tmp_path / "warm", model=SquareDetector())
    tracemalloc.start()
    outcomes = count_batch([path] * 60, SquareDetector(), Settings(), tmp_path / "out")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(outcomes) == 60
    assert held / 60 < 160 * 120 * 3 / 4, "each outcome holds far less than the pixels of its image"


SLOW_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from doubles.square_detector import SquareDetector
from smearcount.api import count_folder
from smearcount.settings import Settings
folder = Path(sys.argv[2])
paths = sorted(str(path) for path in folder.glob("*.png"))
count_folder(paths, folder / "out", model=SquareDetector(folder / "log", 0.05))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_batch_killed_twice_ends_as_if_it_had_never_been(tmp_path: Path) -> None:
    paths = [str(some_smear(tmp_path / f"{n:02}.png", reds=n % 6)) for n in range(12)]
    out, log = tmp_path / "out", tmp_path / "log"
    command = [sys.executable, "-c", SLOW_RUN, str(Path(__file__).parents[1]), str(tmp_path)]
    for seen in (3, 7):
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while looks(log) < seen and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert looks(log) >= seen
        assert not (out / "counts.csv").exists()
    subprocess.run(command, check=True, timeout=120)
    # Each kill costs at most the image that was being counted.
    assert looks(log) <= len(paths) + 2
    whole = tmp_path / "whole"
    count_folder(paths, whole, model=SquareDetector())
    assert without_seconds(out) == without_seconds(whole)
    assert (out / "detections.json").read_bytes() == (whole / "detections.json").read_bytes()
    for picture in (whole / "annotated").iterdir():
        assert (out / "annotated" / picture.name).read_bytes() == picture.read_bytes()
