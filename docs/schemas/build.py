"""Write the JSON schemas of the files that smearcount writes and reads.

Run ``python docs/schemas/build.py`` after a change to one of them; a test compares. Files that are
read are described by the code that reads them, files that are only written by ``documents.py``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from smearcount.detector.model_card import ModelCard
from smearcount.results.corrections import Correction
from smearcount.training.recipes.recipe import Recipe

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import documents  # noqa: E402

READ: dict[str, Any] = {"correction": Correction, "model-card": ModelCard, "recipe": Recipe}
WRITTEN: dict[str, Any] = {
    "detections": documents.Detections,
    "document": documents.Document,
    "run": documents.Run,
}


def schema(name: str) -> str:
    """Return the schema of a file as the text that is stored.

    Args:
        name: a key of ``READ`` or of ``WRITTEN``.
    """
    described = TypeAdapter({**READ, **WRITTEN}[name]).json_schema(mode="serialization")
    if name in WRITTEN:
        _allow_new_keys(described)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _allow_new_keys(part: Any) -> None:
    """Let files of later versions, which may have more keys, keep to the schema."""
    if isinstance(part, dict):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
        for value in part.values():
            _allow_new_keys(value)
    elif isinstance(part, list):
        for value in part:
            _allow_new_keys(value)


def main() -> None:
    """Write every schema beside this file."""
    for name in (*READ, *WRITTEN):
        (HERE / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")


if __name__ == "__main__":
    main()
