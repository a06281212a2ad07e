"""Write the JSON schemas of the files that smearcount writes and reads, from its code.

Run ``python docs/schemas/build.py`` after a change to one of them; a test compares.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from smearcount.detector.model_card import ModelCard
from smearcount.results.corrections import Correction
from smearcount.training.recipes.recipe import Recipe

HERE = Path(__file__).parent
DESCRIBED: dict[str, Any] = {
    "correction": Correction,
    "model-card": ModelCard,
    "recipe": Recipe,
}


def schema(name: str) -> str:
    """Return the schema of a file as the text that is stored.

    Args:
        name: a key of ``DESCRIBED``.
    """
    described = TypeAdapter(DESCRIBED[name]).json_schema(by_alias=True, mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every schema beside this file."""
    for name in DESCRIBED:
        (HERE / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")


if __name__ == "__main__":
    main()
