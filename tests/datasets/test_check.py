"""Every fault that spoils training or evaluation is found, named and ranked."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from smearcount.datasets.check import check_splits, read_splits
from smearcount.datasets.dataset import AnnotatedImage, Dataset

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def picture(folder, name, seed, turn=None):
    noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((100, 100)).filter(ImageFilter.GaussianBlur(2))
    (image.transpose(turn) if turn else image).save(folder / name)
    return folder / name


def annotated(path, boxes, labels):
    return AnnotatedImage(path, 100, 100, np.array(boxes, dtype=float), np.array(labels))


def found(report, kind):
    return [(finding.split, finding.image) for finding in report.of_kind(kind)]


def test_each_fault_is_found_where_it_is(tmp_path):
    sound = annotated(picture(tmp_path, "sound.png", 1), [[1, 1, 30, 30]], [2])
    faulty = annotated(
        picture(tmp_path, "faulty.png", 2),
        [
            [10, 10, 40, 40],
            [11, 10, 40, 40],  # doubled
            [5, 5, 5, 9],  # no area
            [90, 90, 130, 99],  # beyond the border
            [60, 60, 80, 80],
            [60, 60, 80, 80],  # the same cell as another class
        ],
        [2, 2, 2, 2, 1, 2],
    )
    unlabelled = annotated(picture(tmp_path, "unlabelled.png", 3), np.zeros((0, 4)), [])
    no_rbc = annotated(picture(tmp_path, "no_rbc.png", 4), [[1, 1, 30, 30]], [1])
    again = picture(tmp_path, "again.png", 1, Image.Transpose.TRANSVERSE)
    classes = ("WBC", "RBC", "parasite")
    train = Dataset(classes, (sound, faulty, unlabelled, no_rbc), "made")
    val = Dataset(classes, (annotated(again, [[1, 1, 30, 30]], [2]),), "made")
    report = check_splits({"train": train, "val": val})
    in_faulty = [("train", "faulty.png")]
    assert found(report, "duplicate box") == in_faulty
    assert found(report, "box without area") == in_faulty
    assert found(report, "box beyond the image") == in_faulty
    assert found(report, "one cell with two classes") == in_faulty
    assert found(report, "image without labels") == [("train", "unlabelled.png")]
    assert found(report, "image without any RBC") == [("train", "no_rbc.png")]
    assert found(report, "same picture in two splits") == [("train", "sound.png")]
    assert len(found(report, "class that the shipped model does not know")) == 2
    assert report.cells["train"] == {"WBC": 2, "RBC": 6, "parasite": 0}
    ranks = ["error", "warning", "note"]
    order = [ranks.index(finding.severity) for finding in report.findings]
    assert order == sorted(order)


def test_what_cannot_be_trained_on_is_an_error(tmp_path):
    whole = picture(tmp_path, "whole.jpg", 1)
    cut = picture(tmp_path, "cut.jpg", 2)
    cut.write_bytes(cut.read_bytes()[:900])
    box = [[1, 1, 30, 30]]
    train = Dataset(("RBC",), (annotated(whole, box, [1]), annotated(cut, box, [1])), "made")
    none = np.zeros((0, 4))
    val = Dataset(("RBC",), (annotated(picture(tmp_path, "b.png", 3), none, []),), "made")
    other = Dataset(("RBC", "a"), (annotated(picture(tmp_path, "c.png", 4), box, [2]),), "made")
    report = check_splits({"train": train, "val": val, "test": other})
    assert found(report, "image that cannot be read") == [("train", "cut.jpg")]
    assert found(report, "nothing to learn from") == [("val", "")]
    assert found(report, "class that cannot be learned") == [("test", "")]
    less = check_splits({"train": other, "test": train})
    assert not less.of_kind("class that cannot be learned"), "fewer classes can be measured on"


def test_an_empty_split_is_told(tmp_path):
    image = annotated(picture(tmp_path, "a.png", 1), [[1, 1, 30, 30]], [1])
    parts = {"train": Dataset(("RBC",), (image,), "made"), "val": Dataset(("RBC",), (), "made")}
    (finding,) = check_splits(parts).findings
    assert (finding.split, finding.detail) == ("val", "there is no image")


def test_what_reading_left_out_is_a_note(tmp_path):
    image = annotated(picture(tmp_path, "a.png", 1), [[1, 1, 30, 30]], [1])
    (finding,) = check_splits(
        {"": Dataset(("RBC",), (image,), "made", notes=("2 left.",))}
    ).findings
    assert (finding.severity, finding.detail) == ("note", "2 left.")


def test_a_sound_data_set_has_no_findings(tmp_path):
    image = annotated(picture(tmp_path, "a.png", 1), [[1, 1, 30, 30]], [1])
    assert check_splits({"": Dataset(("RBC",), (image,), "made")}).findings == ()


def test_a_broken_split_is_a_finding_and_the_others_are_checked(tmp_path):
    for split, line in (("train", "0 .5 .5 .1 .1"), ("val", "7 .5 .5 .1 .1")):
        (tmp_path / "images" / split).mkdir(parents=True)
        (tmp_path / "labels" / split).mkdir(parents=True)
        picture(tmp_path / "images" / split, "a.png", len(split))
        (tmp_path / "labels" / split / "a.txt").write_text(line)
    (tmp_path / "classes.txt").write_text("RBC\n")
    parts, broken = read_splits(tmp_path)
    assert list(parts) == ["train"]
    assert broken[0].severity == "error"
    assert "a.txt line 1: class 7 is unknown" in broken[0].detail


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
def test_the_known_faults_of_bccd_are_found():
    report = check_splits(read_splits(DATA / "bccd")[0])

    def numbers(kind):
        return {image.removeprefix("BloodImage_")[:5] for _, image in found(report, kind)}

    assert numbers("box without area") == {"00338", "00343"}
    assert numbers("same picture in two splits") == {"00038"}
    assert {"00134", "00147", "00150", "00224"} <= numbers("image without any RBC")
    assert len(numbers("duplicate box") | numbers("probably duplicate box")) == 8
    assert report.images == {"train": 205, "val": 87}
