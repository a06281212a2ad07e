"""The pages of the site that are made from other files: the API reference and the exercise.

mkdocs calls this file as a hook (see ``mkdocs.yml``). Nothing that it makes is stored.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

DOCS = Path(__file__).parent
PUBLIC_PACKAGES = {
    "smearcount": "reference/smearcount.md",
    "smearcount.training": "reference/training.md",
    "smearcount.evaluation": "reference/evaluation.md",
    "smearcount.datasets": "reference/datasets.md",
    "smearcount.calibration": "reference/calibration.md",
    "smearcount.synthetic": "reference/synthetic.md",
}
NO_REFERENCE = {"__version__"}


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages to the files of the site."""
    for package, path in PUBLIC_PACKAGES.items():
        files.append(File.generated(config, path, content=reference_page(package)))
    for language in ("en", "ja"):
        content = exercise_page(language)
        files.append(File.generated(config, f"exercise/{language}.md", content=content))
    return files


def reference_page(package: str) -> str:
    """Return the reference of a package: every name that it exports, in alphabetical order."""
    module = importlib.import_module(package)
    names = sorted(set(getattr(module, "__all__", ())) - NO_REFERENCE, key=str.lower)
    parts = [f"# {package}", (module.__doc__ or "").split("\n")[0]]
    parts += [f"::: {package}.{name}" for name in names]
    return "\n\n".join(parts) + "\n"


def exercise_page(language: str) -> str:
    """Return the exercise in one language, its code included, without the notebook around it."""
    sys.path.insert(0, str(DOCS / "exercise"))
    try:
        build = importlib.import_module("build")
    finally:
        sys.path.pop(0)
    pieces = build.cells_of((DOCS / "exercise" / "exercise.md").read_text(encoding="utf-8"))
    return "\n\n".join(
        f"```python\n{content}\n```" if kind == "python" else content
        for kind, content in pieces
        if kind in (language, "python")
    )
