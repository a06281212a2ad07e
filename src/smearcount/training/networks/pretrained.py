"""What a network starts from: random weights, published ones, or a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from smearcount.errors import DownloadError, ModelError, UsageError

NONE: Final = "none"
"""Random weights."""

COCO: Final = "coco"
"""The whole detector as torchvision publishes it, trained on COCO; its class outputs are left."""

BACKBONE: Final = "backbone"
"""Only the trunk as torchvision publishes it, trained on ImageNet."""

State = dict[str, Tensor]


def apply_weights(network: nn.Module, arch: str, weights: str | Path) -> list[str]:
    """Load weights into a network, as far as their shapes fit.

    Args:
        network: to be changed.
        arch: its name.
        weights: ``none``, ``coco``, ``backbone`` or a ``.pth`` or ``.safetensors`` file.

    Returns:
        the names of the entries that were left out because the shape or name differs, such as
        the outputs for other classes; empty for ``none``.

    Raises:
        UsageError: the architecture has no such published weights.
        ModelError: the file is missing, damaged or of another architecture.
        DownloadError: the download failed or does not match its published digest.
    """
    if str(weights) == NONE:
        return []
    if str(weights) in (COCO, BACKBONE):
        from smearcount.training.networks.torchvision_detectors import published

        state = published(arch, str(weights))
        if state is None:
            raise UsageError(
                f"--weights {weights}: {arch} has no such published weights; "
                "give none or a file of weights."
            )
        return load_fitting(network, state, f"the {weights} weights of {arch}")
    return load_fitting(network, read_weights(Path(weights)), str(weights))


def load_fitting(network: nn.Module, state: State, told: str) -> list[str]:
    """Load the entries whose name and shape fit; return the others' names.

    Raises:
        ModelError: no entry fits: it is another architecture.
    """
    own = network.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if not any(value.ndim > 1 for value in fitting.values()):
        raise ModelError(f"{told}: these weights are of another architecture; none of them fits.")
    network.load_state_dict(fitting, strict=False)
    return [name for name in state if name not in fitting]


def read_weights(path: Path) -> State:
    """Read a state dict; nothing in the file is executed.

    Raises:
        ModelError: the file is missing or damaged or holds something else.
    """
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
            f"file into {torch.hub.get_dir()}/checkpoints, or use --weights none."
        ) from None
    except Exception as error:  # a wrong digest, or a damaged file in the cache
        raise DownloadError(
            f"{url}: what came, or lies in {torch.hub.get_dir()}/checkpoints, is not the file as "
            f"published ({_first_line(error)}); delete it and try again."
        ) from None
    return dict(state)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
