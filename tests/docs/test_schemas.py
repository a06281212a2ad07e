"""The page of file formats says what the code writes, and its schemas describe what is written."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import jsonschema
import pytest
from PIL import Image

from smearcount import count_folder
from smearcount.classes import CLASS_NAMES
from smearcount.report.slides_table import slide_columns
from smearcount.report.table import columns
from smearcount.synthetic import SmearStyle, render

DOCS = Path(__file__).parents[2] / "docs"


def load_build():
    spec = importlib.util.spec_from_file_location("schemas", DOCS / "schemas" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = load_build()


@pytest.mark.parametrize("name", [*BUILD.READ, *BUILD.WRITTEN])
def test_schema_is_what_the_code_gives(name):
    stored = (DOCS / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    assert stored == BUILD.schema(name), "run python docs/schemas/build.py"


def test_every_schema_is_linked_and_every_link_is_a_schema():
    page = (DOCS / "file-formats.md").read_text(encoding="utf-8")
    files = {path.name for path in (DOCS / "schemas").glob("*.json")}
    assert files == {f"{name}.schema.json" for name in (*BUILD.READ, *BUILD.WRITTEN)}
    assert all(f"(schemas/{name})" in page for name in files)


FORMER_NAMES = {"cut_odds", "scene"}
"""Entries of the card that ships, which is still read under the names it was written with."""


def test_the_cards_that_ship_keep_to_their_schema():
    schema = json.loads(BUILD.schema("model-card"))
    for path in Path(__file__).parents[2].glob("src/smearcount/detector/model/*.json"):
        known = set(schema["properties"]) | FORMER_NAMES
        assert set(json.loads(path.read_text(encoding="utf-8"))) <= known


def test_files_of_a_batch_keep_to_their_schemas(tmp_path):
    smear = render(SmearStyle("drawn", 320, 240, rbc_px=50), 0)
    Image.fromarray(smear.pixels).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no picture")
    inputs = [tmp_path / "a.png", tmp_path / "b.png"]
    batch = count_folder(inputs, tmp_path / "out", group_by=lambda path: "slide")
    written = {
        "document": batch.to_json(),
        "detections": (tmp_path / "out" / "detections.json").read_text(encoding="utf-8"),
        "run": (tmp_path / "out" / "run.json").read_text(encoding="utf-8"),
    }
    assert set(written) == set(BUILD.WRITTEN)
    for name, text in written.items():
        BUILD.WRITTEN[name].model_validate_json(text)
        jsonschema.validate(json.loads(text), json.loads(BUILD.schema(name)))


@pytest.mark.parametrize(
    "titles",
    [
        [column.title for column in columns(CLASS_NAMES)],
        [title for title, _ in slide_columns(CLASS_NAMES)],
    ],
    ids=["counts.csv", "slides.csv"],
)
def test_every_column_is_explained(titles):
    page = (DOCS / "file-formats.md").read_text(encoding="utf-8")
    for title in titles:
        # What is said of one class holds for the others.
        alike = {title.replace(name, other, 1) for name in CLASS_NAMES for other in CLASS_NAMES}
        explained = any(f"`{each}`" in page for each in alike)
        assert explained, f"docs/file-formats.md does not explain {title}"
