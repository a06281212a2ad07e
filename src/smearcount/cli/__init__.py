"""The command line: one module per command; errors are reported in one place.

Results go to standard output; errors and progress go to standard error. The exit codes are those of
:mod:`smearcount.cli.exit_codes`. A command imports what it needs when it runs, so that
``smearcount --help`` stays fast.
"""

from __future__ import annotations

import sys
from typing import Annotated, TextIO

import typer

from smearcount import __version__
from smearcount.cli.calibrate import calibrate
from smearcount.cli.compare import compare
from smearcount.cli.count import count
from smearcount.cli.data import data
from smearcount.cli.demo import demo
from smearcount.cli.evaluate import evaluate
from smearcount.cli.exit_codes import ExitCode, exit_code_of
from smearcount.cli.serve import serve
from smearcount.cli.train import retrain, train
from smearcount.cli.train_magnification import train_magnification
from smearcount.cli.tune import tune
from smearcount.errors import SmearcountError

app = typer.Typer(
    name="smearcount",
    help="Find and count red cells, white cells and platelets on images of blood smears.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("count")(count)
app.command("demo")(demo)
app.command("serve")(serve)
app.add_typer(data)
app.command("evaluate")(evaluate)
app.command("calibrate")(calibrate)
app.command("train")(train)
app.command("retrain")(retrain)
app.command("compare")(compare)
app.command("tune")(tune)
app.command("train-magnification")(train_magnification)
app.command("train-ruler", hidden=True)(train_magnification)  # its name before


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"smearcount {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Take the options that come before a command."""


def main() -> None:
    """Run the command line and exit the process.

    Every error raised on purpose is one plain sentence on standard error.
    """
    for stream in (sys.stdout, sys.stderr):
        _print_any_name(stream)
    try:
        app()
    except SmearcountError as error:
        print(f"smearcount: {error}", file=sys.stderr)
        sys.exit(exit_code_of(error))
    except OSError as error:  # a full disk, a folder that went away
        where = f"{error.filename}: " if error.filename else ""
        why = error.strerror or str(error)
        print(f"smearcount: {where}{why}; check the folder and the disk.", file=sys.stderr)
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.exit(ExitCode.STOPPED)


def _print_any_name(stream: TextIO) -> None:
    """Let a file name that the terminal's encoding lacks be printed with escapes, not fail."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
