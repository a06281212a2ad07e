"""A data set so small, and a recipe so short, that a whole training takes seconds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.synthetic.smears import demo_smears
from smearcount.training import Augmentation, Recipe

RECIPE = Recipe(
    epochs=2,
    batch=2,
    learning_rate=2e-3,
    precision="32-true",
    augmentation=Augmentation(crop_px=64, mosaic=0.5),
)

RECIPE_WRITTEN_BEFORE = """\
epochs = 2
batch = 2
learning_rate = 0.002
precision = "32-true"
plain_epochs = 1

[augmentation]
crop_px = 64
mosaic = 0.5
looks = [0.5, 1.5]
"""
"""A recipe in the words that recipes had at first."""


def write_tiny_data(folder: Path) -> Path:
    """Write 4 + 3 small images; one of the 3 is a flipped copy of one to learn from."""
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    _write_split(folder, "train", 4, rng)
    _write_split(folder, "valid", 3, rng)
    with Image.open(folder / "images" / "train0.png") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "images" / "valid2.png")
    return folder


def write_drawn_smears(folder: Path) -> Dataset:
    """Write two drawn smears of different magnification and return them with their labels."""
    images = []
    for index, smear in enumerate(demo_smears()[:2]):
        path = folder / f"{index}.png"
        Image.fromarray(smear.pixels).save(path)
        height, width = smear.pixels.shape[:2]
        images.append(AnnotatedImage(path, width, height, smear.boxes_xyxy_px, smear.labels))
    return Dataset(("WBC", "RBC", "Platelets"), tuple(images), "drawn")


def _write_split(folder: Path, split: str, n: int, rng: np.random.Generator) -> None:
    """Write ``n`` noisy images with three discs each, as a COCO split with a learner's names."""
    images, boxes = [], []
    for index in range(n):
        pixels = rng.integers(150, 255, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)
        rows, columns = np.mgrid[:96, :128]
        for cell in range(3):
            x, y = 24 + 40 * cell + rng.integers(-3, 4), rng.integers(22, 74)
            pixels[(rows - y) ** 2 + (columns - x) ** 2 < 18**2] = (190, 40 + 60 * cell, 90)
            boxes.append((index, cell % 2, float(x) - 18, float(y) - 18))
        Image.fromarray(pixels).save(folder / "images" / f"{split}{index}.png")
        images.append({"id": index, "file_name": f"{split}{index}.png", "width": 128, "height": 96})
    content = {
        "images": images,
        "categories": [{"id": 1, "name": "red cell"}, {"id": 2, "name": "parasite"}],
        "annotations": [
            {"id": k, "image_id": i, "category_id": c + 1, "bbox": [x, y, 36.0, 36.0],
             "area": 1296.0, "iscrowd": 0}
            for k, (i, c, x, y) in enumerate(boxes)
        ],
    }  # fmt: skip
    (folder / f"{split}.bbox.json").write_text(json.dumps(content))
