"""Whom a command asks: the running hub process if there is one, else a hub of its own that ends with the command."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from ..client import HubClient
from ..client.connection import connect_to, within
from ..config import Config
from ..discovery import running
from ..errors import HubError, HubTimeout, HubUnavailable
from ..hub.compare import Scope
from ..hub.drift import outdated
from ..hub.hub import Hub
from ..hub.paths import Paths
from ..models import HubStatus
from ..protocol import (
    CHANGES_SINCE,
    GET_CONTEXT,
    OUTDATED,
    PROCESS,
    REINDEX,
    SEARCH,
    ChangesSinceParams,
    GetContextParams,
    OutdatedParams,
    ProcessStatus,
)
from . import show
from .arguments import PROGRAM, SETTINGS
from .progress import progress_bar

Json = dict[str, Any]

_PATIENCE = 60.0  # seconds for one answer of the running hub
_FIRST = 15.0  # for its first one, which says only that it is there
_LONG = 3600.0  # for one that has to analyse everything
_LATE = 20.0  # for the call graph to follow what others edit, which may be without end
_PAUSE = 0.1
_MOST = 100_000
# Settings that say nothing about the index: with others a command needs a hub of its own.
_OF_THE_COMMAND = frozenset({"log_level", "log_file"})


class Answers(Protocol):
    """Answers about one root, as JSON of the protocol. analysed: how many files had to be; None: not known."""

    analysed: int | None

    async def context(self, nodes: list[str]) -> Json: ...

    async def symbols(self, query: str, limit: int) -> Json: ...

    async def changes_since(self, cursor: str | None) -> Json: ...

    async def reindex(self, paths: list[str], anew: bool) -> Json: ...

    async def outdated(self, paths: list[str]) -> Json: ...

    async def ask(self, method: str, params: Json) -> Json:
        """One of the questions about the graph: remora/calls, tests, dead."""

    async def status(self) -> HubStatus: ...

    def path_of(self, absolute: str) -> str | None: ...


@asynccontextmanager
async def up_to_date(arguments: argparse.Namespace, root: Path, config: Config) -> AsyncIterator[Answers]:
    """Answers once the index has caught up with the files; what keeps it from that is said, never hidden."""
    own = any(hasattr(arguments, name) for name in SETTINGS if name not in _OF_THE_COMMAND)
    if not own:
        async with HubClient(root, timeout=_FIRST) as client:
            try:
                status = await client.status()
            except HubUnavailable as error:
                own = True
                if isinstance(error, HubTimeout):
                    show.complain(f"{error}; this is done without it (`{PROGRAM} doctor` says more)")
            else:
                client.timeout = _PATIENCE
                yield await _caught_up(arguments, client, status)
    if own:
        async with _own_hub(arguments, root, config) as hub:
            yield hub


async def processes() -> list[ProcessStatus]:
    """Every running hub process of this user; of one that does not answer that is said."""
    found = []
    for listening in running():
        try:
            async with within(_FIRST):
                connection = await connect_to(listening.addresses[0], listening.token, None)
                found.append(ProcessStatus.model_validate_json(await connection.ask(PROCESS, {})))
                await connection.close()
        except HubError as error:
            show.complain(f"the hub process {listening.pid} (version {listening.version}): {error}")
    return found


class _Running:
    def __init__(self, client: HubClient) -> None:
        self.analysed: int | None = None
        self._client = client
        self._paths = Paths(client.root)

    async def context(self, nodes: list[str]) -> Json:
        result: Json = await self._client.ask(GET_CONTEXT, {"nodes": nodes, "include": ["tests"], "depth": 0})
        return result

    async def symbols(self, query: str, limit: int) -> Json:
        result: Json = await self._client.ask(SEARCH, {"query": query, "limit": limit})
        return result

    async def changes_since(self, cursor: str | None) -> Json:
        result: Json = await self._client.ask(CHANGES_SINCE, {"cursor": cursor})
        return result

    async def reindex(self, paths: list[str], anew: bool) -> Json:
        self._client.timeout = _LONG
        result: Json = await self._client.ask(REINDEX, {"paths": paths, "anew": anew})
        return result

    async def outdated(self, paths: list[str]) -> Json:
        result: Json = await self._client.ask(OUTDATED, {"paths": paths, "limit": _MOST})
        return result

    async def ask(self, method: str, params: Json) -> Json:
        result: Json = await self._client.ask(method, params)
        return result

    async def status(self) -> HubStatus:
        return await self._client.status()

    def path_of(self, absolute: str) -> str | None:
        return self._paths.relative(absolute)


class _Own:
    def __init__(self, hub: Hub) -> None:
        self.analysed: int | None = hub.progress.total
        self._hub = hub
        self.path_of = hub.path_of

    async def context(self, nodes: list[str]) -> Json:
        return await self._hub.get_context(GetContextParams(nodes=tuple(nodes), include=("tests",), depth=0))

    async def symbols(self, query: str, limit: int) -> Json:
        answer = await self._hub.search(query, limit)
        return {"symbols": answer.value, "revision": answer.revision, "state": answer.state}

    async def changes_since(self, cursor: str | None) -> Json:
        return await self._hub.changes_since(ChangesSinceParams(cursor=cursor))

    async def reindex(self, paths: list[str], anew: bool) -> Json:
        started = time.monotonic()
        inside = []
        for path in paths:
            if (found := self._hub.paths.within(path)) is None:
                raise HubError(f"{path} is not below {self._hub.root}")
            inside.append(found)
        files = await self._hub.reindex(Scope(tuple(inside), anew))
        seconds = round(time.monotonic() - started, 3)
        return {"files": files, "seconds": seconds, "revision": self._hub.revision, "state": self._hub.state}

    async def outdated(self, paths: list[str]) -> Json:
        await self._hub.history.finished()
        return await outdated(self._hub, OutdatedParams(paths=tuple(paths), limit=_MOST))

    async def ask(self, method: str, params: Json) -> Json:
        return await self._hub.relations.answer(method, params)

    async def status(self) -> HubStatus:
        return await self._hub.status()


async def _caught_up(arguments: argparse.Namespace, client: HubClient, status: HubStatus) -> _Running:
    until = time.monotonic() + _LATE
    while status.state == "indexing" and (status.cold_start_seconds is None or time.monotonic() < until):
        await asyncio.sleep(_PAUSE)
        status = await client.status()
    if status.state == "indexing":
        show.complain("the call graph is not up to date, since edits go on: some callers may be missing")
    if status.state == "degraded" and arguments.command != "index":
        show.complain(f"the index is degraded: {status.state_reason}")
    return _Running(client)


@asynccontextmanager
async def _own_hub(arguments: argparse.Namespace, root: Path, config: Config) -> AsyncIterator[_Own]:
    hub = Hub(root, config, needs_store=True)
    await hub.start()
    try:
        with progress_bar(hub, wanted=not arguments.json and sys.stderr.isatty()):
            await hub.indexed()
            await hub.scripts.settled()
        for warning in hub.warnings:
            show.complain(warning)
        if hub.state == "degraded" and arguments.command != "index":
            show.complain(f"the index is degraded: {hub.state_reason}")
        yield _Own(hub)
    finally:
        await hub.close()


def from_here(key: str, answers: Answers) -> str:
    """The key; with an absolute path where it names a file from the working directory, as a shell completes it."""
    path, colon, name = key.rpartition(":") if ":" in key else (key, "", "")
    absolute = os.path.abspath(path)
    inside = path.endswith((".py", ".pyi")) and os.path.isfile(absolute) and answers.path_of(absolute) is not None
    return f"{absolute}{colon}{name}" if inside else key
