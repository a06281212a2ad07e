"""The exit codes of the command line, and which error gives which."""

from __future__ import annotations

from enum import IntEnum

from smearcount.errors import UsageError


class ExitCode(IntEnum):
    """What a command tells the shell."""

    SUCCESS = 0
    FAILURE = 1
    """Something failed: an image, a model, a download, or the disk."""
    USAGE = 2
    """An option, setting or path that makes no sense."""
    STOPPED = 130
    """Stopped by Ctrl-C, as shells number it."""


def exit_code_of(error: Exception) -> ExitCode:
    """Return the exit code for an error that ends a command."""
    return ExitCode.USAGE if isinstance(error, UsageError) else ExitCode.FAILURE
