"""A card keeps what it was given, and cards written under former names are still read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from smearcount.detections.nms import DEFAULT_IOU_THRESHOLD
from smearcount.detector.load import SHIPPED_FILE
from smearcount.detector.model_card import ModelCard
from smearcount.errors import ModelError

SHIPPED_CARD = SHIPPED_FILE.with_suffix(".json")

MINIMAL = {
    "name": "test",
    "architecture": "none",
    "sha256": "0" * 64,
    "classes": ["WBC", "RBC"],
    "thresholds": [0.5, 0.4],
}


def test_the_shipped_card_is_read_with_all_that_its_file_holds() -> None:
    stored = json.loads(SHIPPED_CARD.read_text(encoding="utf-8"))
    card = ModelCard.read(SHIPPED_CARD)
    assert card.border_odds_ratio == stored["cut_odds"] < 1
    reference = card.reference_statistics
    assert reference is not None
    assert reference.ood_threshold == stored["scene"]["farthest"]
    assert reference.min_background == stored["scene"]["dimmest"]
    assert reference.max_saturated_share == stored["scene"]["burnt"]
    assert list(reference.coverage_range) == stored["scene"]["covered"]
    assert list(reference.rbc_px_range) == stored["scene"]["magnifications"]
    assert [list(row) for row in reference.cluster_centers] == stored["scene"]["look_centres"]
    assert [list(row) for row in reference.whitening] == stored["scene"]["look_whitening"]
    assert list(reference.focus_std) == stored["scene"]["focus_deviation"]


def test_a_card_is_written_under_the_names_of_today_and_read_back(tmp_path: Path) -> None:
    card = ModelCard.read(SHIPPED_CARD)
    card.write(tmp_path / "again.json")
    written = json.loads((tmp_path / "again.json").read_text(encoding="utf-8"))
    assert {"border_odds_ratio", "reference_statistics"} <= set(written)
    assert not {"cut_odds", "scene"} & set(written)
    assert ModelCard.read(tmp_path / "again.json") == card


def test_the_defaults_are_those_of_the_package() -> None:
    card = ModelCard.model_validate(MINIMAL)
    assert card.iou_threshold == DEFAULT_IOU_THRESHOLD
    assert card.border_odds_ratio == 1
    assert card.reference_statistics is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"thresholds": [0.5]},
        {"cut_odds": 2},
        {"border_odds_ratio": 0},
        {"seen": 1},
        {"classes": []},
    ],
)
def test_a_wrong_entry_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelCard.model_validate(MINIMAL | wrong)


@pytest.mark.parametrize("content", ["", "{}", "[1]", "{", '{"name": "x"}'])
def test_a_file_that_is_no_card_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.json"):
        ModelCard.read(file)


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.json: this model card is missing"):
        ModelCard.read(tmp_path / "none.json")
