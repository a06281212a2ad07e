"""The exercise's notebook runs from end to end, and says the same in both languages."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXERCISE = Path(__file__).parents[2] / "docs" / "exercise"
LANGUAGES = ("en", "ja")


def cells(language, kind):
    text = (EXERCISE / f"exercise.{language}.ipynb").read_text(encoding="utf-8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == kind]


def test_notebooks_are_what_their_source_gives():
    sys.path.insert(0, str(EXERCISE))
    try:
        build = importlib.import_module("build")
    finally:
        sys.path.pop(0)
    text = (EXERCISE / "exercise.md").read_text(encoding="utf-8")
    for language in LANGUAGES:
        outputs = [cell["outputs"] for cell in cells(language, "code")]
        stored = (EXERCISE / f"exercise.{language}.ipynb").read_text(encoding="utf-8")
        assert stored == build.notebook(text, language, outputs), (
            f"run python docs/exercise/build.py: exercise.{language}.ipynb is not what "
            "exercise.md says"
        )


def test_both_languages_run_the_same_code_and_carry_its_outputs():
    english, japanese = (cells(language, "code") for language in LANGUAGES)
    assert [cell["source"] for cell in english] == [cell["source"] for cell in japanese]
    assert [cell["outputs"] for cell in english] == [cell["outputs"] for cell in japanese]
    shown = [output for cell in english for output in cell["outputs"]]
    if not shown:
        pytest.skip("the notebooks carry no outputs; run python docs/exercise/build.py --run")
    assert "mAP50" in "".join(line for output in shown for line in output.get("text", ()))
    pictures = [output["data"]["image/png"] for output in shown if "data" in output]
    assert len(pictures) >= 6
    assert sum(map(len, pictures)) < 1_500_000


def test_outputs_name_no_path_of_the_machine_that_made_them():
    for language in LANGUAGES:
        outputs = json.dumps([cell["outputs"] for cell in cells(language, "code")])
        for place in ("/home", "/root", "/tmp", "/work", "/Users", "C:\\\\", "/private"):
            assert place not in outputs.replace("image/png", "")


def test_every_text_is_translated():
    english, japanese = (cells(language, "markdown") for language in LANGUAGES)
    for one, other in zip(english, japanese, strict=True):
        one, other = "".join(one["source"]), "".join(other["source"])
        assert one.count("\n## ") == other.count("\n## ")
        assert not any("\u3040" <= letter <= "\u30ff" for letter in one)
        assert any("\u3040" <= letter <= "\u30ff" for letter in other)


@pytest.mark.timeout(600)
def test_every_cell_runs_offline(tmp_path):
    for module in ("torch", "torchvision", "pytorch_lightning", "faster_coco_eval", "matplotlib"):
        pytest.importorskip(module)
    code = "\n\n".join("".join(cell["source"]) for cell in cells("en", "code"))
    surroundings = {k: v for k, v in os.environ.items() if k != "SMEARCOUNT_EXERCISE"}
    # From standard input: a data loader's process must not find the script and start it again.
    run = subprocess.run(
        [sys.executable, "-"],
        input=code,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=surroundings | {"SMEARCOUNT_QUICK": "1", "PYTHONUTF8": "1"},
        capture_output=True,
        timeout=550,  # against hangs; a busy machine needs minutes
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    told = run.stdout
    assert "same boxes: True" in told
    assert "RMSE" in told
    left = tmp_path / "runs" / "exercise-drawn-quick"
    for name in ("compare/compare.md", "final/weights.pth", "final/model.onnx"):
        assert (left / name).stat().st_size > 0
