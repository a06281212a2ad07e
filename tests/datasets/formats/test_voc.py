"""A Pascal VOC folder is read, and a broken file says on which line."""

import pytest

from doubles.pictures import save_blank
from smearcount.datasets.read import read_dataset
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
