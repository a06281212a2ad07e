"""Blend a trained network with what a further round made of it, and write its model files.

    python benchmarks/blend.py BEFORE/weights.pth AFTER SHARE -o OUT

AFTER is the folder of a finished `smearcount train --weights BEFORE/weights.pth`. Every weight
becomes (1 - SHARE) of the one before and SHARE of the one after. Where the further round taught
stranger pictures, the blend keeps most of that and of what was known before (Wortsman et al. 2022,
"Robust fine-tuning of zero-shot models"). Thresholds and intervals are still those of AFTER: fit
them anew by `smearcount calibrate OUT/model.onnx DATA --in-place`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.average_precision import average_precision
from smearcount.training.artifacts import predict_samples, write_cards, write_model_files
from smearcount.training.data import read_training_data
from smearcount.training.networks.architectures import build_network
from smearcount.training.networks.pretrained import read_weights
from smearcount.training.networks.protocol import State
from smearcount.training.run_folder import WEIGHTS_FILE, architecture_of, read_settings
from smearcount.training.samples import CellSamples


def blended(before: State, after: State, share: float) -> State:
    """Return the weights between two state dicts; whole numbers are those of ``after``."""
    return {
        name: (1 - share) * before[name] + share * value if value.is_floating_point() else value
        for name, value in after.items()
    }


def main() -> None:
    """Blend, write and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("share", type=float)
    parser.add_argument("--out", "-o", type=Path, required=True)
    asked = parser.parse_args()
    settings = read_settings(asked.after)
    architecture = architecture_of(settings)
    data = read_training_data(settings.data)
    val = CellSamples(data.val, architecture.rbc_px, architecture.stride, None)
    network = build_network(architecture.name, len(settings.classes))
    state = blended(
        read_weights(asked.before), read_weights(asked.after / WEIGHTS_FILE), asked.share
    )
    network.load_state_dict(state)
    asked.out.mkdir(parents=True, exist_ok=True)
    card = ModelCard.read((asked.after / WEIGHTS_FILE).with_suffix(".json"))
    files = write_model_files(network, card, asked.out, data.train, val)
    figures = average_precision(*predict_samples(files.detector, val), card.classes)
    known = {k: round(v, 4) for k, v in figures.items() if not math.isnan(v)}
    blended_card = card.model_copy(
        update={
            "name": asked.out.resolve().name,
            "training": card.training
            | {"share_of_last_round": asked.share, "precision": files.precision},
            "metrics": {"validation": {"images": len(val), **known}},
        }
    )
    write_cards(files, blended_card)
    print(f"{files.precision}: mAP {known['map']}, mAP50 {known['map_50']} on {len(val)} images")


if __name__ == "__main__":
    main()
