"""Who calls what, as editors ask for it: the call hierarchy and the references of a definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from lsprotocol import types

from ..index.hierarchy import incoming
from ..index.named import Head, Range, heads
from ..index.sites import named_at
from . import payload
from .convert import Json, Shift, base_names, module_name, same, symbol_kind_of
from .documents import Place
from .uris import from_path

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..hub.questions import Answer
    from ..index.graph import Edge
    from ..index.view import IndexView
    from .session import Session

# Of one definition no more is shown, nearest files first: nobody reads on.
MOST_REFERENCES = 5000


async def prepare_call_hierarchy(
    session: Session, params: types.CallHierarchyPrepareParams
) -> list[orjson.Fragment] | None:
    """The definition under the cursor, or what is called there."""
    place = session.place_of(params.text_document.uri)
    if place is None or not place.hub.config.call_hierarchy:
        return None
    found = await _named_at(session, place, params.position)
    files = await _files(session, place.hub, found)
    return [orjson.Fragment(files[one.path].item(one)) for one in found] or None


async def incoming_calls(session: Session, params: types.CallHierarchyIncomingCallsParams) -> orjson.Fragment | None:
    """Every definition that calls the item, with the places where it does."""
    hub, answer = await _ask(session, params.item, incoming)
    if answer is None:
        return None
    edges, callers = answer.value
    files = await _files(session, hub, callers.values())
    calls = []
    for edge in edges:
        if (caller := callers.get(edge.caller)) is not None:
            file = files[caller.path]
            calls.append(b'{"from":%b,"fromRanges":%b}' % (file.item(caller), file.sites(edge)))
    return orjson.Fragment(b"[%b]" % b",".join(calls))


async def outgoing_calls(
    session: Session, params: types.CallHierarchyOutgoingCallsParams
) -> list[orjson.Fragment] | None:
    """Every definition of the project that the item calls, with the places in the item where it does."""

    def question(view: IndexView, key: str) -> tuple[list[Edge], dict[str, Head]]:
        edges = view.callees(key)
        return edges, heads(view, [key, *(edge.callee for edge in edges)])

    hub, answer = await _ask(session, params.item, question)
    if answer is None:
        return None
    edges, found = answer.value
    files = await _files(session, hub, found.values())
    calls = []
    for edge in edges:
        if (callee := found.get(edge.callee)) is not None and (caller := found.get(edge.caller)) is not None:
            to, ranges = files[callee.path].item(callee), files[caller.path].sites(edge)
            calls.append(orjson.Fragment(b'{"to":%b,"fromRanges":%b}' % (to, ranges)))
    return calls


async def references(session: Session, params: types.ReferenceParams) -> list[Json] | None:
    """The places where what is under the cursor is called or named, as far as the graph knows."""
    place = session.place_of(params.text_document.uri)
    if place is None or not place.hub.config.references:
        return None
    found = await _named_at(session, place, params.position)
    keys = [one.key for one in found]
    answer = await place.hub.read(lambda view: [edge for key in keys for edge in view.callers(key)], heavy=True)
    locations = await locations_of(session, place.hub, answer.value)
    if params.context.include_declaration:
        shifts = await session.shifts({Place(place.hub, one.path) for one in found})
        locations = [location_of(place.hub, one, shifts[Place(place.hub, one.path)]) for one in found] + locations
    return locations[:MOST_REFERENCES] or None


async def locations_of(session: Session, hub: Hub, edges: Iterable[Edge]) -> list[Json]:
    """The edges' places as LSP's locations, each once, in the order of the edges."""
    sites = {(path_of(edge.caller), site): None for edge in edges for site in edge.sites}
    shifts = await session.shifts({Place(hub, path) for path, _ in sites})
    return [
        {"uri": uri_of(hub, path), "range": shifts[Place(hub, path)](range_of((line, start, line, end)))}
        for path, (line, start, end) in sites
    ]


async def _named_at(session: Session, place: Place, position: types.Position) -> list[Head]:
    line = position.line
    character = await session.utf16_column(place, line, position.character)
    answer = await place.hub.read(lambda view: named_at(view, place.path, line, character), paths=(place.path,))
    found: list[Head] = answer.value
    return found


async def _ask(session: Session, item: types.CallHierarchyItem, question: Any) -> tuple[Hub, Answer | None]:
    """Ask about the item in the root that it came from."""
    place = session.place_of(item.uri)
    data = item.data
    key = data.get("key") if isinstance(data, Mapping) else None
    if place is None or not isinstance(key, str):
        return session.roots[0], None
    answer = await place.hub.read(lambda view: question(view, key), heavy=True)
    return place.hub, answer


# As JSON at once: some functions have thousands of callers, and objects for each of them would cost the most.
_RANGE = b'{"start":{"line":%d,"character":%d},"end":{"line":%d,"character":%d}}'
_ITEM = b'{"name":%b,"kind":%d,"detail":%b,"uri":%b,"range":%b,"selectionRange":%b,"data":{"key":%b}}'


class _File:
    """What the items of a file have in common. shift: into the session's columns."""

    def __init__(self, hub: Hub, path: str, shift: Shift) -> None:
        self._uri = payload.encode(uri_of(hub, path))
        self._module = module_name(path)
        self._shift = shift
        self._details: dict[str, bytes] = {}

    def item(self, one: Head) -> bytes:
        """A CallHierarchyItem."""
        name = self._module if one.node_type == "module" else one.name
        return _ITEM % (
            payload.encode(name), symbol_kind_of(one.name, one.kind), self._detail(one.qualname.rpartition(".")[0]),
            self._uri, self.range(one.range), self.range(one.name_range), payload.encode(one.key),
        )  # fmt: skip

    def _detail(self, around: str) -> bytes:
        if around not in self._details:
            names = base_names(around) if around else []
            self._details[around] = payload.encode(".".join([self._module, *names]))
        return self._details[around]

    def range(self, numbers: Range) -> bytes:
        """LSP's range."""
        return _RANGE % numbers if self._shift is same else payload.encode(self._shift(range_of(numbers)))

    def sites(self, edge: Edge) -> bytes:
        """The ranges of an edge in the file."""
        return b"[%b]" % b",".join([self.range((line, start, line, end)) for line, start, end in edge.sites])


async def _files(session: Session, hub: Hub, heads: Iterable[Head]) -> dict[str, _File]:
    """By path."""
    shifts = await session.shifts({Place(hub, path) for path in {one.path for one in heads}})
    return {place.path: _File(hub, place.path, shift) for place, shift in shifts.items()}


def range_of(numbers: Range) -> Json:
    """LSP's range, as the index counts."""
    line, start, last, end = numbers
    return {"start": {"line": line, "character": start}, "end": {"line": last, "character": end}}


def location_of(hub: Hub, one: Head, shift: Shift) -> Json:
    """Where a definition's name stands."""
    return {"uri": uri_of(hub, one.path), "range": shift(range_of(one.name_range))}


def uri_of(hub: Hub, path: str) -> str:
    """The URI of a file of the index."""
    return from_path(hub.paths.absolute(path))


def path_of(key: str) -> str:
    """The file of a node's key."""
    return key.removeprefix("node:").rpartition(":")[0]
