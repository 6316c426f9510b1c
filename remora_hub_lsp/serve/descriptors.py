"""Standard input and output as bare descriptors, for the messages alone. Imports nothing that takes time."""

from __future__ import annotations

import os
import select
import sys


def claim_stdio() -> tuple[int, int]:
    """Take standard input and output away from the rest of the program; gives their descriptors.

    From now on `print` writes to standard error, and what reads standard input finds it empty: neither can
    come between two halves of a message.
    """
    sys.stdout.flush()
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # started without a standard error
        os.dup2(nothing, 1)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(stdin, os.O_BINARY)
        msvcrt.setmode(stdout, os.O_BINARY)
    return stdin, stdout


def read_some(descriptor: int, most: int) -> bytes:
    """The next bytes; none at the end of file, or where there can be no more."""
    while True:
        try:
            return os.read(descriptor, most)
        except BlockingIOError:  # the other end made the pipe so, for both
            select.select([descriptor], [], [])
        except OSError:
            return b""
