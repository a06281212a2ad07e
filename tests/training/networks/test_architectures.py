"""Every architecture trains and predicts through the same two methods."""

import importlib.util
import math

import pytest
import torch

from smearcount.errors import UsageError
from smearcount.training.augment import Sample
from smearcount.training.networks.architectures import (
    ARCHITECTURES,
    build_network,
    freeze_published,
)
from smearcount.training.networks.torchvision_detectors import (
    TORCHVISION_ARCHITECTURES,
    TorchvisionDetector,
)
from smearcount.training.recipes.recipe import read_recipe
from smearcount.training.samples import collate

HEAVY = ("fasterrcnn_resnet50_fpn_v2", "retinanet_resnet50_fpn_v2", "fcos_resnet50_fpn")


@pytest.fixture(params=ARCHITECTURES)
def arch(request):
    """An architecture's name; YOLO only where libreyolo is installed."""
    if request.param.startswith("yolo") and importlib.util.find_spec("libreyolo") is None:
        pytest.skip("libreyolo is not installed")
    return request.param


def small(name: str) -> torch.nn.Module:
    """Build a network that looks at thumbnails, so that the test is quick."""
    torch.manual_seed(0)
    network = build_network(name, 3)
    if name in HEAVY:
        network.model.transform.min_size = (64,)
    if name.startswith("fasterrcnn"):
        network.model.rpn._post_nms_top_n = {"training": 50, "testing": 50}
    return network


def batch() -> tuple[torch.Tensor, list[dict[str, torch.Tensor]]]:
    """Return an image with a true and a degenerate box, and an image without any."""
    images = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    first = {
        "boxes": torch.tensor([[8.0, 8, 48, 56], [30, 30, 30, 30]]),
        "labels": torch.tensor([2, 1]),
    }
    return images, [first, {"boxes": torch.zeros(0, 4), "labels": first["labels"][:0]}]


def test_a_batch_with_a_degenerate_box_and_an_empty_image_trains(arch):
    network = small(arch)
    images, targets = batch()
    total = torch.stack(list(network.losses(images, targets).values())).sum()
    total.backward()
    assert math.isfinite(float(total.detach()))
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())

    predictions = network.eval().predict(images)
    assert len(predictions) == 2
    for found in predictions:
        assert found["boxes"].shape == (len(found["labels"]), 4)
        assert ((found["scores"] >= 0.01) & (found["scores"] <= 1)).all()
        assert ((found["labels"] >= 1) & (found["labels"] <= 3)).all()


def test_a_small_image_of_a_batch_reaches_torchvision_without_its_padding():
    shown = []

    class Recording(torch.nn.Module):
        def forward(self, views, targets):
            shown.extend(tuple(view.shape) for view in views)
            return {"loss": torch.zeros(())}

    sizes = ((64, 96), (40, 30))
    none = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    samples = [Sample(torch.zeros(3, *size, dtype=torch.uint8), *none) for size in sizes]
    TorchvisionDetector(Recording()).losses(*collate(samples))
    assert shown == [(3, 64, 96), (3, 40, 30)]


def test_yolox_in_bfloat16_predicts_the_same_and_its_losses_are_float32():
    pytest.importorskip("libreyolo")
    network, (images, targets) = small("yolox_s"), batch()
    with torch.autocast("cpu", torch.bfloat16):
        losses = network.losses(images, targets)
    assert {value.dtype for value in losses.values()} == {torch.float32}
    assert all(math.isfinite(float(value.detach())) for value in losses.values())
    # Not the losses: in an untrained network, which anchor point a cell takes is a close call.
    with torch.no_grad():
        boxes, scores = network.eval().raw(images)
        with torch.autocast("cpu", torch.bfloat16):
            rough_boxes, rough_scores = network.raw(images)
    assert rough_boxes.dtype == rough_scores.dtype == torch.float32
    # Boxes computed in bfloat16 would be off by a third of a pixel.
    torch.testing.assert_close(rough_boxes, boxes, rtol=0, atol=0.05)
    torch.testing.assert_close(rough_scores, scores, rtol=0.05, atol=0.01)


def test_losses_in_bfloat16_are_nearly_those_in_float32():
    network, (images, targets) = small("ssdlite320_mobilenet_v3_large"), batch()
    exact = network.losses(images, targets)
    with torch.autocast("cpu", torch.bfloat16):
        rough = network.losses(images, targets)
    for loss, value in exact.items():
        assert rough[loss].dtype == torch.float32
        assert float(rough[loss].detach()) == pytest.approx(float(value.detach()), rel=0.1)


def test_it_has_a_recipe_of_its_own(arch):
    assert read_recipe(ARCHITECTURES[arch].recipe).epochs > 1


def test_no_torchvision_detector_stops_at_a_few_hundred_cells():
    for name in (architecture.name for architecture in TORCHVISION_ARCHITECTURES):
        model = build_network(name, 3).model
        places = [model, getattr(model, "roi_heads", model)]
        ceilings = [
            vars(place)[key]
            for place in places
            for key in ("detections_per_img", "topk_candidates")
            if key in vars(place)
        ]
        assert ceilings
        assert min(ceilings) >= 5000, name


def test_the_first_stage_of_a_published_backbone_is_frozen():
    network = TorchvisionDetector(build_network("ssd300_vgg16", 3).model)
    freeze_published(network, "ssd300_vgg16")
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    assert frozen == [
        f"model.backbone.features.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")
    ]


def test_an_unknown_name_raises_an_error_with_the_known_ones():
    with pytest.raises(UsageError, match="smearnet, ssd300_vgg16"):
        build_network("resnet", 3)
