"""An image gives the same cells however large it is, however it is tiled, at any magnification."""

from pathlib import Path

import numpy as np
import pytest

from doubles.pictures import noise
from doubles.tiny_model import write_tiny_model
from smearcount.detections.detections import Detections
from smearcount.detector import detect as detect_module
from smearcount.detector.detect import detect
from smearcount.detector.inference import detect_tiled
from smearcount.detector.load import SHIPPED_FILE, load_detector
from smearcount.detector.magnification import MagnificationEstimate
from smearcount.detector.model_card import ModelCard
from smearcount.detector.scale import Scale
from smearcount.image.image import SmearImage
from smearcount.image.read import open_image


def assert_same(first: Detections, second: Detections) -> None:
    """The same cells, apart from the last bits of floating point and the order of equal scores."""
    assert len(first) == len(second)
    rows = [
        np.column_stack([d.boxes_xyxy_px, d.scores * 10, d.labels]).astype(float)
        for d in (first, second)
    ]
    for row in rows[0]:
        assert np.abs(rows[1] - row).max(axis=1).min() < 0.02


@pytest.mark.parametrize("side", [144, 208, 336])
@pytest.mark.parametrize("size", [(384, 304), (331, 283)])
def test_tiles_give_the_detections_of_the_whole_image(
    tmp_path: Path, side: int, size: tuple[int, int]
) -> None:
    detector = load_detector(write_tiny_model(tmp_path / "tiny.onnx"))
    image = open_image(noise(*size))
    whole = detector.detect(image.pixels())
    assert len(whole) > 100
    assert_same(detect_tiled(image, detector, size, side), whole)


@pytest.mark.parametrize("offset", [(0, 0), (5, 3), (8, 16), (37, 61)])
def test_tiles_agree_wherever_the_image_begins(tmp_path: Path, offset: tuple[int, int]) -> None:
    detector = load_detector(write_tiny_model(tmp_path / "tiny.onnx"))
    pixels = noise(340, 300)[offset[1] :, offset[0] :]
    image = open_image(np.ascontiguousarray(pixels))
    size = (image.width, image.height)
    assert_same(detect_tiled(image, detector, size, 176), detector.detect(image.pixels()))


@pytest.mark.skipif(not SHIPPED_FILE.exists(), reason="the model that ships is not here yet")
def test_the_shipped_model_detects_the_same_in_tiles() -> None:
    detector = load_detector()
    image = open_image(noise(960, 448))
    whole = detector.detect(image.pixels())
    assert len(whole) > 20
    assert_same(detect_tiled(image, detector, (960, 448), 640), whole)


class DiscDetector:
    """Detects dark discs of about 24 px as red cells, and none that are far smaller or larger."""

    card = ModelCard(
        name="discs",
        architecture="discs",
        sha256="0" * 64,
        classes=("WBC", "RBC", "Platelets"),
        thresholds=(0.5, 0.5, 0.5),
        rbc_px=24.0,
        source_rbc_px=50.0,
        stride=8,
    )

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def detect(self, pixels: np.ndarray) -> Detections:
        self.sizes.append((pixels.shape[1], pixels.shape[0]))
        dark = pixels[:, :, 1] < 140
        boxes = []
        rows = np.flatnonzero(dark.any(axis=1))
        for band in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            if not len(band):
                continue
            strip = dark[band[0] : band[-1] + 1]
            columns = np.flatnonzero(strip.any(axis=0))
            for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
                boxes.append((run[0], band[0], run[-1] + 1, band[-1] + 1))
        sizes = [max(right - left, bottom - top) for left, top, right, bottom in boxes]
        kept = [box for box, size in zip(boxes, sizes, strict=True) if 12 <= size <= 48]
        n = len(kept)
        return Detections(
            np.array(kept, np.float32).reshape(-1, 4), np.full(n, 0.9, np.float32), np.full(n, 2)
        )


