"""PyCG's micro benchmark: small programs with a hand-written call graph beside each.

How names are mapped. `main.Class.method` is the node `node:main.py:Class.method`, a module's own code its `<module>`,
a package's `pkg/__init__.py`. Judged are edges whose both ends the program defines as function, class or module: calls
of built-ins and of absent modules are left out on both sides. A lambda is no node of the index: what it calls is called
by the definition around it, and calls of a lambda are left out on both sides. Edges to a class itself (an instantiation
without `__init__`) are left out: the benchmark has none. Only `exact` and `inferred` edges are counted, implicit ones too.
"""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..report import Table
from .edges import Found, found_in
from .nodes import Node, nodes_of
from .scores import Score, kept

WANTED_PRECISION, WANTED_RECALL = 0.98, 0.85
COUNTED = ("exact", "inferred")
Pair = tuple[str, str]


def bench(folder: Path, *, verbose: bool) -> None:
    """Print the table. folder: PyCG's repository, or its folder micro-benchmark."""
    truths = sorted(folder.rglob("snippets/*/*/callgraph.json"))
    if not truths:
        raise SystemExit(f"{folder} has no snippets/*/*/callgraph.json: give PyCG's folder micro-benchmark")
    scores: dict[str, list[Score]] = {}
    for truth in truths:
        true, found = judged(truth.parent, json.loads(truth.read_text(encoding="utf-8")))
        scores.setdefault(truth.parent.parent.name, []).append(Score.of(found, true))
        if verbose:
            show(truth.parent, true, found)
    print_table(scores, len(truths))


def print_table(scores: dict[str, list[Score]], programs: int) -> None:
    note = f"{programs} programs; edges between the functions, classes and modules that the program itself defines."
    table = Table("PyCG's micro benchmark", note, ["category", "programs", "edges", "found", "precision", "recall"])
    for category, parts in sorted(scores.items()):
        total = Score.total(parts)
        table.row(category, len(parts), total.true, total.found, f"{total.precision:.3f}", f"{total.recall:.3f}")
    total = Score.total(part for parts in scores.values() for part in parts)
    wanted = kept(total.precision, WANTED_PRECISION), kept(total.recall, WANTED_RECALL)
    table.row("**total**", programs, total.true, total.found, *wanted)
    table.print()


def judged(program: Path, graph: dict[str, list[str]]) -> tuple[set[Pair], set[Pair]]:
    """The true edges and those found, of what is judged."""
    nodes = {node.key: node for node in defined(program)}
    names = {dotted(node): node.key for node in nodes.values()}
    true = {
        (names[owner], names[callee])
        for caller, callees in graph.items()
        for callee in callees
        if callee in names and (owner := caller.split(".<lambda")[0]) in names
    }
    with tempfile.TemporaryDirectory() as folder:
        found = found_in(program, Path(folder, "index.db"))
    return true, {(edge.caller, edge.callee) for edge in found if is_judged(edge, nodes)}


def is_judged(edge: Found, nodes: dict[str, Node]) -> bool:
    callee = nodes.get(edge.callee)
    return edge.evidence in COUNTED and edge.caller in nodes and callee is not None and callee.kind == "function"


def defined(program: Path) -> Iterator[Node]:
    for path in sorted(program.rglob("*.py")):
        yield from nodes_of(path.relative_to(program).as_posix(), ast.parse(path.read_bytes()))


def dotted(node: Node) -> str:
    """A node's name as PyCG writes it."""
    module = node.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return module if node.kind == "module" else f"{module}.{node.qualname}"


def show(program: Path, true: set[Pair], found: set[Pair]) -> None:
    name = f"{program.parent.name}/{program.name}"
    for sign, pairs in (("missed", true - found), ("false", found - true)):
        for caller, callee in sorted(pairs):
            print(f"{sign:6} {name}: {caller.removeprefix('node:')} -> {callee.removeprefix('node:')}")
