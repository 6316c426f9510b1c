"""Searching before everything is indexed: a quick scan finds the files that define a name, and those come first."""

from __future__ import annotations

import asyncio
import logging
import pickle
from typing import TYPE_CHECKING

from .pool import WorkerDied
from .worker import scan_names

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# So many files are analysed at once for one search: some ten milliseconds each.
MOST_FILES = 30


class Names:
    """The names that files still to be indexed define; scanned once, when somebody searches during a cold start."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._names: dict[str, str] = {}  # path -> "\nname\nname\n" in lower case
        self._scan: asyncio.Task[None] | None = None

    async def files(self, query: str) -> list[str]:
        """Files not indexed yet whose names match best; none once the cold start is over. Dots: see `search`."""
        hub, name = self.hub, query.strip().rpartition(".")[2].lower()
        if not hub.cold_start.active:
            self._names, self._scan = {}, None
            return []
        if not name:
            return []
        if self._scan is None:
            self._scan = asyncio.get_running_loop().create_task(self._read())
        await asyncio.shield(self._scan)
        left = {path: names for path, names in self._names.items() if not hub.cold_start.checked(path)}
        return _matching(left, name)[:MOST_FILES]

    async def _read(self) -> None:
        await self.hub.cold_start.walked()
        tasks, most = self.hub.cold_start.left, self.hub.config.max_file_size
        try:
            if self.hub.pool.size:
                found = pickle.loads(await self.hub.pool.run("scan_names", tasks, most))
            else:
                found = await asyncio.to_thread(scan_names, tasks, most)
        except WorkerDied as error:
            log.warning("%s; the search finds what is indexed", error)
            return
        self._names = dict(found)


def _matching(names: dict[str, str], name: str) -> list[str]:
    """Paths that define the name, then those where one begins with it, then those where one has it inside."""
    ranked = []
    for path, text in names.items():
        if name in text:
            tier = 0 if f"\n{name}\n" in text else 1 if f"\n{name}" in text else 2
            ranked.append((tier, len(path), path))
    return [path for *_, path in sorted(ranked)]