def discs(diameter: int, columns: int = 4, rows: int = 3) -> np.ndarray:
    """Red discs on a pale ground, one and a half diameters apart."""
    pitch = 3 * diameter // 2
    y, x = np.mgrid[: rows * pitch, : columns * pitch]
    inside = (x % pitch - pitch / 2) ** 2 + (y % pitch - pitch / 2) ** 2 < diameter**2 / 4
    return np.where(inside[:, :, None], (190, 100, 110), (235, 225, 215)).astype(np.uint8)


def with_pixel_size(pixels: np.ndarray, size_um: float | None) -> SmearImage:
    image = open_image(pixels)
    return SmearImage("discs", image.width, image.height, "", image.read, size_um)


@pytest.mark.parametrize("diameter", [30, 75, 200])
def test_a_pixel_size_from_the_user_resizes_cells_to_the_size_that_the_model_knows(
    monkeypatch: pytest.MonkeyPatch,
    diameter: int,
) -> None:
    detector = DiscDetector()
    estimate(monkeypatch, diameter)
    found = detect(with_pixel_size(discs(diameter), 3.0), detector, 7.5 / diameter)
    assert len(found.detections) == 12
    assert found.scale.source == "user"
    assert found.scale.pixel_size_um == 7.5 / diameter
    assert found.scale.rbc_diameter_px == pytest.approx(diameter, rel=0.1)
    assert len(detector.sizes) == 1


def test_a_model_without_red_cells_follows_the_magnification_estimate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    detector = DiscDetector()
    monkeypatch.setattr(
        DiscDetector, "card", detector.card.model_copy(update={"classes": ("WBC", "parasite", "a")})
    )
    estimate(monkeypatch, 75)
    found = detect(open_image(discs(75)), detector)
    assert len(detector.sizes) == 1
    assert len(found.detections) == 12
    assert (found.scale.source, found.scale.rbc_diameter_px) == ("estimated", 75)


def test_a_pixel_size_in_the_file_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate(monkeypatch, 75)
    found = detect(with_pixel_size(discs(75), 0.1), DiscDetector())
    assert (found.scale.source, found.scale.pixel_size_um) == ("file", 0.1)
    assert len(found.detections) == 12


def estimate(monkeypatch: pytest.MonkeyPatch, rbc_px: float, log2_error: float = 0.1) -> None:
    """Let the magnification estimator return this, whatever the image shows."""
    monkeypatch.setattr(
        detect_module,
        "estimate_magnification",
        lambda *_: MagnificationEstimate(rbc_px, log2_error),
    )


@pytest.mark.parametrize("wrong", [0.25, 4.0])
def test_a_pixel_size_that_hides_the_cells_is_contradicted_and_only_the_users_is_kept(
    monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    estimate(monkeypatch, 70.0)
    picture = discs(75)
    file = detect(with_pixel_size(picture, 0.1 * wrong), DiscDetector())
    assert (file.scale.source, file.scale.pixel_size_contradicted) == ("estimated", True)
    assert len(file.detections) == 12
    assert file.scale.pixel_size_um == pytest.approx(0.1, rel=0.05)
    user = detect(open_image(picture), DiscDetector(), 0.1 * wrong)
    assert (user.scale.source, user.scale.pixel_size_contradicted) == ("user", True)
    assert user.scale.pixel_size_um == 0.1 * wrong
    assert len(user.detections) == 0


@pytest.mark.parametrize("read_px", [20.0, 300.0])
def test_a_pixel_size_that_shows_the_cells_stands_whatever_the_estimator_reads(
    monkeypatch: pytest.MonkeyPatch, read_px: float
) -> None:
    estimate(monkeypatch, read_px)
    found = detect(with_pixel_size(discs(75), 0.1), DiscDetector())
    assert (found.scale.source, found.scale.pixel_size_contradicted) == ("file", False)
    assert len(found.detections) == 12


def test_an_estimate_that_the_cells_contradict_is_corrected_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 50.0)
    detector = DiscDetector()
    found = detect(open_image(discs(75)), detector)
    assert len(detector.sizes) == 2
    assert found.scale.source == "estimated"
    assert found.scale.rbc_diameter_px == pytest.approx(75, rel=0.05)
    assert found.scale.pixel_size_um == pytest.approx(0.1, rel=0.05)


