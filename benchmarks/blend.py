"""Blend the weights of a trained network with those of a further round, and write model files.

    python benchmarks/blend.py BEFORE/weights.pth AFTER SHARE -o OUT

AFTER is the folder of a finished `smearcount train --weights BEFORE/weights.pth`. Every weight
becomes (1 - SHARE) of the one before and SHARE of the one after. Where the further round trained on
images out of distribution, the blend keeps most of both rounds (Wortsman et al. 2022, "Robust
fine-tuning of zero-shot models"). Thresholds and intervals are still those of AFTER: fit
them anew by `smearcount calibrate OUT/model.onnx DATA --in-place`.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from smearcount.detector.model_card import ModelCard
from smearcount.evaluation.average_precision import mean_average_precision
from smearcount.training.artifacts import predict_samples, write_cards, write_model_files
from smearcount.training.data import read_training_data
from smearcount.training.networks.architectures import build_network
from smearcount.training.networks.pretrained import read_weights
from smearcount.training.networks.protocol import State
from smearcount.training.run_folder import WEIGHTS_FILE, architecture_of, read_settings
from smearcount.training.samples import CellSamples


def blend_weights(before: State, after: State, share: float) -> State:
    """Return the weighted mean of two state dicts; integers are those of ``after``."""
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
    state = blend_weights(
        read_weights(asked.before), read_weights(asked.after / WEIGHTS_FILE), asked.share
    )
    network.load_state_dict(state)
    asked.out.mkdir(parents=True, exist_ok=True)
    card = ModelCard.read((asked.after / WEIGHTS_FILE).with_suffix(".json"))
    files = write_model_files(network, card, asked.out, data.train, val)
    scores = mean_average_precision(*predict_samples(files.detector, val), card.classes)
    measured = {k: round(v, 4) for k, v in scores.items() if not math.isnan(v)}
    blended_card = card.model_copy(
        update={
            "name": asked.out.resolve().name,
            "training": card.training
            | {"share_of_last_round": asked.share, "precision": files.precision},
            "metrics": {"validation": {"images": len(val), **measured}},
        }
    )
    write_cards(files, blended_card)
    both = f"mAP {measured['map']}, mAP50 {measured['map_50']}"
    print(f"{files.precision}: {both} on {len(val)} images")


if __name__ == "__main__":
    main()
