"""Runs a command and prints what it does outside: ``audited_command.py LOG WORD...``.

Every connection, look-up of a name and file opened for writing is a line of LOG. The hook sees what
Python does; libraries in C pass it by, so the tests also look at the home folder and use strace.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_LOG = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        is_unix_socket = isinstance(arguments[1], str)  # between the processes of a training
        line = f"{'file' if is_unix_socket else 'socket'} {arguments[1]}"
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        line = f"socket {arguments[0]}"
    elif event == "open" and isinstance(arguments[0], str) and arguments[2] & _WRITES:
        line = f"file {os.path.abspath(arguments[0])}"  # noqa: PTH100 (inside a hook on opening)
    elif event == "os.mkdir":
        line = f"file {os.path.abspath(arguments[0])}"  # noqa: PTH100
    else:
        return
    os.write(_LOG, f"{line}\n".encode())


if __name__ == "__main__":
    sys.addaudithook(_audit)
    sys.argv = ["smearcount", *sys.argv[2:]]
    from smearcount.cli import main

    main()
