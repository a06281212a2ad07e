"""A data set of small drawn smears, whose every cell is known."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.synthetic.smears import SmearStyle, render

CLASSES = ("WBC", "RBC", "Platelets")


def drawn_dataset(folder: Path, images: int, first_seed: int = 0) -> Dataset:
    """Draw smears of 240 × 180 px and return them with their ground truth."""
    folder.mkdir(parents=True, exist_ok=True)
    annotated = []
    for seed in range(first_seed, first_seed + images):
        style = SmearStyle(width=240, height=180, rbc_px=40, density=0.35, n_platelets=2)
        smear = render(style, seed)
        path = folder / f"{seed}.png"
        Image.fromarray(smear.pixels).save(path, compress_level=1)
        annotated.append(AnnotatedImage(path, 240, 180, smear.boxes_xyxy_px, smear.labels))
    return Dataset(CLASSES, tuple(annotated), "drawn smears")
