"""A file is written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from smearcount import atomic_write
from smearcount.atomic_write import make_folder, open_atomic, write_text
from smearcount.csv_writer import write_csv
from smearcount.errors import WriteError

posix_only = pytest.mark.skipif(os.name != "posix", reason="permissions and signals of POSIX")
not_root = pytest.mark.skipif(
    os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere"
)


def break_off(file: Path, error: BaseException) -> None:
    with open_atomic(file) as stream:
        stream.write(b"half of the n")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("fsync", [False, True])
def test_a_file_appears_with_its_content_and_nothing_else_stays(
    tmp_path: Path, fsync: bool
) -> None:
    file = tmp_path / "counts.csv"
    with open_atomic(file, fsync=fsync) as stream:
        stream.write(b"new")
        assert not file.exists()
    assert file.read_bytes() == b"new"
    assert names(tmp_path) == ["counts.csv"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_old_file_stays_if_writing_is_broken_off(
    tmp_path: Path, error: type[BaseException]
) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("old")
    with pytest.raises(error):
        break_off(file, error())
    assert file.read_text() == "old"
    assert names(tmp_path) == ["counts.csv"]


def test_a_full_disk_is_a_write_error_and_the_old_file_stays(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("old")
    with pytest.raises(WriteError, match=r"counts\.csv: .*No space left on device"):
        break_off(file, OSError(errno.ENOSPC, "No space left on device"))
    assert file.read_text() == "old"
    assert names(tmp_path) == ["counts.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_in_earnest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_full(path: Path, mode: str) -> object:
        return open("/dev/full", "wb")  # noqa: PTH123

    monkeypatch.setattr(atomic_write.Path, "open", open_full)
    with pytest.raises(WriteError, match="No space left"):
        write_text(tmp_path / "counts.csv", "x" * 100_000)


def test_fsync_is_asked_for_before_the_file_appears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "count.json"
    synced: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(file.exists()))
    write_text(file, "{}")
    assert synced == []
    write_text(file, "{}", fsync=True)
    assert synced
    file.unlink()
    synced.clear()
    write_text(file, "{}", fsync=True)
    assert synced[0] is False


WRITE_FOREVER = """
import sys
from pathlib import Path
from smearcount.atomic_write import open_atomic
with open_atomic(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    stream.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_a_kill_while_writing_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    file.write_text("old")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "writing\n"
    writer.kill()
    writer.communicate(timeout=60)
    assert file.read_text() == "old"


def test_readers_find_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "counts.csv"
    contents = [letter * 200_000 for letter in "ab"]
    write_text(file, contents[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(20):
            write_text(file, contents[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert file.read_text() in contents
    writer.join()


@posix_only
def test_a_new_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_text(tmp_path / "atomic", "text")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "atomic")]
    assert modes[0] == modes[1]


@posix_only
@not_root
def test_a_folder_that_is_read_only_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(WriteError, match=r"locked.counts\.csv"):
        write_text(folder / "counts.csv", "text")
    with pytest.raises(WriteError, match="inner"):
        make_folder(folder / "inner")


def test_a_missing_folder_and_a_file_in_the_way_are_named(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="gone"):
        write_text(tmp_path / "gone" / "counts.csv", "text")
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="file"):
        make_folder(tmp_path / "file" / "inner")
    (tmp_path / "folder").mkdir()
    with pytest.raises(WriteError, match="folder"):
        write_text(tmp_path / "folder", "text")
    assert names(tmp_path) == ["file", "folder"]


def test_a_name_as_long_as_the_disk_allows_can_be_written(tmp_path: Path) -> None:
    write_text(tmp_path / ("x" * 250), "text")
    assert names(tmp_path) == ["x" * 250]


def test_text_is_utf8_and_file_names_keep_their_bytes(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "µm 血 " + b"\xff.png".decode("utf-8", "surrogateescape"))
    assert (tmp_path / "a.txt").read_bytes() == "µm 血 ".encode() + b"\xff.png"


def test_csv_has_commas_line_feeds_and_quotes_where_needed(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [("image", "WBC"), ("a,b.png", 3), ('say "x"', None)])
    assert (tmp_path / "a.csv").read_bytes() == b'image,WBC\n"a,b.png",3\n"say ""x""",\n'