class BiasedDetector(DiscDetector):
    """Its boxes are biased half way to the size that it knows, as those of a network far off."""

    def detect(self, pixels: np.ndarray) -> Detections:
        found = super().detect(pixels)
        boxes = found.boxes_xyxy_px
        center, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
        half = (half + self.card.rbc_px / 2) / 2
        return Detections(np.hstack([center - half, center + half]), found.scores, found.labels)


def test_an_estimate_far_off_is_corrected_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 52.0)
    detector = BiasedDetector()
    found = detect(open_image(discs(100)), detector)
    assert len(detector.sizes) == 3
    assert found.scale.rbc_diameter_px == pytest.approx(100, rel=0.1)


def test_a_good_estimate_takes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate(monkeypatch, 70.0)
    detector = DiscDetector()
    assert len(detect(open_image(discs(75)), detector).detections) == 12
    assert len(detector.sizes) == 1


def test_if_nothing_is_found_the_size_of_the_training_images_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 300.0)
    found = detect(open_image(discs(50)), DiscDetector())
    assert len(found.detections) == 12
    assert found.scale.source == "estimated"


def test_two_cells_correct_an_estimate_that_they_contradict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 50.0)
    detector = DiscDetector()
    found = detect(open_image(discs(75, columns=2, rows=1)), detector)
    assert len(found.detections) == 2
    assert found.scale.rbc_diameter_px == pytest.approx(75, rel=0.05)


class SmallCellBlindDetector(DiscDetector):
    """Detects only one of the cells that are shown somewhat too small."""

    def detect(self, pixels: np.ndarray) -> Detections:
        found = super().detect(pixels)
        shown = found.boxes_xyxy_px[:, 2] - found.boxes_xyxy_px[:, 0]
        return found[:1] if np.median(shown) < 22 else found


def test_if_hardly_any_cell_is_found_the_image_is_enlarged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 88.0)
    found = detect(open_image(discs(75)), SmallCellBlindDetector())
    assert len(found.detections) == 12
    assert found.scale.rbc_diameter_px == pytest.approx(75, rel=0.05)


def test_an_enlarged_image_that_shows_no_more_cells_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 70.0)
    strip = discs(75, rows=1)[30:80]  # no disc is whole
    found = detect(open_image(strip), DiscDetector())
    assert len(found.detections) == 4
    assert found.scale.rbc_diameter_px == 70.0


def test_an_empty_image_has_no_pixel_size(monkeypatch: pytest.MonkeyPatch) -> None:
    estimate(monkeypatch, 60.0)
    found = detect(open_image(np.full((200, 300, 3), 230, np.uint8)), DiscDetector())
    assert len(found.detections) == 0
    assert found.scale == Scale(None, None, "assumed")


def test_cells_found_at_the_size_of_the_training_images_give_the_pixel_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estimate(monkeypatch, 300.0, log2_error=5.0)  # too uncertain: 50 px is assumed
    found = detect(open_image(discs(50)), DiscDetector())
    assert found.scale.source == "estimated"


class StretchingDetector(DiscDetector):
    """Resizes every image to one size, as SSD does."""

    card = DiscDetector.card.model_copy(update={"rbc_px": None, "receptive_px": 0})

    def candidates(self, pixels: np.ndarray) -> Detections:
        return self.detect(pixels)


def test_a_detector_without_a_receptive_field_gets_no_tiles() -> None:
    detector = StretchingDetector()
    detect(open_image(np.full((1200, 1600, 3), 230, np.uint8)), detector)
    assert detector.sizes == [(1600, 1200)]


def test_boxes_are_image_pixels_inside_the_image(tmp_path: Path) -> None:
    detector = load_detector(write_tiny_model(tmp_path / "tiny.onnx"))
    found = detect(open_image(noise(333, 222)), detector, 7.5 / 50).detections
    low, high = found.boxes_xyxy_px.min(axis=0), found.boxes_xyxy_px.max(axis=0)
    assert (low >= 0).all()
    assert high[2] <= 333
    assert high[3] <= 222
    assert high[2] > 320
