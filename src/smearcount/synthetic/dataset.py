"""Draw a whole data set: pictures in a folder, with the boxes of their cells."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

from smearcount.classes import CLASS_NAMES
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.synthetic.smears import render
from smearcount.synthetic.style import SmearStyle


def draw_dataset(
    folder: str | os.PathLike[str], n: int, style: SmearStyle | None = None, seed: int = 0
) -> Dataset:
    """Draw smears into a folder as PNG files and return them as an annotated data set.

    Args:
        folder: made if missing.
        n: the number of pictures.
        style: their appearance; None draws the standard smear of 640×480 pixels.
        seed: of the first picture; the others count up from it.

    Example:
        >>> import tempfile
        >>> from smearcount.synthetic import SmearStyle, draw_dataset
        >>> dataset = draw_dataset(tempfile.mkdtemp(), 2, SmearStyle(width=160, height=120))
        >>> [image.path.name for image in dataset.images], dataset.classes
        (['smear-0.png', 'smear-1.png'], ('WBC', 'RBC', 'Platelets'))
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    images = []
    for smear in (render(style or SmearStyle(), seed + k) for k in range(n)):
        path = Path(folder, f"{smear.name}.png")
        Image.fromarray(smear.pixels).save(path)
        height, width = smear.pixels.shape[:2]
        boxes = smear.boxes_xyxy_px.astype(np.float64)
        images.append(AnnotatedImage(path, width, height, boxes, smear.labels))
    return Dataset(CLASS_NAMES, tuple(images), str(folder))
