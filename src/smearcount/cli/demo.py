"""``smearcount demo``: count drawn smears whose true counts are known."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearcount.cli.notices import failure
from smearcount.cli.progress import bar

if TYPE_CHECKING:
    from smearcount.results.image_outcome import ImageOutcome

DEFAULT_FOLDER = Path("smearcount-demo")


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the pictures and the results.")
    ] = DEFAULT_FOLDER,
    n: Annotated[
        int | None, typer.Option("--n", min=1, help="How many smears; without it all of them.")
    ] = None,
) -> None:
    """Count a few drawn smears and print what was counted against what was drawn."""
    from PIL import Image

    from smearcount.atomic_write import make_folder, open_atomic
    from smearcount.batch import count_batch
    from smearcount.detector.load import load_detector
    from smearcount.image.find import ANNOTATED
    from smearcount.settings import Settings
    from smearcount.synthetic.smears import demo_smears

    detector = load_detector()
    classes = detector.card.classes
    drawn = out / "drawn"
    make_folder(drawn)
    paths: list[str] = []
    true: list[Counter[str]] = []
    for smear in demo_smears()[:n]:
        path = drawn / f"{smear.name}.png"
        with open_atomic(path) as stream:
            Image.fromarray(smear.pixels).save(stream, format="PNG")
        paths.append(str(path))
        true.append(Counter(classes[int(label) - 1] for label in smear.labels))
    with bar("counting", len(paths)) as step:
        outcomes = count_batch(
            paths,
            detector,
            Settings(),
            out,
            on_result=lambda outcome: step(failure(outcome)),
            command=("smearcount", *sys.argv[1:]),
        )
    _print_comparison(outcomes, true, classes)
    print(f"\nThe drawn smears are in {drawn}, the annotated pictures in {out / ANNOTATED},")
    print(f"and the table is {out / 'counts.csv'}.")
    raise typer.Exit(1 if any(outcome.result is None for outcome in outcomes) else 0)


def _print_comparison(
    outcomes: list[ImageOutcome], true: list[Counter[str]], classes: tuple[str, ...]
) -> None:
    """Print one line per smear and class counts as ``counted of true``."""
    from smearcount.results.totals import total

    sums = sum(true, Counter[str]())
    rows = [["counted / drawn", *classes]]
    for outcome, drawn in zip(outcomes, true, strict=True):
        counts = outcome.result.counts if outcome.result is not None else None
        cells = [f"{'-' if counts is None else counts[name]} / {drawn[name]}" for name in classes]
        rows.append([Path(outcome.name).name, *cells])
    counted = total(outcomes)
    rows.append(["total", *(f"{counted.get(name, 0)} / {sums[name]}" for name in classes)])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        numbers = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        print("   ".join([row[0].ljust(widths[0]), *numbers]))
