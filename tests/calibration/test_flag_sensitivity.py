"""Sensitivity and false alarms of the flags are counted as they should be."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from smearcount.calibration.flag_sensitivity import CLEAN, DRAWN, measure_flag_sensitivity
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.image.image import SmearImage
from smearcount.quality.flags import OUT_OF_DISTRIBUTION, OUT_OF_FOCUS, TOO_BRIGHT, TOO_DARK
from smearcount.synthetic.smears import demo_smears


def test_flags_by_brightness_alone_detect_exposure_and_nothing_else(tmp_path: Path) -> None:
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
    rows = {row.kind: row for row in measure_flag_sensitivity(dataset, by_brightness, drawn=12)}
    assert rows[CLEAN].flagged == 0
    assert rows["+2 stops"].flagged == rows["-2 stops"].flagged == 1
    assert rows["blur 3 px"].flagged == 0
    assert OUT_OF_FOCUS not in rows["blur 3 px"].flags
    assert rows[DRAWN].flagged == 1
    assert rows[DRAWN].images == 12
