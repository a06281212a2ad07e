"""Write the notebooks, one per language, from ``exercise.md``; run it after every change there.

The source holds each text twice, below ``<!-- en -->`` and ``<!-- ja -->``, and each piece of code
once, so that the code of both notebooks is the same. Code is run once, and both notebooks get what
it printed and showed. Where no code changed, the stored outputs are kept; ``--run`` runs it anyhow.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("exercise.md")
LANGUAGES = ("en", "ja")
MAX_PICTURE_SIDE_PX = 900

Outputs = list[dict[str, Any]]
"""What one cell printed and showed, in the notebook's own format."""

_START = re.compile(r"^(?:<!-- (en|ja) -->|```(python))$")


def cells_of(text: str) -> list[tuple[str, str]]:
    """Return the pieces of the source in order, each with its kind: en, ja or python.

    Raises:
        ValueError: the source starts with something else, or a text lacks its translation.
    """
    cells: list[tuple[str, list[str]]] = []
    in_code = False
    for number, line in enumerate(text.splitlines(), start=1):
        start = None if in_code else _START.match(line)
        if start:
            kind = start[1] or start[2]
            in_code = kind == "python"
            cells.append((kind, []))
        elif in_code and line == "```":
            in_code = False
        elif cells and (in_code or cells[-1][0] != "python"):
            cells[-1][1].append(line)
        elif line:
            raise ValueError(f"{SOURCE.name} line {number}: text below no language.")
    kinds = [kind for kind, _ in cells]
    if kinds.count("en") != kinds.count("ja") or "en ja" not in " ".join(kinds):
        raise ValueError(f"{SOURCE.name}: every text needs both languages.")
    return [(kind, "\n".join(lines).strip()) for kind, lines in cells]


def notebook(text: str, language: str, outputs: Sequence[Outputs] = ()) -> str:
    """Return the notebook of a language as its file's content.

    Args:
        text: the source.
        language: ``en`` or ``ja``.
        outputs: of each piece of code, in order; none leaves the code without outputs.
    """
    cells: list[dict[str, Any]] = []
    n_code = 0
    for kind, content in cells_of(text):
        if kind not in (language, "python"):
            continue
        cell = {
            "cell_type": "code" if kind == "python" else "markdown",
            "id": f"cell-{len(cells) + 1:02}",
            "metadata": {},
            "source": content.splitlines(keepends=True),
        }
        if kind == "python":
            cell |= {"execution_count": None, "outputs": []}
            if outputs:
                cell |= {"execution_count": n_code + 1, "outputs": outputs[n_code]}
            n_code += 1
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def run(codes: Sequence[str]) -> list[Outputs]:
    """Run pieces of code in one after another, in an empty folder, and return their outputs.

    Standard error, such as progress bars, is no output: it would hold the paths of this machine.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    outputs = []
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for number, code in enumerate(codes, start=1):
                started = time.process_time()
                outputs.append(_run_one(code, names))
                seconds = time.process_time() - started
                print(f"cell {number} of {len(codes)}: {seconds:.0f} s of CPU", file=sys.stderr)
        finally:
            os.chdir(before)
    return outputs


def _run_one(code: str, names: dict[str, Any]) -> Outputs:
    """Run a piece of code; return what it printed, and the value of its last expression."""
    tree = ast.parse(code)
    shown = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), names)
        if isinstance(shown, ast.Expr):
            value = eval(compile(ast.Expression(shown.value), "<cell>", "eval"), names)
    outputs: Outputs = []
    if printed.getvalue():
        lines = printed.getvalue().splitlines(keepends=True)
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines})
    if value is not None:
        outputs.append({"output_type": "display_data", "metadata": {}, "data": _display(value)})
    return outputs


def _display(value: Any) -> dict[str, Any]:
    """Return a picture as a small PNG, and any other value as text."""
    from matplotlib.figure import Figure
    from PIL import Image

    stream = io.BytesIO()
    if isinstance(value, Figure):
        value.savefig(stream, format="png")
        value = Image.open(stream)
    if not isinstance(value, Image.Image):
        return {"text/plain": [repr(value)]}
    value = value.convert("RGB")
    value.thumbnail((MAX_PICTURE_SIDE_PX, MAX_PICTURE_SIDE_PX))
    stream = io.BytesIO()
    value.quantize(128).save(stream, format="PNG", optimize=True)
    png = base64.b64encode(stream.getvalue()).decode("ascii") + "\n"
    return {"image/png": png, "text/plain": [f"<a picture of {value.width} × {value.height} px>"]}


def stored_outputs(path: Path, codes: Sequence[str]) -> list[Outputs] | None:
    """Return the outputs in a notebook; None where its code is not the code given."""
    if not path.exists():
        return None
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code_cells = [cell for cell in cells if cell["cell_type"] == "code"]
    if ["".join(cell["source"]) for cell in code_cells] != list(codes):
        return None
    outputs = [cell["outputs"] for cell in code_cells]
    return outputs if any(outputs) else None


def main() -> None:
    """Write both notebooks beside the source."""
    text = SOURCE.read_text(encoding="utf-8")
    codes = [content for kind, content in cells_of(text) if kind == "python"]
    paths = {language: SOURCE.with_name(f"exercise.{language}.ipynb") for language in LANGUAGES}
    outputs = None if "--run" in sys.argv else stored_outputs(paths[LANGUAGES[0]], codes)
    if outputs is None:
        outputs = run(codes)
    for language, path in paths.items():
        path.write_text(notebook(text, language, outputs), encoding="utf-8")


if __name__ == "__main__":
    main()
