"""Searching before everything is indexed: a quick scan finds the files that define a name, and those come first."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING

from .pool import WorkerDied
from .worker import Task, scan_names

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# So many files are analysed at once for one search: some ten milliseconds each.
MOST_FILES = 30


class Names:
    """The names that files still to be indexed define; scanned once: before workers index many of them, or when
    somebody searches while a few are indexed."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._names: dict[str, str] = {}  # path -> "\nname\nname\n" in lower case
        self._scan: asyncio.Task[None] | None = None

    async def files(self, query: str) -> list[str]:
        """Files not indexed yet whose names match best; none once the cold start is over. Dots: see `search`."""
        hub, name = self.hub, query.strip().rpartition(".")[2].lower()
        if not hub.cold_start.active:
            self.forget()
        if not hub.cold_start.active or not name:
            return []
        await hub.cold_start.walked()
        await asyncio.shield(self.scan())
        left = {path: names for path, names in self._names.items() if not hub.cold_start.checked(path)}
        return _matching(left, name)[:MOST_FILES]

    def scan(self) -> asyncio.Task[None]:
        """Begin if that has not been done. The tree has been walked: it is known what is left to index."""
        if self._scan is None:
            tasks, parts = self.hub.cold_start.left, max(self.hub.pool.size, 1)
            begun = [asyncio.ensure_future(self._part(tasks[number::parts])) for number in range(parts)]
            self._scan = asyncio.ensure_future(self._join(begun))
        return self._scan

    def forget(self) -> None:
        """Everything is indexed."""
        self._names, self._scan = {}, None

    async def _part(self, tasks: list[Task]) -> list[tuple[str, str]]:
        most, pool = self.hub.config.max_file_size, self.hub.pool
        if not pool.size:
            return await asyncio.to_thread(scan_names, tasks, most)
        try:
            found: list[tuple[str, str]] = pickle.loads(await pool.run("scan_names", tasks, most))
        except WorkerDied as error:
            if not self.hub.is_closed:
                log.warning("%s; the search finds what is indexed", error)
            return []
        return found

    async def _join(self, parts: Iterable[Awaitable[list[tuple[str, str]]]]) -> None:
        for part in await asyncio.gather(*parts):
            self._names.update(part)


def _matching(names: dict[str, str], name: str) -> list[str]:
    """Paths that define the name, then those where one begins with it, then those where one has it inside."""
    ranked = []
    for path, text in names.items():
        if name in text:
            tier = 0 if f"\n{name}\n" in text else 1 if f"\n{name}" in text else 2
            ranked.append((tier, len(path), path))
    return [path for *_, path in sorted(ranked)]
