"""The bar that long work shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(what: str, steps: int) -> Iterator[Callable[..., None]]:
    """Show a bar on standard error, where someone can see it.

    Args:
        what: is being done, in a word.
        steps: how many there are.

    Yields:
        what to call after each step; a sentence that it is given is printed above the bar.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as shown:
        task = shown.add_task(what, total=steps)

        def step(sentence: str = "") -> None:
            if sentence:
                console.print(Text(sentence))
            shown.advance(task)

        yield step
