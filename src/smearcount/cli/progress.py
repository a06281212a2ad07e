"""The progress bar of long work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


@dataclass(frozen=True)
class ProgressBar:
    """A bar on standard error; see :func:`progress_bar`."""

    _console: Console
    _progress: Progress
    _task: TaskID

    def expect(self, steps: int) -> None:
        """Show how many steps there are."""
        self._progress.update(self._task, total=steps)

    def advance(self, message: str = "") -> None:
        """Show that a step is done, and print a message above the bar, if there is one."""
        from rich.text import Text

        if message:
            self._console.print(Text(message))
        self._progress.advance(self._task)


@contextmanager
def progress_bar(verb: str, steps: int | None = None) -> Iterator[ProgressBar]:
    """Show a bar on standard error while the block runs; nothing where that is no terminal.

    Args:
        verb: what is being done, in a word.
        steps: how many there are, where it is known already.

    Yields:
        the bar, to be advanced after each step.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=hidden) as progress:
        yield ProgressBar(console, progress, progress.add_task(verb, total=steps))
