"""HubClient for plain scripts: its calls run on an event loop on a thread of their own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from ..models import HubStatus, NodeState
from ..protocol import ChangesSinceResult, ProcessStatus
from .results import ContextResult, Health, Symbols

if TYPE_CHECKING:
    from .api import HubClient

T = TypeVar("T")


class HubClientSync:
    """Blocking calls, from any thread. See HubClient for what they mean."""

    def __init__(self, client: HubClient) -> None:
        self.client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def get_context(self, node_ids: str | Iterable[str] = (), **how: Any) -> Mapping[str, NodeState]:
        return self._run(self.client.get_context(node_ids, **how))

    def context(self, node_ids: str | Iterable[str] = (), **how: Any) -> ContextResult:
        return self._run(self.client.context(node_ids, **how))

    def node_at(self, file: str | os.PathLike[str], line: int, character: int = 0) -> NodeState | None:
        return self._run(self.client.node_at(file, line, character))

    def search(self, query: str, limit: int = 50) -> Symbols:
        return self._run(self.client.search(query, limit))

    def changes_since(self, cursor: str | None = None, limit: int = 1000) -> ChangesSinceResult:
        return self._run(self.client.changes_since(cursor, limit))

    def status(self) -> HubStatus:
        return self._run(self.client.status())

    def ready(self, patience: float = 60.0) -> bool:
        return self._run(self.client.ready(patience))

    def changed(self, *files: str | os.PathLike[str]) -> None:
        self._run(self.client.changed(*files))

    def process(self) -> ProcessStatus:
        return self._run(self.client.process())

    def health_check(self) -> Health:
        return self._run(self.client.health_check())

    def close(self) -> None:
        """End the connection and the thread. The client can be used again."""
        with self._starting:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self.client.close(), loop).result()
            loop.call_soon_threadsafe(loop.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve, args=(self._loop,), name="hub-client", daemon=True).start()
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
