"""Questions about one root: wait for the changes that they have to have seen, then ask the index."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ..errors import StoreError
from ..index.answers import Asked, Place, get_context
from ..index.around import SOURCE, Text, Wanted, finish, relate
from ..index.dotted import locate, module_paths
from ..index.encoded import Encoded, EncodedNodes, encode, result
from ..index.ids import BadId, NodeId, parse_id
from ..index.search import search
from ..index.view import IndexView, Json
from ..models import HubState
from ..protocol import ChangesSinceParams, GetContextParams
from .compare import unchanged
from .names import Names
from .texts import by_path, texts_in_buffer, texts_on_disk

if TYPE_CHECKING:
    from .hub import Hub

log = logging.getLogger(__name__)

T = TypeVar("T")
Answering = Callable[[Sequence[bytes] | None], None]

# More nodes that are not known yet are not gathered; of more, known ones are not put together at once.
MANY_NODES = 20
MOST_NOW = 2000
SEARCH_WAIT = 2.0  # seconds, for files that a search has to have seen


class Answer(NamedTuple):
    """A question's answer, and how fresh it is. pending: asked paths whose newest change it has not seen. late: what
    has changed may mean other calls than it tells."""

    value: Any
    revision: int
    state: HubState
    pending: tuple[str, ...]
    late: bool


class Questions:
    """All of them see what came before them, or say what they have not seen."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.encoded = EncodedNodes()
        self._asking: list[tuple[list[str], Answering]] = []
        self.names = Names(hub)

    async def read(
        self,
        question: Callable[[IndexView], T],
        paths: Sequence[str],
        wait: float,
        heavy: bool,
        calls: bool = True,
        calls_wait: float | None = None,
    ) -> Answer:
        """See Hub.read."""

        async def ask() -> Answer:
            pending = await self._catch_up(paths, wait, calls, calls_wait)
            late = calls and self.hub.following.behind
            value, revision = await self.hub.store.read(question, heavy=heavy)
            return Answer(value, revision, self.hub.state, pending, late)

        return await self.hub.store.insist(ask)

    async def get_context(self, params: GetContextParams, positions: Mapping[str, Place | None]) -> Json:
        """See Hub.get_context."""
        return await self.hub.store.insist(lambda: self._get_context(params, positions))

    def context_now(self, ids: Sequence[str], answer: Answering) -> bool:
        """remora/getContext for ids alone, where nothing has to be waited for; whether `answer` is going to be called.

        It gets the result as pieces of JSON, at once or with those of all others who ask just now: one transaction, and
        one look at what is joined, is for all of them. None: it has to be asked for in the usual way.
        """
        hub, kept = self.hub, self.encoded
        if hub.is_closed or hub.state != "ready" or len(ids) > MOST_NOW:
            return False
        ids = list(dict.fromkeys(ids))
        missing = sum(kept.get(text) is None for text in ids)
        if missing > MANY_NODES:
            return False
        if missing or kept.revision != hub.revision:
            self._asking.append((ids, answer))
            if len(self._asking) == 1:
                asyncio.get_running_loop().call_soon(self._answer_all)
            return True
        found = self._kept(ids)
        if found is not None:
            answer(found)
        return found is not None

    def _answer_all(self) -> None:
        self.hub.spawn(self._answer_asking())

    async def _answer_asking(self) -> None:
        """Answer who asked since the last time, off the event loop: what is joined may take milliseconds a node."""
        while self._asking:
            taken: list[tuple[list[str], Answering]] = []
            texts: dict[str, None] = {}
            while self._asking and len(texts) < MANY_NODES * 3:
                taken.append(self._asking.pop(0))
                texts |= dict.fromkeys(taken[-1][0])
            try:
                await self._encode(texts)
            except StoreError as error:  # who asks in the usual way gets another index
                log.debug("%s", error)
            finally:  # also where the hub closes: the usual way says so
                for ids, answer in taken:
                    answer(self._kept(ids))

    async def _encode(self, texts: Iterable[str]) -> None:
        """Keep those of the nodes that there are."""
        kept, store = self.encoded, self.hub.store
        store.ask(kept.catch_up)
        missing = [text for text in texts if kept.get(text) is None]
        names = {text: name for text in missing if (name := self._name(text))}
        found, revision = await store.read(lambda view: encode(view, names), heavy=True)
        if kept.revision == revision:
            kept.keep(found)

    def _kept(self, ids: Sequence[str]) -> Sequence[bytes] | None:
        """The answer, if all of it is kept and nothing newer is on its way."""
        hub, inbox = self.hub, self.hub.updates.inbox
        nodes = [node for text in ids if (node := self.encoded.get(text)) is not None]
        if len(nodes) < len(ids) or hub.is_closed or hub.state != "ready" or self.encoded.revision < hub.revision:
            return None
        if hub.following.behind or (
            len(inbox) and (any(inbox.pending(n.path) for n in nodes) or any(map(inbox.pending, hub.updates.touched)))
        ):
            return None
        return result(nodes, self.encoded.revision, "ready")

    async def context_soon(self, ids: Sequence[str], wait: float) -> Sequence[bytes] | None:
        """The same after waiting for pending changes, for any number of ids; None where one of them is missing, or
        its newest change."""
        self.hub.refuse_if_closed()
        return await self.hub.store.insist(lambda: self._context_soon(ids, wait))

    async def _context_soon(self, ids: Sequence[str], wait: float) -> Sequence[bytes] | None:
        names, state = self._names(ids), self.hub.state
        if names is None:
            return None
        if state != "ready" or len(self.hub.updates.inbox) or self.hub.following.behind:
            if await self._catch_up(tuple({path for path, _ in names.values()}), wait):
                return None
            state = self.hub.state
        kept, at = {text: node for text in names if (node := self.encoded.get(text))}, self.encoded.revision
        missing = {text: name for text, name in names.items() if text not in kept}

        def question(view: IndexView) -> dict[str, Encoded]:
            return encode(view, missing if view.revision == at else names)

        found, revision = await self.hub.store.read(question, heavy=True)
        if self.encoded.revision == revision:
            self.encoded.keep(found)
        if revision == at:
            found |= kept
        if len(found) < len(names):
            return None
        return result([found[text] for text in names], revision, state)

    def _names(self, ids: Iterable[str]) -> dict[str, tuple[str, str]] | None:
        """Path and qualname by id; None where one of the ids does not say them."""
        names = {}
        for text in ids:
            if (name := self._name(text)) is None:
                return None
            names[text] = name
        return names

    def _name(self, text: str) -> tuple[str, str] | None:
        node_id = parse_id(text, self.hub.path_of)
        return None if isinstance(node_id, BadId) or node_id.path is None else (node_id.path, node_id.qualname)

    async def search(self, query: str, limit: int) -> Answer:
        """Symbols by name, best first (see index.search); during a cold start those not indexed yet, too."""
        paths = {*await self.names.files(query), *self.hub.updates.touched}
        return await self.read(
            lambda view: search(view, query, limit), tuple(paths), SEARCH_WAIT, heavy=True, calls=False
        )

    async def changes_since(self, params: ChangesSinceParams) -> Json:
        """remora/changesSince."""

        def question(view: IndexView) -> Json:
            identity = view.identity[:12]
            # A cursor for several roots has a part for each.
            parts = dict(part.partition(":")[::2] for part in (params.cursor or "").split("+"))
            number = parts.get(identity, "")
            found = view.changes(int(number), params.limit) if number.isascii() and number.isdecimal() else None
            keys, gone, upto = found or ([], [], view.revision)
            return {
                "changed": keys, "deleted": gone, "cursor": f"{identity}:{upto}", "more": upto < view.revision,
                "reset": params.cursor is not None and found is None,
                "revision": view.revision, "state": self.hub.state,
            }  # fmt: skip

        answer = await self.hub.read(question, heavy=True)
        told: Json = answer.value
        return told

    # ---- inside

    async def _get_context(self, params: GetContextParams, positions: Mapping[str, Place | None]) -> Json:
        hub = self.hub
        ids = {text: parse_id(text, hub.path_of) for text in params.nodes}
        outside = BadId("the document is outside the project root")
        places = {text: place or outside for text, place in positions.items()}
        paths = {node_id.path for node_id in ids.values() if isinstance(node_id, NodeId) and node_id.path}
        paths |= {place[0] for place in places.values() if not isinstance(place, BadId)}
        dotted = [node_id.dotted for node_id in ids.values() if isinstance(node_id, NodeId) and node_id.dotted]
        until = time.monotonic() + params.wait_ms / 1000
        hub.refuse_if_closed()
        if dotted:
            paths |= self._paths_of(dotted)
        if params.min_revision > hub.revision:
            await hub.store.wait_for_revision(params.min_revision, params.wait_ms / 1000)

        pending = await self._catch_up(tuple(paths), max(until - time.monotonic(), 0))
        asked, state = Asked(ids, places), hub.state
        wanted = Wanted(frozenset(params.include), params.depth, params.brief, params.budget)

        def question(view: IndexView) -> Json:
            view.joins_tests = "tests" in wanted.include
            found = get_context(view, asked, pending, hub.why_not, state)
            if wanted.include:
                relate(view, found, wanted)
            return found

        found, _ = await hub.store.read(question, heavy=True)
        if wanted.plain:
            return found
        texts = await self._texts(found["nodes"].values()) if SOURCE in wanted.include else {}
        return finish(found, wanted, texts)

    async def _texts(self, nodes: Iterable[Json]) -> dict[str, Text]:
        """The nodes' texts by key."""
        found: dict[str, Text] = {}
        on_disk = []
        for path, inside in by_path(nodes).items():
            document = self.hub.updates.buffers.newest(path)
            texts = texts_in_buffer(document, inside) if document is not None else None
            if texts is None:
                on_disk.append((path, inside))
            else:
                found |= texts
        if on_disk:
            found |= await self.hub.store.beside(texts_on_disk, on_disk, self.hub.paths.absolute)
        return found

    async def _catch_up(
        self, paths: Sequence[str], wait: float, calls: bool = True, calls_wait: float | None = None
    ) -> tuple[str, ...]:
        """Wait until the changes of the paths are in the index; gives the paths of which they are not, even so.

        calls: and until the call graph has followed, of all that was typed; calls_wait: not longer than that.
        """
        hub, inbox = self.hub, self.hub.updates.inbox
        hub.refuse_if_closed()
        self._index_now(paths)
        until, recorder = time.monotonic() + wait, None
        while recorder is not hub.recorder:  # what was in an index that is given up meanwhile, comes again
            recorder = hub.recorder
            # What calls a node stands in other files: what was typed anywhere has to be seen.
            awaited = {*paths, *hub.updates.touched} if calls or not paths else set(paths)
            await inbox.done(awaited, until - time.monotonic())
            hub.refuse_if_closed()
        if calls:
            left = until - time.monotonic()
            await (hub.following.caught_up(left) if calls_wait is None else hub.following.soon(min(calls_wait, left)))
            hub.refuse_if_closed()
        return tuple(path for path in paths if inbox.pending(path))

    def _index_now(self, paths: Sequence[str]) -> None:
        """Look at those of the files first that are not in the index, or not known to be as the index has them."""
        hub, updates = self.hub, self.hub.updates
        paths = [path for path in paths if path not in updates.buffers and not updates.inbox.pending(path)]
        if not paths:
            return
        stamps, _ = hub.store.ask(lambda view: view.stamps(paths))
        ready = hub.state == "ready"
        for path in paths:
            known = stamps.get(path)
            unsure = known is None or not (ready or hub.cold_start.checked(path))
            if unsure and self._differs(path, known):
                updates.inbox.put(path)

    def _differs(self, path: str, known: tuple[int, int, int] | None) -> bool:
        try:
            stat = os.stat(self.hub.paths.absolute(path))
        except (OSError, ValueError):
            return known is not None
        if known is not None and unchanged(known, stat.st_mtime_ns, stat.st_size):
            return False
        return self.hub.tree.includes(path)

    def _paths_of(self, dotted: Sequence[tuple[str, ...]]) -> set[str]:
        """Where dotted names may be defined: by the index, in what was typed just now, by files not indexed yet."""
        located, _ = self.hub.store.ask(lambda view: [locate(view, parts) for parts in dotted])
        paths = {found[0] for found in located if found}
        paths |= {path for path in self.hub.updates.touched if self.hub.updates.inbox.pending(path)}
        if self.hub.state != "ready":
            for parts in dotted:
                paths |= self._first_file(module_paths(parts))
        return paths

    def _first_file(self, candidates: Iterable[str]) -> set[str]:
        for path in candidates:
            if os.path.isfile(self.hub.paths.absolute(path)):
                return {path}
        return set()
