"""Pascal VOC: one XML file per image in ``Annotations/``, lists of names in ``ImageSets/Main/``.

Also read: the XML beside each image, as labelImg and Roboflow write it.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from smearcount.atomic_write import write_text
from smearcount.datasets.dataset import Dataset, order_classes
from smearcount.datasets.formats.files import (
    SPLIT_FOLDERS,
    copy_images,
    files_in,
    images_in,
    read_text,
)
from smearcount.datasets.formats.ids import read_ids, write_ids
from smearcount.datasets.formats.voc_xml import (
    VocFile,
    annotated_image,
    annotation_xml,
    parse_xml,
)
from smearcount.errors import DataError
from smearcount.image.file_types import SUFFIXES

CLASSES_FILE: Final = "classes.txt"


def detect(folder: Path) -> bool:
    """Tell whether a folder is laid out as VOC."""
    return (folder / "Annotations").is_dir() or bool(_folders_beside_images(folder))


def splits(folder: Path) -> tuple[str, ...]:
    """Return the names of the lists in ``ImageSets/Main`` or of the split folders, sorted."""
    if not (folder / "Annotations").is_dir():
        return tuple(name for name in _folders_beside_images(folder) if name)
    return _lists(folder)


def read(folder: Path, split: str | None = None) -> Dataset:
    """Read a VOC folder.

    Args:
        folder: holds ``Annotations/`` and ``JPEGImages/`` (or ``images/``); or each ``.xml`` beside
            its image, in the folder itself or in ``train/``, ``valid/`` and ``test/``.
        split: one of :func:`splits`; None reads every annotation.

    Raises:
        DataError: a file is missing or broken; the message names it, the line and the remedy.
    """
    if not (folder / "Annotations").is_dir():
        return _read_beside_images(folder, split)
    annotations = {path.stem: path for path in files_in(folder / "Annotations", ".xml")}
    names = list(annotations) if split is None else _names(folder, split, annotations)
    ids = read_ids(folder, split)
    if split is None:
        names.sort(key=list(ids.images).index if set(names) == set(ids.images) else None)
    images = images_in(folder / "JPEGImages") or images_in(folder / "images")
    pairs = []
    for name in names:
        if name not in annotations:
            raise DataError(
                f"{folder / 'ImageSets' / 'Main' / f'{split}.txt'} line {names.index(name) + 1}: "
                f"Annotations/{name}.xml is missing; add it or drop the line."
            )
        if name not in images:
            raise DataError(
                f"{annotations[name]}: JPEGImages has no image {name}.jpg; add it or drop the file."
            )
        pairs.append((annotations[name], images[name]))
    listed = folder / CLASSES_FILE
    classes = read_text(listed).split("\n") if listed.is_file() else []
    parsed = {path: parse_xml(path) for path in annotations.values()}
    dataset = _dataset(folder, pairs, parsed, classes)
    found = []
    for name, image in zip(names, dataset.images, strict=True):
        image_id, box_ids = ids.ids_of_image(name, len(image))
        found.append(replace(image, image_id=image_id, box_ids=box_ids))
    category_ids = ids.category_ids_of(dataset.classes)
    return replace(dataset, images=tuple(found), category_ids=category_ids)


def _read_beside_images(folder: Path, split: str | None) -> Dataset:
    """Read a folder in which every annotation lies beside its image."""
    folders = _folders_beside_images(folder)
    if split is not None and split not in folders:
        known = ", ".join(name for name in folders if name) or "none"
        raise DataError(f"{folder}: it has no split {split!r}; the splits here are: {known}.")
    pairs: list[tuple[Path, Path]] = []
    parsed: dict[Path, VocFile] = {}
    for name, place in folders.items():
        images = images_in(place)
        for path in files_in(place, ".xml"):
            parsed[path] = parse_xml(path)
            if path.stem not in images:
                raise DataError(f"{path}: no image {path.stem} lies beside it; add it.")
            if split in (None, name):
                pairs.append((path, images[path.stem]))
    return _dataset(folder, pairs, parsed, ())


def _dataset(
    folder: Path,
    pairs: Sequence[tuple[Path, Path]],
    parsed: Mapping[Path, VocFile],
    class_names: Sequence[str],
) -> Dataset:
    """Return the images of (annotation, image) pairs; classes come from all parsed files."""
    written = [*class_names, *(item.name for file in parsed.values() for item in file.objects)]
    classes = order_classes(name for name in written if name.strip())
    images = (annotated_image(parsed[path], image, path, classes) for path, image in pairs)
    return Dataset(classes, tuple(images), str(folder))


def _folders_beside_images(folder: Path) -> dict[str, Path]:
    """Return the folders with annotations beside images by split, "" for the folder itself."""
    if _has_annotations_beside_images(folder):
        return {"": folder}
    below = {name: folder / name for name in SPLIT_FOLDERS}
    return {name: path for name, path in below.items() if _has_annotations_beside_images(path)}


def _has_annotations_beside_images(folder: Path) -> bool:
    annotated = {path.stem for path in files_in(folder, ".xml")}
    return bool(annotated) and any(
        path.stem in annotated and path.suffix.lower() in SUFFIXES for path in folder.iterdir()
    )


def _is_class_list(folder: Path, name: str, lists: set[str]) -> bool:
    """Tell whether a list such as ``RBC_train`` tells which images of ``train`` have a class.

    The VOC devkit writes these: a 1, 0 or -1 stands behind every name.
    """
    _, _, split = name.rpartition("_")
    if split not in lists:
        return False
    rows = [line.split() for line in _listed(folder, name)]
    return bool(rows) and all(len(row) == 2 and row[1] in ("-1", "0", "1") for row in rows)


def _lists(folder: Path) -> tuple[str, ...]:
    """Return the names of the lists of images in ``ImageSets/Main``, sorted."""
    names = {path.stem for path in files_in(folder / "ImageSets" / "Main", ".txt")}
    return tuple(sorted(name for name in names if not _is_class_list(folder, name, names)))


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
    others = {name for other in _lists(folder) if other != split for name in _listed(folder, other)}
    copied = copy_images(dataset, images)
    images_in(images)
    annotations.mkdir(exist_ok=True)
    for image in dataset.images:
        path = annotations / f"{image.path.stem}.xml"
        text = annotation_xml(image, copied[image.path].name, dataset.classes)
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
    write_ids(folder, dataset, split, {path: path.stem for path in copied})


def _names(folder: Path, split: str, known: Container[str]) -> list[str]:
    """Return the image names of a list, without the columns that VOC allows after a name."""
    path = folder / "ImageSets" / "Main" / f"{split}.txt"
    if not path.is_file():
        here = ", ".join(_lists(folder)) or "none"
        raise DataError(f"{path}: this list is missing; the splits here are: {here}.")
    lines = _listed(folder, split)
    return [line if line in known else line.split()[0] for line in lines]


def _listed(folder: Path, split: str) -> list[str]:
    """Return the lines of a list that are not blank."""
    text = read_text(folder / "ImageSets" / "Main" / f"{split}.txt")
    return [line.strip() for line in text.split("\n") if line.strip()]
