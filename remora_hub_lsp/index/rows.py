"""Facts -> rows: what one file's facts are in the database, and what an edit changes of them.

A node's row holds nothing that moves when lines are inserted elsewhere: lines count from its segment, and the
file's row holds where each segment starts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import orjson

from ..analysis.facts import Binding, FileFacts, PlacedNode, Summary
from ..analysis.pairs import INIT, watched_node
from ..errors import SourceError
from .steps import Json, extract_signatures, scan_imports
from .watched import WatchedRow, watched_row

# Nodes of no segment of their own (the module, nodes written by hand): their lines count from the file's start.
ABSOLUTE = (1 << 24) - 1
MOST_IN_SEGMENT = (1 << 16) - 1

# What the facts of a NodeRow hold, in this order; LATER_FIELDS follow only in a node that was written by
# hand: else they are joined when it is read (see joined.py).
FACT_FIELDS = (
    "node_type", "kind", "line", "col", "end_line", "end_col", "name_line", "name_col", "name_end_line", "name_end",
    "source_hash", "signature", "docstring", "docstring_full", "imports", "decorators", "line_count", "complexity",
    "has_type_hints", "broken",
)  # fmt: skip
LATER_FIELDS = (
    "callers", "callees", "related_tests", "docstring_outdated", "docstring_outdated_reason", "extra",
    "drift",
)  # fmt: skip


# One node: segment, number in it, qualname, name, kind, and a JSON array of FACT_FIELDS (and LATER_FIELDS).
# A plain tuple: tens of thousands of them come from the workers.
NodeRow = tuple[int, int, str, str, str, bytes]


# A segment's id, its summary and the places in it, as JSON.
SummaryRow = tuple[int, bytes, bytes]

# A node as it was, the imports it used, and its row.
_Kept = tuple[PlacedNode, list[str], NodeRow]


class FileRows(NamedTuple):
    """One file's rows, or with `partial` those that differ from the ones written before.

    deleted: qualnames that are gone. summaries: (segment, JSON of the summary, of the places), see analysis/forms.py.
    starts: JSON array, segment id and first line by turns, ascending by line.
    judged: nodes whose pair of signature and docstring may be another one now; watched: the pairs that those have.
    names: all that the file defines.
    """

    path: str
    file_hash: str
    line_count: int
    node_count: int
    error: str | None
    error_line: int | None
    starts: bytes
    bindings: bytes
    nodes: list[NodeRow]
    summaries: list[SummaryRow]
    partial: bool = False
    deleted: tuple[str, ...] = ()
    deleted_summaries: tuple[int, ...] = ()
    judged: Collection[str] = ()
    watched: tuple[WatchedRow, ...] = ()
    names: Collection[str] = ()


def encode(path: str, facts: FileFacts) -> FileRows:
    """All rows of a file. Raises SourceError where one statement holds too many definitions."""
    return LiveRows(path).update(facts)


class LiveRows:
    """The rows of one file while it is edited: each update gives what changed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.package = package_of(path)
        self._rows: dict[str, _Kept] = {}
        self._segments: dict[int, Summary | None] = {}
        self._bindings: list[Binding] | None = None
        self._binding_json = b"[]"
        self._watched: dict[str, WatchedRow] = {}

    @property
    def watched(self) -> tuple[WatchedRow, ...]:
        """All pairs of signature and docstring in the file."""
        return tuple(self._watched.values())

    @property
    def sound(self) -> list[WatchedRow]:
        """Those of nodes whose text parses just now; the others have their last good pair."""
        return [row for row in self._watched.values() if not self._rows[row.qualname][0].facts.broken]

    @property
    def names(self) -> Collection[str]:
        """All that the file defines."""
        return self._rows.keys()

    def update(self, facts: FileFacts) -> FileRows:
        """Rows for `facts`; only what differs from the last call, and everything at the first."""
        partial = self._bindings is not None
        same_bindings = facts.bindings == self._bindings
        before, after, changed = self._rows, {}, []
        # Other imports of the module may be another thing for every node.
        asked = [node for node in facts.nodes if not (same_bindings and _same(before.get(node.unique), node))]
        imports = self._scan_imports(facts.bindings, asked, keep_bindings=same_bindings)
        anew = [node for node in asked if not _same(before.get(node.unique), node, imports[node.unique])]
        records = extract_signatures(self.path, facts.file_hash, anew)
        made = {record["qualname"]: record for record in records}
        for placed in facts.nodes:
            record = made.get(placed.unique)
            if record is None:
                after[placed.unique] = before[placed.unique]
            else:
                row = _node_row(placed, record, imports[placed.unique])
                after[placed.unique] = (placed, imports[placed.unique], row)
                changed.append(row)
        self._rows = after
        gone = tuple(name for name in before if name not in after) if partial else ()
        judged = self._watch({row[2] for row in changed}, gone)
        known = self._segments
        segments = {segment.id: segment.summary for segment, _ in facts.segments}
        summaries = [
            (number, _summary(summary[0]), orjson.dumps(summary[1]))
            for number, summary in segments.items()
            if summary is not None and known.get(number) is not summary
        ]
        gone_summaries = tuple(known.keys() - segments.keys())
        self._segments = segments
        return FileRows(
            self.path,
            facts.file_hash,
            facts.line_count,
            len(facts.nodes),
            facts.error,
            facts.error_line,
            orjson.dumps(_starts(facts)),
            self._binding_json,
            changed,
            summaries,
            partial,
            gone,
            gone_summaries if partial else (),
            judged,
            tuple(self._watched[name] for name in judged if name in self._watched),
            tuple(after),
        )

    def _watch(self, changed: set[str], gone: Sequence[str]) -> set[str]:
        """Take the pairs of what changed anew; gives whose they are. A class's rests on its `__init__`."""
        owners = {name.removesuffix(INIT) for name in (*changed, *gone) if name.endswith(INIT)}
        judged = changed | (owners & self._rows.keys())
        for name in gone:
            self._watched.pop(name, None)
        for name in judged:
            facts, init = self._rows[name][0].facts, self._rows.get(name + INIT)
            if facts.broken or (init and init[0].facts.broken):
                continue  # its last good pair stays
            found = watched_node(facts, init[0].facts if init else None)
            if found is not None:
                self._watched[name] = watched_row(name, found)
            else:
                self._watched.pop(name, None)
        return judged

    def _scan_imports(
        self, bindings: list[Binding], nodes: Sequence[PlacedNode], *, keep_bindings: bool
    ) -> dict[str, list[str]]:
        """Dotted names of the imports that each of the nodes uses, by its unique name."""
        if not nodes and keep_bindings:
            return {}
        absolute, imports = scan_imports(self.path, self.package, bindings, nodes)
        if not keep_bindings:
            self._bindings = bindings
            self._binding_json = orjson.dumps(absolute)
        return {node.unique: used for node, used in zip(nodes, imports, strict=True)}


