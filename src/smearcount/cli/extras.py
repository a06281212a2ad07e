"""What a command needs beyond the base install."""

from __future__ import annotations

from importlib.util import find_spec

from smearcount.errors import UsageError


def require(extra: str, *modules: str) -> None:
    """Return if all modules are installed.

    Args:
        extra: of this package, such as ``train``.
        modules: names as they are imported.

    Raises:
        UsageError: some are not installed; the sentence names the extra that brings them.
    """
    missing = [module for module in modules if find_spec(module) is None]
    if missing:
        raise UsageError(
            f"this command needs {', '.join(missing)}; install the extra that brings it: "
            f'pip install "smearcount[{extra}]".'
        )
