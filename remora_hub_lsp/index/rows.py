"""Facts -> rows: what one file's facts are in the database, and what an edit changes of them.

A node's row holds nothing that moves when lines are inserted elsewhere: lines count from its segment, and the
file's row holds where each segment starts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from ..analysis.facts import Binding, FileFacts, NodeFacts, PlacedNode
from ..errors import SourceError

# Nodes of no segment of their own (the module, nodes written by hand): their lines count from the file's start.
ABSOLUTE = (1 << 24) - 1
MOST_IN_SEGMENT = (1 << 16) - 1
SUMMARY_LENGTH = 100

# What the facts of a NodeRow hold, in this order; LATER_FIELDS follow only in a node that was written by
# hand: else they are joined when it is read (see joined.py).
FACT_FIELDS = (
    "node_type", "kind", "line", "col", "end_line", "end_col", "name_line", "name_col", "name_end_line", "name_end",
    "source_hash", "signature", "docstring", "docstring_full", "imports", "decorators", "line_count", "complexity",
    "has_type_hints", "broken",
)  # fmt: skip
LATER_FIELDS = (
    "callers", "callees", "related_tests", "docstring_outdated", "docstring_outdated_reason", "extra",
)  # fmt: skip


# One node: segment, number in it, qualname, name, kind, and a JSON array of FACT_FIELDS (and LATER_FIELDS).
# A plain tuple: tens of thousands of them come from the workers.
NodeRow = tuple[int, int, str, str, str, bytes]


class FileRows(NamedTuple):
    """One file's rows, or with `partial` those that differ from the ones written before.

    deleted: qualnames that are gone. uses: (segment, JSON [[number of the node, uses] ...]); -1 is the scope around.
    starts: JSON array, segment id and first line by turns, ascending by line.
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
    uses: list[tuple[int, bytes]]
    partial: bool = False
    deleted: tuple[str, ...] = ()
    deleted_uses: tuple[int, ...] = ()


def encode(path: str, facts: FileFacts) -> FileRows:
    """All rows of a file. Raises SourceError where one statement holds too many definitions."""
    return LiveRows(path).update(facts)


class LiveRows:
    """The rows of one file while it is edited: each update gives what changed."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.package = package_of(path)
        self._rows: dict[str, tuple[PlacedNode, tuple[str, ...], NodeRow]] = {}
        self._segments: set[int] = set()
        self._bindings: list[Binding] | None = None
        self._targets: dict[str, list[Binding]] = {}
        self._binding_json = b"[]"

    def update(self, facts: FileFacts) -> FileRows:
        """Rows for `facts`; only what differs from the last call, and everything at the first."""
        partial = self._bindings is not None
        same_bindings = facts.bindings == self._bindings
        if not same_bindings:
            self._bindings = facts.bindings
            self._targets = _by_root(facts.bindings)
            self._binding_json = orjson.dumps([(name, self._absolute(target)) for name, target in facts.bindings])
        before, after, changed = self._rows, {}, []
        for placed in facts.nodes:
            old = before.get(placed.unique)
            if (
                old is not None
                and (old[0] is placed or old[0] == placed)
                and (same_bindings or old[1] == self._imports(placed.facts))
            ):
                after[placed.unique] = old
                continue
            imports = self._imports(placed.facts)
            row = _node_row(placed, imports)
            after[placed.unique] = (placed, imports, row)
            changed.append(row)
        self._rows = after
        known = self._segments
        segments = {segment.id for segment, _ in facts.segments}
        fresh = segments - known
        uses = [
            (segment.id, data)
            for segment, _ in (facts.segments if fresh else ())
            if segment.id in fresh and (data := _uses(segment.uses, segment.nodes))
        ]
        gone_uses = tuple(known - segments)
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
            uses,
            partial,
            tuple(name for name in before if name not in after) if partial else (),
            gone_uses if partial else (),
        )

    def _imports(self, facts: NodeFacts) -> tuple[str, ...]:
        """Dotted names of what the node uses of its own and the module's imports; a module has all of its own."""
        targets = set(facts.local_imports)
        if facts.node_type == "module":
            targets.update(target for bindings in self._targets.values() for _, target in bindings)
        elif self._targets:
            for root in facts.roots & self._targets.keys():
                for name, target in self._targets[root]:
                    # `import a.b` is used where `a.b` stands; plain names wherever their root stands.
                    # A class's uses stand with its members: there the root has to do.
                    if "." not in name or not facts.uses or any(use[1].startswith(name) for use in facts.uses):
                        targets.add(target)
        return tuple(sorted(self._absolute(target) for target in targets)) if targets else ()

    def _absolute(self, target: str) -> str:
        """A relative import's target, made absolute by the file's own package."""
        if not target.startswith("."):
            return target
        rest = target.lstrip(".")
        package = self.package
        level = len(target) - len(rest)
        kept = package[: len(package) - (level - 1)] if level - 1 <= len(package) else ()
        return ".".join([*kept, rest] if rest else kept) or target


def package_of(path: str) -> tuple[str, ...]:
    """The package that a file's relative imports start from, by its path alone; a leading `src` is no package."""
    parts = path.split("/")[:-1]
    return tuple(parts[1:] if parts[:1] == ["src"] else parts)


def module_of(path: str) -> str:
    """The dotted name that a file is imported by."""
    name = path.rpartition("/")[2].partition(".")[0]
    return ".".join(package_of(path) if name == "__init__" else (*package_of(path), name))


def summary(docstring: str | None) -> str | None:
    """The first line of a docstring, at most SUMMARY_LENGTH characters."""
    if not docstring:
        return docstring
    line = docstring.strip().partition("\n")[0].rstrip()
    return line if len(line) <= SUMMARY_LENGTH else line[: SUMMARY_LENGTH - 1].rstrip() + "…"


def _starts(facts: FileFacts) -> list[int]:
    return [n for segment, start in facts.segments if segment.nodes for n in (segment.id, start)]


def _by_root(bindings: Iterable[Binding]) -> dict[str, list[Binding]]:
    out: dict[str, list[Binding]] = {}
    for binding in bindings:
        out.setdefault(binding[0].partition(".")[0], []).append(binding)
    return out


def _node_row(placed: PlacedNode, imports: tuple[str, ...]) -> NodeRow:
    facts = placed.facts
    if placed.number > MOST_IN_SEGMENT:
        raise SourceError(f"more than {MOST_IN_SEGMENT:,} definitions in one statement", None)
    values: Sequence[Any] = (
        facts.node_type, facts.kind, facts.line, facts.col, facts.end_line, facts.end_col,
        facts.name_line, facts.name_col, facts.name_line, facts.name_end,
        facts.source_hash, facts.signature, summary(facts.docstring), facts.docstring, imports, facts.decorators,
        facts.line_count, facts.complexity, facts.has_type_hints, facts.broken,
    )  # fmt: skip
    segment = ABSOLUTE if placed.segment < 0 else placed.segment
    return segment, placed.number, placed.unique, facts.name, facts.kind, _dumps(values)


def _uses(around: tuple[Any, ...], nodes: Sequence[NodeFacts]) -> bytes:
    used: list[Any] = [(-1, around)] if around else []
    used += [(number, facts.uses) for number, facts in enumerate(nodes) if facts.uses]
    return _dumps(used) if used else b""


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
