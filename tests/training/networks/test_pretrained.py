"""Weights come from files and servers that may be wrong; each wrong one raises a clear error."""

import hashlib
import http.server
import threading
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import detection

from smearcount.detector.load import load_detector
from smearcount.errors import DownloadError, ModelError, UsageError
from smearcount.training.networks.architectures import build_network, load_weights, recognize
from smearcount.training.networks.pretrained import download, read_weights
from smearcount.training.networks.smearnet import Smearnet


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A local server of the folder that it returns, and an empty cache for torch.hub."""
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(_Silent, directory=str(folder))
    ) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def published(folder: Path, state: dict[str, torch.Tensor]) -> str:
    """Save weights under a name that holds their digest, as torchvision does."""
    torch.save(state, folder / "plain.pth")
    digest = hashlib.sha256((folder / "plain.pth").read_bytes()).hexdigest()[:8]
    (folder / "plain.pth").rename(folder / f"net-{digest}.pth")
    return f"net-{digest}.pth"


def test_published_weights_are_downloaded_once_and_checked(server):
    folder, address = server
    name = published(folder, {"a": torch.arange(4.0)})
    assert torch.equal(download(f"{address}/{name}")["a"], torch.arange(4.0))
    (folder / name).unlink()
    assert torch.equal(download(f"{address}/{name}")["a"], torch.arange(4.0))


def test_a_wrong_or_missing_download_is_refused(server):
    folder, address = server
    name = published(folder, {"a": torch.arange(4.0)})
    (folder / name).write_bytes((folder / name).read_bytes() + b"x")
    with pytest.raises(DownloadError, match="not the file as published"):
        download(f"{address}/{name}")
    with pytest.raises(DownloadError, match="could not be downloaded"):
        download(f"{address}/absent-12345678.pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_weights_is_loaded_and_other_heads_are_left_out(tmp_path, suffix):
    torch.manual_seed(1)
    donor, network = Smearnet(7), Smearnet(3)
    path = tmp_path / f"seven{suffix}"
    state = donor.state_dict()
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    left_out = load_weights(network, "smearnet", path)
    assert sorted(left_out) == ["class_head.1.bias", "class_head.1.weight"]
    assert torch.equal(network.fuse.body[0][0].weight, donor.fuse.body[0][0].weight)


class _Harmful:
    def __reduce__(self):
        return (exec, ("raise SystemExit",))


def test_what_is_no_file_of_plain_weights_is_refused(tmp_path):
    torch.save(_Harmful(), tmp_path / "harmful.pth")
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "text.safetensors").write_text("not weights")
    torch.save([1, 2], tmp_path / "list.pth")
    for name in ("harmful.pth", "text.pth", "text.safetensors", "list.pth", "absent.pth"):
        with pytest.raises(ModelError, match=name):
            read_weights(tmp_path / name)
    torch.save(nn.Linear(3, 3).state_dict(), tmp_path / "linear.pth")
    with pytest.raises(ModelError, match="another architecture"):
        load_weights(Smearnet(3), "smearnet", tmp_path / "linear.pth")


def test_smearnet_has_no_published_weights():
    with pytest.raises(UsageError, match="no published coco weights"):
        load_weights(Smearnet(3), "smearnet", "coco")


def test_torchvisions_weights_load_by_path_and_ours_load_in_torchvision(tmp_path):
    arch = "ssdlite320_mobilenet_v3_large"
    coco = detection.ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None)
    torch.save(coco.state_dict(), tmp_path / "coco.pth")
    network = build_network(arch, 3)
    left_out = load_weights(network, arch, tmp_path / "coco.pth")
    assert left_out
    assert all(name.startswith("head.classification_head.") for name in left_out)
    ours = network.state_dict()
    for name, value in coco.state_dict().items():
        assert name in left_out or torch.equal(ours[name], value), name

    exercise = detection.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=4
    )
    exercise.load_state_dict(ours)
    network.load_state_dict({f"model.{name}": value for name, value in ours.items()})  # as before
    assert recognize(coco.state_dict()) == (arch, 90)
    assert recognize(Smearnet(5).state_dict()) == ("smearnet", 5)
    assert recognize({"weight": torch.zeros(2, 2)}) is None


def test_a_file_without_a_card_counts_once_its_classes_are_named(tmp_path):
    torch.save(Smearnet(3).state_dict(), tmp_path / "bccd.pth")
    torch.save(Smearnet(2).state_dict(), tmp_path / "two.pth")
    card = load_detector(tmp_path / "bccd.pth").card
    assert (card.architecture, card.classes) == ("smearnet", ("WBC", "RBC", "Platelets"))
    with pytest.raises(ModelError, match="has 2 classes, and the file does not name them"):
        load_detector(tmp_path / "two.pth")
    named = load_detector(tmp_path / "two.pth", classes=["RBC", "parasite"])
    assert named.card.classes == ("RBC", "parasite")


@pytest.mark.parametrize("name", ["shipped", "smearcount-s.onnx"])
def test_no_training_starts_from_an_onnx_model(name):
    with pytest.raises(ModelError, match=r"no training can start from it; start from"):
        load_weights(Smearnet(3), "smearnet", name)
