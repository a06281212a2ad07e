"""How large one typical field is in the eyes of a network."""

from __future__ import annotations

from typing import Final

from smearcount.detector.card import ModelCard
from smearcount.image.resample import network_size

FIELD_PX: Final = (640, 480)
"""Width and height of a field of BCCD, the size at which costs are compared."""

FIELD_RBC_PX: Final = 100.0
"""The diameter of a red cell there."""


def view_of_field(card: ModelCard) -> tuple[int, int]:
    """Return width and height in network pixels of a 640 × 480 field with red cells of 100 px."""
    width, height = FIELD_PX
    if card.rbc_px is None:
        return width, height
    return network_size(width, height, card.rbc_px / FIELD_RBC_PX, card.stride)
