"""The figures as a table, and accuracy against latency as a plot."""

from __future__ import annotations

from pathlib import Path

from contenders import FLOOR, OURS
from latency import Figures


def table(figures: dict[str, Figures]) -> str:
    """Return the figures as a Markdown table; a ratio is empty where its base was left out."""
    lines = [
        "| from JPEG to answer | median ms (quartiles) | times ours | times JPEG decoding "
        "| whole process s | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in figures.items():
        cells = [
            name,
            f"{row['median_ms']:.1f} ({row['q1_ms']:.1f}-{row['q3_ms']:.1f})",
            *(_ratio(row, figures.get(base)) for base in (OURS, FLOOR)),
            f"{row['process_s']:.2f}",
            f"{row['peak_mb']:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(figures: dict[str, Figures], accuracy: dict[str, float], path: Path) -> None:
    """Draw accuracy against latency; only contenders with both measured are in it."""
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(6, 4), layout="constrained")
    axes = drawing.subplots()
    for name in figures.keys() & accuracy.keys():
        row = figures[name]
        spread = [[row["median_ms"] - row["q1_ms"]], [row["q3_ms"] - row["median_ms"]]]
        axes.errorbar(row["median_ms"], accuracy[name], xerr=spread, fmt="o", capsize=3)
        axes.annotate(
            name,
            (row["median_ms"], accuracy[name]),
            xytext=(6, 6),
            textcoords="offset points",
        )
    axes.set_xscale("log")
    axes.set_xlabel("ms from a 640 × 480 JPEG to the answer, 2 threads")
    axes.set_ylabel("mAP50")
    axes.margins(0.2)
    drawing.savefig(path)


def _ratio(row: Figures, base: Figures | None) -> str:
    return "" if base is None else f"{row['median_ms'] / base['median_ms']:.2f}"
