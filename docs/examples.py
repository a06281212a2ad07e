"""Let the API reference show the section ``Example:`` of a docstring as it does ``Examples:``.

mkdocs loads this file as an extension of griffe (see ``mkdocs.yml``).
"""

from __future__ import annotations

import re
from typing import Any

import griffe


class ShowExamples(griffe.Extension):
    """Rename the section before docstrings are parsed."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename it in one docstring."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^( *)Example:$", r"\1Examples:", obj.docstring.value, flags=re.MULTILINE
            )
