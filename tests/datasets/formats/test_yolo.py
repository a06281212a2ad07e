"""A YOLO folder is read however it names its classes, and a broken file says on which line."""

import numpy as np
import pytest

from doubles.pictures import save_blank
from smearcount.datasets.dataset import Dataset
from smearcount.datasets.read import read_dataset, split_names
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError
from smearcount.synthetic.dataset import draw_dataset
from smearcount.synthetic.style import SmearStyle


def yolo(folder, text, names="names: [Platelets, RBC]"):
    save_blank(folder / "images" / "train")
    (folder / "labels" / "train").mkdir(parents=True)
    (folder / "labels" / "train" / "a.txt").write_text(text)
    if names:
        (folder / "data.yaml").write_text(names)
    return folder


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 .5 .5 .1 .1\n\n1 .5 .5 .1\n", "a.txt line 3: 4 numbers stand here instead of 5"),
        ("2 .5 .5 .1 .1", "a.txt line 1: class 2 is unknown, for only 2 are named"),
        ("rbc .5 .5 .1 .1", "a.txt line 1: 'rbc .5 .5 .1 .1' is not all numbers"),
        ("1 320 240 50 50", "a.txt line 1: coordinates must be fractions"),
        ("1 .5 .5 .1 .1 .9\n1 .5 .5 .1 .1", "a.txt line 2: some lines have a score"),
        ("1 .5 nan .1 .1", "a.txt line 1: 'nan' is no finite number"),
        ("1 .5 .5 .1 .1 17", "a.txt line 1: the sixth number must be a score from 0 to 1, not 17"),
        ("0.5 .5 .5 .1 .1", "a.txt line 1: class 0.5 is unknown"),
    ],
)
def test_broken_yolo_names_file_line_and_fix(tmp_path, text, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(yolo(tmp_path, text))


@pytest.mark.parametrize("name", ["labels/train/a.txt", "classes.txt"])
def test_text_that_is_not_utf_8_is_named(tmp_path, name):
    folder = yolo(tmp_path, "", names="")
    (folder / "classes.txt").write_text("RBC\n")
    (folder / name).write_bytes("Blutplättchen".encode("latin-1"))
    with pytest.raises(DataError, match=rf"{name}: byte \d+ is not UTF-8 text; save"):
        read_dataset(folder)


def test_the_mark_that_windows_puts_first_is_no_part_of_a_name(tmp_path):
    folder = yolo(tmp_path, "0 .5 .5 .1 .1", names="")
    (folder / "classes.txt").write_bytes(b"\xef\xbb\xbfRBC\r\nWBC\r\n")
    assert read_dataset(folder).classes == ("WBC", "RBC")


def test_yolo_without_names_says_to_add_them(tmp_path):
    with pytest.raises(DataError, match=r"add classes\.txt"):
        read_dataset(yolo(tmp_path, "", names=""))


@pytest.mark.parametrize(
    "names",
    [
        "nc: 2\nnames: [platelet, 'RBC']  # two",
        "names:\n- platelet # small\n- RBC\nnc: 2",
        'names:\n  0: "platelet"\n  1: RBC\n\ntrain: x',
        "names: {1: RBC, 0: platelet}",
        "names: [\n  platelet,\n  RBC\n]",
    ],
)
def test_class_names_are_read_however_yaml_writes_them(tmp_path, names):
    dataset = read_dataset(yolo(tmp_path, "0 .5 .5 .5 .5\n1 .25 .5 .5 1\n", names))
    assert dataset.classes == ("RBC", "Platelets")
    np.testing.assert_array_equal(dataset.images[0].labels, [2, 1])
    np.testing.assert_array_equal(
        dataset.images[0].boxes_xyxy_px, [[10, 7.5, 30, 22.5], [0, 0, 20, 30]]
    )


def test_images_of_one_split_may_also_lie_beside_their_labels(tmp_path):
    folder = tmp_path / "set"
    for name in ("train", "valid"):
        save_blank(folder / name / "images")
        (folder / name / "labels").mkdir(parents=True)
    (folder / "classes.txt").write_text("RBC\n")
    assert split_names(tmp_path) == ("train", "valid")
    assert len(read_dataset(tmp_path, "val")) == 1
    assert len(read_dataset(tmp_path)) == 2


def test_labels_without_an_image_are_named(tmp_path):
    folder = yolo(tmp_path, "")
    (folder / "labels" / "train" / "ghost.txt").write_text("")
    with pytest.raises(DataError, match=r"ghost\.txt: .*has no image ghost"):
        read_dataset(folder)


def test_the_keys_of_named_classes_are_their_numbers(tmp_path):
    text = "1 .5 .5 .2 .2\n2 .5 .5 .4 .4\n7 .5 .5 .6 .6\n"
    dataset = read_dataset(yolo(tmp_path, text, "names: {1: RBC, 2: WBC, 7: Platelets}"))
    labels = [dataset.classes[label - 1] for label in dataset.images[0].labels]
    assert labels == ["RBC", "WBC", "Platelets"]


def test_a_number_between_the_named_ones_is_no_class(tmp_path):
    with pytest.raises(DataError, match=r"line 1: class 0 is unknown, .* or use one of 1, 2\."):
        read_dataset(yolo(tmp_path, "0 .5 .5 .2 .2", "names: {1: RBC, 2: WBC}"))


@pytest.mark.parametrize("name", ["no", "on", "12", "1e3", "null", "2024-01-01"])
def test_a_name_that_yaml_takes_for_a_value_stays_a_name(tmp_path, name):
    assert read_dataset(yolo(tmp_path, "", f"names: [{name}]")).classes == (name,)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("train: x\nnames: [RBC", r"data\.yaml line 2: not valid YAML .*correct it"),
        ("names: [RBC, [WBC]]", "names must be a list of names, or a mapping"),
        ("names: {first: RBC}", "names must be a list of names, or a mapping"),
        ("names: &a [*a]", "not valid YAML"),
        ("nc: 2", "it names no class"),
        ("- RBC", "it names no class"),
        ("names: " + "[" * 5000, "not valid YAML"),
        ("names: [\x01]", "not valid YAML"),
    ],
)
def test_class_names_that_cannot_be_read_are_a_sentence(tmp_path, names, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(yolo(tmp_path, "", names))


def test_suffixes_count_in_any_case(tmp_path):
    folder = yolo(tmp_path, "0 .5 .5 .2 .2")
    (folder / "labels" / "train" / "a.txt").rename(folder / "labels" / "train" / "a.TXT")
    assert len(read_dataset(folder).images[0]) == 1


def test_data_yaml_is_written_for_the_readers_of_yolo(tmp_path):
    drawn = draw_dataset(tmp_path / "drawn", 1, SmearStyle(width=80, height=60, rbc_px=30))
    dataset = Dataset(("WBC", "RBC", 'so "called"'), drawn.images, "made")
    write_dataset(dataset, tmp_path / "yolo", "yolo", "valid")
    assert (tmp_path / "yolo" / "data.yaml").read_text(encoding="utf-8") == (
        'path: .\nval: images/valid\nnc: 3\nnames:\n  - "WBC"\n  - "RBC"\n  - "so \\"called\\""\n'
    )


def test_sub_folders_belong_to_their_split(tmp_path):
    folder = yolo(tmp_path, "0 .5 .5 .2 .2")
    save_blank(folder / "images" / "train" / "slide2")
    (folder / "labels" / "train" / "slide2").mkdir()
    (folder / "labels" / "train" / "slide2" / "a.txt").write_text("1 .5 .5 .2 .2\n" * 2)
    assert [len(image) for image in read_dataset(folder, "train").images] == [1, 2]


def test_polygons_become_the_boxes_around_them_with_a_note_of_their_number(tmp_path):
    text = "0 .25 .5 .75 .5 .5 1\n1 .5 .5 .2 .2\n"
    dataset = read_dataset(yolo(tmp_path, text))
    np.testing.assert_array_equal(dataset.images[0].boxes_xyxy_px[0], [10, 15, 30, 30])
    assert dataset.notes[0].endswith(": 1 polygons were read as the boxes around them.")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("0 .2 .2 .4 .4 .6 .6 .8", "8 numbers stand here instead of 5"),
        ("0 .2 .2 .4 .4 .6 inf", "'inf' is no finite number"),
        ("0 20 20 40 40 60 60", "coordinates must be fractions"),
    ],
)
def test_a_broken_polygon_names_its_line(tmp_path, line, sentence):
    with pytest.raises(DataError, match=f"a.txt line 1: {sentence}"):
        read_dataset(yolo(tmp_path, line))


