"""What an agent can ask: the remora/* methods, over all roots in the order the peer named them."""

from __future__ import annotations

from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Any

import orjson

from ..hub.questions import Answering
from ..index.around import tokens_of
from ..protocol import LONGEST_WAIT, GetContextParams, SearchParams
from .convert import Json
from .documents import Place
from .upkeep import WORST_FIRST, roots_of

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.answers import Place as IndexPlace
    from .session import Session

# An id that one root cannot answer for these reasons may be another root's.
_ELSEWHERE = frozenset({"no such file", "no such node", "bad id"})
# What a question for nodes alone may name, by the models' names and by the wire's.
_PLAIN = frozenset({"nodes", "wait_ms"})
_PLAIN_WIRE = frozenset({"nodes", "waitMs"})


async def get_context(session: Session, params: GetContextParams) -> Json | orjson.Fragment:
    """remora/getContext. An id goes from root to root until one knows it; `revision` is the first root's."""
    roots = roots_of(session)
    if _is_plain(session) and params.model_fields_set <= _PLAIN:
        found = await roots[0].context_soon(params.nodes, params.wait_ms / 1000)
        if found is not None:
            return orjson.Fragment(b"".join(found))
    places = await _places(session, params)
    first, *others = roots
    result = await _ask(session, first, params, places.pop(first, {}))
    revisions = {first.root.as_uri(): result["revision"]}
    for hub in others:
        lost = [entry["id"] for entry in result["missing"] if entry["reason"] in _ELSEWHERE]
        left = [text for text in params.nodes if text in lost]
        if left or hub in places:
            again = params.model_copy(update={"nodes": tuple(left), "min_revision": 0})
            if params.budget is not None:
                again = again.model_copy(update={"budget": max(params.budget - tokens_of(result), 0)})
            more = await _ask(session, hub, again, places.pop(hub, {}))
            revisions[hub.root.as_uri()] = more["revision"]
            _merge(result, more)
        else:
            revisions[hub.root.as_uri()] = hub.revision
    return result | {"revisions": revisions} if others else result


def context_now(session: Session, params: Any, answer: Answering) -> bool:
    """The same, of a question for nodes alone that can be answered at once: see Hub.context_now."""
    if type(params) is not dict or not params.keys() <= _PLAIN_WIRE or not _is_plain(session):
        return False
    nodes, wait = params.get("nodes"), params.get("waitMs", 0)
    if type(nodes) is not list or type(wait) is not int or not 0 <= wait <= LONGEST_WAIT:
        return False
    return set(map(type, nodes)) == {str} and session.roots[0].context_now(nodes, answer)


def _is_plain(session: Session) -> bool:
    """Whether nodes stand in an answer as the index has them: there is one root, and columns count alike."""
    return len(session.roots) == 1 and session.documents.encoding == "utf-16"


async def search(session: Session, params: SearchParams) -> Json:
    """remora/search: the best matches of all roots, in turn."""
    roots = roots_of(session)

    answers = [(hub, await hub.search(params.query, params.limit)) for hub in roots]
    ranked = [[(Place(hub, symbol["path"]), symbol) for symbol in answer.value] for hub, answer in answers]
    turns = chain.from_iterable(zip_longest(*ranked))
    found = list(islice((item for item in turns if item), params.limit))
    shifts = await session.shifts({place for place, _ in found})
    symbols = [
        symbol | {name: shifts[place](symbol[name]) for name in ("range", "name_range")} for place, symbol in found
    ]
    state = min((answer.state for _, answer in answers), key=WORST_FIRST.index)
    return {"symbols": symbols, "revision": answers[0][1].revision, "state": state}


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


async def _ask(session: Session, hub: Hub, params: GetContextParams, places: dict[str, IndexPlace | None]) -> Json:
    result = await hub.get_context(params, places)
    if session.documents.encoding != "utf-16":
        nodes: dict[str, Json] = result["nodes"]
        related: dict[str, Json] = result.get("related", {})
        everything = chain(nodes.values(), related.values())
        shifts = await session.shifts({Place(hub, node["file_path"]) for node in everything})
        for some in (nodes, related):
            for text, node in some.items():
                shift = shifts[Place(hub, node["file_path"])]
                some[text] = node | {name: shift(node[name]) for name in ("range", "name_range")}
    return result


def _merge(result: Json, more: Json) -> None:
    """Take another root's answer into the first one's. Of two reasons the one that read the id says more."""
    result["nodes"] |= more["nodes"]
    result["stale"] += more["stale"]
    for name in ("related", "relations"):
        result[name] = {**result.get(name, {}), **more.get(name, {})}
    told_before = result.get("omitted", [])
    result["omitted"] = told_before + [entry for entry in more.get("omitted", []) if entry not in told_before]
    told = {entry["id"]: entry for entry in more["missing"]}
    kept = []
    for entry in result["missing"]:
        other = told.pop(entry["id"], None)
        if entry["id"] not in more["nodes"]:
            kept.append(other if other and entry["reason"] == "bad id" else entry)
    result["missing"] = kept + list(told.values())
    result["state"] = min(result["state"], more["state"], key=WORST_FIRST.index)
