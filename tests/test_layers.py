"""What imports what: only downward, never in a circle, and counting never needs torch.

The imports are read from the source, those inside functions included; imports for type checkers
only (under ``if TYPE_CHECKING:``) do not exist when the program runs and are left out.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "smearcount"

# A room or a single module imports only from those above it in this list, and from itself.
ORDER = (
    "__init__",
    "errors",
    "formatting",
    "atomic_write",
    "classes",
    "sha256",
    "csv_writer",
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

# load_detector reads torch checkpoints through the training room, where torch is installed.
LAZY_DOOR = ("detector/load.py", "training")

MAX_ENTRIES = 15

FILES = sorted(PACKAGE.rglob("*.py"))


@dataclass(frozen=True)
class Import:
    """One import statement of a module."""

    importer: Path
    line: int
    imported: Path
    in_function: bool

    def __str__(self) -> str:
        return f"{shown(self.importer)}, line {self.line}, imports {shown(self.imported)}"


def shown(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_file(dotted: str) -> Path | None:
    """Return the file of a module or package of ours by its full name, or None."""
    path = PACKAGE.parent.joinpath(*dotted.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


@cache
def lazy_names(package: str) -> dict[str, str]:
    """Return where the public names of a package come from, by its stub."""
    stub = PACKAGE.parent.joinpath(*package.split("."), "__init__.pyi")
    if not stub.exists():
        return {}
    return {
        alias.asname or alias.name: f"{package}.{node.module}"
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = node.module or ""
    return [
        f"{package}.{alias.name}"
        if module_file(f"{package}.{alias.name}")
        else lazy_names(package).get(alias.name, package)
        for alias in node.names
    ]


def for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@cache
def imports_of(file: Path) -> tuple[Import, ...]:
    found: list[Import] = []

    def visit(node: ast.AST, in_function: bool) -> None:
        if for_type_checkers(node):
            return
        if isinstance(node, ast.Import | ast.ImportFrom):
            for target in targets(node):
                if target.split(".")[0] == "smearcount":
                    imported = module_file(target)
                    assert imported, f"{shown(file)}, line {node.lineno}: there is no {target}"
                    found.append(Import(file, node.lineno, imported, in_function))
        inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(ast.parse(file.read_text(encoding="utf-8")), in_function=False)
    return tuple(found)


def is_lazy_door(one: Import) -> bool:
    return (shown(one.importer), room_of(one.imported)) == LAZY_DOOR and one.in_function


@pytest.mark.parametrize("file", FILES, ids=shown)
def test_no_module_imports_from_a_room_below_it_in_the_list(file: Path) -> None:
    here = ORDER.index(room_of(file))
    upward = [
        str(one)
        for one in imports_of(file)
        if ORDER.index(room_of(one.imported)) > here and not is_lazy_door(one)
    ]
    assert not upward, "; ".join(upward)


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    finished: set[Path] = set()

    def follow(file: Path, chain: tuple[Import, ...]) -> None:
        on_the_way = [one.importer for one in chain]
        if file in on_the_way:
            circle = chain[on_the_way.index(file) :]
            pytest.fail("a circle of imports: " + "; ".join(map(str, circle)))
        if file in finished:
            return
        for one in imports_of(file):
            if not is_lazy_door(one) and one.imported != file:
                follow(one.imported, (*chain, one))
        finished.add(file)

    for file in FILES:
        follow(file, ())


def test_the_lazy_door_is_still_needed() -> None:
    assert any(is_lazy_door(one) for one in imports_of(PACKAGE / LAZY_DOOR[0]))


def test_every_room_has_its_place_in_the_list() -> None:
    assert {room_of(file) for file in FILES} == set(ORDER)


def test_no_room_holds_more_entries_than_a_reader_can_overlook() -> None:
    for room in {file.parent for file in FILES} - {PACKAGE}:
        modules = [file for file in room.glob("*.py") if file.stem != "__init__"]
        packages = [file.parent for file in room.glob("*/__init__.py")]
        assert len(modules) + len(packages) <= MAX_ENTRIES, shown(room)


@pytest.mark.parametrize("heavy", ["torch", "pandas", "matplotlib", "scipy", "onnxruntime"])
def test_importing_the_package_stays_light(heavy: str) -> None:
    code = f"import sys, smearcount; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
