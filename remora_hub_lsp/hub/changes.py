"""What can happen to a path, as data. `Hub.apply` takes these, and nothing else changes the index."""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis.text import TextDocument


@dataclass(frozen=True, slots=True)
class Opened:
    """A peer opened `path`; from now on its buffer is the path's truth. `owner` names the peer's session."""

    path: str
    document: TextDocument
    owner: int


@dataclass(frozen=True, slots=True)
class Edited:
    """The peer's document was edited in place."""

    path: str
    document: TextDocument
    owner: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The peer wrote its buffer to disk."""

    path: str
    owner: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closed `path`: another open buffer of it, or else the disk, is its truth again."""

    path: str
    owner: int


@dataclass(frozen=True, slots=True)
class DiskChanged:
    """`path` was created, modified or deleted on disk."""

    path: str


Change = Opened | Edited | Saved | Closed | DiskChanged
