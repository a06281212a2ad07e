"""Every shell command and Python block of the README and of the documentation works.

A block runs in a folder with drawn photographs and tiny data sets under the names that the pages
use; the blocks of one page run one after another and share their files and names. A comment above
a block says what else happens to it::

    <!-- test: network -->   install, server, network or training: too long or not possible here

The commands of such a block are parsed as the command line does, and their options are looked up;
Python is compiled and the names that it takes from the package are looked up.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import re
import shlex
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from smearcount.classes import CLASS_NAMES
from smearcount.cli import app
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.datasets.write import write_dataset
from smearcount.synthetic.smears import Smear, SmearStyle, render

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = ("install", "server", "network", "training")
BLOCK = re.compile(
    r"(?:<!-- test: (?P<marker>\w+) -->\n+)?^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"`(smearcount [^`]+)`")
COMMANDS = typer.main.get_command(app)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    marker: str | None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            found["text"],
            text[: found.start("language")].count("\n") + 1,
            found["marker"],
        )
        for found in BLOCK.finditer(text)
    ]


def commands_of(text: str) -> list[list[str]]:
    """Return the commands of a shell block as words; comments and ``&&`` are taken apart."""
    commands = []
    for line in text.replace("\\\n", " ").splitlines():
        for part in re.split(r"\s&&\s", line):
            words = shlex.split(part, comments=True)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words:
                commands.append([words[0].removeprefix(".venv/bin/"), *words[1:]])
    return commands


def found_by_command_line(words: list[str]) -> tuple[object, list[str]]:
    """Return the command that ``smearcount WORDS`` calls, and the words that are left for it."""
    command, rest = COMMANDS, words
    while hasattr(command, "commands"):
        assert rest, "smearcount needs a command"
        assert rest[0] in command.commands, f"smearcount has no command {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def check_options(words: list[str], script: str | None = None) -> None:
    """Look up every option of a command of ours, or of a script in the repository."""
    options = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    if script is None:
        command, _ = found_by_command_line(words)
        known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}
        assert options <= known | {"--help"}, f"no such options: {options - known}"
    else:
        path = ROOT / script
        assert path.exists(), f"{script} does not exist"
        texts = [
            each.read_text("utf-8") for each in (path.glob("*.py") if path.is_dir() else [path])
        ]
        for option in options:
            assert any(f'"{option}"' in text for text in texts), f"{script} has no {option}"


def check_command(words: list[str]) -> None:
    """Check a command that is not run here: ours by its parser, others by what they name."""
    name, *rest = words
    if name == "smearcount":
        if rest == ["--version"]:
            return
        check_options(rest)
        command, rest = found_by_command_line(rest)
        if "--help" not in rest:
            command.make_context(command.name, list(rest))
    elif name in ("python", "python3") and rest[0] != "-m":
        check_options(rest[1:], rest[0])
    elif name == "pip":
        check_extras(rest)
    elif name == "uv" and rest[:1] == ["run"] and "python" in rest:
        check_command(rest[rest.index("python") :])
    elif name.startswith((".ci/", "scripts/")):
        assert (ROOT / name).exists()
    else:
        assert name in ("uv", "source", "jupyter", "git", "npm", "export", "python3"), words


def check_extras(words: list[str]) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    for word in words:
        for named in re.findall(r"\[([\w,]+)\]", word):
            assert set(named.split(",")) <= set(extras), f"no such extra: {named}"


def check_python(text: str) -> None:
    """Compile a block and look up every name that it takes from the package."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("smearcount"):
            module = importlib.import_module(node.module)
            for name in node.names:
                assert hasattr(module, name.name), f"{node.module} has no {name.name}"
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "smearcount"
        ):
            assert hasattr(importlib.import_module("smearcount"), node.attr), node.attr


def smear(seed: int) -> Smear:
    return render(SmearStyle("drawn", 320, 240, rbc_px=50, n_wbc=1, n_platelets=2), seed)


def write_drawn_dataset(folder: Path, splits: dict[str, int]) -> None:
    """Write a COCO data set of drawn smears."""
    (folder / "images").mkdir(parents=True)
    seed = 100
    for split, size in splits.items():
        images = []
        for _ in range(size):
            drawn = smear(seed)
            path = folder / "images" / f"{seed}.png"
            Image.fromarray(drawn.pixels).save(path)
            images.append(AnnotatedImage(path, 320, 240, drawn.boxes_xyxy_px, drawn.labels))
            seed += 1
        write_dataset(Dataset(CLASS_NAMES, tuple(images), str(folder)), folder, "coco", split)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the pages name: photographs, data sets, labels, corrections."""
    stage = tmp_path_factory.mktemp("stage")
    slide = stage / "photos" / "slide-1"
    slide.mkdir(parents=True)
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        Image.fromarray(smear(seed).pixels).save(slide / name, quality=95)
    shutil.copy(slide / "a.jpg", stage / "photo.jpg")
    shutil.copy(slide / "b.jpg", stage / "photos" / "b.jpg")
    digest = hashlib.sha256((slide / "a.jpg").read_bytes()).hexdigest()
    edit = {"image": digest, "kind": "edit", "add": [{"box": [1, 1, 40, 40], "label": "WBC"}]}
    (stage / "corrections.jsonl").write_text(json.dumps(edit) + "\n", "utf-8")
    write_drawn_dataset(stage / "txl-pbc", {"train": 2, "val": 3, "test": 2})
    write_drawn_dataset(stage / "labels", {"train": 2, "val": 1})
    shutil.make_archive(str(stage / "labels"), "zip", stage / "labels")
    (stage / "docs").symlink_to(ROOT / "docs")
    return stage


def run_command(words: list[str]) -> None:
    """Run a command of ours in this process; check any other."""
    if words[0] != "smearcount":
        check_command(words)
        return
    redirected = words.index(">") if ">" in words else len(words)
    done = CliRunner().invoke(app, words[1:redirected], catch_exceptions=False)
    assert done.exit_code == 0, f"{shlex.join(words)}: {done.output}"
    if redirected < len(words):
        Path(words[redirected + 1]).write_text(done.stdout, "utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_works(
    page: Path, stage: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stage"
    shutil.copytree(stage, folder, symlinks=True)
    monkeypatch.chdir(folder)
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks_of(page):
        where = f"{page.relative_to(ROOT)}:{block.line}"
        runs = block.marker is None and page.name != "exercise.md"
        assert block.marker in (None, *NOT_RUN), f"{where}: unknown marker {block.marker}"
        try:
            if block.language == "sh":
                for words in commands_of(block.text):
                    (run_command if runs else check_command)(words)
            elif block.language == "python":
                check_python(block.text)
                if runs:
                    exec(compile(block.text, where, "exec"), names)
            elif block.language == "json":
                json.loads(block.text)
        except Exception as error:
            error.add_note(f"in the block at {where}")
            raise


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_named_in_a_sentence_exists(page: Path) -> None:
    for command in INLINE.findall(page.read_text(encoding="utf-8")):
        words = shlex.split(command)[1:]
        if words and not words[0].startswith("-"):
            check_options(words)


def test_a_wrong_option_is_noticed() -> None:
    with pytest.raises(AssertionError, match="no such options"):
        check_command(["smearcount", "count", "photos", "--no-such-option"])
    with pytest.raises(AssertionError, match="has no command"):
        check_command(["smearcount", "no-such-command"])
