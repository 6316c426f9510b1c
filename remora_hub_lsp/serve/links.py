"""A hover's callers and tests as links: to the client's own commands where it has them, else to the places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import orjson

from ..index.named import Head, heads
from ..index.selection import nearest
from .calls import location_of, locations_of, path_of, uri_of
from .convert import Json
from .documents import Place
from .lens import SHOW_CALLERS, SHOW_TESTS

if TYPE_CHECKING:
    from ..index.graph import Edge
    from ..index.view import IndexView
    from .session import Session

# How many places are linked one by one, and how many a command is given.
_SHOWN = 3
_MOST = 200


class Linked(NamedTuple):
    """What is said of a hover's callers or tests: how many, where no link says it, and (text, target) of links."""

    said: str
    links: tuple[tuple[str, str], ...]


async def linked(session: Session, place: Place, node: Json) -> dict[str, Linked]:
    """The links of a node's callers and tests, by the node's field."""
    if not node["callers"] and not node["related_tests"]:
        return {}
    key = node["key"]

    def question(view: IndexView) -> tuple[list[Edge], list[Head]]:
        return view.callers(key), list(heads(view, [test.key for test in nearest(view, key)]).values())

    answer = await place.hub.read(question, heavy=True)
    edges, tests = answer.value
    hub = place.hub
    callers = await locations_of(session, hub, edges[:_MOST])
    shifts = await session.shifts({Place(hub, test.path) for test in tests})
    named = [location_of(hub, test, shifts[Place(hub, test.path)]) for test in tests]
    at = [uri_of(hub, node["file_path"]), (await session.shift(place))(node["name_range"])["start"]]
    found = {}
    if edges:
        names = {edge.caller: _name(edge.caller) for edge in edges if edge.sites}
        first = {edge.caller: edge.sites[0][0] for edge in edges if edge.sites}
        places = [(name, f"{uri_of(hub, path_of(key))}#L{first[key] + 1}") for key, name in names.items()]
        many = len({edge.caller for edge in edges})
        found["callers"] = _linked(session, many, "caller", places, SHOW_CALLERS, [*at, callers])
    if tests:
        places = [(test.name, f"{uri_of(hub, test.path)}#L{test.name_range[0] + 1}") for test in tests]
        found["related_tests"] = _linked(session, len(tests), "test", places, SHOW_TESTS, [*at, named])
    return found


def _linked(
    session: Session, number: int, one: str, places: Sequence[tuple[str, str]], command: str, arguments: list[object]
) -> Linked:
    count = f"{number} {one}" if number == 1 else f"{number} {one}s"
    if command in session.peer.commands:
        return Linked("", ((count, f"command:{command}?{quote(orjson.dumps(arguments), safe='')}"),))
    return Linked(count, tuple(places[:_SHOWN]))


def _name(key: str) -> str:
    name = key.rpartition(":")[2].rpartition(".")[2]
    return key.removeprefix("node:").rpartition(":")[0] if name == "<module>" else name
