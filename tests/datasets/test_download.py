"""A download is resumed, verified and unpacked whole, or refused in one sentence."""

import stat
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from doubles.archive_server import FILES, KNOWN, TOP, Server, archive, serving
from smearcount.datasets.download import differences, fetch
from smearcount.datasets.public_sets import PUBLIC_SETS, known_checksums
from smearcount.errors import DownloadError, UsageError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def serve():
    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(serving(Server(*args, **options)))


def get(server, folder, **options):
    return fetch("bccd", folder, host=server.url, checksums=KNOWN, **options)


def test_what_arrives_is_what_was_published(serve, tmp_path):
    server = serve(archive(FILES | {"LICENSE": b"MIT", "train.py": b"no data"}))
    seen = []
    fetched = get(
        server, tmp_path / "bccd", progress=lambda done, total: seen.append((done, total))
    )
    assert (fetched.verified, fetched.unverified) == (3, 1)  # the license has no checksum
    for path, content in FILES.items():
        assert (tmp_path / "bccd" / path).read_bytes() == content
    assert not (tmp_path / "bccd" / "train.py").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["bccd"]
    assert server.paths == ["/Shenggan/BCCD_Dataset/zip/d272fb1"]
    assert seen[-1] == (len(server.body), len(server.body))


def test_a_connection_that_keeps_breaking_is_resumed(serve, tmp_path):
    body = archive(FILES)
    server = serve(body, cut=len(body) // 3)
    get(server, tmp_path / "bccd")
    assert server.ranges[0] is None
    assert server.ranges[1:3] == [f"bytes={len(body) // 3 * n}-" for n in (1, 2)]


def test_the_next_call_resumes_what_a_dead_server_left(serve, tmp_path):
    body = archive(FILES)
    with pytest.raises(DownloadError, match=r"connection broke.*will be resumed"):
        get(serve(body, cut=len(body) // 9), tmp_path / "bccd")
    assert not (tmp_path / "bccd").exists()
    server = serve(body)
    get(server, tmp_path / "bccd")
    assert server.ranges[0].startswith("bytes=")


def test_a_changed_archive_is_not_glued_to_the_old_half(serve, tmp_path):
    body = archive(FILES)
    with pytest.raises(DownloadError):
        get(serve(body[::-1], cut=len(body) // 9, etag='"old"'), tmp_path / "bccd")
    assert get(serve(body, etag='"new"'), tmp_path / "bccd").verified == 3


def test_a_server_that_has_nothing_more_to_send_is_asked_anew(serve, tmp_path):
    body = archive(FILES)
    part = tmp_path / ".bccd-d272fb1.zip.part"
    part.write_bytes(body)  # whole, but the program was killed before it was unpacked
    part.with_name(f"{part.name}.etag").write_text('"1"')
    server = serve(body)
    assert get(server, tmp_path / "bccd").verified == 3
    assert server.ranges == [f"bytes={len(body)}-", None]


def test_a_folder_of_other_files_is_not_to_be_deleted(serve, tmp_path, monkeypatch):
    (tmp_path / "thesis.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DownloadError, match="other files than bccd; name a new folder") as told:
        get(serve(archive(FILES)), Path())
    assert "delete" not in str(told.value)
    with pytest.raises(UsageError, match="this is a file"):
        get(serve(archive(FILES)), Path("thesis.txt"))
    (tmp_path / "thesis.txt").unlink()
    assert get(serve(archive(FILES)), Path()).verified == 3


def test_a_folder_that_is_there_is_verified_without_network(serve, tmp_path):
    get(serve(archive(FILES)), tmp_path / "bccd")
    assert fetch("bccd", tmp_path / "bccd", "http://127.0.0.1:9", checksums=KNOWN).verified == 3
    (tmp_path / "bccd" / "BCCD" / "JPEGImages" / "a.jpg").write_bytes(b"rotten")
    with pytest.raises(DownloadError, match=r"BCCD/JPEGImages/a\.jpg differ.*delete this folder"):
        fetch("bccd", tmp_path / "bccd", "http://127.0.0.1:9", checksums=KNOWN)


def link(target):
    member = zipfile.ZipInfo(f"{TOP}/BCCD/JPEGImages/a.jpg")
    member.create_system = 3
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return {member: target}


def without(path):
    return {name: content for name, content in FILES.items() if name != path}


FIRST = next(iter(FILES))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (archive(FILES | {FIRST: b"changed"}), r"BCCD/Annotations/a\.xml differ"),
        (archive(FILES | {"BCCD/Annotations/c.xml": b""}), r"BCCD/Annotations/c\.xml differ"),
        (archive(without(FIRST)), "1 published files are missing"),
        (archive(FILES, comment=b"f" * 40), "commit ffff.*not of d272fb1"),
        (archive(FILES)[:-4000], "not a whole zip archive"),
        (b"<html>sorry</html>", "not a whole zip archive"),
        (archive(FILES | {"BCCD/../../evil.txt": b"x"}), "leads out of the folder"),
        (archive(FILES | {zipfile.ZipInfo("/etc/evil"): b"x"}), "leads out of the folder"),
        (archive(FILES | {zipfile.ZipInfo("C:evil"): b"x"}), "leads out of the folder"),
        (archive(link("/etc/passwd")), "is a link"),
    ],
)
def test_what_is_not_the_data_set_is_refused_and_leaves_nothing(serve, tmp_path, body, sentence):
    with pytest.raises(DownloadError, match=sentence):
        get(serve(body), tmp_path / "inner" / "bccd")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_bomb_is_stopped_while_it_unpacks(serve, tmp_path, monkeypatch):
    monkeypatch.setattr("smearcount.datasets.download._MAX_BYTES", 1 << 20)
    bomb = archive({"BCCD/JPEGImages/a.jpg": b"\0" * (4 << 20)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DownloadError, match="unpacks to more than 1048576 bytes"):
        get(serve(bomb), tmp_path / "bccd")
    assert list(tmp_path.iterdir()) == []


def test_no_network_is_one_sentence(tmp_path):
    with pytest.raises(DownloadError, match=r"no connection.*check the network and try again"):
        fetch("bccd", tmp_path / "bccd", "http://127.0.0.1:9", checksums=KNOWN)


def test_a_missing_repository_is_not_asked_for_again(serve, tmp_path):
    server = serve(b"", status=404)
    with pytest.raises(DownloadError, match="the server answers 404"):
        get(server, tmp_path / "bccd")
    assert len(server.paths) == 1


def test_an_unknown_set_names_the_known():
    with pytest.raises(UsageError, match="bccd, txl-pbc, not 'coco'"):
        fetch("coco", Path("nowhere"))


@pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not here")
@pytest.mark.parametrize(("name", "n"), [("bccd", 732), ("txl-pbc", 2446)])
def test_the_checksums_kept_are_those_of_the_published_files(name, n):
    known = known_checksums(name)
    assert len(known) == n
    wrong, unknown, missing = differences(DATA / name, known)
    assert wrong == []
    assert not [path for path in unknown if path.split("/")[0] in PUBLIC_SETS[name].roots]
    assert missing < n / 4 if PUBLIC_SETS[name].complete else missing == 0


@pytest.mark.parametrize("name", PUBLIC_SETS)
def test_the_lists_of_checksums_can_be_read_by_a_person(name):
    known = known_checksums(name)
    roots = PUBLIC_SETS[name].roots
    assert all(path.split("/")[0] in roots for path in known)
    assert all(len(value) == 32 and int(value, 16) >= 0 for value in known.values())
    by_name = [(Path(path).stem, path) for path in known]
    assert by_name == sorted(by_name)
