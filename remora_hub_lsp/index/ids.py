"""Node ids as people and agents write them -> (path, qualname).

Accepted: `node:{path}:{qualname}`, `path.py:qualname`, `path.py` (its module), the same with an absolute path or
a file URI, and `pkg.mod.Class.method`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from ..analysis.facts import MODULE
from .view import IndexView

_WITH_PATH = re.compile(r"(.+?\.pyi?)(?::([^/\\]+))?\Z", re.DOTALL)
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
        rest = _uri_path(rest)
    if found := _WITH_PATH.match(rest):
        path, qualname = found[1].replace("\\", "/"), found[2] or MODULE
        if path.startswith("/") or re.match(r"[A-Za-z]:/", path):
            inside = to_path(path)
            if inside is None:
                return BadId(f"{path} is outside the project root")
            path = inside
        while path.startswith("./"):
            path = path[2:]
        return NodeId(path, qualname)
    if _DOTTED.match(rest) and rest == text:
        return NodeId(None, "", tuple(rest.split(".")))
    return BadId(
        "a node id is node:{path}:{qualname}, {path}.py:{qualname}, an absolute path or file URI with :{qualname}, "
        "or pkg.module.Class.method"
    )


def locate(view: IndexView, parts: tuple[str, ...]) -> tuple[str, str] | None:
    """(path, qualname) of a dotted name: the longest module that exists and defines the rest."""
    fallback: tuple[str, str] | None = None
    for length in range(len(parts), 0, -1):
        stem = "/".join(parts[:length])
        qualname = ".".join(parts[length:]) or MODULE
        for suffix in (f"{stem}.py", f"{stem}/__init__.py", f"{stem}.pyi", f"{stem}/__init__.pyi"):
            for path in view.paths(suffix):
                if qualname == MODULE or view.has(path, qualname):
                    return path, qualname
                fallback = fallback or (path, qualname)
    return fallback


def _uri_path(uri: str) -> str:
    """The path of a file URI; `#qualname` after it reads as `:qualname`."""
    parts = urlsplit(uri)
    path = unquote(parts.path, errors="surrogateescape")
    if re.match(r"/[A-Za-z]:", path):
        path = path[1:]
    return f"{path}:{unquote(parts.fragment)}" if parts.fragment else path
