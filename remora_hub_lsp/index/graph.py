"""The call graph as it is read: who calls whom, with what evidence, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ..analysis.facts import MODULE
from ..analysis.program import AROUND
from ..errors import KeyFormatError
from .keys import node_key, split_key
from .rows import ABSOLUTE

if TYPE_CHECKING:
    from .view import IndexView

FILE_SHIFT, SEGMENT_SHIFT = 40, 16
# As they are stored, from 1; and the kinds of edges, from 0.
EVIDENCE = ("", "exact", "inferred", "name")
CALL, IMPLICIT, REFERENCE = KINDS = ("call", "implicit", "reference")
CALLS = (CALL, IMPLICIT)
COUNTED = ("exact", "inferred")

Site = tuple[int, int, int]


class Edge(NamedTuple):
    """One node uses another.

    caller: the key of a function, or of the class or module whose own code it is. callee: a node's key, or the dotted
    name of something outside the project. evidence: `exact` (scopes and imports alone decide), `inferred` (through a
    type), `name` (only the name fits, and the project has one definition of it). kind: `call`; `implicit`, where no
    call is written (properties, operators, iteration, `with`, what a builtin calls); `reference` (its name is used
    without being called, as a callback is). sites: (line, start, end) in UTF-16 code units, in the caller's file.
    """

    caller: str
    callee: str
    evidence: str
    kind: str
    sites: tuple[Site, ...] = ()

    @property
    def implicit(self) -> bool:
        """Whether no call is written there."""
        return self.kind == IMPLICIT


@lru_cache(maxsize=50_000)
def number_of(target: str) -> int:
    """A number for a key, or for `.name`, by which its callers are found."""
    return int.from_bytes(blake2b(target.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


def packed(kinds: Mapping[int, int]) -> int:
    """Evidence by kind as one number: two bits for each kind."""
    return sum(evidence << 2 * kind for kind, evidence in kinds.items())


def best(flags: int, kinds: Collection[str], evidence: Collection[str]) -> str | None:
    """The best evidence among the wanted in a packed number; None where there is none."""
    found = [EVIDENCE[flags >> 2 * number & 3] for number, kind in enumerate(KINDS) if kind in kinds]
    return min((one for one in found if one in evidence), key=EVIDENCE.index, default=None)


def is_ready(view: IndexView) -> bool:
    """Whether the graph of the whole project has been worked out."""
    return bool(view.select_one("SELECT value FROM meta WHERE key = 'graph'"))


def callers(
    view: IndexView, key: str, evidence: Collection[str] = COUNTED, kinds: Collection[str] = CALLS
) -> list[Edge]:
    """The edges that end at a node, by caller."""
    targets = [key]
    if "name" in evidence and (name := _only(view, key)):
        targets.append(f".{name}")
    found: list[Edge] = []
    for target in targets:
        rows = view.rows(f"{_EDGES} JOIN called ON called.caller = edges.id WHERE target = ?", (number_of(target),))
        for edge in edges_in(view, rows, target, key):
            if edge.evidence in evidence and edge.kind in kinds:
                found.append(edge)
    return sorted(found)


def callees(
    view: IndexView, key: str, evidence: Collection[str] = COUNTED, kinds: Collection[str] = CALLS
) -> list[Edge]:
    """The edges that begin at a node, by place."""
    found = []
    rows = view.select(f"{_EDGES} WHERE edges.id IN (SELECT value FROM json_each(?))", _rows_of(view, key))
    for edge in edges_in(view, rows):
        if edge.callee.startswith("."):
            named = _defined_as(view, edge.callee[1:]) if "name" in evidence else None
            if named is None:
                continue
            edge = edge._replace(callee=named)
        if edge.evidence in evidence and edge.kind in kinds:
            found.append(edge)
    return sorted(found, key=lambda edge: (edge.sites[:1], edge.callee, edge.kind))


def callers_of(
    view: IndexView, row_ids: Sequence[int], evidence: Collection[str] = COUNTED, kinds: Collection[str] = CALLS
) -> list[tuple[int, int, str]]:
    """(callee, caller, evidence) for many nodes at once, as row ids."""
    by_number = {number_of(node_key(path, name)): row_id for row_id, path, name in _named(view, row_ids)}
    sql = "SELECT target, caller, flags FROM called WHERE target IN (SELECT value FROM json_each(?))"
    rows = view.rows(sql, (orjson.dumps(list(by_number)).decode(),))
    around = _around(view, {caller for _, caller, _ in rows if caller & 0xFFFF == AROUND})
    out = []
    for target, caller, flags in rows:
        strength = best(flags, kinds, evidence)
        at = around.get(caller, caller)
        if strength is not None and at is not None:
            out.append((by_number[target], at, strength))
    return out


def bases(view: IndexView, key: str) -> list[str]:
    """A class's direct bases: keys, or dotted names of what is outside the project."""
    path, name = split_key(key)
    rows = view.rows(
        "SELECT base FROM hierarchy JOIN files ON files.id = file WHERE path = ? AND class = ? ORDER BY place",
        (path, name),
    )
    return [base for (base,) in rows]


