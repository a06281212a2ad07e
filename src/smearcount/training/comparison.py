"""Train several architectures on one split with several seeds, and say which one to take."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from smearcount.atomic_write import write_text
from smearcount.classes import class_color
from smearcount.csv_writer import write_csv
from smearcount.detector.load import load_detector
from smearcount.detector.model_card import ModelCard
from smearcount.errors import UsageError
from smearcount.image.resample import network_size
from smearcount.training.data import DataSource, as_source, read_training_data
from smearcount.training.networks.architectures import RANDOM, build_network
from smearcount.training.recipes.recipe import Recipe
from smearcount.training.run_folder import claim, make_settings, resolve_recipe
from smearcount.training.torch_detector import TorchDetector
from smearcount.training.training import OnMessage, TrainedRun, train

EQUAL_MAP_50: Final = 0.01
"""Networks whose mAP50 differs by less than this, or than between seeds, are equally good."""

RULE: Final = (
    "Of the networks whose mean mAP50 lies within 0.01, or within one standard deviation over the "
    "seeds, of the best, the one that is fastest on the CPU wins."
)

FIELD_PX: Final = (640, 480)
"""Width and height of a field of BCCD, the size at which costs are compared."""

FIELD_RBC_PX: Final = 100.0
"""The diameter of a red cell there."""

_TIMED_RUNS: Final = 7
_FIGURES_FILE: Final = "measured.json"


@dataclass(frozen=True)
class Row:
    """One network with one seed.

    Attributes:
        arch: its name.
        seed: of weights, order and augmentation.
        figures: what was measured, by name: ``map``, ``map_50``, ``map_50_<class>``,
            ``count_mae_<class>`` and ``count_rmse_<class>`` (cells per image) on the validation
            images; ``parameters`` (millions), ``gflops`` and ``latency_ms`` for one typical field;
            ``minutes`` of training and ``epoch``, the one that was kept.
    """

    arch: str
    seed: int
    figures: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """All rows and the network to take.

    Attributes:
        rows: one per network and seed.
        winner: by :data:`RULE`.
    """

    rows: tuple[Row, ...]
    winner: str


def compare(
    data: str | Path | DataSource,
    out: str | Path,
    archs: Sequence[str],
    seeds: Sequence[int] = (0, 1, 2),
    *,
    recipe: str | Path | Recipe | None = None,
    weights: str | Path = RANDOM,
    epochs: Mapping[str, int] | None = None,
    quiet: bool = True,
    on_message: OnMessage | None = None,
) -> Comparison:
    """Train every architecture with every seed, and write one table and one figure.

    What is finished in ``out`` is not done again, and an interrupted training goes on.

    Args:
        data: a folder with the splits ``train`` and ``val``, or where the images come from.
        out: a folder; gets one run per network and seed, ``compare.csv`` (all runs),
            ``compare.md`` (mean and spread per network) and ``compare.png``.
        archs: names of architectures.
        seeds: one training each.
        recipe: for all; None for each architecture's own.
        weights: what all start from.
        epochs: by architecture, instead of its recipe's: networks differ by a factor of a hundred
            in the time that an epoch takes.
        quiet: no progress bars.
        on_message: called with each line that the user should know.

    Raises:
        UsageError: an argument makes no sense, or ``out`` holds runs with other settings or data.
        DataError: the images or labels cannot be used.

    Example:
        >>> from smearcount.training import compare
        >>> archs = ["smearnet", "ssdlite320_mobilenet_v3_large"]
        >>> compare("bccd", "runs/compared", archs, seeds=[0]).winner  # doctest: +SKIP
        'smearnet'
    """
    if not archs or not seeds:
        raise UsageError("compare needs at least one architecture and one seed.")
    folder = Path(out)
    recipes = {arch: resolve_recipe(arch, recipe, (epochs or {}).get(arch)) for arch in archs}
    source = as_source(data)
    images = read_training_data(source)
    rows = []
    for seed in seeds:
        for arch in archs:
            run = folder / f"{arch}-seed{seed}"
            settings = make_settings(source, images, arch, recipes[arch], str(weights), seed)
            claim(run, settings)
            if not (run / _FIGURES_FILE).exists():
                if on_message:
                    on_message(f"{arch}, seed {seed}")
                trained = train(
                    source, run, arch=arch, recipe=recipes[arch], weights=weights, seed=seed,
                    quiet=quiet, on_message=on_message,
                )  # fmt: skip
                figures = measure_run(trained)
                write_text(run / _FIGURES_FILE, json.dumps(figures, indent=2) + "\n")
            figures = json.loads((run / _FIGURES_FILE).read_text(encoding="utf-8"))
            rows.append(Row(arch, seed, figures))
            comparison = Comparison(tuple(rows), choose_winner(rows))
            write_comparison(comparison, folder)
    return comparison


def measure_run(trained: TrainedRun) -> dict[str, float]:
    """Return the figures of a finished training; see :class:`Row`."""
    card = trained.card
    figures = {
        name: float(value)
        for name, value in card.metrics["validation"].items()
        if name in ("map", "map_50") or name.startswith(("map_50_", "count_"))
    }
    width, height = field_size(card)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    network = build_network(card.architecture, len(card.classes)).eval()
    network.load_state_dict(trained.fit.weights)
    onnx = trained.artifacts.onnx
    detector = load_detector(onnx) if onnx else TorchDetector(network, card, "cpu")
    image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.predict(image)
    detector.detect(pixels)
    times = []
    for _ in range(_TIMED_RUNS):
        started = time.perf_counter()
        detector.detect(pixels)
        times.append(time.perf_counter() - started)
    return figures | {
        "parameters": sum(p.numel() for p in network.parameters()) / 1e6,
        "gflops": counter.get_total_flops() / 1e9,
        "latency_ms": statistics.median(times) * 1e3,
        "minutes": trained.seconds / 60,
        "epoch": float(trained.fit.epoch),
    }


def choose_winner(rows: Sequence[Row]) -> str:
    """Return the network to take, by :data:`RULE`."""
    archs = list(dict.fromkeys(row.arch for row in rows))
    map_50 = {arch: _figures(rows, arch, "map_50") for arch in archs}
    best = max(archs, key=lambda arch: statistics.mean(map_50[arch]))
    tolerance = max(EQUAL_MAP_50, _spread(map_50[best]))
    least = statistics.mean(map_50[best]) - tolerance
    equals = [arch for arch in archs if statistics.mean(map_50[arch]) >= least]
    return min(equals, key=lambda arch: statistics.mean(_figures(rows, arch, "latency_ms")))


def write_comparison(comparison: Comparison, folder: Path) -> None:
    """Write ``compare.csv``, ``compare.md`` and ``compare.png``."""
    rows = comparison.rows
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    table = [["architecture", "seed", *names]]
    for row in rows:
        figures = [_text(row.figures[n]) if n in row.figures else "" for n in names]
        table.append([row.arch, str(row.seed), *figures])
    write_csv(folder / "compare.csv", table)
    write_text(folder / "compare.md", as_markdown(comparison))
    plot_comparison(comparison, folder / "compare.png")


def as_markdown(comparison: Comparison) -> str:
    """Return the table of means and spreads over the seeds, the rule and the winner."""
    rows = comparison.rows
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    archs = list(dict.fromkeys(row.arch for row in rows))
    lines = [
        f"| architecture | seeds | {' | '.join(_heading(name) for name in names)} |",
        "|---" * (len(names) + 2) + "|",
    ]
    for arch in archs:
        cells = []
        for name in names:
            values = _figures(rows, arch, name)
            spread = f" ± {_text(_spread(values))}" if _spread(values) else ""
            cells.append(f"{_text(statistics.mean(values))}{spread}" if values else "–")
        seeds = sum(row.arch == arch for row in rows)
        lines.append(f"| {arch} | {seeds} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"{RULE} Here: **{comparison.winner}**.", ""])


def plot_comparison(comparison: Comparison, path: Path) -> None:
    """Draw mAP50 against CPU time and the count errors by class; one point per seed."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    rows = comparison.rows
    archs = list(dict.fromkeys(row.arch for row in rows))
    classes = [n.removeprefix("count_mae_") for n in rows[0].figures if n.startswith("count_mae_")]
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    for arch in archs:
        suffix = " (taken)" if arch == comparison.winner else ""
        left.plot(_figures(rows, arch, "latency_ms"), _figures(rows, arch, "map_50"), "o",
                  label=f"{arch}{suffix}")  # fmt: skip
    left.set(xscale="log", xlabel="CPU time for one field (ms)", ylabel="mAP50", ylim=(0, 1))
    left.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    left.xaxis.set_minor_formatter(NullFormatter())
    left.grid(alpha=0.3)
    left.legend(fontsize=8)
    width = 0.8 / max(1, len(classes))
    for k, name in enumerate(classes):
        heights = [statistics.mean(_figures(rows, arch, f"count_mae_{name}")) for arch in archs]
        spreads = [_spread(_figures(rows, arch, f"count_mae_{name}")) for arch in archs]
        places = np.arange(len(archs)) + (k - (len(classes) - 1) / 2) * width
        right.bar(places, heights, width, yerr=spreads, color=class_color(name, k + 1), label=name)
    right.set_xticks(range(len(archs)), archs, rotation=20, ha="right", fontsize=8)
    right.set(ylabel="mean absolute count error (cells per image)")
    right.legend(fontsize=8)
    figure.savefig(path, dpi=120)


def _figures(rows: Sequence[Row], arch: str, name: str) -> list[float]:
    return [row.figures[name] for row in rows if row.arch == arch and name in row.figures]


def _spread(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _text(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _heading(name: str) -> str:
    headings = {
        "map": "mAP", "map_50": "mAP50", "parameters": "parameters (M)", "gflops": "GFLOPs",
        "latency_ms": "CPU (ms)", "minutes": "training (min)", "epoch": "epoch kept",
    }  # fmt: skip
    if name in headings:
        return headings[name]
    return (
        name.replace("map_50_", "AP50 ")
        .replace("count_mae_", "count MAE ")
        .replace("count_rmse_", "count RMSE ")
    )


def field_size(card: ModelCard) -> tuple[int, int]:
    """Return width and height in network pixels of a 640 × 480 field with red cells of 100 px."""
    width, height = FIELD_PX
    if card.rbc_px is None:
        return width, height
    return network_size(width, height, card.rbc_px / FIELD_RBC_PX, card.stride)
