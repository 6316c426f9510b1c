"""What scripts can call: the project's files as the hub sees them, and nothing outside its root."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from ...analysis.segments import extract
from ...analysis.source import decode
from ...errors import SourceError
from ...index.rows import package_of
from ...index.steps import raw_imports, raw_text
from ...regular import open_regular
from ..paths import Paths

Json = dict[str, Any]


class ProjectFiles:
    """The files below a root. Paths are relative to it, with `/`. What goes wrong is raised in the script.

    unsaved: the text of a file that is open in an editor. most: bytes that a file may have.
    """

    def __init__(self, paths: Paths, most: int, unsaved: Callable[[str], str | None] = lambda path: None) -> None:
        self._paths = paths
        self._most = most
        self._unsaved = unsaved

    def offered(self, names: Iterable[str]) -> Mapping[str, Callable[..., Any]]:
        """The externals of these names."""
        every = {"read_file": self.read_file, "parse_python": self.parse_python, "sha256": _sha256}
        return {name: every[name] for name in names}

    async def read_file(self, path: str) -> str:
        """A file's text: the buffer's where it is open, else the disk's."""
        absolute = self._inside(path)
        text = self._unsaved(path)
        return await asyncio.to_thread(_read, absolute, path, self._most) if text is None else text

    async def parse_python(self, path: str) -> Json:
        """Raw facts of a Python file, as the shipped steps get them (see agents/hub/tools)."""
        text = await self.read_file(path)
        return await asyncio.to_thread(raw_facts, path, text)

    def _inside(self, path: str) -> str:
        """The absolute path. Raises PermissionError for what is not below the root, also by a link."""
        if not isinstance(path, str) or path.startswith("/") or "\0" in path or ".." in PurePosixPath(path).parts:
            raise PermissionError(f"{path!r} is no path relative to the project's root")
        absolute = self._paths.absolute(path)
        if not Path(os.path.realpath(absolute)).is_relative_to(self._paths.root):
            raise PermissionError(f"{path} is outside the project's root")
        return absolute


def raw_facts(path: str, text: str) -> Json:
    """What `parse_python` gives of a text."""
    facts = extract(text)
    texts = [raw_text(node) for node in facts.nodes]
    bound = [[name, target] for name, target in facts.bindings]
    found = raw_imports(path, package_of(path), bound, facts.nodes)
    for node, more in zip(found["nodes"], texts, strict=True):
        node.update(more)
    return {**found, "file_hash": facts.file_hash}


def _read(absolute: str, path: str, most: int) -> str:
    with open_regular(absolute) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"{path} has more than {most:,} bytes")
    try:
        return decode(data)
    except SourceError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