def _same(
    old: tuple[PlacedNode, list[str], NodeRow] | None, node: PlacedNode, imports: list[str] | None = None
) -> bool:
    """Whether a row is that of the node as it is now (and has these imports)."""
    if old is None or not (old[0] is node or old[0] == node):
        return False
    return imports is None or old[1] == imports


def package_of(path: str) -> tuple[str, ...]:
    """The package that a file's relative imports start from, by its path alone; a leading `src` is no package."""
    parts = path.split("/")[:-1]
    return tuple(parts[1:] if parts[:1] == ["src"] else parts)


def module_of(path: str) -> str:
    """The dotted name that a file is imported by."""
    name = path.rpartition("/")[2].partition(".")[0]
    return ".".join(package_of(path) if name == "__init__" else (*package_of(path), name))


def _starts(facts: FileFacts) -> list[int]:
    return [n for segment, start in facts.segments for n in (segment.id, start)]


def _node_row(placed: PlacedNode, record: Json, imports: list[str]) -> NodeRow:
    facts = placed.facts
    if placed.number > MOST_IN_SEGMENT:
        raise SourceError(f"more than {MOST_IN_SEGMENT:,} definitions in one statement", None)
    values: Sequence[Any] = (
        facts.node_type, facts.kind, facts.line, facts.col, facts.end_line, facts.end_col,
        facts.name_line, facts.name_col, facts.name_line, facts.name_end,
        record["source_hash"], record["signature"], record["docstring"], record["docstring_full"], imports,
        record["decorators"], record["line_count"], record["complexity"], record["has_type_hints"], facts.broken,
    )  # fmt: skip
    segment = ABSOLUTE if placed.segment < 0 else placed.segment
    return segment, placed.number, placed.unique, facts.name, facts.kind, _dumps(values)


def _summary(value: list[Any]) -> bytes:
    try:
        return _dumps(value)
    except (TypeError, RecursionError):  # nested too deeply: nothing is known of what it does with names
        return _dumps([value[0], [[] for _ in value[1]]])


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # a lone surrogate in a string literal has no UTF-8
        return orjson.dumps(_printable(value))


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, (list, tuple)):
        return [_printable(inner) for inner in value]
    return value
