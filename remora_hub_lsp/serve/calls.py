"""Who calls what, as editors ask for it: the call hierarchy and the references of a definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from ..index.named import states
from ..index.sites import named_at
from .convert import Json, Shift, base_names, module_name, symbol_kind
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


async def prepare_call_hierarchy(session: Session, params: types.CallHierarchyPrepareParams) -> list[Json] | None:
    """The definition under the cursor, or what is called there."""
    place = session.place_of(params.text_document.uri)
    if place is None or not place.hub.config.call_hierarchy:
        return None
    found = await _named_at(session, place, params.position)
    shifts = await session.shifts({Place(place.hub, node["file_path"]) for node in found})
    return [_item(place.hub, node, shifts) for node in found] or None


async def incoming_calls(session: Session, params: types.CallHierarchyIncomingCallsParams) -> list[Json] | None:
    """Every definition that calls the item, with the places where it does."""

    def question(view: IndexView, key: str) -> tuple[list[Edge], dict[str, Json]]:
        edges = view.callers(key)
        return edges, states(view, [edge.caller for edge in edges])

    hub, answer = await _ask(session, params.item, question)
    if answer is None:
        return None
    edges, nodes = answer.value
    shifts = await session.shifts({Place(hub, node["file_path"]) for node in nodes.values()})
    return [
        {"from": _item(hub, node, shifts), "fromRanges": _ranges(edge, shifts[Place(hub, node["file_path"])])}
        for edge in edges
        if (node := nodes.get(edge.caller)) is not None
    ]


async def outgoing_calls(session: Session, params: types.CallHierarchyOutgoingCallsParams) -> list[Json] | None:
    """Every definition of the project that the item calls, with the places in the item where it does."""

    def question(view: IndexView, key: str) -> tuple[list[Edge], dict[str, Json]]:
        edges = view.callees(key)
        return edges, states(view, [key, *(edge.callee for edge in edges)])

    hub, answer = await _ask(session, params.item, question)
    if answer is None:
        return None
    edges, nodes = answer.value
    shifts = await session.shifts({Place(hub, node["file_path"]) for node in nodes.values()})
    return [
        {"to": _item(hub, node, shifts), "fromRanges": _ranges(edge, shifts[Place(hub, caller["file_path"])])}
        for edge in edges
        if (node := nodes.get(edge.callee)) is not None and (caller := nodes.get(edge.caller)) is not None
    ]


async def references(session: Session, params: types.ReferenceParams) -> list[Json] | None:
    """The places where what is under the cursor is called or named, as far as the graph knows."""
    place = session.place_of(params.text_document.uri)
    if place is None or not place.hub.config.references:
        return None
    found = await _named_at(session, place, params.position)
    keys = [node["key"] for node in found]
    answer = await place.hub.read(lambda view: [edge for key in keys for edge in view.callers(key)], heavy=True)
    locations = await locations_of(session, place.hub, answer.value)
    if params.context.include_declaration:
        shifts = await session.shifts({Place(place.hub, node["file_path"]) for node in found})
        locations = [_location(place.hub, node, shifts) for node in found] + locations
    return locations[:MOST_REFERENCES] or None


async def locations_of(session: Session, hub: Hub, edges: Iterable[Edge]) -> list[Json]:
    """The edges' places as LSP's locations, each once, in the order of the edges."""
    sites = {(path_of(edge.caller), site): None for edge in edges for site in edge.sites}
    shifts = await session.shifts({Place(hub, path) for path, _ in sites})
    return [{"uri": uri_of(hub, path), "range": shifts[Place(hub, path)](_range(site))} for path, site in sites]


async def _named_at(session: Session, place: Place, position: types.Position) -> list[Json]:
    line = position.line
    character = await session.utf16_column(place, line, position.character)
    answer = await place.hub.read(lambda view: named_at(view, place.path, line, character), paths=(place.path,))
    found: list[Json] = answer.value
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


def _item(hub: Hub, node: Json, shifts: Mapping[Place, Shift]) -> Json:
    shift = shifts[Place(hub, node["file_path"])]
    around = ".".join(base_names(node["qualname"])[:-1])
    module = module_name(node["file_path"])
    return {
        "name": module if node["node_type"] == "module" else node["node_name"],
        "kind": symbol_kind({"name": node["node_name"], "kind": node["kind"]}),
        "detail": f"{module}.{around}" if around else module,
        "uri": uri_of(hub, node["file_path"]),
        "range": shift(node["range"]),
        "selectionRange": shift(node["name_range"]),
        "data": {"key": node["key"]},
    }


def _ranges(edge: Edge, shift: Shift) -> list[Json]:
    return [shift(_range(site)) for site in edge.sites]


def _range(site: Sequence[int]) -> Json:
    line, start, end = site
    return {"start": {"line": line, "character": start}, "end": {"line": line, "character": end}}


def _location(hub: Hub, node: Json, shifts: Mapping[Place, Shift]) -> Json:
    path = node["file_path"]
    return {"uri": uri_of(hub, path), "range": shifts[Place(hub, path)](node["name_range"])}


def uri_of(hub: Hub, path: str) -> str:
    """The URI of a file of the index."""
    return from_path(hub.paths.absolute(path))


def path_of(key: str) -> str:
    """The file of a node's key."""
    return key.removeprefix("node:").rpartition(":")[0]
