"""A hub over real files, driven as a session drives it, and what its index has to hold."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.changes import Closed, DiskChanged, Edited, Opened, Saved
from remora_hub_lsp.hub.coldstart import ColdStart
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.hub.worker import Task
from remora_hub_lsp.index.rows import encode
from remora_hub_lsp.index.schema import open_reader
from remora_hub_lsp.index.view import IndexView, reading
from remora_hub_lsp.protocol import GetContextParams

# What tells when and how a row was written, and not what the text holds.
HISTORY = frozenset({"last_updated", "update_source"})
# A test that waits longer hangs.
GUARD = 180.0


def hub_of(root: Path, **settings: Any) -> Hub:
    """A hub whose index lies beside the root; in-process, and told of changes by nobody but the test."""
    beside = root.with_name(root.name + "-index") / "index.db"
    return Hub(root, load_config(root, overrides={"workers": 0, "watch": False, "database": beside, **settings}))


@asynccontextmanager
async def running(root: Path, *, indexed: bool = True, **settings: Any) -> AsyncIterator[Hub]:
    """A hub that runs; indexed: its cold start has ended."""
    hub = hub_of(root, **settings)
    await hub.start()
    await asyncio.sleep(0)
    try:
        if indexed:
            await hub.indexed()
        yield hub
    finally:
        await hub.close()


class Gate:
    """Lets cold starts begin, and holds them up before a batch of files while it is shut, as it is at first.

    Only those without workers.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = asyncio.Event()
        go_on = ColdStart._here

        async def here(start: ColdStart, batch: list[Task]) -> None:
            await self._open.wait()
            await go_on(start, batch)

        monkeypatch.setattr(ColdStart, "_here", here)

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self._open.clear()


def write(root: Path, files: Mapping[str, str | bytes], *, settled: bool = True) -> None:
    """Write files. settled: with time stamps of a while ago, so that they prove that nothing changed since."""
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        if settled:
            age(place)


def age(place: Path, seconds: float = 100.0) -> None:
    past = time.time_ns() - int(seconds * 1e9)
    os.utime(place, ns=(past, past))


class Editor:
    """One peer with documents open."""

    def __init__(self, hub: Hub, owner: int = 1) -> None:
        self.hub = hub
        self.owner = owner
        self.documents: dict[str, TextDocument] = {}

    def open(self, path: str, text: str) -> None:
        document = self.documents[path] = TextDocument(text, 1)
        self.hub.apply(Opened(path, document, self.owner))

    def edit(self, path: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        document = self.documents[path]
        document.edit(start, end, text, "utf-16")
        document.version += 1
        self.hub.apply(Edited(path, document, self.owner))

    def replace(self, path: str, text: str) -> None:
        document = self.documents[path]
        document.replace_all(text)
        document.version += 1
        self.hub.apply(Edited(path, document, self.owner))

    def save(self, path: str) -> None:
        self.hub.paths.absolute(path)
        Path(self.hub.paths.absolute(path)).write_bytes(self.documents[path].text.encode())
        self.hub.apply(Saved(path, self.owner))

    def close(self, path: str) -> None:
        del self.documents[path]
        self.hub.apply(Closed(path, self.owner))


async def signatures(hub: Hub, path: str, wait: float = GUARD) -> list[str]:
    """Signatures of a file's definitions in source order, once what was changed before is in the index."""
    async with asyncio.timeout(GUARD):
        answer = await hub.read(lambda view: view.outline(path), paths=(path,), wait=wait)
        while answer.pending and wait == GUARD:  # the disk told of it once more meanwhile
            answer = await hub.read(lambda view: view.outline(path), paths=(path,), wait=wait)
    return [entry["signature"] for entry in answer.value]


async def held(hub: Hub, path: str) -> list[tuple[str, int]]:
    """Qualname and first line of each of a file's definitions, as `expected` has them."""
    answer = await hub.read(lambda view: view.outline(path), paths=(path,), wait=GUARD)
    return [(entry["qualname"], entry["range"]["start"]["line"]) for entry in answer.value]


async def context(hub: Hub, *nodes: str, **params: Any) -> dict[str, Any]:
    return await hub.get_context(GetContextParams(nodes=nodes, **{"waitMs": int(GUARD * 1000), **params}))


async def missing(hub: Hub, asked: str) -> tuple[str, str | None]:
    result = await context(hub, asked)
    (entry,) = result["missing"]
    return entry["reason"], entry["detail"]


async def node(hub: Hub, asked: str, **params: Any) -> dict[str, Any]:
    result = await context(hub, asked, **params)
    assert asked in result["nodes"], result["missing"]
    found: dict[str, Any] = result["nodes"][asked]
    return found


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """The process does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def with_tests(hub: Hub, asked: str) -> dict[str, Any]:
    """The node with its related tests."""
    return await node(hub, asked, include=("tests",), depth=0)


@contextmanager
def viewed(database: Path) -> Iterator[IndexView]:
    """The index as another process sees it."""
    connection = open_reader(database)
    try:
        with reading(connection) as view:
            yield view
    finally:
        connection.close()


def paths_in(database: Path) -> list[str]:
    connection = open_reader(database)
    try:
        return [path for (path,) in connection.execute("SELECT path FROM files ORDER BY path")]
    finally:
        connection.close()


def contents(database: Path) -> dict[str, Any]:
    """Everything in an index but when it came there: files by path, nodes by key."""
    out: dict[str, Any] = {}
    with viewed(database) as view:
        for path in paths_in(database):
            file = view.file(path)
            assert file is not None
            out[path] = {k: v for k, v in file.items() if k not in {"last_scanned", "revision"}}
            nodes = view.nodes_of(path)
            assert file["node_count"] == len(nodes)
            out |= {node["key"]: {k: v for k, v in node.items() if k not in HISTORY} for node in nodes}
    return out


async def fresh(root: Path, **settings: Any) -> dict[str, Any]:
    """What a new index over the root holds."""
    database = root.with_name(root.name + "-fresh") / f"{time.time_ns()}.db"
    async with running(root, database=database, **settings):
        pass
    return contents(database)


def expected(path: str, text: str) -> list[tuple[str, int]]:
    """Qualname and first line of a text's definitions, without any index."""
    facts = extract(text)
    starts = {segment.id: start for segment, start in facts.segments}
    assert encode(path, facts).node_count == len(facts.nodes)
    return [(node.unique, starts[node.segment] + node.facts.line) for node in facts.nodes[1:]]


def changed_on_disk(hub: Hub, *paths: str) -> None:
    for path in paths:
        hub.apply(DiskChanged(path))
