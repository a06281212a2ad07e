"""The pixel size that a TIFF file holds, in micrometers."""

from __future__ import annotations

import html
import re
from typing import Final

from smearcount.settings import PIXEL_SIZES_UM

_UM_PER_RESOLUTION_UNIT: Final = {2: 25_400.0, 3: 10_000.0}
_UM_PER_UNIT: Final = {
    "pm": 1e-6, "\u00c5": 1e-4, "\u212b": 1e-4, "nm": 0.001,
    "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0,
    "microns": 1.0, "micrometer": 1.0, "mm": 1000.0, "cm": 10_000.0, "dm": 1e5, "m": 1e6,
    "in": 25_400.0, "inch": 25_400.0, "mil": 25.4, "thou": 25.4,
}  # fmt: skip


def plausible(size_um: float) -> float | None:
    """Return a pixel size in micrometers if a light microscope could have it, else None.

    Other values are print resolutions such as 72 dpi (353 µm), not magnifications.
    """
    smallest, largest = PIXEL_SIZES_UM
    return size_um if smallest <= size_um <= largest else None


def tiff_pixel_size(
    description: str, resolution: tuple[int, int] | None, unit: int
) -> float | None:
    """Return micrometers per pixel from the tags of a TIFF page, or None if they do not say.

    OME-XML's ``PhysicalSizeX`` comes first, then Aperio's ``MPP``, then the resolution in ImageJ's
    unit, in inches or in centimeters.

    Args:
        description: the ImageDescription tag.
        resolution: the XResolution tag, pixels per unit as a fraction.
        unit: the ResolutionUnit tag: 1 none, 2 inch, 3 cm.
    """
    ome = _attribute(description, "PhysicalSizeX")
    if ome is not None:
        factor = _UM_PER_UNIT.get(_attribute(description, "PhysicalSizeXUnit") or "µm")
        return plausible(_number(ome) * factor) if factor else None
    aperio = re.search(r"\bMPP\s*=\s*([0-9.]+)", description)
    if aperio and description.startswith("Aperio"):
        return plausible(_number(aperio[1]))
    if not resolution or not all(resolution):
        return None
    um_per_unit = _UM_PER_RESOLUTION_UNIT.get(unit)
    if description.startswith("ImageJ="):
        named = re.search(r"^unit=(\S+)", description, re.MULTILINE)
        name = named[1].replace("\\u00B5", "µ") if named else ""
        um_per_unit = _UM_PER_UNIT.get(name, um_per_unit)
    return plausible(um_per_unit * resolution[1] / resolution[0]) if um_per_unit else None


def _attribute(xml: str, name: str) -> str | None:
    """Return the value of an XML attribute, in any quotes and with its entities resolved."""
    found = re.search(rf"\b{name}\s*=\s*([\"'])(.*?)\1", xml, re.DOTALL)
    return html.unescape(found[2]).strip() if found else None


def _number(text: str) -> float:
    """Return a number, or one that is no pixel size."""
    try:
        return float(text)
    except ValueError:
        return 0.0
