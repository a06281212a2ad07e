"""The study of the flags counts what it should: made worse on purpose, caught or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from smearcount.calibration.corruptions import blurred, exposed, strangers
from smearcount.calibration.flag_sensitivity import CLEAN, flag_study
from smearcount.datasets.read import AnnotatedImage, Dataset
from smearcount.image.image import SmearImage
from smearcount.quality.flags import OUT_OF_DISTRIBUTION, OUT_OF_FOCUS, TOO_BRIGHT, TOO_DARK
from smearcount.synthetic.smears import demo_smears


def test_a_judge_by_brightness_alone_catches_exposure_and_nothing_else(tmp_path: Path) -> None:
    smear = demo_smears()[0]
    path = tmp_path / "a.png"
    Image.fromarray(smear.pixels).save(path)
    height, width = smear.pixels.shape[:2]
    image = AnnotatedImage(path, width, height, smear.boxes_xyxy_px, smear.labels, None)
    usual = float(smear.pixels.mean())

    def by_brightness(image: SmearImage, annotated: AnnotatedImage | None) -> tuple[str, ...]:
        if annotated is None:
            return (OUT_OF_DISTRIBUTION,)
        mean = float(image.pixels().mean())
        return (TOO_DARK,) * (mean < 0.7 * usual) + (TOO_BRIGHT,) * (mean > 1.1 * usual)

    dataset = Dataset(("WBC", "RBC", "Platelets"), (image,), "drawn")
    rows = {row.kind: row for row in flag_study(dataset, by_brightness, drawn=12)}
    assert rows[CLEAN].caught == 0
    assert rows["+2 stops"].caught == rows["-2 stops"].caught == 1
    assert rows["blur 3 px"].caught == 0
    assert OUT_OF_FOCUS not in rows["blur 3 px"].flags
    assert rows["drawn, no smear"].caught == 1
    assert rows["drawn, no smear"].images == 12


def test_no_stop_changes_nothing_and_two_stops_double_twice() -> None:
    grey = np.full((4, 4, 3), 60, np.uint8)
    assert (exposed(grey, 0) == grey).all()
    twice = exposed(exposed(grey, 1), 1).astype(int)
    assert abs(twice - exposed(grey, 2)).max() <= 1
    assert exposed(grey, 2).mean() > 100


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 6))
def test_blur_keeps_the_mean_and_lowers_the_contrast(sigma: float) -> None:
    pixels = np.zeros((60, 60, 3), np.uint8)
    pixels[20:40, 20:40] = 200
    soft = blurred(pixels, sigma)
    assert soft.mean() == pytest.approx(pixels.mean(), abs=2)
    assert soft.std() < pixels.std()


def test_strangers_differ_and_repeat_with_their_seed() -> None:
    first, again = strangers(12, 3, (64, 48)), strangers(12, 3, (64, 48))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert len({picture.tobytes() for picture in first}) == 12
    assert {picture.shape for picture in first} == {(48, 64, 3)}
