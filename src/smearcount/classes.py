"""The cell classes: their labels, names and colors, the same everywhere in the package."""

from __future__ import annotations

from typing import Final

CLASS_NAMES: Final = ("WBC", "RBC", "Platelets")
"""Names in label order: label 1 is WBC, 2 is RBC, 3 is Platelets."""

RBC: Final = "RBC"
"""The class whose size gives the magnification of an image."""

CLASS_COLORS: Final = ("#0094cd", "#d51317", "#007b3d")
"""The colors of ``CLASS_NAMES``, in their order, as in the course exercise."""

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


def class_color(name: str, label: int) -> str:
    """Return the color of a class, ``#rrggbb``: the same in every picture, figure and page.

    Args:
        name: of the class. WBC, RBC and Platelets keep their colors whatever their labels are.
        label: 1-based; it chooses the color of any other class, so that five of them differ.
    """
    known = canonical_name(name)
    if known in CLASS_NAMES:
        return CLASS_COLORS[CLASS_NAMES.index(known)]
    return _FURTHER_COLORS[(label - 1 - len(CLASS_NAMES)) % len(_FURTHER_COLORS)]
