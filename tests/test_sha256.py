"""The digest of a file, by its path or from where it is open."""

import hashlib
from pathlib import Path

import pytest

from smearcount.sha256 import sha256_of_file


def test_a_path_and_an_open_file_give_the_digest_of_the_content(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    content = bytes(range(256)) * 5000
    file.write_bytes(content)
    assert sha256_of_file(file) == hashlib.sha256(content).hexdigest()
    with file.open("rb") as handle:
        handle.read(3)
        assert sha256_of_file(handle) == hashlib.sha256(content[3:]).hexdigest()


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sha256_of_file(tmp_path / "gone")
