"""Diagnostics: what providers find in files, for peers that ask (pull); `publishing` tells the others (push)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

import orjson
from lsprotocol import types

from .convert import Json
from .documents import Place

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.view import IndexView
    from .session import Session

SOURCE = "remora"
# How many files one answer to workspace/diagnostic reports anew.
MOST_FILES = 1000


class Provider(Protocol):
    """Finds something in files. everywhere: it is told also of files that no peer has open."""

    everywhere: bool

    def watch(self, hub: Hub, changed: Callable[[Collection[str]], None]) -> Callable[[], None]:
        """Call back on the loop with the paths whose findings may be others now; gives the function that ends that."""
        ...

    def of_file(self, hub: Hub, view: IndexView, path: str) -> list[Json]:
        """LSP Diagnostics, columns in UTF-16. Related information has `path` in the place of `uri`.

        May be called off the event loop.
        """
        ...

    def files(self, hub: Hub, view: IndexView) -> Collection[str]:
        """The paths in which there is something."""
        ...


PROVIDERS: list[Provider] = []


async def document_diagnostic(session: Session, params: types.DocumentDiagnosticParams) -> Json:
    """textDocument/diagnostic."""
    place = session.place_of(params.text_document.uri)
    if place is None:
        return {"kind": "full", "items": []}

    def question(view: IndexView) -> list[Json]:
        return find(place.hub, view, place.path)

    answer = await place.hub.read(question, paths=(place.path,), heavy=True, calls=False)
    items = await shown(session, place, answer.value)
    session.publishing.told(place, items)
    return _report(items, params.previous_result_id)


async def workspace_diagnostic(session: Session, params: types.WorkspaceDiagnosticParams) -> Json:
    """workspace/diagnostic: files with findings, and those that had some when the peer asked last."""
    before = {previous.uri: previous.value for previous in params.previous_result_ids}
    reports = []
    for hub in session.roots:
        answer = await hub.read(lambda view, hub=hub: in_workspace(hub, view), heavy=True, calls=False)  # type: ignore[misc]
        for path, found in answer.value.items():
            place = Place(hub, path)
            uri, version = session.name_of(place)
            report = _report(await shown(session, place, found), before.pop(uri, None))
            reports.append({"uri": uri, "version": version} | report)
    cleared = [{"uri": uri, "version": None, **_report([], None)} for uri in before]
    return {"items": reports[:MOST_FILES] + cleared}


def find(hub: Hub, view: IndexView, path: str, *, everywhere: bool = False) -> list[Json]:
    """All findings in a file; with `everywhere` only what is told of files that are not open."""
    wanted = PROVIDERS if not everywhere or hub.config.diagnostics == "workspace" else _of_everywhere()
    return [item for provider in wanted for item in provider.of_file(hub, view, path)]


def in_workspace(hub: Hub, view: IndexView, among: Collection[str] | None = None) -> dict[str, list[Json]]:
    """By path what is told of files that need not be open. among: only in these."""
    wanted = PROVIDERS if hub.config.diagnostics == "workspace" else _of_everywhere()
    paths = dict.fromkeys(path for provider in wanted for path in provider.files(hub, view))
    return {path: find(hub, view, path, everywhere=True) for path in paths if among is None or path in among}


def _of_everywhere() -> list[Provider]:
    return [provider for provider in PROVIDERS if provider.everywhere]


async def shown(session: Session, place: Place, found: Sequence[Json]) -> list[Json]:
    """Findings as this peer can read them: its columns, its URIs, and nothing that it does not know."""
    if not found:
        return []
    related = {Place(place.hub, info["location"]["path"]) for item in found for info in item.get(_RELATED, ())}
    shifts = await session.shifts({place, *related})
    knows = session.peer.diagnostics

    def one(item: Json) -> Json:
        item = {name: value for name, value in item.items() if name not in _OPTIONAL or name in knows}
        item["range"] = shifts[place](item["range"])
        if _RELATED in item:
            item[_RELATED] = [information(info) for info in item[_RELATED]]
        return item

    def information(info: Json) -> Json:
        where = Place(place.hub, info["location"]["path"])
        uri, _ = session.name_of(where)
        return {"location": {"uri": uri, "range": shifts[where](info["location"]["range"])}, "message": info["message"]}

    return [one(item) for item in found]


def result_id(items: Iterable[Json]) -> str:
    """Names a list of diagnostics: equal for equal ones."""
    return sha256(orjson.dumps(list(items))).hexdigest()[:16]


_RELATED = "relatedInformation"
_OPTIONAL = frozenset((_RELATED, "tags", "codeDescription", "data"))


def _report(items: list[Json], previous: str | None) -> Json:
    name = result_id(items)
    if name == previous:
        return {"kind": "unchanged", "resultId": name}
    return {"kind": "full", "resultId": name, "items": items}


def changed_paths(keys: Iterable[str]) -> set[str]:
    """The files of node keys."""
    return {key.removeprefix("node:").rpartition(":")[0] for key in keys}
