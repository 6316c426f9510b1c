"""File system paths <-> the index's paths: relative to the root, with `/`, valid as UTF-8.

A name that is not UTF-8 is written with its bytes as `\\xNN`; `Paths` remembers what it stands for.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import RootError

_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


class Paths:
    """The paths of one root. Raises RootError where the root is no directory."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        if not self.root.is_dir():
            raise RootError(f"{root} is not a directory; a project root is needed")
        self._prefix = str(self.root).rstrip(os.sep) + os.sep
        self._odd: dict[str, str] = {}

    def relative(self, path: str | os.PathLike[str]) -> str | None:
        """The index's path of an absolute path; None outside the root."""
        text = os.path.normpath(os.fspath(path))
        if not _can_be(text):
            return None
        if not text.startswith(self._prefix):
            # The root may have been named through a symbolic link.
            text = os.path.join(os.path.realpath(os.path.dirname(text)), os.path.basename(text))
            if not text.startswith(self._prefix):
                return None
        return self.indexed(text[len(self._prefix) :])

    def within(self, path: str) -> str | None:
        """The index's path of a file or folder, absolute or relative to the root; `.` for the root itself, None for
        what is outside of it."""
        if not _can_be(path):
            return None
        if os.path.isabs(path):
            return "." if os.path.realpath(path) == str(self.root) else self.relative(path)
        inside = os.path.normpath(path)
        return None if inside.startswith("..") else self.indexed(inside)

    def indexed(self, relative: str) -> str:
        """The index's path of a path relative to the root as the file system gives it."""
        if os.sep != "/":
            relative = relative.replace(os.sep, "/")
        try:
            relative.encode()
        except UnicodeEncodeError:
            name = os.fsencode(relative).decode("utf-8", "backslashreplace")
            self._odd[name] = relative
            return name
        return relative

    def absolute(self, path: str) -> str:
        """The file system's path of an index path."""
        if "\\x" in path and path not in self._odd and not os.path.lexists(self._prefix + path):
            self.indexed(_BYTE.sub(lambda found: chr(0xDC00 + int(found[1], 16)), path))  # as it may be on disk
        return self._prefix + self._odd.get(path, path)


def _can_be(path: str) -> bool:
    """Whether a file may have that path: no NUL in it, and no half of a character."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return "\0" not in path