def subclasses(view: IndexView, key: str) -> list[str]:
    """The keys of a class's direct subclasses."""
    rows = view.rows(
        "SELECT path, class FROM hierarchy JOIN files ON files.id = file WHERE base = ? ORDER BY path, class", (key,)
    )
    return [node_key(path, name) for path, name in rows]


def join(view: IndexView, ids: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    """The callers and callees of many nodes, for models.NodeState."""
    if not is_ready(view):
        return {}
    found: dict[int, dict[str, Any]] = {}
    calling: dict[int, dict[str, str]] = {row_id: {} for row_id in ids}
    names = {row_id: node_key(path, name) for row_id, path, name in _named(view, ids)}
    by_number = {number_of(key): row_id for row_id, key in names.items()}
    sql = (
        "SELECT called.target, called.flags, files.path, edges.owner FROM called"
        " JOIN edges ON edges.id = called.caller JOIN files ON files.id = called.caller >> 40"
        " WHERE called.target IN (SELECT value FROM json_each(?))"
    )
    for target, flags, path, owner in view.rows(sql, (orjson.dumps(list(by_number)).decode(),)):
        strength = best(flags, CALLS, COUNTED)
        if strength is not None:
            _note(calling[by_number[target]], node_key(path, owner), strength)
    called = _callees_of(view, ids, names)
    for row_id in names:
        one, other = sorted(calling[row_id].items()), sorted(called[row_id].items())
        found[row_id] = {
            "callers": [key for key, _ in one],
            "callees": [key for key, _ in other],
            "evidence": {"callers": [value for _, value in one], "callees": [value for _, value in other]},
        }
    return found


def _note(known: dict[str, str], key: str, strength: str) -> None:
    """Keep the best evidence."""
    if key not in known or EVIDENCE.index(strength) < EVIDENCE.index(known[key]):
        known[key] = strength


def _callees_of(view: IndexView, ids: Sequence[int], names: Mapping[int, str]) -> dict[int, dict[str, str]]:
    called: dict[int, dict[str, str]] = {row_id: {} for row_id in ids}
    by_key = {key: row_id for row_id, key in names.items()}
    sql = "SELECT id, owner, data FROM edges WHERE id IN (SELECT value FROM json_each(?))"
    rows = [(row_id, data) for row_id, owner, data in view.select(sql, ids) if names[row_id].endswith(f":{owner}")]
    # A module's and a class's own code stands in many segments.
    scattered = {row_id >> FILE_SHIFT for row_id, key in names.items() if _holds_statements(view, row_id)}
    for number in scattered:
        path = view.path_of(number)
        for _, owner, data in _scattered(view, number):
            row_id = by_key.get(node_key(path or "", owner))
            if row_id is not None:
                rows.append((row_id, data))
    for row_id, data in rows:
        for target, kind, evidence, _ in orjson.loads(data):
            if kind < 2 and evidence < 3:
                _note(called[row_id], target, EVIDENCE[evidence])
    return called


def _holds_statements(view: IndexView, row_id: int) -> bool:
    kind = view.select_one("SELECT kind FROM nodes WHERE id = ?", (row_id,))
    return kind in ("module", "class")


def _scattered(view: IndexView, number: int) -> list[tuple[int, str, bytes]]:
    """(row id, owner, edges) of a file's code that stands in no definition of its segment."""
    low, high = number << FILE_SHIFT, ((number + 1) << FILE_SHIFT) - 1
    sql = f"SELECT id, owner, data FROM edges WHERE id BETWEEN ? AND ? AND id & 65535 = {AROUND}"
    return view.rows(sql, (low, high))


def _rows_of(view: IndexView, key: str) -> list[int]:
    """The rows of `edges` that belong to a node."""
    try:
        path, name = split_key(key)
    except KeyFormatError:
        return []
    found = view.rows(
        "SELECT nodes.id, nodes.kind, nodes.file FROM nodes JOIN files ON files.id = file"
        " WHERE path = ? AND qualname = ?",
        (path, name),
    )
    if not found:
        return []
    row_id, kind, number = found[0]
    if kind not in ("module", "class"):
        return [row_id]
    return [row_id, *(one for one, owner, _ in _scattered(view, number) if owner == name)]


_EDGES = (
    "SELECT edges.id, edges.owner, edges.data, summaries.places FROM edges"
    " LEFT JOIN summaries ON summaries.id = edges.id & ~65535"
)


def edges_in(view: IndexView, rows: Sequence[tuple[Any, ...]], target: str = "", told: str = "") -> Iterator[Edge]:
    """The edges in rows of `edges` with their places; only those to `target` if there is one, which is then called
    `told`."""
    view.learn({row[0] >> FILE_SHIFT for row in rows})
    begin = b"[%b," % orjson.dumps(target) if target else b""
    for row_id, owner, data, places, *_ in rows:
        file = view.file_of(row_id >> FILE_SHIFT)
        if file is None:
            continue
        start, at = file.start_of(row_id >> SEGMENT_SHIFT & ABSOLUTE), orjson.loads(places or b"[]")
        caller = node_key(file.path, owner)
        for callee, kind, evidence, numbers in _beginning(data, begin) if target else orjson.loads(data):
            yield Edge(caller, told or callee, EVIDENCE[evidence], KINDS[kind], _sites(start, at, numbers))


def _beginning(data: bytes, begin: bytes) -> Iterator[tuple[str, int, int, list[int]]]:
    """Those of the edges whose JSON begins so: with a target, behind which there are only numbers. To read all of
    them takes most of the time where each of thousands of callers has one to it."""
    at = data.find(begin)
    while at >= 0:
        end = data.index(b"]]", at + len(begin)) + 2
        yield orjson.loads(data[at:end])
        at = data.find(begin, end)


def _sites(start: int, places: Sequence[int], numbers: Sequence[int]) -> tuple[Site, ...]:
    """start: the first line of the segment; places: those in it (see analysis/forms.py)."""
    firsts = [3 * number for number in numbers if 3 * number + 2 < len(places)]
    found = [(start + places[at], places[at + 1], places[at + 2]) for at in firsts]
    return tuple(sorted(found) if len(found) > 1 else found)


def _named(view: IndexView, row_ids: Sequence[int]) -> list[tuple[int, str, str]]:
    sql = (
        "SELECT nodes.id, path, qualname FROM nodes JOIN files ON files.id = file"
        " WHERE nodes.id IN (SELECT value FROM json_each(?))"
    )
    return view.select(sql, row_ids)


def _around(view: IndexView, row_ids: Collection[int]) -> dict[int, int | None]:
    """The row ids of the modules and classes whose own code stands in some rows of `edges`."""
    sql = (
        "SELECT edges.id, nodes.id FROM edges LEFT JOIN nodes ON nodes.file = edges.id >> 40"
        " AND nodes.qualname = edges.owner WHERE edges.id IN (SELECT value FROM json_each(?))"
    )
    return dict(view.select(sql, sorted(row_ids)))


def _only(view: IndexView, key: str) -> str | None:
    """The name of a definition that no other in the project has."""
    try:
        _, qualname = split_key(key)
    except KeyFormatError:
        return None
    name = qualname.rpartition(".")[2].partition("#")[0]
    return name if _defined_as(view, name) == key else None


def _defined_as(view: IndexView, name: str) -> str | None:
    """The key of the one definition of that name."""
    sql = (
        "SELECT path, qualname FROM nodes JOIN files ON files.id = file"
        f" WHERE name = ? COLLATE NOCASE AND name = ? AND kind != '{MODULE}' AND kind != 'module' LIMIT 2"
    )
    rows = view.rows(sql, (name, name))
    return node_key(*rows[0]) if len(rows) == 1 else None


__all__ = [
    "ABSOLUTE", "CALL", "CALLS", "COUNTED", "EVIDENCE", "IMPLICIT", "KINDS", "REFERENCE", "Edge", "bases", "callees",
    "callers", "callers_of", "is_ready", "join", "number_of", "packed", "subclasses",
]  # fmt: skip
