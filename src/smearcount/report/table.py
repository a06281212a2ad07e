"""The table of a batch: one row per image, on the screen and in ``counts.csv``.

A column is added in one place: :func:`columns` for the file, :func:`screen_columns` for the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smearcount.csv_writer import write_csv
from smearcount.formatting import format_count, format_decimal
from smearcount.results.batch_result import BatchResult
from smearcount.results.image_outcome import ImageOutcome
from smearcount.results.result import CountResult


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes:
        title: the header.
        cell: returns the text in the row of an outcome; empty if it does not apply.
        number: whether the cells are numbers, which are aligned right and never wrapped.
    """

    title: str
    cell: Callable[[ImageOutcome], str]
    number: bool = True


def columns(classes: Sequence[str]) -> list[Column]:
    """Return the columns of ``counts.csv``.

    Args:
        classes: the model's class names in label order.
    """
    return [
        Column("image", lambda outcome: outcome.name, number=False),
        *(_count(name) for name in classes),
        *(_excluded(name) for name in classes),
        _of_result(
            "rbc_diameter_px", lambda result: format_decimal(result.scale.rbc_diameter_px, 1)
        ),
        _of_result("pixel_size_um", lambda result: format_decimal(result.scale.pixel_size_um, 5)),
        _of_result("pixel_size_source", lambda result: result.scale.source, number=False),
        _of_result("flags", lambda result: "; ".join(result.flags), number=False),
        Column("status", lambda outcome: outcome.status, number=False),
        Column("error", lambda outcome: outcome.error or "", number=False),
        _of_result("model", lambda result: result.card.name, number=False),
        _of_result("seconds", lambda result: format_decimal(result.seconds, 3)),
        *(_interval_end(name, which) for name in classes for which in (0, 1)),
        *(_automatic(name) for name in classes),
        _of_result("corrections", lambda result: str(result.corrections)),
        Column("picture", lambda outcome: outcome.picture or "", number=False),
        _of_result("notes", lambda result: "; ".join(result.image.notes), number=False),
    ]


def screen_columns(classes: Sequence[str], outcomes: Sequence[ImageOutcome]) -> list[Column]:
    """Return the columns on the screen: the most needed ones of the file, without empty ones."""
    wanted = {"image", "rbc_diameter_px"}
    useful = {"flags", "status"} if any(o.error for o in outcomes) else {"flags"}
    if any(o.result is not None and sum(o.result.excluded.values()) for o in outcomes):
        useful |= {_excluded(name).title for name in classes}
    name, *others = columns(classes)
    return [
        name,
        *(_count_with_interval(each) for each in classes),
        *(
            column
            for column in others
            if column.title in wanted
            or (column.title in useful and any(column.cell(o) for o in outcomes))
        ),
    ]


def write_counts_csv(path: Path, batch: BatchResult) -> None:
    """Write ``counts.csv``: one row per input, in input order; a failed one has empty counts.

    Args:
        path: the file to write.
        batch: what was counted.
    """
    shown = columns(batch.card.classes)
    titles = [column.title for column in shown]
    rows = ([column.cell(outcome) for column in shown] for outcome in batch.outcomes)
    write_csv(path, [titles, *rows])


def print_table(batch: BatchResult) -> None:
    """Print one row per input and a total to standard output.

    Numbers are never broken or cut. On a terminal a long path is folded; in a pipe every row is
    one line.

    Args:
        batch: what was counted.
    """
    from rich import box
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    outcomes, shown = batch.outcomes, screen_columns(batch.card.classes, batch.outcomes)
    table = Table(box=box.SIMPLE_HEAD, show_footer=len(outcomes) > 1, pad_edge=False)
    intervals = batch.intervals or {}
    sums = {name: format_count(n, intervals.get(name)) for name, n in batch.counts.items()}
    if len(batch.failed) == len(outcomes):
        sums = {}
    for column in shown:
        footer = _total_title(batch) if column.title == "image" else sums.get(column.title, "")
        width = max(len(footer), len(column.title), *(len(column.cell(o)) for o in outcomes))
        table.add_column(
            column.title,
            footer=Text(footer),
            justify="right" if column.number else "left",
            no_wrap=column.number,
            min_width=width if column.number else min(width, 16),
            overflow="fold",
        )
    for outcome in outcomes:
        table.add_row(*(Text(column.cell(outcome)) for column in shown))
    console = Console(highlight=False)
    unlimited = console.options.update(width=1_000_000)
    needed = Measurement.get(console, unlimited, table).maximum
    numbers = Measurement.get(console, unlimited, table).minimum
    console.width = max(numbers, min(console.width, needed)) if console.is_terminal else needed
    console.print(table)


def _total_title(batch: BatchResult) -> str:
    failed = len(batch.failed)
    failures = f", {failed} failed" if failed else ""
    return f"total of {len(batch.outcomes) - failed}{failures}"


def _count(name: str) -> Column:
    return _of_result(name, lambda result: str(result.counts.get(name, 0)))


def _count_with_interval(name: str) -> Column:
    return _of_result(name, lambda result: result.count_with_interval(name))


def _interval_end(name: str, which: int) -> Column:
    def cell(result: CountResult) -> str:
        intervals = result.intervals
        return "" if intervals is None else str(intervals[name][which])

    return _of_result(f"{name}_{('low', 'high')[which]}", cell)


def _excluded(name: str) -> Column:
    return _of_result(f"{name}_excluded", lambda result: str(result.excluded.get(name, 0)))


def _automatic(name: str) -> Column:
    return _of_result(f"{name}_automatic", lambda result: str(result.automatic.get(name, 0)))


def _of_result(title: str, cell: Callable[[CountResult], str], number: bool = True) -> Column:
    return Column(title, lambda o: "" if o.result is None else cell(o.result), number)
