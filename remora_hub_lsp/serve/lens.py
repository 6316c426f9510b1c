"""Code lenses: what is worth knowing above a definition. Counted only once an editor shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from lsprotocol import types

from ..index.named import Head, heads
from ..index.selection import nearest
from .calls import location_of, locations_of, path_of
from .convert import Json, Shift
from .documents import Place

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.kv import Changed
    from ..index.view import IndexView
    from .session import Session

# The client's own commands: what to show, as editor.action.showReferences takes it (uri, position, locations).
SHOW_CALLERS, SHOW_TESTS = "remora.showCallers", "remora.showTests"
# Seconds in which changes are gathered before the editor is asked to ask again.
_GATHER = 0.5
_MOST_LOCATIONS = 1000


async def code_lens(session: Session, params: types.CodeLensParams) -> list[Json] | None:
    """A lens of each wanted kind on each definition's name; callers and tests are counted by `resolve`."""
    uri = params.text_document.uri
    place = session.place_of(uri)
    if place is None or not place.hub.config.lens:
        return None
    kinds = place.hub.config.lens
    answer = await place.hub.read(lambda view: view.nodes_of(place.path), paths=(place.path,), heavy=True)
    shift = await session.shift(place)
    return [lens for node in answer.value if node["node_type"] != "module" for lens in _lenses(node, kinds, uri, shift)]


def _lenses(node: Json, kinds: tuple[str, ...], uri: str, shift: Shift) -> Iterator[Json]:
    range_ = shift(node["name_range"])
    for kind in kinds:
        lens: Json = {"range": range_}
        if kind in _COUNTED:
            yield lens | {"data": {"uri": uri, "key": node["key"], "kind": kind}}
        elif title := _TITLES[kind](node):
            yield lens | {"command": {"title": title, "command": ""}}


def _complexity(node: Json) -> str:
    return f"complexity {node['complexity']}" if node["complexity"] is not None else ""


def _drift(node: Json) -> str:
    return "docstring outdated" if node["docstring_outdated"] else ""


_TITLES: Mapping[str, Callable[[Json], str]] = {"complexity": _complexity, "drift": _drift}
_COUNTED = {"callers": ("caller", SHOW_CALLERS), "tests": ("test", SHOW_TESTS)}


async def resolve(session: Session, params: types.CodeLens) -> Json:
    """codeLens/resolve: the lens with its number, and where what it counts is."""
    lens: Json = {"range": _json(params.range), "data": params.data}
    data = params.data if isinstance(params.data, Mapping) else {}
    uri, key, kind = data.get("uri"), data.get("key"), data.get("kind")
    place = session.place_of(uri) if isinstance(uri, str) else None
    if place is None or not isinstance(key, str) or kind not in _COUNTED:
        return lens | {"command": {"title": "", "command": ""}}
    count, locations = await (_callers if kind == "callers" else _tests)(session, place.hub, key)
    word, command = _COUNTED[kind]
    title = f"{count} {word}" if count == 1 else f"{count} {word}s"
    return lens | {
        "command": {"title": title, "command": command, "arguments": [uri, lens["range"]["start"], locations]}
    }


async def _callers(session: Session, hub: Hub, key: str) -> tuple[int, list[Json]]:
    answer = await hub.read(lambda view: view.callers(key), heavy=True)
    edges = answer.value
    count = len({edge.caller for edge in edges})
    return count, (await locations_of(session, hub, edges))[:_MOST_LOCATIONS]


async def _tests(session: Session, hub: Hub, key: str) -> tuple[int, list[Json]]:
    def question(view: IndexView) -> list[Head]:
        return list(heads(view, [test.key for test in nearest(view, key)]).values())

    answer = await hub.read(question, heavy=True)
    shifts = await session.shifts({Place(hub, test.path) for test in answer.value})
    locations = [location_of(hub, test, shifts[Place(hub, test.path)]) for test in answer.value]
    return len(locations), locations[:_MOST_LOCATIONS]


class LensRefresh:
    """Asks one peer to ask for its lenses again when another file's change has changed a count in an open one."""

    def __init__(self, session: Session, hub: Hub) -> None:
        self._session = session
        self._hub = hub
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribe: Callable[[], None] = hub.on_change(self._take)

    def close(self) -> None:
        self._unsubscribe()
        if self._timer is not None:
            self._timer.cancel()

    def _take(self, changed: Changed) -> None:
        # After an edit of a text the editor asks for its lenses by itself: only what follows elsewhere is news.
        if self._timer is not None:
            return
        paths = {path_of(key) for key in changed.changed} - {file.path for file in changed.files}
        if any(self._session.documents.at(Place(self._hub, path)) for path in paths):
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._tell)

    def _tell(self) -> None:
        self._timer = None
        self._session.wire.send_request(types.WORKSPACE_CODE_LENS_REFRESH, None)


def _json(range_: types.Range) -> Json:
    start, end = range_.start, range_.end
    return {
        "start": {"line": start.line, "character": start.character},
        "end": {"line": end.line, "character": end.character},
    }
