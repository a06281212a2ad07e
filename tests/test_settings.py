"""Settings refuse what makes no sense and give each class its threshold."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from smearcount.errors import UsageError
from smearcount.settings import EDGE_RULES, PIXEL_SIZES_UM, Settings, Threshold

CLASSES = ("WBC", "RBC", "Platelets")
OWN = (0.5, 0.6, 0.3)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (None, OWN),
        (0.4, (0.4, 0.4, 0.4)),
        (0, (0, 0, 0)),
        (np.float32(0.25), (0.25, 0.25, 0.25)),
        ((0.1, 0.2, 1.0), (0.1, 0.2, 1.0)),
        ({"Platelets": 0.9}, (0.5, 0.6, 0.9)),
        ({"RBC": 0.1, "WBC": 0.2, "Platelets": 0.3}, (0.2, 0.1, 0.3)),
        ({}, OWN),
    ],
)
def test_each_class_gets_its_threshold(
    threshold: Threshold | None, expected: tuple[float, ...]
) -> None:
    assert Settings(threshold).thresholds(OWN, CLASSES) == expected


@pytest.mark.parametrize("threshold", [(0.5,), (0.5, 0.5), (0.5,) * 4, ()])
def test_one_threshold_too_few_or_too_many_is_refused(threshold: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="one number, or 3"):
        Settings(threshold).thresholds(OWN, CLASSES)


def test_a_class_that_the_model_does_not_know_is_named() -> None:
    with pytest.raises(UsageError, match="knows WBC, RBC, Platelets, not 'platelet'"):
        Settings({"platelet": 0.5}).thresholds(OWN, CLASSES)


@pytest.mark.parametrize(
    ("threshold", "sentence"),
    [
        (1.1, "threshold must be a number from 0 to 1, not 1.1"),
        (-0.1, "not -0.1"),
        (float("nan"), "not nan"),
        ((0.5, 2.0, 0.5), "not 2.0"),
        ({"RBC": 3.0}, "threshold of RBC must be a number from 0 to 1, not 3.0"),
        ([0.5, 0.5], "must be a number"),
        ("0.5", "must be a number"),
        ((None, 0.5), "must be a number"),
    ],
)
def test_a_threshold_outside_its_range_is_refused(threshold: Threshold, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Settings(threshold)


@pytest.mark.parametrize("size", [0, -1, 0.005, 2, float("nan"), float("inf")])
def test_a_pixel_size_that_no_microscope_has_is_refused(size: float) -> None:
    with pytest.raises(UsageError, match="pixel size must be from"):
        Settings(pixel_size_um=size)


@pytest.mark.parametrize("size", [None, *PIXEL_SIZES_UM, 0.1])
def test_a_pixel_size_of_a_microscope_is_taken(size: float | None) -> None:
    assert Settings(pixel_size_um=size).pixel_size_um == size


def test_an_edge_rule_is_one_of_three() -> None:
    for rule in EDGE_RULES:
        assert Settings(edge=rule).edge == rule  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"all, inside, two-edges, not 'none'"):
        Settings(edge="none")  # type: ignore[arg-type]


def test_settings_are_frozen_also_against_the_mapping_that_was_given() -> None:
    given = {"RBC": 0.4}
    settings = Settings(given)
    given["RBC"] = 0.9
    assert settings.thresholds(OWN, CLASSES)[1] == 0.4
    with pytest.raises(AttributeError):
        settings.edge = "inside"  # type: ignore[misc]


def test_equal_settings_are_equal_and_pickle() -> None:
    for threshold in (None, 0.5, (0.5, 0.4, 0.3), {"RBC": 0.5}):
        settings = Settings(threshold, "inside", 0.1)  # type: ignore[arg-type]
        assert pickle.loads(pickle.dumps(settings)) == settings
        assert settings == Settings(threshold, "inside", 0.1)  # type: ignore[arg-type]
