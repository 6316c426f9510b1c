"""Which paths have a change that is not in the index yet. Nothing is dropped; a newer change joins the older."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Inbox:
    """Pending paths, and who waits for them. Used on the event loop only.

    A path waits until it is taken, and runs until it is finished; a change that comes while it runs makes it
    wait anew, so that the newest state is always analysed last.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._running: dict[str, asyncio.Future[None]] = {}
        self._wanted: set[str] = set()
        self._news = asyncio.Event()
        self._urgent = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting.keys() | self._running.keys())

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths whose newest change is not in the index."""
        return tuple(self._waiting.keys() | self._running.keys())

    def put(self, path: str) -> None:
        """There is a change of `path`."""
        if path not in self._waiting:
            self._waiting[path] = asyncio.get_running_loop().create_future()
        self._news.set()

    def pending(self, path: str) -> bool:
        """Whether a change of `path` is not in the index."""
        return path in self._waiting or path in self._running

    async def ready(self, debounce: float, most: int) -> list[str]:
        """Wait for paths to take, `most` at once, those somebody waits for first; and a moment longer (`debounce`
        seconds) for more, unless somebody does."""
        while True:
            await self._news.wait()
            if not self._urgent.is_set():
                try:
                    async with asyncio.timeout(debounce):
                        await self._urgent.wait()
                except TimeoutError:
                    pass
            free = [path for path in self._waiting if path not in self._running]
            asked = [path for path in free if path in self._wanted]
            taken = (asked + [path for path in free if path not in self._wanted])[:most] if asked else free[:most]
            self._wanted.difference_update(taken)
            self._news.clear()
            self._urgent.clear()
            if len(taken) < len(free):
                self._news.set()
            if taken:
                for path in taken:
                    self._running[path] = self._waiting.pop(path)
                return taken

    def finish(self, path: str) -> None:
        """What was taken for `path` is in the index."""
        future = self._running.pop(path)
        if not future.done():
            future.set_result(None)
        if path in self._waiting:
            self._news.set()

    async def done(self, paths: Iterable[str] | None, timeout: float) -> bool:
        """Wait until the changes of `paths` (None: all) that are here now are in the index; False on time-out."""
        wanted = self._waiting.keys() | self._running.keys() if paths is None else set(paths)
        futures = [table[path] for table in (self._waiting, self._running) for path in wanted if path in table]
        if not futures:
            return True
        if timeout <= 0:
            return False
        self._wanted |= wanted & self._waiting.keys()
        self._urgent.set()
        _, late = await asyncio.wait(futures, timeout=timeout)
        return not late

    def close(self) -> None:
        """Release everybody who waits."""
        for future in (*self._waiting.values(), *self._running.values()):
            if not future.done():
                future.set_result(None)
