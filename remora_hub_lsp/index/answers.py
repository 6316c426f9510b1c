"""remora/getContext: nodes by any id, with what is missing or stale and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from ..analysis.facts import MODULE
from .dotted import locate
from .encoded import stale_reason
from .ids import BadId, NodeId
from .view import IndexView, Json

Place = tuple[str, int, int]  # path, line, UTF-16 character
_NOWHERE = ("", "")


class WhyNot(NamedTuple):
    """Why a file is not in the index: a protocol.MissingReason and the particulars."""

    reason: str
    detail: str | None


class Asked(NamedTuple):
    """The question: ids as read, and places, under the text they were asked by."""

    ids: Mapping[str, NodeId | BadId]
    places: Mapping[str, Place | BadId]


def get_context(
    view: IndexView,
    asked: Asked,
    pending: Collection[str],
    why_not: Callable[[str], WhyNot],
    hub_state: str,
    *,
    joined: bool = True,
) -> Json:
    """A protocol.GetContextResult as a dict. pending: paths whose newest change is not in the view. joined: of nodes
    asked for by ids, with what rests on other files."""
    nodes: dict[str, Json] = {}
    missing: list[Json] = []
    stale: list[Json] = []
    for text, place in asked.places.items():
        found = None if isinstance(place, BadId) else view.node_at(*place)
        if found is not None:
            nodes[text] = found
        elif isinstance(place, BadId):
            missing.append(_missing(text, "bad id", place.detail))
        else:
            missing.append(_missing(text, *_no_file(view, place[0], why_not)))
    names = _names(view, asked.ids)
    states = view.nodes(dict.fromkeys(names.values()), joined=joined)
    for text, node_id in asked.ids.items():
        if isinstance(node_id, BadId):
            missing.append(_missing(text, "bad id", node_id.detail))
        elif state := states.get(names.get(text, _NOWHERE)):
            nodes[text] = state
        else:
            missing.append({"id": text, **_why_missing(view, node_id, names.get(text), why_not)})
    for text, state in nodes.items():
        if reason := stale_reason(state):
            stale.append({"id": text, "reason": reason})
        elif state["file_path"] in pending:
            stale.append({"id": text, "reason": "a newer change of its file is not analysed yet"})
    return {"nodes": nodes, "missing": missing, "stale": stale, "revision": view.revision, "state": hub_state}


def _names(view: IndexView, ids: Mapping[str, NodeId | BadId]) -> dict[str, tuple[str, str]]:
    """Path and qualname by id; dotted names are looked for. Those of no file of the index are left out."""
    found = {}
    for text, node_id in ids.items():
        if isinstance(node_id, NodeId):
            name = locate(view, node_id.dotted) if node_id.path is None else (node_id.path, node_id.qualname)
            if name is not None:
                found[text] = name
    return found


def _why_missing(
    view: IndexView, node_id: NodeId, name: tuple[str, str] | None, why_not: Callable[[str], WhyNot]
) -> Json:
    if name is None:
        dotted = ".".join(node_id.dotted)
        return _reason("no such file", f"no module of the project begins {dotted!r}", _near_names(view, dotted))
    path, qualname = name
    file = view.file(path)
    if file is None:
        return _reason(*why_not(path))
    if file["error"] is not None and file["node_count"] == 0:
        return _reason("file failed", file["error"])
    names = view.qualnames(path)
    near = get_close_matches(qualname, names, n=3, cutoff=0.5)
    last = qualname.rpartition(".")[2]
    near += [name for name in names if name.rpartition(".")[2] == last and name not in near][:3]
    detail = f"{path} defines no {qualname}" if qualname != MODULE else None
    return _reason("no such node", detail, [f"node:{path}:{name}" for name in near])


def _no_file(view: IndexView, path: str, why_not: Callable[[str], WhyNot]) -> tuple[str, str | None]:
    file = view.file(path)
    return ("file failed", file["error"]) if file is not None else why_not(path)


def _near_names(view: IndexView, name: str) -> list[str]:
    last = name.rpartition(".")[2]
    hits = [number for number, _, _ in view.symbols("name = ? COLLATE NOCASE", (last,), 3)]
    states = view.by_ids(hits)
    return [states[number]["key"] for number in hits if number in states]


def _reason(reason: str, detail: str | None = None, near: list[str] | None = None) -> Json:
    return {"reason": reason, "detail": detail, "near": near or []}


def _missing(text: str, reason: str, detail: str | None) -> Json:
    return {"id": text, **_reason(reason, detail)}
