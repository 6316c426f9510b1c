"""What an agent can ask: the remora/* methods, over all roots in the order the peer named them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

from ..models import HubState, HubStatus
from ..protocol import GetContextParams, StatusParams
from . import rpc
from .convert import Json
from .documents import Place

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.answers import Place as IndexPlace
    from .session import Session

_WORST_FIRST: tuple[HubState, ...] = ("degraded", "indexing", "ready")
# An id that one root cannot answer for these reasons may be another root's.
_ELSEWHERE = frozenset({"no such file", "no such node", "bad id"})
_NO_ROOT = "this session has no project root: name one in `initialize`"


async def get_context(session: Session, params: GetContextParams) -> Json:
    """remora/getContext. An id goes from root to root until one knows it; `revision` is the first root's."""
    if not session.roots:
        raise JsonRpcException(_NO_ROOT, rpc.REQUEST_FAILED)
    places = await _places(session, params)
    first, *others = session.roots
    result = await _ask(session, first, params, places.pop(first, {}))
    for hub in others:
        lost = [entry["id"] for entry in result["missing"] if entry["reason"] in _ELSEWHERE]
        left = [text for text in params.nodes if text in lost]
        if left or hub in places:
            again = params.model_copy(update={"nodes": tuple(left), "min_revision": 0})
            _merge(result, await _ask(session, hub, again, places.pop(hub, {})))
    return result


async def status(session: Session, _: StatusParams) -> HubStatus:
    """remora/status, of the first root."""
    if not session.roots:
        raise JsonRpcException(_NO_ROOT, rpc.REQUEST_FAILED)
    found = await session.roots[0].status()
    return found.model_copy(update={"counters": found.counters | {"failed_requests": session.wire.failures}})


async def _places(session: Session, params: GetContextParams) -> dict[Hub, dict[str, IndexPlace | None]]:
    """The asked positions as the index counts, by hub. Those in no root go to the first, which says so."""
    found: dict[Hub, dict[str, IndexPlace | None]] = {}
    for asked in params.positions:
        line, character = asked.position.line, asked.position.character
        place = session.place_of(asked.uri)
        hub = place.hub if place else session.roots[0]
        where = (place.path, line, await session.utf16_column(place, line, character)) if place else None
        found.setdefault(hub, {})[f"{asked.uri}:{line}:{character}"] = where
    return found


async def _ask(
    session: Session, hub: Hub, params: GetContextParams, places: dict[str, IndexPlace | None]
) -> Json:
    result = await hub.get_context(params, places)
    if session.documents.encoding != "utf-16":
        nodes: dict[str, Json] = result["nodes"]
        shifts = await session.shifts({Place(hub, node["file_path"]) for node in nodes.values()})
        for text, node in nodes.items():
            shift = shifts[Place(hub, node["file_path"])]
            nodes[text] = node | {name: shift(node[name]) for name in ("range", "name_range")}
    return result


def _merge(result: Json, more: Json) -> None:
    """Take another root's answer into the first one's. Of two reasons the one that read the id says more."""
    result["nodes"] |= more["nodes"]
    result["stale"] += more["stale"]
    told = {entry["id"]: entry for entry in more["missing"]}
    kept = []
    for entry in result["missing"]:
        other = told.pop(entry["id"], None)
        if entry["id"] not in more["nodes"]:
            kept.append(other if other and entry["reason"] == "bad id" else entry)
    result["missing"] = kept + list(told.values())
    result["state"] = min(result["state"], more["state"], key=_WORST_FIRST.index)
