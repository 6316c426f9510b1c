"""Node ids as people and agents write them -> (path, qualname).

Accepted: `node:{path}:{qualname}`, `path.py:qualname`, `path.py` (its module), the same with an absolute path or
a file URI, and `pkg.mod.Class.method` (see dotted.py).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..analysis.facts import MODULE

# A qualname has no colon; a path may.
_WITH_PATH = re.compile(r"(.+?\.pyi?)(?::([^/\\:]+))?\Z", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*|\.<module>)*(?:#\d+)?\Z")

ToPath = Callable[[str], str | None]


class NodeId(NamedTuple):
    """Where an id points: a path below the root and a qualname, or dotted parts still to be found."""

    path: str | None
    qualname: str
    dotted: tuple[str, ...] = ()


class BadId(NamedTuple):
    """An id that cannot be read, or lies outside the root."""

    detail: str


def parse_id(text: str, to_path: ToPath) -> NodeId | BadId:
    """Read an id; `to_path` makes an absolute file system path relative to the root (None: outside of it)."""
    rest = text.removeprefix("node:")
    if rest.startswith("file:"):
        try:
            rest = _uri_path(rest)
        except ValueError as error:
            return BadId(f"{rest!r} is no file URI: {error}")
    if found := _WITH_PATH.match(rest):
        path, qualname = found[1], found[2] or MODULE
        # A key is taken as it stands: where \ is no separator, a name may have it.
        if _DRIVE.match(path) or (rest == text and not path.startswith("/")):
            path = path.replace("\\", "/")
        return _below_root(path, qualname, to_path)
    if _DOTTED.match(rest) and rest == text:
        return NodeId(None, "", tuple(rest.split(".")))
    return BadId(
        "a node id is node:{path}:{qualname}, {path}.py:{qualname}, an absolute path or file URI with :{qualname}, "
        "or pkg.module.Class.method"
    )


def _below_root(path: str, qualname: str, to_path: ToPath) -> NodeId | BadId:
    if "\0" in path + qualname:
        return BadId("a path or name cannot hold a NUL character")
    absolute = path.startswith("/") or _DRIVE.match(path)
    inside = to_path(path) if absolute else posixpath.normpath(path)
    if inside is None or inside.startswith("../"):
        return BadId(f"{path!r} is outside the project root")
    try:
        (inside + qualname).encode()
    except UnicodeEncodeError:
        return BadId("a path or name cannot hold half of a surrogate pair")
    return NodeId(inside, qualname)


def _uri_path(uri: str) -> str:
    """The path of a file URI; `#qualname` after it reads as `:qualname`. Raises ValueError."""
    parts = urlsplit(uri)
    path = unquote(parts.path, errors="surrogateescape")
    if re.match(r"/[A-Za-z]:", path):
        path = path[1:]
    if not parts.fragment:
        return path
    named = _WITH_PATH.match(path)  # after a :qualname, #2 is a part of that
    return f"{path}{'#' if named and named[2] else ':'}{unquote(parts.fragment)}"
