"""Where weights to start from come from: a file, or a published file that is downloaded."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from smearcount.detector.load import SHIPPED
from smearcount.errors import DownloadError, ModelError
from smearcount.training.networks.protocol import State


def load_matching(network: nn.Module, state: State, source: str) -> list[str]:
    """Load the entries whose name and shape match; return the names of the others.

    Args:
        network: to be changed.
        state: the weights.
        source: names them in an error.

    Raises:
        ModelError: no entry matches: the weights are of another architecture.
    """
    own = network.state_dict()
    state = {_known_name(name, own): value for name, value in state.items()}
    matching = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if not any(value.ndim > 1 for value in matching.values()):
        raise ModelError(f"{source}: these weights are of another architecture; none of them fits.")
    network.load_state_dict(matching, strict=False)
    return [name for name in state if name not in matching]


def _known_name(name: str, own: State) -> str:
    """Return the name of an entry; files written before have one prefix more."""
    shorter = name.removeprefix("model.")
    return shorter if name not in own and shorter in own else name


def read_weights(path: Path) -> State:
    """Read a state dict; nothing in the file is executed.

    Args:
        path: a ``.pth`` or ``.safetensors`` file.

    Raises:
        ModelError: the file is missing or damaged or holds something else.
    """
    if str(path) == SHIPPED or path.suffix == ".onnx":
        raise ModelError(
            f"{path}: an ONNX model is for counting, and no training can start from it; start from "
            "random weights, from published ones, or from the weights.pth of a training."
        )
    if not path.exists():
        raise ModelError(f"{path}: this file of weights does not exist.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and safetensors raise many kinds
        raise ModelError(
            f"{path}: damaged, or it holds more than weights, which could run code when opened; "
            f"save only the state dict ({_first_line(error)})."
        ) from None
    if not (isinstance(loaded, dict) and all(isinstance(v, Tensor) for v in loaded.values())):
        raise ModelError(f"{path}: not a state dict; save `network.state_dict()`.")
    return loaded


def download(url: str) -> State:
    """Return published weights from torch's cache, downloading them if they are not there.

    torchvision writes the first digits of the SHA-256 into each file's name, and they are checked.

    Raises:
        DownloadError: the download failed, or what came is not what was published.
    """
    try:
        state = torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except OSError as error:  # URLError is one of them
        raise DownloadError(
            f"{url}: the weights could not be downloaded ({error}); without a connection put the "
            f"file into {torch.hub.get_dir()}/checkpoints, or start from random weights."
        ) from None
    except Exception as error:  # a wrong digest, or a damaged file in the cache
        raise DownloadError(
            f"{url}: what came, or lies in {torch.hub.get_dir()}/checkpoints, is not the file as "
            f"published ({_first_line(error)}); delete it and try again."
        ) from None
    return dict(state)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
