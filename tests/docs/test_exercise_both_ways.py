"""The exercise in plain torch and torchvision, and smearcount: each uses what the other wrote.

The plain side is written as a learner would: a data set class, torchvision's SSDlite with a new
head, a loop, torchmetrics' figures, a state dict on the disk, a prediction. Data are four drawn
smears, and a network takes two steps: this is about files and numbers, not about cells found.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("pytorch_lightning")
pytest.importorskip("faster_coco_eval")

import faster_coco_eval
import torch
from torchvision.datasets import CocoDetection
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.ops import box_convert
from torchvision.transforms.functional import to_tensor

from smearcount import Detections
from smearcount.datasets import read_dataset, write_dataset
from smearcount.evaluation import GroundTruth, detection_scores
from smearcount.synthetic import SmearStyle, draw_dataset
from smearcount.training import build_network, load_weights

ARCH = "ssdlite320_mobilenet_v3_large"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the exercise's layout with smearcount."""
    folder = tmp_path_factory.mktemp("exercise")
    style = SmearStyle(width=160, height=120, rbc_px=30)
    for seed, part in enumerate(("train", "test")):
        drawn = draw_dataset(folder / "images", 2, style, seed=10 * seed)
        write_dataset(drawn, folder, "coco", part)
    return folder


class Cells(CocoDetection):
    """A learner's data set: pictures as tensors, boxes as corners."""

    def __getitem__(self, index: int) -> tuple[Any, dict[str, Any]]:
        picture, cells = super().__getitem__(index)
        sides = torch.tensor([cell["bbox"] for cell in cells], dtype=torch.float32)
        labels = torch.tensor([cell["category_id"] for cell in cells])
        return to_tensor(picture), {"boxes": box_convert(sides, "xywh", "xyxy"), "labels": labels}


def plain_cells(root: Path, part: str) -> Cells:
    faster_coco_eval.init_as_pycocotools()
    return Cells(root, root / f"{part}.bbox.json")


def plain_network() -> Any:
    return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=4)


def learn(network: Any, cells: Cells) -> None:
    """Take two steps, as the exercise's loop does."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=1e-4)
    network.train()
    for _ in range(2):
        pictures, targets = zip(*(cells[k] for k in range(len(cells))), strict=True)
        loss = sum(network(list(pictures), list(targets)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert math.isfinite(float(loss.detach()))


def test_the_plain_data_set_reads_what_smearcount_wrote(root: Path) -> None:
    for part in ("train", "test"):
        ours = read_dataset(root, part).images
        for (picture, target), image in zip(plain_cells(root, part), ours, strict=True):
            assert picture.shape == (3, image.height, image.width)
            np.testing.assert_allclose(target["boxes"].numpy(), image.boxes_xyxy_px, atol=1e-3)
            np.testing.assert_array_equal(target["labels"].numpy(), image.labels)


def test_weights_travel_both_ways_and_find_the_same(root: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    cells = plain_cells(root, "train")
    plain = plain_network()
    learn(plain, cells)
    torch.save(plain.state_dict(), tmp_path / "bccd.pth")

    ours = build_network(ARCH, n_classes=3)
    assert load_weights(ours, ARCH, tmp_path / "bccd.pth") == []
    torch.save(ours.state_dict(), tmp_path / "weights.pth")
    back = plain_network()
    back.load_state_dict(torch.load(tmp_path / "weights.pth", weights_only=True))
    for key, value in plain.state_dict().items():
        assert torch.equal(back.state_dict()[key], value), key

    picture, target = cells[0]
    with torch.no_grad():
        (theirs,) = back.eval()([picture])
        (called,) = ours.eval()([picture])
    n = min(50, len(theirs["scores"]))
    assert n > 0
    torch.testing.assert_close(called["scores"][:n], theirs["scores"][:n])
    # Scores of such a young network tie, so the order of boxes may differ: losses tell them apart.
    pair = [picture, picture], [target, target]
    torch.testing.assert_close(ours.train()(*pair), back.train()(*pair))


def test_figures_are_those_of_torchmetrics(root: Path) -> None:
    metric = pytest.importorskip("torchmetrics.detection").MeanAveragePrecision(
        backend="faster_coco_eval"
    )
    random = np.random.default_rng(0)
    truths, found = [], []
    for image, (_, target) in zip(
        read_dataset(root, "test").images, plain_cells(root, "test"), strict=True
    ):
        moved = image.boxes_xyxy_px + random.normal(0, 2, (len(image), 4))
        scores = random.uniform(0.2, 1, len(image)).astype(np.float32)
        prediction = {
            "boxes": torch.tensor(moved, dtype=torch.float32),
            "scores": torch.tensor(scores),
            "labels": target["labels"],
        }
        metric.update([prediction], [target])
        truths.append(GroundTruth.of(image))
        found.append(Detections(moved.astype(np.float32), scores, image.labels))
    theirs = metric.compute()
    ours = detection_scores(truths, found, ("WBC", "RBC", "Platelets")).overall
    for key in ("map", "map_50", "map_75", "mar_1", "mar_10", "mar_100"):
        assert ours[key] == pytest.approx(float(theirs[key]), abs=1e-3), key
    assert 0 < ours["map"] < 1
