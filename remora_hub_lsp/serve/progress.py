"""A hub's cold start as one peer's progress display."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal

from .wire import WireProtocol

if TYPE_CHECKING:
    from ..hub.coldstart import Progress
    from ..hub.hub import Hub

_TOKENS = itertools.count(1)
_PAUSE = 0.1  # seconds between two reports


class ColdStartDisplay:
    """Opens with a cold start, ends with it, and can be opened again by the next one."""

    def __init__(self, wire: WireProtocol, hub: Hub) -> None:
        self.token = ""
        self._state: Literal["none", "asked", "open", "refused"] = "none"
        self._wire = wire
        self._hub = hub
        self._last = 0.0
        self._cancelled = False
        self._unsubscribe = hub.on_progress(self._moved)
        self._moved(hub.progress)

    def close(self) -> None:
        self._unsubscribe()

    def cancel(self) -> None:
        """The person pressed cancel. The display ends when the cold start has."""
        self._cancelled = True
        self._hub.cancel_cold_start()

    def _moved(self, progress: Progress) -> None:
        if not progress.active:
            self._end(progress)
        elif self._state == "none":
            self._ask()
        elif self._state == "open":
            self._report(progress)

    def _ask(self) -> None:
        self._cancelled = False
        self._state, self.token = "asked", f"remora-cold-start-{next(_TOKENS)}"
        asked = self._wire.send_request("window/workDoneProgress/create", {"token": self.token})
        asked.add_done_callback(self._allowed)

    def _allowed(self, asked: Future[Any]) -> None:
        if asked.cancelled() or asked.exception():
            self._state = "refused"
        elif not self._hub.progress.active:
            self._state = "none"
        else:
            self._state = "open"
            title = f"Indexing {self._hub.root.name or self._hub.root}"
            self._tell({"kind": "begin", "title": title, "cancellable": True, "percentage": 0})

    def _report(self, progress: Progress) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._last < _PAUSE:
            return
        self._last = now
        percentage = 100 * progress.done // max(progress.total, 1)
        text = f"{progress.done}/{progress.total} files"
        self._tell({"kind": "report", "cancellable": True, "message": text, "percentage": min(percentage, 100)})

    def _end(self, progress: Progress) -> None:
        if self._state == "open":
            whole = progress.done >= progress.total and not self._cancelled
            text = f"{progress.done} files" if whole else f"stopped at {progress.done} of {progress.total} files"
            self._tell({"kind": "end", "message": text})
        if self._state != "asked":
            self._state = "none"

    def _tell(self, value: dict[str, Any]) -> None:
        self._wire.notify("$/progress", {"token": self.token, "value": value})
