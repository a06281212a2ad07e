"""Which files a path names."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from smearcount.errors import UsageError
from smearcount.image.find import find_images, other_images


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png", "day2/c.tif", "day2/x/d.webp"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return tmp_path / "photos"


def names(found: list[str], folder: Path) -> list[str]:
    return [Path(path).relative_to(folder).as_posix() for path in found]


def test_a_folder_is_walked_in_a_fixed_order(photos: Path) -> None:
    found = find_images([str(photos)])
    assert names(found, photos) == ["a.png", "b.JPG", "day2/c.tif", "day2/x/d.webp"]


def test_files_keep_the_order_and_the_spelling_given_and_come_once(photos: Path) -> None:
    given = [str(photos / "b.JPG"), str(photos / "a.png"), str(photos / "b.JPG")]
    assert find_images(given) == given[:2]


def test_a_file_comes_once_however_it_is_spelled(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    assert find_images(["b.JPG", "./b.JPG", str(photos / "b.JPG")]) == ["b.JPG"]


def test_a_folder_that_may_not_be_read_gets_a_row_and_the_others_are_found(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(path: str) -> Any:
        if Path(path).name == "x":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_images([str(photos)])
    assert names(found, photos) == ["a.png", "b.JPG", "day2/c.tif", "day2/x"]
    assert other_images([str(photos)]) == []


@pytest.mark.parametrize("name", ["x" * 300, "a.png/b.png"])
def test_a_name_that_no_file_can_have_stays_for_its_error_row(name: str) -> None:
    assert find_images([name]) == [name]


def test_a_file_with_another_suffix_is_taken_at_its_word(photos: Path) -> None:
    assert find_images([str(photos / "notes.txt")]) == [str(photos / "notes.txt")]


def test_a_missing_file_stays_for_its_error_row(photos: Path) -> None:
    assert find_images([str(photos / "gone.png")]) == [str(photos / "gone.png")]


def test_patterns_match_images_only(photos: Path) -> None:
    assert names(find_images([str(photos / "*")]), photos) == ["a.png", "b.JPG"]
    assert names(find_images([str(photos / "**" / "*.tif")]), photos) == ["day2/c.tif"]


def test_a_file_named_like_a_pattern_is_found(tmp_path: Path) -> None:
    file = tmp_path / "slide [1].png"
    file.touch()
    assert find_images([str(file)]) == [str(file)]


def test_annotated_pictures_of_an_earlier_run_are_not_counted(photos: Path) -> None:
    (photos / "out" / "annotated").mkdir(parents=True)
    (photos / "out" / "annotated" / "a.png").touch()
    (photos / "out" / "counts.csv").touch()
    (photos / "look").symlink_to(photos / "out" / "annotated", target_is_directory=True)
    walked = names(find_images([str(photos)]), photos)
    assert not any(name.startswith(("out", "look")) for name in walked)
    asked_for = photos / "out" / "annotated"
    assert names(find_images([str(asked_for)]), asked_for) == ["a.png"]


def test_folders_behind_links_are_walked_once_by_their_own_name(
    tmp_path: Path, photos: Path
) -> None:
    walked = tmp_path / "walked"
    (walked / "slide").mkdir(parents=True)
    (walked / "slide" / "s.png").touch()
    (walked / "all").symlink_to(walked, target_is_directory=True)
    (walked / "a-link").symlink_to(walked / "slide", target_is_directory=True)
    (walked / "elsewhere").symlink_to(photos, target_is_directory=True)
    assert names(find_images([str(walked)]), walked) == [
        "slide/s.png",
        "elsewhere/a.png",
        "elsewhere/b.JPG",
        "elsewhere/day2/c.tif",
        "elsewhere/day2/x/d.webp",
    ]


def test_pictures_of_other_kinds_are_named(photos: Path) -> None:
    (photos / "day2" / "phone.HEIC").touch()
    assert names(other_images([str(photos)]), photos) == ["day2/phone.HEIC"]


@pytest.mark.parametrize("path", ["empty", "empty/*.png"])
def test_nothing_found_is_a_usage_error_that_names_the_path(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="empty"):
        find_images([str(tmp_path / path)])


def test_no_path_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        find_images([])
