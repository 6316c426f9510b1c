"""Questions about the graph of one root: calls, tests, and what nothing uses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import protocol
from ..index.answers import Asked, get_context
from ..index.dead import unused
from ..index.ids import BadId, parse_id
from ..index.selection import catalogue_of, tests_for, tests_for_changed
from ..index.view import IndexView, Json
from ..protocol import CallsParams, DeadParams, TestsParams

if TYPE_CHECKING:
    from .hub import Hub


class Relations:
    """Each of them waits for the changes that came before it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._collected: asyncio.Event | None = None

    async def collected(self, timeout: float) -> bool:
        """Whether the tests have been collected once, which takes seconds in a large project; they are in the
        background, waited for `timeout` seconds. Not while it is not known who calls them."""
        if self._collected is None:
            if self._hub.cold_start.active or not self._hub.config.graph:
                return False
            self._collected = asyncio.Event()
            self._hub.spawn(self._collect(self._collected))
        collected = self._collected
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(collected.wait(), timeout)
        return collected.is_set()

    async def _collect(self, collected: asyncio.Event) -> None:
        try:
            await self._hub.store.read(catalogue_of, heavy=True)
            collected.set()
        finally:
            if not collected.is_set():  # the index is exchanged just now: the next who asks begins anew
                self._collected = None

    async def answer(self, method: str, params: Json) -> Json:
        """One of the questions by its name on the wire."""
        match method:
            case protocol.CALLS:
                return await self.calls(CallsParams.model_validate(params))
            case protocol.TESTS:
                return await self.tests(TestsParams.model_validate(params))
            case _:
                return await self.dead(DeadParams.model_validate(params))

    async def calls(self, params: CallsParams) -> Json:
        """remora/calls."""

        def question(view: IndexView, keys: dict[str, str]) -> Json:
            ask = view.callers if params.direction == "callers" else view.callees
            found = {text: ask(key, params.evidence, params.kinds) for text, key in keys.items()}
            return {
                "calls": {
                    text: [
                        {
                            "key": edge.caller if params.direction == "callers" else edge.callee,
                            "evidence": edge.evidence,
                            "kind": edge.kind,
                            "sites": [site_range(site) for site in edge.sites],
                        }
                        for edge in edges
                    ]
                    for text, edges in found.items()
                }
            }

        return await self._about(params.nodes, question)

    async def tests(self, params: TestsParams) -> Json:
        """remora/tests."""

        def question(view: IndexView, keys: dict[str, str]) -> Json:
            asked = list(keys.values())
            if params.changed:
                asked += [text for text in params.nodes if text not in keys and text.startswith("node:")]
            if params.changed:
                found = tests_for_changed(view, asked, params.depth, params.limit, unlikely=params.unlikely)
            else:
                found = tests_for(view, asked, params.depth, params.limit)
            return {"tests": found, "known": len(catalogue_of(view).by_key)}

        result = await self._about(params.nodes, question)
        if params.changed:
            result["missing"] = [entry for entry in result["missing"] if not entry["id"].startswith("node:")]
        return result

    async def dead(self, params: DeadParams) -> Json:
        """remora/dead."""
        answer = await self._hub.read(lambda view: unused(view, params.public, params.under), heavy=True)
        return {"unused": answer.value, "revision": answer.revision, "state": answer.state}

    async def _about(self, nodes: Sequence[str], question: Callable[[IndexView, dict[str, str]], Json]) -> Json:
        """Ask about nodes by any id: `question` gets their keys by the ids as asked."""
        hub = self._hub
        ids = {text: parse_id(text, hub.path_of) for text in nodes}
        paths = {one.path for one in ids.values() if not isinstance(one, BadId) and one.path is not None}

        def ask(view: IndexView) -> Json:
            found = get_context(view, Asked(ids, {}), (), hub.why_not, hub.state, joined=False)
            keys = {text: node["key"] for text, node in found["nodes"].items()}
            return question(view, keys) | {name: found[name] for name in ("missing", "revision", "state")}

        answer = await hub.read(ask, paths=tuple(paths), heavy=True)
        result: Json = answer.value
        return result


def site_range(site: Sequence[int]) -> Json:
    """A site of an edge as a range."""
    line, start, end = site
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}
