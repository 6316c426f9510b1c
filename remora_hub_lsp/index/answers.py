"""remora/getContext: nodes by any id, with what is missing or stale and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from ..analysis.facts import MODULE
from .ids import BadId, NodeId, locate
from .view import IndexView, Json

Place = tuple[str, int, int]  # path, line, UTF-16 character


class WhyNot(NamedTuple):
    """Why a file is not in the index: a protocol.MissingReason and the particulars."""

    reason: str
    detail: str | None


class Asked(NamedTuple):
    """The question: ids as read, and places, under the text they were asked by."""

    ids: Mapping[str, NodeId | BadId]
    places: Mapping[str, Place | BadId]


def get_context(
    view: IndexView, asked: Asked, pending: Collection[str], why_not: Callable[[str], WhyNot], state: str
) -> Json:
    """A protocol.GetContextResult as a dict. pending: paths whose newest change is not in the view."""
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
    for text, node_id in asked.ids.items():
        if isinstance(node_id, BadId):
            missing.append(_missing(text, "bad id", node_id.detail))
            continue
        found, reason = _find(view, node_id, why_not)
        if found is not None:
            nodes[text] = found
        else:
            missing.append({"id": text, **reason})
    for text, found in nodes.items():
        if found["broken"] is not None and found["node_type"] != "module":
            stale.append({"id": text, "reason": f"its text does not parse just now ({found['broken']})"})
        elif found["file_path"] in pending:
            stale.append({"id": text, "reason": "a newer change of its file is not analysed yet"})
    return {"nodes": nodes, "missing": missing, "stale": stale, "revision": view.revision, "state": state}


def _find(view: IndexView, node_id: NodeId, why_not: Callable[[str], WhyNot]) -> tuple[Json | None, Json]:
    path, qualname = node_id.path, node_id.qualname
    if path is None:
        located = locate(view, node_id.dotted)
        if located is None:
            name = ".".join(node_id.dotted)
            return None, _reason("no such file", f"no module of the project begins {name!r}", _near_names(view, name))
        path, qualname = located
    found = view.node(path, qualname)
    if found is not None:
        return found, {}
    file = view.file(path)
    if file is None:
        return None, _reason(*why_not(path))
    if file["error"] is not None and file["node_count"] == 0:
        return None, _reason("file failed", file["error"])
    names = view.qualnames(path)
    near = get_close_matches(qualname, names, n=3, cutoff=0.5)
    last = qualname.rpartition(".")[2]
    near += [name for name in names if name.rpartition(".")[2] == last and name not in near][:3]
    detail = f"{path} defines no {qualname}" if qualname != MODULE else None
    return None, _reason("no such node", detail, [f"node:{path}:{name}" for name in near])


def _no_file(view: IndexView, path: str, why_not: Callable[[str], WhyNot]) -> tuple[str, str | None]:
    file = view.file(path)
    return ("file failed", file["error"]) if file is not None else why_not(path)


def _near_names(view: IndexView, name: str) -> list[str]:
    last = name.rpartition(".")[2]
    hits = view.symbols("name = ? COLLATE NOCASE", (last,), 3)
    return [state["key"] for number, _, _ in hits if (state := view.by_id(number)) is not None]


def _reason(reason: str, detail: str | None = None, near: list[str] | None = None) -> Json:
    return {"reason": reason, "detail": detail, "near": near or []}


def _missing(text: str, reason: str, detail: str | None) -> Json:
    return {"id": text, **_reason(reason, detail)}
