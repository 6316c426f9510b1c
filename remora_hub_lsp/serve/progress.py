"""A hub's long work as one peer's progress displays."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Protocol

from .wire import WireProtocol

if TYPE_CHECKING:
    from ..hub.coldstart import Progress
    from ..hub.hub import Hub

_TOKENS = itertools.count(1)
_PAUSE = 0.1  # seconds between two reports


class Work(Protocol):
    """Work whose progress can be followed."""

    @property
    def progress(self) -> Progress: ...

    def on_progress(self, callback: Callable[[Progress], None]) -> Callable[[], None]: ...


def displays_of(wire: WireProtocol, hub: Hub) -> list[ProgressDisplay]:
    """One for the cold start, one for scripts that run over many files."""
    name = hub.root.name or str(hub.root)
    return [
        ProgressDisplay(wire, hub, f"Indexing {name}", hub.cancel_cold_start),
        ProgressDisplay(wire, hub.scripts, f"Running scripts over {name}"),
    ]


class ProgressDisplay:
    """Opens when work begins, ends with it, and can be opened again by the next. cancel: None where one cannot."""

    def __init__(
        self, wire: WireProtocol, work: Work, title: str, cancel: Callable[[], None] | None = None
    ) -> None:
        self.token = ""
        self._state: Literal["none", "asked", "open", "refused"] = "none"
        self._wire = wire
        self._work = work
        self._title = title
        self._cancel = cancel
        self._last = 0.0
        self._cancelled = False
        self._unsubscribe = work.on_progress(self._moved)
        self._moved(work.progress)

    def close(self) -> None:
        self._unsubscribe()

    def cancel(self) -> None:
        """The person pressed cancel. The display ends when the work has."""
        if self._cancel is not None:
            self._cancelled = True
            self._cancel()

    def _moved(self, progress: Progress) -> None:
        if not progress.active:
            self._end(progress)
        elif self._state == "none":
            self._ask()
        elif self._state == "open":
            self._report(progress)

    def _ask(self) -> None:
        self._cancelled = False
        self._state, self.token = "asked", f"remora-progress-{next(_TOKENS)}"
        asked = self._wire.send_request("window/workDoneProgress/create", {"token": self.token})
        asked.add_done_callback(self._allowed)

    def _allowed(self, asked: Future[Any]) -> None:
        if asked.cancelled() or asked.exception():
            self._state = "refused"
        elif not self._work.progress.active:
            self._state = "none"
        else:
            self._state = "open"
            cancellable = self._cancel is not None
            self._tell({"kind": "begin", "title": self._title, "cancellable": cancellable, "percentage": 0})

    def _report(self, progress: Progress) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._last < _PAUSE:
            return
        self._last = now
        percentage = 100 * progress.done // max(progress.total, 1)
        text = f"{progress.done}/{progress.total} files"
        percentage = min(percentage, 100)
        cancellable = self._cancel is not None
        self._tell({"kind": "report", "cancellable": cancellable, "message": text, "percentage": percentage})

    def _end(self, progress: Progress) -> None:
        if self._state == "open":
            whole = progress.done >= progress.total and not self._cancelled
            text = f"{progress.done} files" if whole else f"stopped at {progress.done} of {progress.total} files"
            self._tell({"kind": "end", "message": text})
        if self._state != "asked":
            self._state = "none"

    def _tell(self, value: dict[str, Any]) -> None:
        self._wire.notify("$/progress", {"token": self.token, "value": value})
