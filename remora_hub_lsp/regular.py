"""Regular files, and nothing else under their names: opening a pipe waits for its writer, and a device has no end."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader, TextIOWrapper


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """The file, opened for reading; never waits. Raises OSError (of no file FileNotFoundError), ValueError."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0)))  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise FileNotFoundError(errno.ENOENT, "not a regular file", os.fspath(path))
    return file


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """All of the file; raises the same."""
    with open_regular(path) as file:
        return file.read()


def read_text(path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
    """Its text, with line ends as \\n; raises the same, and UnicodeDecodeError."""
    with TextIOWrapper(open_regular(path), encoding=encoding) as file:
        return file.read()
