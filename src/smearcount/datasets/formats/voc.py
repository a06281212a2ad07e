"""Pascal VOC: one XML file per image in ``Annotations/``, lists of names in ``ImageSets/Main/``.

Coordinates are kept as they are: ``xmin, ymin, xmax, ymax`` become left, top, right, bottom. BCCD
and most tools today write them so (a box up to the right border of a 640 px image has ``xmax``
640); the original VOC counted from 1, which differs by one pixel at left and top.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape

import numpy as np

from smearcount.atomic_write import write_text
from smearcount.classes import canonical_name
from smearcount.datasets.dataset import AnnotatedImage, Dataset, order_classes
from smearcount.datasets.formats.files import (
    copy_images,
    exact_decimal,
    files_in,
    image_size,
    images_in,
    read_text,
)
from smearcount.datasets.formats.ids import read_ids, write_ids
from smearcount.errors import DataError

_CORNERS: Final = ("xmin", "ymin", "xmax", "ymax")
CLASSES_FILE: Final = "classes.txt"


def detect(folder: Path) -> bool:
    """Tell whether a folder is laid out as VOC."""
    return (folder / "Annotations").is_dir()


def splits(folder: Path) -> tuple[str, ...]:
    """Return the names of the lists in ``ImageSets/Main``, sorted."""
    return tuple(path.stem for path in files_in(folder / "ImageSets" / "Main", ".txt"))


def read(folder: Path, split: str | None = None) -> Dataset:
    """Read a VOC folder.

    Args:
        folder: holds ``Annotations/`` and ``JPEGImages/`` (or ``images/``).
        split: a list in ``ImageSets/Main``; None reads every annotation.

    Raises:
        DataError: a file is missing or broken; the message names it, the line and the remedy.
    """
    annotations = {path.stem: path for path in files_in(folder / "Annotations", ".xml")}
    names = list(annotations) if split is None else _names(folder, split, annotations)
    parsed = {name: _parse(path) for name, path in annotations.items()}
    ids = read_ids(folder, split)
    if split is None:
        names.sort(key=list(ids.images).index if set(names) == set(ids.images) else None)
    images = images_in(folder / "JPEGImages") or images_in(folder / "images")
    listed = folder / CLASSES_FILE
    written = read_text(listed).split("\n") if listed.is_file() else []
    written += [item.name for file in parsed.values() for item in file.objects]
    classes = order_classes(name for name in written if name.strip())
    found = []
    for name in names:
        if name not in parsed:
            raise DataError(
                f"{folder / 'ImageSets' / 'Main' / f'{split}.txt'} line {names.index(name) + 1}: "
                f"Annotations/{name}.xml is missing; add it or drop the line."
            )
        if name not in images:
            raise DataError(
                f"{annotations[name]}: JPEGImages has no image {name}.jpg; add it or drop the file."
            )
        image = _image(parsed[name], images[name], annotations[name], classes)
        image_id, box_ids = ids.ids_of_image(name, len(image))
        found.append(replace(image, image_id=image_id, box_ids=box_ids))
    return Dataset(classes, tuple(found), str(folder), ids.category_ids_of(classes))


def write(dataset: Dataset, folder: Path, split: str | None = None) -> None:
    """Write a data set as a VOC folder, images included; other splits in it stay.

    Scores go into ``<score>``, a VOC extension; class names also into ``classes.txt``, so that
    classes without a box and their order are kept.

    Args:
        dataset: the images and boxes to write.
        folder: made if missing.
        split: the list to write in ``ImageSets/Main``; None writes none.

    Raises:
        DataError: two images have the same name, also in different splits, but not the same labels.
        WriteError: the folder cannot be written to.
    """
    images, annotations = folder / "JPEGImages", folder / "Annotations"
    others = {name for other in splits(folder) if other != split for name in _listed(folder, other)}
    copied = copy_images(dataset, images)
    images_in(images)
    annotations.mkdir(exist_ok=True)
    for image in dataset.images:
        path = annotations / f"{image.path.stem}.xml"
        text = _xml(image, copied[image.path].name, dataset.classes)
        if image.path.stem in others and read_text(path) != text:
            raise DataError(
                f"{path}: another split has other labels for an image of this name; rename one."
            )
        write_text(path, text)
    if split is not None:
        lists = folder / "ImageSets" / "Main"
        lists.mkdir(parents=True, exist_ok=True)
        names = "".join(f"{image.path.stem}\n" for image in dataset.images)
        write_text(lists / f"{split}.txt", names)
    write_text(folder / CLASSES_FILE, "\n".join(dataset.classes) + "\n")
    write_ids(folder, dataset, split)


def _xml(image: AnnotatedImage, name: str, classes: Sequence[str]) -> str:
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
class _Object:
    """One ``<object>``: the line where it starts, and text and line of each of its elements."""

    line: int
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)
    name: str = ""


@dataclass
class _File:
    """The content of one XML file."""

    objects: list[_Object] = field(default_factory=list)
    texts: dict[str, tuple[str, int]] = field(default_factory=dict)


def _names(folder: Path, split: str, known: Container[str]) -> list[str]:
    """Return the image names of a list, without the columns that VOC allows after a name."""
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    if not path.is_file():
        here = ", ".join(splits(folder)) or "none"
        raise DataError(f"{path}: this list is missing; the splits here are: {here}.")
    lines = _listed(folder, split)
    return [line if line in known else line.split()[0] for line in lines]


def _listed(folder: Path, split: str) -> list[str]:
    """Return the lines of a list that are not blank."""
    text = read_text(folder / "ImageSets" / "Main" / f"{split}.txt")
    return [line.strip() for line in text.split("\n") if line.strip()]


def _parse(path: Path) -> _File:
    """Read one annotation file.

    The keys of the texts are the paths of their elements below ``annotation``, or ``object``.
    """
    file = _File()
    stack: list[str] = []
    text: list[str] = []
    parser = expat.ParserCreate()

    def start(tag: str, _: dict[str, str]) -> None:
        stack.append(tag)
        text.clear()
        if stack[1:] == ["object"]:
            file.objects.append(_Object(parser.CurrentLineNumber))

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
        parser.Parse(path.read_bytes(), True)
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


def _image(file: _File, path: Path, source: Path, classes: Sequence[str]) -> AnnotatedImage:
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