def test_the_layout_of_cvat_is_read(tmp_path):
    save_blank(tmp_path / "obj_train_data")
    (tmp_path / "obj_train_data" / "a.txt").write_text("1 .5 .5 .2 .2\n")
    (tmp_path / "obj.names").write_text("WBC\nRBC\n")
    (tmp_path / "train.txt").write_text("data/obj_train_data/a.png\n")
    assert split_names(tmp_path) == ("train",)
    assert read_dataset(tmp_path).images[0].labels.tolist() == [2]


def test_labels_may_lie_beside_their_images_with_classes_txt(tmp_path):
    save_blank(tmp_path, "a.png")
    save_blank(tmp_path, "b.png")
    (tmp_path / "a.txt").write_text("0 .5 .5 .2 .2\n")
    (tmp_path / "notes.txt").write_text("no labels")
    (tmp_path / "classes.txt").write_text("RBC\n")
    assert [len(image) for image in read_dataset(tmp_path).images] == [1, 0]


def test_sub_folders_beside_label_files_are_no_splits(tmp_path):
    for name in ("", "slide2"):
        save_blank(tmp_path / "images" / name)
        (tmp_path / "labels" / name).mkdir(parents=True)
        (tmp_path / "labels" / name / "a.txt").write_text("0 .5 .5 .2 .2\n")
    (tmp_path / "classes.txt").write_text("RBC\n")
    assert split_names(tmp_path) == ()
    assert [len(image) for image in read_dataset(tmp_path).images] == [1, 1]
