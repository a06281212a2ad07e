"""The batches of a training: every epoch's order and changes follow from the seed alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from smearcount.training.augment import Augmentation, Sample
from smearcount.training.recipe import Recipe
from smearcount.training.samples import CellSamples, collate


class Batches(pl.LightningDataModule):
    """Feeds the loop with shuffled training batches, and validation images one by one."""

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
        if epoch >= self.recipe.epochs - self.recipe.plain_epochs and self.train.augmentation:
            self.train.augmentation = replace(self.train.augmentation, mosaic=0.0)
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

    With augmentation others take their turn in the next epoch. Without, each counts; only a single
    one is left out, from which no batch norm can tell what is normal.
    """
    return images >= batch and (augmentation is not None or images % batch == 1)
