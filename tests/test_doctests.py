"""The examples in docstrings give what they say.

An example finds in its working folder the drawn smear ``smear.png`` and the folder ``slides`` with
``A/1.png`` and ``B/1.png``; the name ``drawn_smears`` stands for the folder of an annotated data
set. Examples that take long, such as trainings, are marked ``+SKIP``.
"""

from __future__ import annotations

import doctest
import importlib
import shutil
import sys
from pathlib import Path

import pytest
from PIL import Image

from smearcount.classes import CLASS_NAMES
from smearcount.datasets import AnnotatedImage, Dataset, write_dataset
from smearcount.synthetic.smears import demo_smears

PACKAGE = Path(__file__).parents[1] / "src" / "smearcount"
NEEDED = {"training": "torch", "web": "fastapi", "evaluation": "scipy", "calibration": "scipy"}
"""What a room needs beyond the base install."""


def with_examples() -> list[str]:
    """Return the names of the modules in which an example stands."""
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if ">>> " in file.read_text("utf-8")]
    names = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("examples")
    smears = demo_smears()
    for name, smear in zip(("smear", "slides/A/1", "slides/B/1"), (0, 0, 1), strict=True):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(smears[smear].pixels).save(path)
    images = []
    for smear in smears:
        path = folder / "images" / f"{smear.name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(smear.pixels).save(path)
        height, width = smear.pixels.shape[:2]
        images.append(AnnotatedImage(path, width, height, smear.boxes_xyxy_px, smear.labels))
    write_dataset(Dataset(CLASS_NAMES, tuple(images), "drawn smears"), folder / "data", "coco")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="the examples show paths with slashes")
@pytest.mark.parametrize("name", with_examples())
def test_examples(name: str, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = name.split(".")[1] if "." in name else ""
    if room in NEEDED:
        pytest.importorskip(NEEDED[room])
    work = tmp_path / "work"
    shutil.copytree(drawn, work)
    monkeypatch.chdir(work)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(
        module, name, extraglobs={"drawn_smears": work / "data"}
    ):
        report: list[str] = []
        runner.run(test, out=report.append)
        assert runner.failures == 0, "".join(report)
