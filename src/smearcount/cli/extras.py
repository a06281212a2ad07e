"""What a command needs beyond the base install."""

from __future__ import annotations

from importlib.util import find_spec

from smearcount.errors import UsageError


def require(extra: str, *modules: str) -> None:
    """Return if all modules are installed.

    Raises:
        UsageError: some are not; the sentence names the extra that brings them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"this needs {', '.join(missing)}; in the folder of smearcount, install the extra: "
            f"pip install '.[{extra}]'."
        )
