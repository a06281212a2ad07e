"""Write the notebooks, one per language, from ``exercise.md``; run it after every change there.

The source holds each text twice, below ``<!-- en -->`` and ``<!-- ja -->``, and each piece of code
once, so that the code of both notebooks is the same.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("exercise.md")
LANGUAGES = ("en", "ja")

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


def notebook(text: str, language: str) -> str:
    """Return the notebook of a language as its file's content, without any output.

    Args:
        text: the source.
        language: ``en`` or ``ja``.
    """
    cells: list[dict[str, Any]] = []
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
        cells.append(cell)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write both notebooks beside the source."""
    text = SOURCE.read_text(encoding="utf-8")
    for language in LANGUAGES:
        path = SOURCE.with_name(f"exercise.{language}.ipynb")
        path.write_text(notebook(text, language), encoding="utf-8")


if __name__ == "__main__":
    main()
