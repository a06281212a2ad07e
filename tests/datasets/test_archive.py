"""A zip archive is unpacked safely and once, or refused in one sentence."""

import os
import zipfile

import pytest

from smearcount.datasets.read import read_dataset
from smearcount.datasets.write import write_dataset
from smearcount.errors import DataError
from smearcount.synthetic.dataset import draw_dataset
from smearcount.synthetic.style import SmearStyle


def zipped(folder, archive):
    with zipfile.ZipFile(archive, "w") as members:
        for path in sorted(folder.rglob("*")):
            members.write(path, path.relative_to(folder))
    return archive


@pytest.fixture
def archive(tmp_path):
    drawn = draw_dataset(tmp_path / "drawn", 2, SmearStyle(width=40, height=30, rbc_px=20))
    write_dataset(drawn, tmp_path / "voc", "voc", "train")
    return zipped(tmp_path / "voc", tmp_path / "set.zip")


def test_a_zip_is_read_as_the_folder_in_it_and_unpacked_once(archive):
    assert len(read_dataset(archive, "train")) == 2
    unpacked = archive.with_name("set.unpacked")
    stamp = unpacked.stat().st_mtime_ns
    assert len(read_dataset(archive, "train")) == 2
    assert unpacked.stat().st_mtime_ns == stamp


def test_a_zip_that_changed_since_is_not_mixed_with_what_was_unpacked(archive):
    read_dataset(archive)
    later = archive.with_name("set.unpacked").stat().st_mtime + 10
    os.utime(archive, (later, later))
    with pytest.raises(DataError, match=r"set\.zip has changed since; delete this folder"):
        read_dataset(archive)


def test_a_zip_made_on_windows_is_read(archive, tmp_path):
    with zipfile.ZipFile(archive) as members, zipfile.ZipFile(tmp_path / "w.zip", "w") as windows:
        for member in members.infolist():
            if not member.is_dir():
                info = zipfile.ZipInfo("x")
                info.filename = info.orig_filename = member.filename.replace("/", "\\")
                windows.writestr(info, members.read(member))
    with zipfile.ZipFile(tmp_path / "w.zip") as windows:
        assert all("\\" in name for name in windows.namelist() if name != "classes.txt")
    assert len(read_dataset(tmp_path / "w.zip", "train")) == 2


def test_backslashes_that_lead_out_of_the_folder_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as members:
        members.writestr("..\\x.txt", b"x")
    with pytest.raises(DataError, match="leads out of the folder"):
        read_dataset(tmp_path / "x.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_path_that_stands_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as members:
        for _ in range(2):
            members.writestr("x.txt", b"x")
    with pytest.raises(DataError, match=r"it holds x\.txt twice"):
        read_dataset(tmp_path / "x.zip")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as members:
        members.writestr("x", b"x")
        members.writestr("x/y.txt", b"y")
    with pytest.raises(DataError, match=r"a file where x/y\.txt needs a folder"):
        read_dataset(tmp_path / "x.zip")


def test_a_damaged_zip_is_a_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("x.txt", bytes(range(256)) * 40)
    whole = bytearray((tmp_path / "x.zip").read_bytes())
    whole[40:60] = bytes(20)
    (tmp_path / "x.zip").write_bytes(whole)
    with pytest.raises(DataError, match="not a whole zip archive"):
        read_dataset(tmp_path / "x.zip")


def test_a_hostile_zip_is_refused_by_the_reader_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as members:
        members.writestr("../x.txt", b"x")
    with pytest.raises(DataError, match="leads out of the folder"):
        read_dataset(tmp_path / "x.zip")
