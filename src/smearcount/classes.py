"""The cell classes: their labels, names and colors, the same everywhere in the package."""

from __future__ import annotations

from typing import Final

CLASS_NAMES: Final = ("WBC", "RBC", "Platelets")
"""Names in label order: label 1 is WBC, 2 is RBC, 3 is Platelets."""

RBC: Final = "RBC"
"""The class whose size gives the magnification of an image."""

CLASS_COLORS: Final = ("#0094cd", "#d51317", "#007b3d")
"""One color per class in label order, as in the course exercise."""

_FURTHER_COLORS: Final = ("#e69f00", "#7b3294", "#00a99d", "#8c510a", "#666666")

_ALIASES: Final = {
    "wbc": "WBC",
    "white blood cell": "WBC",
    "white cell": "WBC",
    "leukocyte": "WBC",
    "leucocyte": "WBC",
    "rbc": "RBC",
    "red blood cell": "RBC",
    "red cell": "RBC",
    "erythrocyte": "RBC",
    "platelet": "Platelets",
    "plt": "Platelets",
    "thrombocyte": "Platelets",
}


def canonical_name(name: str) -> str:
    """Return the package's name of a class that data sets spell in many ways.

    Args:
        name: a class name as a data set writes it, such as ``"platelets"`` or ``"RBCs"``.

    Returns:
        ``"WBC"``, ``"RBC"`` or ``"Platelets"`` where the name means one of them, else the name
        as given, without surrounding spaces.
    """
    plain = name.strip()
    key = plain.lower().replace("_", " ").replace("-", " ")
    return _ALIASES.get(key) or _ALIASES.get(key.removesuffix("s")) or plain


def class_color(label: int) -> str:
    """Return the ``#rrggbb`` color of a label (1-based); labels beyond the three get their own."""
    colors = CLASS_COLORS + _FURTHER_COLORS
    return colors[(label - 1) % len(colors)]
