"""Detections as COCO, which other tools read: ``detections.json`` and ``CountResult.to_coco``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smearcount.atomic_write import open_atomic
from smearcount.results.json_document import shortest_decimals

if TYPE_CHECKING:
    from smearcount.results.batch_result import BatchResult
    from smearcount.results.result import CountResult

Json = dict[str, Any]


def write_coco(path: Path, batch: BatchResult) -> None:
    """Write ``detections.json``: COCO with a ``score``; category ids are the model's labels.

    Each annotation tells with ``counted`` whether the edge rule let it count. The id of an image is
    its place among the inputs, from 1; a failed input is left out. The file is written line by
    line, so that a long batch needs no memory for it.

    Args:
        path: the file to write.
        batch: what was counted.
    """
    counted = [
        (number, outcome.name, outcome.result)
        for number, outcome in enumerate(batch.outcomes, start=1)
        if outcome.result is not None
    ]
    with open_atomic(path) as stream:
        for text in _lines(counted, batch.card.classes):
            stream.write(text.encode("ascii"))


def coco_document(result: CountResult) -> Json:
    """Return the detections of one image as a COCO document.

    Args:
        result: what was counted; its image gets the id 1.
    """
    counted = [(1, result.image.name, result)]
    return {
        "categories": _categories(result.card.classes),
        "images": list(_images(counted)),
        "annotations": list(_annotations(counted)),
    }


_Counted = Sequence["tuple[int, str, CountResult]"]
"""Images by id, file name and result."""


def _lines(counted: _Counted, classes: Sequence[str]) -> Iterator[str]:
    yield '{"categories": ' + json.dumps(_categories(classes)) + ',\n"images": [\n'
    yield from _joined(_images(counted))
    yield '],\n"annotations": [\n'
    yield from _joined(_annotations(counted))
    yield "]}\n"


def _joined(items: Iterator[Json]) -> Iterator[str]:
    separator = ""
    for item in items:
        yield separator + json.dumps(item)
        separator = ",\n"
    yield "\n"


def _categories(classes: Sequence[str]) -> list[Json]:
    return [{"id": label, "name": name} for label, name in enumerate(classes, start=1)]


def _images(counted: _Counted) -> Iterator[Json]:
    for image_id, name, result in counted:
        yield {
            "id": image_id,
            "file_name": name,
            "width": result.image.width,
            "height": result.image.height,
        }


def _annotations(counted: _Counted) -> Iterator[Json]:
    annotation_id = 0
    for image_id, _, result in counted:
        scores = shortest_decimals(result.detections.scores)
        for index, (box, _, label) in enumerate(result.detections):
            annotation_id += 1
            x0, y0, x1, y1 = shortest_decimals(box)
            width, height = round(x1 - x0, 6), round(y1 - y0, 6)
            yield {
                "id": annotation_id,
                "image_id": image_id,
                "category_id": label,
                "bbox": [x0, y0, width, height],
                "area": round(width * height, 6),
                "iscrowd": 0,
                "score": scores[index],
                "counted": bool(result.counted[index]),
            }
