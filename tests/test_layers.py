"""A room imports only from the rooms above it, and counting never needs torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "smearcount"

# From the bottom of the house upwards; CONTRIBUTING.md tells what each room is for.
ROOMS = (
    "errors",
    "formatting",
    "atomic_write",
    "classes",
    "sha256",
    "settings",
    "detections",
    "image",
    "datasets",
    "detector",
    "counts",
    "quality",
    "results",
    "report",
    "synthetic",
    "analyze",
    "batch",
    "api",
    "evaluation",
    "calibration",
    "training",
    "web",
    "cli",
    "__main__",
)

# load_detector opens raw checkpoints through the training room, for those who have installed it.
DOORS_UPWARD = {("detector", "training")}


def imports_of(file: Path) -> set[tuple[str, bool]]:
    """Rooms that a module imports, each with whether that happens on import of the module."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    lazy = {
        inner
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(outer)
    }
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smearcount."):
            found.add(((node.module or "").split(".")[1], node not in lazy))
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("smearcount."):
                    found.add((name.name.split(".")[1], node not in lazy))
    return found


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


MODULES = [file for file in sorted(PACKAGE.rglob("*.py")) if file != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("file", MODULES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_no_arrow_points_upwards(file: Path) -> None:
    here = ROOMS.index(room_of(file))
    for room, at_import in imports_of(file):
        if (room_of(file), room) in DOORS_UPWARD:
            assert not at_import
            continue
        if room_of(file) == "result" and room == "report":
            continue  # CountResult.draw() is a convenience for people at a prompt
        assert ROOMS.index(room) <= here, f"{room_of(file)} must not import {room}"


def test_every_room_has_its_place() -> None:
    assert {room_of(file) for file in MODULES} <= set(ROOMS)


@pytest.mark.parametrize("heavy", ["torch", "pandas", "matplotlib", "scipy", "onnxruntime"])
def test_importing_the_package_stays_light(heavy: str) -> None:
    code = f"import sys, smearcount; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
