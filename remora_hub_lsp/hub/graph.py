"""The call graph of a whole project, worked out once all of its files are known: in a worker process of its own."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from ..index.kv import Changed
from .pool import WorkerDied, WorkerPool

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

# Fewer files are worked out here: starting a worker takes longer.
FEW_FILES = 100
# Files at once: what the writer's thread is held up by, and what the worker's answers hold.
STEP_HERE, STEP_APART = 5, 60
TOLD_AT_ONCE = 1000


async def build(hub: Hub) -> None:
    """Work the graph out, if that has not been done; and whatever is left of it."""
    recorder = hub.recorder
    if not hub.config.graph:
        await _tell(hub, await hub.write(recorder.kv.graph_is_ready, False))
        return
    if not recorder.kv.graph_ready:
        hashes = await hub.store.run(recorder.kv.all_hashes)
        if len(hashes) < FEW_FILES or not hub.pool.size:
            await _here(hub, sorted(hashes), hashes)
        else:
            await _apart(hub, sorted(hashes), hashes)
        await _tell(hub, await hub.write(recorder.kv.graph_is_ready))
    await hub.following.resolve()


async def _here(hub: Hub, paths: list[str], hashes: dict[str, str]) -> None:
    recorder = hub.recorder
    await hub.store.run(recorder.begin_graph)
    for batch in _steps(paths, STEP_HERE):
        await hub.store.run(recorder.graph_flows, batch)
    for batch in _steps(paths, STEP_HERE):
        await hub.write(recorder.graph_edges, batch, hashes)


async def _apart(hub: Hub, paths: list[str], hashes: dict[str, str]) -> None:
    recorder = hub.recorder
    pool = WorkerPool(1)  # what one job knows the next one needs
    try:
        await pool.run("begin_graph", str(hub.store.database))
        for batch in _steps(paths, STEP_APART):
            await pool.run("graph_flows", batch)
        for batch in _steps(paths, STEP_APART):
            answer = await pool.run("graph_edges", batch)
            await hub.write(recorder.take_graph, answer, hashes)
    except WorkerDied as error:
        log.warning("%s; the call graph is worked out in the server itself", error)
        await _here(hub, paths, hashes)
    finally:
        await pool.close()


async def _tell(hub: Hub, changed: Changed) -> None:
    """Tell that all nodes changed, not so many at once that the event loop is held up."""
    for at in range(0, len(changed.changed), TOLD_AT_ONCE):
        hub.following.tell(changed._replace(changed=changed.changed[at : at + TOLD_AT_ONCE]))
        await asyncio.sleep(0)


def _steps(paths: list[str], size: int) -> list[list[str]]:
    return [paths[at : at + size] for at in range(0, len(paths), size)]
