"""A COCO file comes back as it is written, and a broken one says on which line."""

import json

import numpy as np
import pytest
from PIL import Image

from doubles.pictures import save_blank
from smearcount.datasets.read import read_dataset, split_names
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError


def coco(folder, **changes):
    save_blank(folder / "images")
    content = {
        "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 3, "name": "rbcs"}, {"id": 1, "name": "trypanosome"}],
    }
    path = folder / "train.bbox.json"
    path.write_text(json.dumps(content | changes, indent=1))
    return path


def test_coco_keeps_its_numbers_and_foreign_classes_follow_ours(tmp_path):
    dataset = read_dataset(coco(tmp_path))
    assert dataset.classes == ("RBC", "trypanosome")
    assert dataset.category_ids == (3, 1)
    assert dataset.images[0].image_id == 7
    np.testing.assert_array_equal(dataset.images[0].boxes_xyxy_px, [[1, 2, 4, 6]])
    assert split_names(tmp_path) == ("train",)
    assert len(read_dataset(tmp_path)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"annotations": [{"image_id": 9, "category_id": 3}]},
            r"line \d+, annotations\[0\]: no image has the id 9",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 5}]}, "category id 5 is unknown"),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [1, 2, 3]}]},
            "bbox must be four numbers",
        ),
        ({"annotations": [{"image_id": "7"}]}, "no image has the id '7'"),
        ({"images": [{"id": 7, "file_name": "b.png"}]}, "b.png is neither beside this file"),
        (
            {"images": [{"id": 7, "file_name": "a.png", "width": 80, "height": 60}]},
            r"it says that a\.png has 80×60 pixels, but the image has 40×30",
        ),
        (
            {"images": [{"id": 7, "file_name": "a.png", "width": "40", "height": "30"}]},
            "width must be a whole number, not '40'",
        ),
        (
            {"categories": [{"id": 3, "name": "rbcs"}, {"id": 3, "name": "trypanosome"}]},
            "category id 3 stands twice",
        ),
        ({"images": None}, "needs a list 'images'"),
    ],
)
def test_broken_coco_names_file_line_and_fix(tmp_path, changes, sentence):
    with pytest.raises(DataError, match=sentence) as error:
        read_dataset(coco(tmp_path, **changes))
    assert "train.bbox.json" in str(error.value)


def test_coco_lines_are_those_of_the_file(tmp_path):
    good = {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]}
    path = coco(tmp_path, annotations=[good, good | {"category_id": 8}])
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines, 1) if '"category_id": 8' in line)
    with pytest.raises(DataError, match=rf"line {at - 3}, annotations\[1\]: category id 8"):
        read_dataset(path)


def test_coco_of_another_machine_and_with_points_in_its_numbers_is_read(tmp_path):
    path = coco(
        tmp_path,
        images=[{"id": 7.0, "file_name": "/home/lab/photos/a.png", "width": 40.0, "height": 30}],
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (image,) = read_dataset(tmp_path).images
    assert (image.image_id, image.path.name, image.width) == (7, "a.png", 40)


def test_a_coco_file_has_no_splits_to_choose_from(tmp_path):
    with pytest.raises(DataError, match="a COCO file has no splits; leave out 'val'"):
        read_dataset(coco(tmp_path), "val")


def test_json_cut_short_names_its_line(tmp_path):
    path = coco(tmp_path)
    path.write_text(path.read_text()[:60])
    with pytest.raises(DataError, match=r"train\.bbox\.json line \d+: not valid JSON"):
        read_dataset(path)


def test_ids_may_be_texts_or_beyond_64_bits_and_are_then_numbered_anew(tmp_path):
    path = coco(
        tmp_path,
        images=[{"id": "x", "file_name": "a.png"}],
        annotations=[{"id": 2**100, "image_id": "x", "category_id": "c", "bbox": [1, 2, 3, 4]}],
        categories=[{"id": "c", "name": "rbcs"}],
    )
    dataset = read_dataset(path)
    (image,) = dataset.images
    assert (len(image), image.image_id, image.box_ids, dataset.category_ids) == (
        1,
        None,
        None,
        None,
    )
    write_dataset(dataset, tmp_path / "out", "coco")
    content = json.loads((tmp_path / "out" / "all.bbox.json").read_text(encoding="utf-8"))
    assert content["annotations"][0]["id"] == content["annotations"][0]["image_id"] == 1


def test_one_file_under_two_ids_is_refused_by_both(tmp_path):
    images = [{"id": number, "file_name": "a.png"} for number in (7, 8)]
    with pytest.raises(DataError, match=r"images\[1\]: a\.png stands under two ids, 7 and 8"):
        read_dataset(coco(tmp_path, images=images))


def test_crowds_are_left_out_and_polygons_become_boxes_with_a_note_of_their_number(tmp_path):
    polygon = [[1, 2, 4.5, 2, 4.5, 6], [2, 6, 3, 8, 2, 7]]
    rows = [
        {"id": 1, "image_id": 7, "category_id": 3, "segmentation": polygon},
        {"id": 2, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4], "iscrowd": 1},
    ]
    dataset = read_dataset(coco(tmp_path, annotations=rows))
    np.testing.assert_array_equal(dataset.images[0].boxes_xyxy_px, [[1, 2, 4.5, 8]])
    crowd, polygons = dataset.notes
    assert crowd.endswith("json: 1 regions marked iscrowd are no single cells; left out.")
    assert polygons.endswith("json: 1 polygons without a box were read as the box around them.")


