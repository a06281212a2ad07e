"""A Pascal VOC folder is read, and a broken file says on which line."""

import pytest

from doubles.pictures import save_blank
from smearcount.datasets.read import read_dataset, split_names
from smearcount.errors import DataError


def voc(folder, body):
    save_blank(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "a.xml").write_text(f"<annotation>\n{body}\n</annotation>")
    return folder


BOX = "<bndbox><xmin>1</xmin>\n<ymin>2</ymin><xmax>{}</xmax><ymax>4</ymax></bndbox>"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("<object><name>RBC</name></object>", "a.xml line 2: this object has no <xmin>; add it"),
        (f"<object>{BOX.format(3)}</object>", "a.xml line 2: this object has no <name>"),
        (
            f"<object><name>RBC</name>\n{BOX.format('x')}</object>",
            "a.xml line 4: <xmax> must be a number, not 'x'",
        ),
        ("<object>", "a.xml line 3: not valid XML"),
        ("<size><width>9</width><height>9</height></size>", "a.xml: it says that a.png has 9×9"),
    ],
)
def test_broken_voc_names_file_line_and_fix(tmp_path, body, sentence):
    with pytest.raises(DataError, match=sentence):
        read_dataset(voc(tmp_path, body))


def test_a_document_type_is_refused(tmp_path):
    folder = voc(tmp_path, "")
    (folder / "Annotations" / "a.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>')
    with pytest.raises(DataError, match="document type"):
        read_dataset(folder)


def test_a_missing_split_names_those_that_are_there(tmp_path):
    folder = voc(tmp_path, "")
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "all.txt").write_text("a\n")
    with pytest.raises(DataError, match="the splits here are: all"):
        read_dataset(folder, "test")


def test_suffixes_count_in_any_case(tmp_path):
    folder = voc(tmp_path, f"<object><name>RBC</name>{BOX.format(3)}</object>")
    (folder / "Annotations" / "a.xml").rename(folder / "Annotations" / "a.XML")
    assert len(read_dataset(folder).images[0]) == 1


@pytest.mark.parametrize(
    "encoding", ["GBK", "GB18030", "Shift_JIS", "Big5", "windows-1252", "UTF-16"]
)
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path, encoding):
    name = "µ-cell" if encoding == "windows-1252" else "紅血球"
    folder = voc(tmp_path, "")
    text = f"<annotation><object><name>{name}</name>{BOX.format(3)}</object></annotation>"
    declared = f'<?xml version="1.0" encoding="{encoding}"?>\n{text}'
    (folder / "Annotations" / "a.xml").write_bytes(declared.encode(encoding))
    assert read_dataset(folder).classes == (name,)


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        ("GBK", r"byte \d+ is not GBK text, which it declares"),
        ("zip", "its encoding 'zip' is unknown"),
    ],
)
def test_xml_in_another_encoding_than_it_declares_is_a_sentence(tmp_path, encoding, sentence):
    folder = voc(tmp_path, "")
    declared = f'<?xml version="1.0" encoding="{encoding}"?>\n'.encode()
    (folder / "Annotations" / "a.xml").write_bytes(declared + b"\xff\xff<annotation/>")
    with pytest.raises(DataError, match=sentence):
        read_dataset(folder)


def test_the_class_lists_of_the_devkit_are_no_splits(tmp_path):
    folder = voc(tmp_path, "")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name, text in {"train": "a\n", "RBC_train": "a  1\n", "my_train": "a\n"}.items():
        (lists / f"{name}.txt").write_text(text)
    assert split_names(folder) == ("my_train", "train")


def write_beside_images(folder, name):
    save_blank(folder, f"{name}.png")
    body = f"<object><name>RBC</name>{BOX.format(3)}</object>"
    (folder / f"{name}.xml").write_text(f"<annotation>{body}</annotation>")


def test_xml_may_lie_beside_its_image(tmp_path):
    for name in ("a", "b"):
        write_beside_images(tmp_path, name)
    assert split_names(tmp_path) == ()
    assert [len(image) for image in read_dataset(tmp_path).images] == [1, 1]
    (tmp_path / "c.xml").write_text("<annotation/>")
    with pytest.raises(DataError, match=r"c\.xml: no image c lies beside it"):
        read_dataset(tmp_path)


def test_xml_may_lie_beside_its_image_in_a_folder_of_each_split(tmp_path):
    write_beside_images(tmp_path / "train", "a")
    write_beside_images(tmp_path / "valid", "b")
    assert split_names(tmp_path) == ("train", "valid")
    assert [image.path.name for image in read_dataset(tmp_path, "val").images] == ["b.png"]
    assert len(read_dataset(tmp_path)) == 2
    with pytest.raises(DataError, match="no split 'test'; the splits here are: train, valid"):
        read_dataset(tmp_path, "test")
