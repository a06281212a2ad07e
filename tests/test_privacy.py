"""No command connects to anything or writes a file outside the folder it was given.

The one exception is matplotlib, which draws the curves of a training and keeps its list of fonts in
the user's cache.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from smearcount.synthetic.smears import demo_smears

COMMAND = Path(__file__).parent / "doubles" / "audited_command.py"

_TRACED = "--trace=connect,sendto,open,openat,creat,mkdir,mkdirat"


class Sandbox:
    """A home folder, a folder for temporary files and one for results, all empty."""

    def __init__(self, folder: Path) -> None:
        self.home, self.temporary, self.out = (folder / name for name in ("home", "tmp", "out"))
        self.home.mkdir()
        self.temporary.mkdir()
        self.strace = shutil.which("strace")
        self.log, self.trace = folder / "log", folder / "trace"

    def start(self, *words: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(COMMAND), str(self.log), *map(str, words)]
        if self.strace:
            command = [
                self.strace,
                "-f",
                "-qq",
                "--seccomp-bpf",
                _TRACED,
                "-o",
                str(self.trace),
                *command,
            ]
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("XDG_", "ORT_", "MPL", "TORCH"))
        }
        environment |= {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def run(self, *words: object) -> None:
        """Run a command to its end, which must be a success."""
        with self.start(*words) as process:
            process.communicate()
        assert process.returncode == 0

    def check(self) -> None:
        """Fail if anything was reached or written outside the three folders, or left behind."""
        fonts = tuple(str(self.home / name) for name in (".config", ".cache"))
        own = (str(self.out), str(self.temporary), "/dev/", "/proc/", *fonts)
        for line in self.log.read_text().splitlines():
            kind, what = line.split(" ", 1)
            if line == "socket 127.0.0.1":  # where the page is served
                continue
            assert kind == "file", line
            assert what.startswith(own), line
        kept = {entry.name for folder in fonts for entry in Path(folder).glob("*")}
        assert kept <= {"matplotlib"}
        assert {entry.name for entry in self.home.iterdir()} <= {".config", ".cache"}
        left = [entry.name for entry in self.temporary.iterdir()]
        assert all(name.startswith("torchinductor_") for name in left)  # torch's, and empty
        if not self.strace:
            return
        for line in self.trace.read_text().splitlines():
            assert not re.search(r"AF_INET.*sin6?_addr|sin_port", line), line
            writes = re.search(r"O_CREAT|O_WRONLY|O_RDWR|creat\(|mkdir", line)
            # What another thread interrupted goes on in a second line, without the path.
            if writes and not re.search("ENOENT|EEXIST| resumed>", line):
                path = re.search(r'"([^"]*)"', line)
                assert path, line
                assert path[1].startswith((*own, str(self.log))), line


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "photo.png"
    Image.fromarray(demo_smears()[0].pixels).save(file)
    return file


def test_count(sandbox: Sandbox, photo: Path) -> None:
    sandbox.run("count", photo, "-o", sandbox.out, "--report")
    assert (sandbox.out / "counts.csv").exists()
    sandbox.check()


def test_serve(sandbox: Sandbox, photo: Path) -> None:
    pytest.importorskip("fastapi", reason="the extra 'web' is not installed")
    server = sandbox.start("serve", "--port", 0, "--no-browser", "--session", sandbox.out)
    assert server.stdout
    address = re.search(r"http://([0-9.]+):(\d+)/", server.stdout.readline())
    assert address
    port = int(address[2])
    try:
        client = http.client.HTTPConnection(address[1], port)
        client.request("POST", "/api/photographs?name=photo.png", photo.read_bytes())
        answer = client.getresponse()
        assert answer.status in (200, 201), answer.read()
        answer.read()
        rows = _rows(client)
        while rows[0]["state"] in ("waiting", "counting"):
            time.sleep(0.05)
            rows = _rows(client)
        assert rows[0]["state"] == "done", rows
        client.close()
    finally:
        os.kill(_innermost(server.pid, sandbox), signal.SIGINT)
        server.communicate()
    sandbox.check()


def test_train(sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra 'train' is not installed")
    from doubles.tiny_training import RECIPE, write_tiny_data
    from smearcount.training.recipes.recipe import recipe_as_toml

    sandbox.strace = None  # torch under strace takes minutes
    recipe = tmp_path / "short.toml"
    recipe.write_text(recipe_as_toml(RECIPE.model_copy(update={"epochs": 1})))
    data = write_tiny_data(tmp_path / "data")
    sandbox.run("train", data, "-o", sandbox.out, "--recipe", recipe, "-q")
    assert (sandbox.out / "model.onnx").exists()
    sandbox.check()


@pytest.mark.parametrize(("chosen", "kept"), [(None, "1"), ("0", "0")])
def test_a_choice_about_telemetry_is_left_as_it_is(chosen: str | None, kept: str) -> None:
    name = "ORT_DISABLE_TELEMETRY"
    environment = {key: value for key, value in os.environ.items() if key != name}
    if chosen is not None:
        environment[name] = chosen
    script = f"import os, smearcount; print(os.environ[{name!r}])"
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, env=environment, text=True).strip() == kept


def _rows(client: http.client.HTTPConnection) -> list[dict[str, Any]]:
    client.request("GET", "/api/session")
    rows: list[dict[str, Any]] = json.loads(client.getresponse().read())["photographs"]
    return rows


def _innermost(pid: int, sandbox: Sandbox) -> int:
    """Return the process that strace started, or the process itself."""
    if not sandbox.strace:
        return pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])
