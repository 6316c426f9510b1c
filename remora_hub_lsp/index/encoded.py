"""Nodes as the JSON that answers are made of, kept for the next time they are asked for.

What is kept is true at one revision. Everything that changes what a node tells raises its file's revision, so that one
question about files brings all of it to a newer revision of the index.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from .view import IndexView, Json, KnownFile

MOST_BYTES = 32 * 1024 * 1024

Name = tuple[str, str]  # path and qualname


class Encoded(NamedTuple):
    """member: `"id":{NodeState}`. stale: what stands in `stale` of the node under that id, if anything."""

    path: str
    member: bytes
    stale: Json | None


class EncodedNodes:
    """By the ids as they were asked: keys, and what else names a path and a name in it. For one thread."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.revision = -1
        self._identity = ""
        self._most = most_bytes
        self._size = 0
        self._nodes: dict[str, Encoded] = {}
        self._ids: dict[str, list[str]] = {}  # by path
        self._files: dict[str, KnownFile | None] = {}

    def __len__(self) -> int:
        return len(self._nodes)

    def get(self, text: str) -> Encoded | None:
        """The node of that id, at `revision`; None: not kept, which says nothing about whether there is one."""
        return self._nodes.get(text)

    def catch_up(self, view: IndexView) -> None:
        """Forget what is not as it was any more; from now on `revision` is the view's."""
        if view.revision != self.revision or view.identity != self._identity:
            paths = view.changed_paths(self.revision) if view.identity == self._identity else None
            if paths is None:
                self.clear()
            else:
                self._forget(paths)
            self.revision, self._identity = view.revision, view.identity
        view.share_files(self._files)

    def keep(self, found: Mapping[str, Encoded]) -> None:
        """Keep nodes that were encoded at `revision`."""
        for text, node in found.items():
            if text not in self._nodes:
                self._nodes[text] = node
                self._ids.setdefault(node.path, []).append(text)
                self._size += len(node.member)
        if self._size > self._most:
            self._make_room()

    def clear(self) -> None:
        """Keep nothing."""
        self._nodes, self._ids, self._files, self._size = {}, {}, {}, 0
        self.revision = -1

    def _forget(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._files.pop(path, None)
            for text in self._ids.pop(path, ()):
                self._size -= len(self._nodes.pop(text).member)

    def _make_room(self) -> None:
        """Let a tenth go that has been here longest, by files."""
        for path in list(self._ids):
            if self._size <= self._most * 9 // 10:
                return
            self._forget([path])


def encode(view: IndexView, names: Mapping[str, Name]) -> dict[str, Encoded]:
    """Those of the nodes that there are, by their ids."""
    states = view.nodes(dict.fromkeys(names.values()))
    found = {}
    for text, name in names.items():
        if (state := states.get(name)) is not None:
            reason = stale_reason(state)
            stale = {"id": text, "reason": reason} if reason else None
            found[text] = Encoded(name[0], orjson.dumps(text) + b":" + orjson.dumps(state), stale)
    return found


def stale_reason(state: Json) -> str | None:
    """Why the facts of a node are not those of its newest text."""
    if state["broken"] is None or state["node_type"] == "module":
        return None
    return f"its text does not parse just now ({state['broken']})"


def result(nodes: Sequence[Encoded], revision: int, state: str) -> list[bytes]:
    """A protocol.GetContextResult in which nothing is missing, in pieces: the whole is put together only once."""
    stale = [node.stale for node in nodes if node.stale is not None]
    told = b'},"missing":[],"stale":%b,"revision":%d,"state":"%b"}' % (orjson.dumps(stale), revision, state.encode())
    members = [piece for node in nodes for piece in (b",", node.member)]
    return [b'{"nodes":{', *members[1:], told]
