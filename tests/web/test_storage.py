"""Names that cannot leave the session's folder, and one server for a folder."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st

from doubles.disc_detector import DiscDetector
from smearcount.errors import UsageError
from smearcount.web.app import create_app
from smearcount.web.storage import safe_name


def test_a_second_server_on_the_folder_is_told_so_in_one_sentence(
    client: TestClient, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    with pytest.raises(UsageError, match=re.escape(str(folder))) as refusal:
        create_app(folder, DiscDetector())
    assert "another smearcount serve" in str(refusal.value)
    assert client.get("/api/session").status_code == 200


@given(st.text())
def test_no_name_leaves_its_folder(given_name: str) -> None:
    name = safe_name(given_name)
    path = PurePosixPath(name)
    assert name
    assert not path.is_absolute()
    assert len(path.parts) <= 8
    for part in path.parts:
        assert part not in (".", "..")
        assert 0 < len(part.encode()) <= 120
        assert not set(part) & set('\\<>:"|?*\0')


@example("a" * 119 + " b" * 9)
@example(". . a")
@given(st.text())
def test_a_safe_name_stays_as_it_is(given_name: str) -> None:
    assert safe_name(safe_name(given_name)) == safe_name(given_name)


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("slide 1/a.jpg", "slide 1/a.jpg"),
        ("標本１/視野.tif", "標本１/視野.tif"),
        ("../../etc/passwd", "etc/passwd"),
        ("C:\\photos\\a.jpg", "C_/photos/a.jpg"),
        ("/", "photograph"),
        ("con.jpg", "_con.jpg"),
        ("x" * 200 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_names_are_kept_as_far_as_they_are_safe(given_name: str, name: str) -> None:
    assert safe_name(given_name) == name
