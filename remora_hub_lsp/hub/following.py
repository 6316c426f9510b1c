"""What rests on a change follows it: once the typing rests, and at the latest after a while of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..index.kv import Changed, FileChange

if TYPE_CHECKING:
    from .hub import Hub

# Seconds without a change after which what rests on the last ones follows; and the most, where they do not end.
REST_SECONDS = 0.4
FOLLOW_SECONDS = 2.0


class Following:
    """Tells whoever listens what changed, and lets dependants follow."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: list[Callable[[Changed], None]] = []
        self._changes: dict[str, FileChange] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._number = self._followed = 0  # of changes that the call graph has to follow, and of the last that it has
        self._news = asyncio.Event()  # set when that rises
        self._resolving: asyncio.Future[None] | None = None
        self.late = False  # and did not while somebody waited for it

    @property
    def behind(self) -> bool:
        """Whether files' part of the call graph has still to be worked out, since others changed."""
        return self._followed < self._number

    def catch_up(self) -> None:
        """There may be work left for the call graph: begin with it. Who asks for calls waits for it."""
        self._number += 1
        self._hub.spawn(self.resolve())

    async def caught_up(self, timeout: float) -> bool:
        """Let the call graph follow now: somebody waits for it. False: it has not in `timeout` seconds."""
        if not await self.soon(0 if self.late else timeout):  # late: somebody has waited already
            self.late = True
            return False
        return True

    async def soon(self, timeout: float) -> bool:
        """The same for who can do without it: the others go on waiting."""
        if self.behind:
            self._hub.spawn(self.resolve())
        number = self._number
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(timeout, 0)):
                while self._followed < number:
                    await self._news.wait()
        return self._followed >= number

    def on_change(self, callback: Callable[[Changed], None]) -> Callable[[], None]:
        """Call back on the loop when nodes changed; gives the function that ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def tell(self, changed: Changed) -> None:
        """Tell whoever listens what changed."""
        if changed.changed or changed.deleted:
            for listener in list(self._listeners):
                listener(changed)

    def follow(self, changed: Changed) -> None:
        """Tell of the change, and let follow what rests on it."""
        for change in changed.files:
            before = self._changes.get(change.path)
            self._changes[change.path] = change if before is None else _together(before, change)
        if changed.follows:
            self._number += 1
        if changed.files or changed.follows:
            self._rest()
        self.tell(changed)

    def cancel(self) -> None:
        """Nothing follows any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._resolving is not None:
            self._resolving.cancel()

    def _rest(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        if self._timer is None:
            self._since = now
        else:
            self._timer.cancel()
        self._timer = loop.call_at(min(now + REST_SECONDS, self._since + FOLLOW_SECONDS), self._follow_now)

    def _follow_now(self) -> None:
        self._timer = None
        changes = list(self._changes.values())
        self._changes.clear()
        self._hub.spawn(self._follow_up(changes))

    async def _follow_up(self, changes: list[FileChange]) -> None:
        if changes:
            self.follow(await self._hub.write(self._hub.recorder.follow, changes))
        await self.resolve()
        self.tell(await self._hub.write(self._hub.recorder.refresh_tests))

    async def resolve(self) -> None:
        """Work out what is left of the call graph."""
        if self._resolving is None:
            self._resolving = asyncio.ensure_future(self._resolve())
            self._resolving.add_done_callback(self._resolved)
        await asyncio.shield(self._resolving)

    async def _resolve(self) -> None:
        while True:
            seen = self._number
            changed = await self._hub.graph.follow()
            self.tell(changed)
            if changed.follows:
                continue
            self._followed = seen
            self._news.set()
            self._news = asyncio.Event()
            if not self.behind:
                self.late = False
                return

    def _resolved(self, task: asyncio.Future[None]) -> None:
        self._resolving = None


def _together(before: FileChange, change: FileChange) -> FileChange:
    return FileChange(
        change.path,
        tuple({*change.signatures, *before.signatures}),
        change.imports_changed or before.imports_changed,
        tuple({*change.changed, *before.changed}),
    )
