"""HubClient: what an agent asks the hub with, from async code; `.sync` is the same for plain scripts."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel

from ..discovery import find_root
from ..errors import HubError, HubRefused, HubTimeout, HubUnavailable
from ..models import HubStatus, NodeState
from ..protocol import (
    CHANGES_SINCE,
    GET_CONTEXT,
    PROCESS,
    SEARCH,
    STATUS,
    ChangesSinceResult,
    GetContextParams,
    ProcessStatus,
    SearchParams,
)
from .connection import Connection, connect, within
from .results import ContextResult, Health, Nodes, Symbols

if TYPE_CHECKING:
    from .blocking import HubClientSync

Transport = Literal["auto", "unix", "tcp"]
Position = tuple[str | os.PathLike[str], int, int]
"""A file (absolute, or relative to the root), a 0-based line, and a character in UTF-16 code units."""

_INVALID_PARAMS = -32602
# The part of the timeout that the hub may wait for changes that are not analysed yet.
_WAIT = 0.7
_CHANGED_FILE = 2  # LSP's FileChangeType
_PAUSE = 0.1  # seconds between two looks at the status

R = TypeVar("R", bound=BaseModel)


class HubClient:
    """Asks the hub about the project at `root` (default: the one around the working directory).

    timeout: seconds that one call may take in all. transport: how to reach the hub that discovery finds; or say where
    it is: address (`unix:PATH`, `tcp:HOST:PORT`) and token. A connection that ended is opened again by the next call.

    `context`, `get_context`, `node_at` and `search` always answer: without a hub, from the index on disk. The other
    calls raise HubUnavailable, HubTimeout or HubRefused.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        timeout: float = 1.0,
        *,
        transport: Transport = "auto",
        address: str | None = None,
        token: str | None = None,
    ) -> None:
        self.root = root_of(root)
        self.timeout = timeout
        self._where = (transport, address, token)
        self._connection: Connection | None = None
        self._connecting: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    @cached_property
    def sync(self) -> HubClientSync:
        """The same calls, blocking. They may be made from any thread."""
        from .blocking import HubClientSync

        return HubClientSync(self)

    # -- questions -----------------------------------------------------------------------------------------

    async def get_context(self, node_ids: str | Iterable[str] = (), **how: Any) -> Mapping[str, NodeState]:
        """The nodes that are known, by the ids as asked; `how`: see `context`, which also tells what is missing."""
        if "positions" in how:
            return (await self.context(node_ids, **how)).nodes
        asked = self._asked(node_ids, how)
        try:
            return Nodes(await self._answer(GET_CONTEXT, asked))
        except (HubUnavailable, HubRefused) as error:
            return (await self._local_context(asked, {}, error)).nodes

    async def context(
        self, node_ids: str | Iterable[str] = (), *, positions: Sequence[Position] = (), **how: Any
    ) -> ContextResult:
        """remora/getContext. An id is a key, path:qualname, an absolute path, or dotted (pkg.mod.Class.method).

        positions are answered under `{file}:{line}:{character}`. how: further parameters, as include, depth, brief,
        budget, min_revision, wait_ms.
        """
        asked = self._asked(node_ids, how)
        places = {f"{os.fspath(file)}:{line}:{character}": (self._file(file), line, character)
                  for file, line, character in positions}  # fmt: skip
        wire = [
            {"uri": Path(file).as_uri(), "position": {"line": line, "character": character}}
            for file, line, character in places.values()
        ]
        try:
            result = await self._ask(GET_CONTEXT, asked | ({"positions": wire} if wire else {}), ContextResult)
        except (HubUnavailable, HubRefused) as error:
            return await self._local_context(asked, places, error)
        names = {f"{Path(file).as_uri()}:{line}:{at}": name for name, (file, line, at) in places.items()}
        return _renamed(result, names) if names else result

    def _asked(self, node_ids: str | Iterable[str], how: dict[str, Any]) -> dict[str, Any]:
        """The parameters of remora/getContext."""
        asked: dict[str, Any] = {"nodes": [node_ids] if isinstance(node_ids, str) else list(node_ids)}
        asked |= {_camel(name): value for name, value in how.items() if value is not None}
        asked.setdefault("waitMs", int(self.timeout * _WAIT * 1000))
        return asked

    async def _local_context(
        self, asked: dict[str, Any], places: dict[str, tuple[str, int, int]], error: HubError
    ) -> ContextResult:
        """The answer without a hub, which gave the error."""
        _raise_if_misused(error)
        params = GetContextParams.model_validate(asked)
        found = await asyncio.to_thread(self._local().get_context, params, places)
        return ContextResult(**found, source="local", reason=str(error))

    async def node_at(self, file: str | os.PathLike[str], line: int, character: int = 0) -> NodeState | None:
        """The innermost node at a place."""
        found = await self.get_context(positions=[(file, line, character)])
        return next(iter(found.values()), None)

    async def search(self, query: str, limit: int = 50) -> Symbols:
        """Classes and functions by parts of their names, best first."""
        asked = {"query": query, "limit": limit}
        try:
            return await self._ask(SEARCH, asked, Symbols)
        except (HubUnavailable, HubRefused) as error:
            _raise_if_misused(error)
            params = SearchParams.model_validate(asked)
            found, unseen = await asyncio.to_thread(self._local().search, params, max(self.timeout, 1.0))
            return Symbols(**found, unseen=unseen, source="local", reason=str(error))

    async def changes_since(self, cursor: str | None = None, limit: int = 1000) -> ChangesSinceResult:
        """Keys that changed and keys that are gone since the cursor of an earlier call; None: the cursor of now."""
        return await self._ask(CHANGES_SINCE, {"cursor": cursor, "limit": limit}, ChangesSinceResult)

    async def status(self) -> HubStatus:
        """How the hub of this root is doing."""
        return await self._ask(STATUS, {}, HubStatus)

    async def ready(self, patience: float = 60.0) -> bool:
        """Wait until the hub has indexed the whole project, `patience` seconds at most; whether it has.

        Without a hub there is nothing to wait for: answers come from the files themselves.
        """
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if (await self.health_check()).state != "indexing":
                return True
            await asyncio.sleep(_PAUSE)
        return False

    async def changed(self, *files: str | os.PathLike[str]) -> None:
        """Say that these files were written or deleted: whatever is asked next has seen them.

        The hub notices changes on disk by itself, but some ten milliseconds later. Without a hub there is nobody to
        tell, and nothing that has to be told.
        """
        events = [{"uri": Path(self._file(file)).as_uri(), "type": _CHANGED_FILE} for file in files]
        try:
            async with within(self.timeout):
                (await self._connected()).tell("workspace/didChangeWatchedFiles", {"changes": events})
        except (HubUnavailable, HubTimeout):
            return

    async def process(self) -> ProcessStatus:
        """How the hub process and all its roots are doing."""
        return await self._ask(PROCESS, {}, ProcessStatus)

    async def health_check(self) -> Health:
        """Whether the hub answers. Never raises."""
        started = time.monotonic()
        try:
            status = await self.status()
        except (HubError, OSError) as error:
            return Health(ok=False, reason=str(error), seconds=time.monotonic() - started)
        return Health(
            ok=status.state != "degraded",
            reason=status.state_reason,
            state=status.state,
            revision=status.revision,
            version=status.version,
            seconds=time.monotonic() - started,
        )

    async def ask(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Any method of the protocol, as plain JSON. Raises HubUnavailable, HubTimeout, HubRefused."""
        return orjson.loads(await self._answer(method, params or {}))

    async def _ask(self, method: str, params: dict[str, Any], model: type[R]) -> R:
        return model.model_validate_json(await self._answer(method, params))

    async def _answer(self, method: str, params: dict[str, Any]) -> bytes:
        async with within(self.timeout):
            connection = await self._connected()
            try:
                return await connection.ask(method, params)
            except HubUnavailable:
                # It ended meanwhile, as when the hub was restarted. All methods only read: ask again, once.
                return await (await self._connected()).ask(method, params)

    # -- life ----------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """End the connection. The client can be used again."""
        if (connection := self._connection) is not None:
            self._connection = None
            if connection.loop is asyncio.get_running_loop():
                await connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        current = self._connection
        if current is not None and current.loop is loop and not current.closed:
            return current
        if self._connecting is None or self._connecting[0] is not loop:
            self._connecting = (loop, asyncio.Lock())
        async with self._connecting[1]:
            current = self._connection
            if current is None or current.loop is not loop or current.closed:
                self._connection = current = await connect(self.root, *self._where)
        return current

    def _file(self, file: str | os.PathLike[str]) -> str:
        return os.path.normpath(self.root / file)

    def _local(self) -> Any:
        """Raises RootError, ConfigError."""
        from .local import LocalIndex

        return LocalIndex(self.root)


def root_of(root: str | os.PathLike[str] | None) -> Path:
    """The root that is meant; None: the project around the working directory."""
    return Path(os.path.realpath(os.path.expanduser(root))) if root is not None else find_root(Path.cwd())


def _renamed(result: ContextResult, names: dict[str, str]) -> ContextResult:
    """The result with other ids."""
    told = result.model_dump(mode="python")
    nodes = {names.get(text, text): node for text, node in result.nodes.items()}
    for kind in ("missing", "stale"):
        told[kind] = [entry | {"id": names.get(entry["id"], entry["id"])} for entry in told[kind]]
    return ContextResult.model_validate(told | {"nodes": nodes})


def _raise_if_misused(error: HubError) -> None:
    if isinstance(error, HubRefused) and error.code == _INVALID_PARAMS:
        raise error


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
