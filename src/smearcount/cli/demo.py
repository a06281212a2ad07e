"""``smearcount demo``: count drawn smears whose true counts are known."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smearcount.cli.exit_codes import ExitCode
from smearcount.cli.notices import failure
from smearcount.cli.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smearcount.results.batch_result import BatchResult

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

    from smearcount.api import count_folder
    from smearcount.atomic_write import make_folder, open_atomic
    from smearcount.batch.workers import short_switch_interval
    from smearcount.classes import CLASS_NAMES
    from smearcount.image.find import ANNOTATED
    from smearcount.synthetic.smears import demo_smears

    folder = out / "drawn"
    make_folder(folder)
    paths: list[str] = []
    drawn: list[Counter[str]] = []
    for smear in demo_smears()[:n]:
        path = folder / f"{smear.name}.png"
        with open_atomic(path) as stream:
            Image.fromarray(smear.pixels).save(stream, format="PNG")
        paths.append(str(path))
        drawn.append(Counter(CLASS_NAMES[int(label) - 1] for label in smear.labels))
    with progress_bar("counting", len(paths)) as progress, short_switch_interval():
        batch = count_folder(
            paths,
            out,
            on_result=lambda outcome: progress.advance(failure(outcome)),
            command=("smearcount", *sys.argv[1:]),
        )
    _print_comparison(batch, drawn)
    print(f"The drawn smears are in {folder}, the annotated pictures in {out / ANNOTATED},")
    print(f"and the table is {out / 'counts.csv'}.")
    raise typer.Exit(ExitCode.FAILURE if batch.failed else ExitCode.SUCCESS)


def _print_comparison(batch: BatchResult, drawn: Sequence[Counter[str]]) -> None:
    """Print one row per smear, with ``counted / drawn`` for each class, and their sums."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    total = sum(drawn, Counter[str]())
    table = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    table.add_column("counted / drawn", footer="total", no_wrap=True)
    for name, number in batch.counts.items():
        table.add_column(name, footer=f"{number} / {total[name]}", justify="right", no_wrap=True)
    for outcome, truth in zip(batch.outcomes, drawn, strict=True):
        counts = outcome.result.counts if outcome.result is not None else {}
        cells = (f"{counts.get(name, '-')} / {truth[name]}" for name in batch.counts)
        table.add_row(Path(outcome.name).name, *cells)
    Console(highlight=False).print(table)
