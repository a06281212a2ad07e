"""Annotated images as training samples and batches, at the magnification that the network wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from smearcount.classes import RBC
from smearcount.datasets.dataset import AnnotatedImage, Dataset
from smearcount.detections.boxes import Boxes, diameter, touches_edge
from smearcount.detector.detect import MAX_LOG2_ERROR
from smearcount.detector.magnification import estimate_magnification
from smearcount.detector.rescale import MIN_RBC_PX
from smearcount.errors import DataError
from smearcount.image.read import open_image
from smearcount.image.resample import PADDING_GRAY, network_size, resample
from smearcount.training.augment import Augmentation, Sample
from smearcount.training.networks.protocol import Target
from smearcount.training.recipes.recipe import Recipe


def rbc_diameters(dataset: Dataset) -> list[float]:
    """Return the diameter of a red cell in each image, in its own pixels.

    It comes from the labels. Where no red cell is labeled, as in a data set of platelets alone, it
    is estimated from the image, as it is when a model without red cells counts.

    Args:
        dataset: annotated images.
    """
    try:
        return labeled_rbc_diameters(dataset)
    except DataError:
        estimates = [estimate_magnification(open_image(image.path)) for image in dataset.images]
    diameters = np.array([max(estimate.rbc_px, MIN_RBC_PX) for estimate in estimates])
    certain = np.array([estimate.log2_error <= MAX_LOG2_ERROR for estimate in estimates])
    if certain.any():
        diameters[~certain] = np.median(diameters[certain])
    return [float(px) for px in diameters]


def labeled_rbc_diameters(dataset: Dataset) -> list[float]:
    """Return the diameter of a red cell in each image, in its own pixels, from the labels.

    It is the median over the red cells. Of a cell that the border cuts by less than half, the full
    width or height is still visible and serves as its diameter. An image with fewer than three such
    cells gets the median of the data set.

    Args:
        dataset: annotated images.

    Raises:
        DataError: no whole red cell is labeled.
    """
    label = dataset.classes.index(RBC) + 1 if RBC in dataset.classes else 0
    per_image = []
    for image in dataset.images:
        boxes = np.asarray(image.boxes_xyxy_px, dtype=np.float32)
        red = boxes[np.asarray(image.labels) == label]
        per_image.append(full_diameters(red, image.width, image.height))
    everything = np.concatenate([*per_image, np.zeros(0, np.float32)])
    if not len(everything):
        raise DataError(f"{dataset.source}: no whole red cell is labeled; label some.")
    typical = float(np.median(everything))
    return [float(np.median(sizes)) if len(sizes) >= 3 else typical for sizes in per_image]


def full_diameters(boxes_xyxy: Boxes, width: int, height: int) -> NDArray[np.float32]:
    """Return the diameters of those cells of which a whole one is visible, in pixels.

    Args:
        boxes_xyxy: boxes, shape (n, 4), in pixels.
        width: image width in pixels.
        height: image height in pixels.
    """
    left, top, right, bottom = touches_edge(boxes_xyxy, width, height).T
    widths, heights = (boxes_xyxy[:, 2:] - boxes_xyxy[:, :2]).T
    cut_x, cut_y = left | right, top | bottom
    visible = np.where(cut_x, heights, np.where(cut_y, widths, diameter(boxes_xyxy)))
    more_than_half = np.where(cut_x, 2 * widths > heights, True) & np.where(
        cut_y, 2 * heights > widths, True
    )
    return np.asarray(visible[more_than_half & ~(cut_x & cut_y)], dtype=np.float32)


class CellSamples(TorchDataset[Sample]):
    """The images of a data set in memory, reduced to the magnification that the network wants.

    Args:
        dataset: cleaned (see :func:`smearcount.datasets.clean_dataset`).
        rbc_px: the red cell's diameter that the network wants; None leaves images as they are.
        stride: input sides are multiples of this.
        augmentation: how to change the images; None leaves each whole, at its magnification.
        seed: together with epoch and index it decides every random change.
    """

    def __init__(
        self,
        dataset: Dataset,
        rbc_px: float | None,
        stride: int,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = 0
        diameters = rbc_diameters(dataset) if rbc_px else [1.0] * len(dataset.images)
        self.samples = [
            load(image, rbc_px / px if rbc_px else 1.0, stride if rbc_px else 1, augmentation)
            for image, px in zip(dataset.images, diameters, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        if self.augmentation is None:
            return self.samples[index]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(hash((self.seed, self.epoch, index)) % 2**63)
            chosen = [self.samples[index]]
            if torch.rand(()) < self.augmentation.mosaic:
                others = torch.randint(len(self), (3,)).tolist()
                chosen += [self.samples[other] for other in others]
            return self.augmentation(chosen)


def load(
    image: AnnotatedImage, scale: float, stride: int, augmentation: Augmentation | None
) -> Sample:
    """Read an image at ``scale``; with augmentation, with enough pixels for its largest zoom."""
    opened = open_image(image.path)
    stored_scale = scale
    if augmentation is not None:
        stored_scale = min(1.0, scale * 2**augmentation.scale_octaves)
    width, height = network_size(opened.width, opened.height, stored_scale, stride)
    pixels = opened.pixels()
    if (width, height) != (opened.width, opened.height):
        pixels = resample(pixels, (0, 0, opened.width, opened.height), (width, height))
    factor = np.array([width / opened.width, height / opened.height] * 2)
    return Sample(
        torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous(),
        torch.from_numpy((np.asarray(image.boxes_xyxy_px) * factor).astype(np.float32)),
        torch.from_numpy(np.array(image.labels, dtype=np.int64)),
        scale / stored_scale,
    )


def collate(samples: Sequence[Sample]) -> tuple[Tensor, list[Target]]:
    """Stack samples; where sizes differ, pad at the right and bottom with gray."""
    height = max(sample.image.shape[1] for sample in samples)
    width = max(sample.image.shape[2] for sample in samples)
    images = torch.full((len(samples), 3, height, width), PADDING_GRAY, dtype=torch.uint8)
    for row, sample in enumerate(samples):
        images[row, :, : sample.image.shape[1], : sample.image.shape[2]] = sample.image
    sizes = [(sample.image.shape[1], sample.image.shape[2]) for sample in samples]
    return images, [
        {"boxes": sample.boxes, "labels": sample.labels, "size": size}
        for sample, size in zip(samples, sizes, strict=True)
    ]


class CellDataModule(pl.LightningDataModule):
    """Gives the loop shuffled training batches, and validation images one by one.

    Every epoch's order and augmentation follow from the seed alone.
    """

    def __init__(self, train: CellSamples, val: CellSamples | None, recipe: Recipe) -> None:
        super().__init__()
        self.train = train
        self.val = val
        self.recipe = recipe

    def train_dataloader(self) -> DataLoader[Sample]:
        """Return this epoch's shuffled batches."""
        trainer: Any = self.trainer
        epoch = trainer.current_epoch
        self.train.epoch = epoch
        augmentation = self.train.augmentation
        if augmentation and epoch >= self.recipe.epochs - self.recipe.close_mosaic_epochs:
            self.train.augmentation = augmentation.model_copy(update={"mosaic": 0.0})
        # A list, not a sampler that draws: Lightning may start an epoch's loader more than once,
        # and a resumed run must see the images in the order of the run that was not interrupted.
        random = torch.Generator().manual_seed(self.train.seed * 100_003 + epoch)
        order = torch.randperm(len(self.train), generator=random).tolist()
        return DataLoader(
            self.train,
            batch_size=self.recipe.batch,
            sampler=order,
            drop_last=drops_last(len(self.train), self.recipe.batch, self.train.augmentation),
            num_workers=2 if self.train.augmentation is not None else 0,
            collate_fn=collate,
        )

    def val_dataloader(self) -> DataLoader[Sample] | list[Any]:
        """Return the validation images, one by one, as they are."""
        if self.val is None:
            return []
        return DataLoader(self.val, batch_size=1, num_workers=0, collate_fn=collate)


def drops_last(images: int, batch: int, augmentation: Augmentation | None) -> bool:
    """Tell whether an epoch leaves out the images that fill no batch.

    With augmentation, other images are left out in the next epoch. Without, no image is left out
    but a single one, since batch norm cannot be computed from one image.
    """
    return images >= batch and (augmentation is not None or images % batch == 1)
