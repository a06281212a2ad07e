"""Every cell found, as a COCO file that other tools read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smearcount.atomic_write import open_atomic
from smearcount.results.image_outcome import ImageOutcome


def shortest(values: NDArray[np.float32]) -> list[float]:
    """Return float32 values as the shortest decimals that read back as the same float32."""
    return [float(str(value)) for value in values]


def write_coco(path: Path, outcomes: Sequence[ImageOutcome], classes: Sequence[str]) -> None:
    """Write ``detections.json``: COCO with a ``score``; category ids are the model's labels.

    Each annotation says with ``counted`` whether the edge rule let it count. A failed input is no
    image here. The file is written line by line, so that a long batch needs no memory for it.

    Args:
        path: the file to write.
        outcomes: one per input; the id of an image is its place among the inputs, from 1.
        classes: class names in label order.
    """
    with open_atomic(path) as stream:
        for text in _lines(outcomes, classes):
            stream.write(text.encode("ascii"))


def _lines(outcomes: Sequence[ImageOutcome], classes: Sequence[str]) -> Iterator[str]:
    categories = [{"id": label, "name": name} for label, name in enumerate(classes, start=1)]
    yield '{"categories": ' + json.dumps(categories) + ',\n"images": [\n'
    yield from _joined(_images(outcomes))
    yield '],\n"annotations": [\n'
    yield from _joined(_annotations(outcomes))
    yield "]}\n"


def _joined(items: Iterator[dict[str, Any]]) -> Iterator[str]:
    gap = ""
    for item in items:
        yield gap + json.dumps(item)
        gap = ",\n"
    yield "\n"


def _images(outcomes: Sequence[ImageOutcome]) -> Iterator[dict[str, Any]]:
    for number, outcome in enumerate(outcomes, start=1):
        if outcome.result is not None:
            image = outcome.result.image
            yield {
                "id": number,
                "file_name": outcome.name,
                "width": image.width,
                "height": image.height,
            }


def _annotations(outcomes: Sequence[ImageOutcome]) -> Iterator[dict[str, Any]]:
    annotation = 0
    for number, outcome in enumerate(outcomes, start=1):
        result = outcome.result
        if result is None:
            continue
        scores = shortest(result.detections.scores)
        for index, (box, _, label) in enumerate(result.detections):
            annotation += 1
            x0, y0, x1, y1 = shortest(box)
            width, height = round(x1 - x0, 6), round(y1 - y0, 6)
            yield {
                "id": annotation,
                "image_id": number,
                "category_id": label,
                "bbox": [x0, y0, width, height],
                "area": round(width * height, 6),
                "iscrowd": 0,
                "score": scores[index],
                "counted": bool(result.counted[index]),
            }
