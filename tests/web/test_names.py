from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smearcount.web.names import natural_order, numbered, safe_name


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


def test_names_sort_as_people_count() -> None:
    names = ["b/1.jpg", "a/10.jpg", "a/2.jpg", "z.jpg"]
    assert sorted(names, key=natural_order) == ["z.jpg", "a/2.jpg", "a/10.jpg", "b/1.jpg"]
    assert numbered("a/b.jpg", 2) == "a/b (2).jpg"