@pytest.mark.parametrize(
    "polygon", [[], [[]], [[1, 2, 3, 4]], [[1, 2, 3, 4, 5, "x"]], {"counts": 1}]
)
def test_an_annotation_without_box_and_polygon_is_refused(tmp_path, polygon):
    row = {"image_id": 7, "category_id": 3, "segmentation": polygon}
    with pytest.raises(DataError, match="bbox must be four numbers"):
        read_dataset(coco(tmp_path, annotations=[row]))


def test_the_splits_of_roboflow_are_one_data_set_without_its_group(tmp_path):
    for split, number in (("train", 1), ("valid", 2)):
        save_blank(tmp_path / split)
        content = {
            "images": [{"id": 0, "file_name": "a.png"}],
            "annotations": [{"id": 0, "image_id": 0, "category_id": number, "bbox": [1, 2, 3, 4]}],
            "categories": [
                {"id": 0, "name": "cells", "supercategory": "none"},
                {"id": 1, "name": "RBC", "supercategory": "cells"},
                {"id": 2, "name": "WBC", "supercategory": "cells"},
            ],
        }
        (tmp_path / split / "_annotations.coco.json").write_text(json.dumps(content))
    assert split_names(tmp_path) == ("train", "valid")
    for split in ("train", "val"):
        dataset = read_dataset(tmp_path, split)
        assert dataset.classes == ("WBC", "RBC")
        assert "category 'cells' only groups others and was left out" in dataset.notes[0]


@pytest.mark.parametrize("number", ["1e999999999", "1e400", "9" * 5000, "NaN"])
def test_numbers_that_are_no_coordinates_are_a_sentence(tmp_path, number):
    path = coco(tmp_path)
    path.write_text(path.read_text().replace('"image_id": 7', f'"image_id": {number}'))
    with pytest.raises(DataError, match=r"must be a whole number|too long"):
        read_dataset(path)


def test_lists_nested_without_end_are_a_sentence(tmp_path):
    path = coco(tmp_path)
    path.write_text('{"images": ' + "[" * 100_000)
    with pytest.raises(DataError, match="too deep to be COCO"):
        read_dataset(path)


def test_a_size_as_stored_of_a_turned_picture_is_explained(tmp_path):
    path = coco(tmp_path, images=[{"id": 7, "file_name": "b.jpg", "width": 40, "height": 30}])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "b.jpg", exif=exif)
    with pytest.raises(DataError, match=r"as it is stored, 40×30 pixels, but its EXIF orientation"):
        read_dataset(path)


@pytest.mark.parametrize("place", ["train", "images/train"])
def test_the_layout_of_coco_itself_and_of_cvat_is_read(tmp_path, place):
    (tmp_path / "annotations").mkdir()
    coco(tmp_path).rename(tmp_path / "annotations" / "instances_train.json")
    (tmp_path / "images" / "a.png").rename(save_blank(tmp_path / place))
    assert split_names(tmp_path) == ("train",)
    assert read_dataset(tmp_path, "train").images[0].path == tmp_path / place / "a.png"


def test_a_name_that_leads_out_of_the_data_set_is_not_followed(tmp_path):
    save_blank(tmp_path, "secret.png")
    with pytest.raises(DataError, match=r"secret\.png is neither beside this file nor in images/"):
        read_dataset(coco(tmp_path / "set", images=[{"id": 7, "file_name": "../secret.png"}]))
