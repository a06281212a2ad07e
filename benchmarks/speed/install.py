"""How much an install takes on disk."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def present_mb(name: str) -> float:
    """Return the size of a package and of all that it cannot do without, as installed here."""
    waiting, sizes = [name], {}
    while waiting:
        package = canonicalize_name(waiting.pop())
        if package in sizes:
            continue
        try:
            files = metadata.files(package) or []
            needed = metadata.requires(package) or []
        except metadata.PackageNotFoundError:
            continue
        paths = [Path(str(file.locate())) for file in files]
        sizes[package] = sum(path.stat().st_size for path in paths if path.exists())
        requirements = [Requirement(line) for line in needed]
        waiting += [
            r.name for r in requirements if not r.marker or r.marker.evaluate({"extra": ""})
        ]
    return sum(sizes.values()) / 1e6


def fresh_mb() -> float:
    """Return what ``pip install .`` adds to a fresh virtual environment; it needs a network."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        empty = _size(Path(folder))
        pip = [str(Path(folder) / "bin" / "python"), "-m", "pip", "install", "-q", str(ROOT)]
        subprocess.run(pip, check=True)
        return (_size(Path(folder)) - empty) / 1e6


def _size(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files)
