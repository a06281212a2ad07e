"""The XML files of Pascal VOC: one image with its objects each.

Coordinates are kept as they are: ``xmin, ymin, xmax, ymax`` become left, top, right, bottom. BCCD
and most tools today write them so (a box up to the right border of a 640 px image has ``xmax``
640); the original VOC counted from 1, which differs by one pixel at left and top.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage
from smearcount.datasets.formats.files import exact_decimal, image_size
from smearcount.errors import DataError

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
_DECLARED_ENCODING: Final = re.compile(
    rb"""<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["']"""
)


def annotation_xml(image: AnnotatedImage, name: str, classes: Sequence[str]) -> str:
    """Return the text of an image's annotation file.

    Args:
        image: with its boxes and labels.
        name: of the image file.
        classes: names in label order.
    """
    lines = [
        "<annotation>",
        "\t<folder>JPEGImages</folder>",
        f"\t<filename>{escape(name)}</filename>",
        f"\t<size><width>{image.width}</width><height>{image.height}</height>"
        "<depth>3</depth></size>",
        "\t<segmented>0</segmented>",
    ]
    for row in range(len(image)):
        corners = zip(_CORNERS, image.boxes_xyxy_px[row], strict=True)
        lines += [
            "\t<object>",
            f"\t\t<name>{escape(classes[image.labels[row] - 1])}</name>",
            "\t\t<pose>Unspecified</pose>",
            "\t\t<truncated>0</truncated>",
            "\t\t<difficult>0</difficult>",
            *(
                []
                if image.scores is None
                else [f"\t\t<score>{exact_decimal(image.scores[row])}</score>"]
            ),
            "\t\t<bndbox>",
            *(f"\t\t\t<{tag}>{exact_decimal(value)}</{tag}>" for tag, value in corners),
            "\t\t</bndbox>",
            "\t</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])


@dataclass
class VocObject:
    """One ``<object>``: the line where it starts, and text and line of each of its elements."""

    line: int
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)
    name: str = ""


@dataclass
class VocFile:
    """The content of one XML file."""

    objects: list[VocObject] = field(default_factory=list)
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)


def parse_xml(path: Path) -> VocFile:
    """Read one annotation file.

    The keys of the texts are the paths of their elements below ``annotation``, or ``object``.
    """
    file = VocFile()
    stack: list[str] = []
    text: list[str] = []
    content = _utf8_unless_expat_reads_it(path)
    parser = expat.ParserCreate("utf-8" if isinstance(content, str) else None)

    def start(tag: str, _: dict[str, str]) -> None:
        stack.append(tag)
        text.clear()
        if stack[1:] == ["object"]:
            file.objects.append(VocObject(parser.CurrentLineNumber))

    def end(_: str) -> None:
        value = ("".join(text).strip(), parser.CurrentLineNumber)
        text.clear()
        inside = stack[1:]
        stack.pop()
        if inside[:1] == ["object"]:
            file.objects[-1].texts.setdefault("/".join(inside[1:]), value)
        else:
            file.texts.setdefault("/".join(inside), value)

    def doctype(*_: object) -> None:
        raise DataError(f"{path}: it declares a document type; delete its <!DOCTYPE …> part.")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise DataError(
            f"{path} line {error.lineno}: not valid XML ({expat.ErrorString(error.code)}); "
            "correct it or export it anew."
        ) from None
    for item in file.objects:
        item.name = item.texts.get("name", ("", 0))[0]
        if not item.name:
            raise DataError(f"{path} line {item.line}: this object has no <name>; add its class.")
    return file


def _utf8_unless_expat_reads_it(path: Path) -> bytes | str:
    """Return the content as text if it declares an encoding of several bytes a character.

    Expat reads UTF-8, UTF-16 and encodings of one byte by itself, but not GB18030 or Shift_JIS.
    """
    content = path.read_bytes()
    declared = _DECLARED_ENCODING.match(content)
    encoding = declared[1].decode("ascii") if declared else "utf-8"
    if encoding.lower().startswith("utf") or encoding.lower().startswith("iso-8859"):
        return content
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start + 1} is not {encoding} text, which it declares; "
            "save the file as UTF-8."
        ) from None
    except (LookupError, ValueError):
        raise DataError(
            f"{path}: its encoding {encoding!r} is unknown; save the file as UTF-8."
        ) from None


def annotated_image(
    file: VocFile, path: Path, source: Path, classes: Sequence[str]
) -> AnnotatedImage:
    """Return an image with the boxes of its annotation file.

    Args:
        file: what the annotation file holds.
        path: of the image.
        source: the annotation file, for messages.
        classes: names in label order, among them those of all objects.

    Raises:
        DataError: a number is missing or wrong, or the image is missing or of another size.
    """
    size = [_number(file.texts, f"size/{key}", source, 0, default=0) for key in ("width", "height")]
    width, height = image_size(path, (int(size[0]), int(size[1])), str(source))
    rows = [
        [_number(item.texts, f"bndbox/{key}", source, item.line) for key in _CORNERS]
        for item in file.objects
    ]
    scored = bool(file.objects) and all("score" in item.texts for item in file.objects)
    return AnnotatedImage(
        path,
        width,
        height,
        np.array(rows, dtype=np.float64),
        np.array([classes.index(canonical_name(o.name)) + 1 for o in file.objects], np.int64),
        np.array([_number(o.texts, "score", source, o.line) for o in file.objects])
        if scored
        else None,
    )


def _number(
    texts: dict[str, tuple[str, int]],
    key: str,
    source: Path,
    line: int,
    default: float | None = None,
) -> float:
    tag = key.rsplit("/", 1)[-1]
    if key not in texts:
        if default is not None:
            return default
        raise DataError(f"{source} line {line}: this object has no <{tag}>; add it.")
    value, at = texts[key]
    try:
        number = float(value)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise DataError(f"{source} line {at}: <{tag}> must be a number, not {value!r}.")
    return number
