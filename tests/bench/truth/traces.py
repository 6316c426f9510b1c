"""True call edges of a package, from a run of its test suite; made once and kept."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from .nodes import Node, nodes_of
from .packages import Package, cache, fetch, run

TRACER = Path(__file__).with_name("tracer.py")
PYTEST = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--assert=plain", "--no-header")


class Call(NamedTuple):
    """A true edge at one place. how: call, callback or implicit. place: 1-based line, column in bytes, end of both."""

    caller: str
    callee: str
    how: str
    place: tuple[int, int, int, int]


class Truth(NamedTuple):
    """What a suite's run showed. source: the package's folder below its root. whole: nodes every line of which ran. wrapped: (wrapper, function) where
    something stands in for a decorated function. started: functions that ran at all."""

    source: str
    nodes: dict[str, Node]
    calls: list[Call]
    whole: set[str]
    started: set[str]
    wrapped: set[tuple[str, str]]


def truth_of(package: Package) -> Truth:
    """The truth about a package, traced now if it has not been."""
    path = cache() / "traces" / f"{package.release.replace('==', '-')}.json"
    if not path.exists():
        record(package, path)
    return read(package, json.loads(path.read_bytes()))


def record(package: Package, path: Path) -> None:
    fetch(package)
    print(f"running the tests of {package.release} ...", file=sys.stderr, flush=True)
    part, log = path.with_suffix(".part"), path.with_suffix(".log")
    code = run([str(TRACER), str(part), str(package.root), *PYTEST, *package.tests], package, log)
    if code not in (0, 1) or not part.exists():
        raise SystemExit(f"the tests of {package.release} ended with {code}: see {log}")
    part.rename(path)


def read(package: Package, trace: dict[str, Any]) -> Truth:
    """Tell the trace in node keys. Code that belongs to no definition (made by `exec`, templates) is left out."""
    paths = {code[0] for code in trace["codes"] if code[0].endswith(".py")}
    paths |= {path.relative_to(package.root).as_posix() for path in (package.root / package.source).rglob("*.py")}
    nodes = {node.key: node for path in sorted(paths) for node in nodes_of_file(package.root, path)}
    owner = Owners(nodes.values())
    keys = [owner.of(*code[:3]) for code in trace["codes"]]
    named = [is_own(code[2]) for code in trace["codes"]]
    wrapped = {(keys[a], keys[b]) for a, b in trace["wraps"]}
    calls = []
    for caller, descriptor, function, *place in trace.get("got", ()):
        if keys[function] and nodes[keys[function]].decorators:
            wrapped.add((keys[descriptor], keys[function]))
            calls.append(Call(keys[caller], keys[function], "implicit", tuple(place)))
    for caller, callee, how, *place, _runs in trace["edges"]:
        pair = keys[caller], keys[callee]
        if named[callee] and all(pair) and pair not in wrapped and nodes[pair[1]].kind == "function":
            how = "call" if nodes[pair[1]].name == "__call__" and how == "implicit" else how
            calls.append(Call(*pair, how, tuple(place)))
    ran = [(key, code) for key, code in zip(keys, trace["codes"], strict=True) if key and is_own(code[2])]
    return Truth(
        package.source,
        nodes,
        calls,
        whole={key for key, code in ran if code[5]},
        started={key for key, code in ran if code[4]},
        wrapped=wrapped,
    )


def is_own(qualname: str) -> bool:
    """Whether a code object is a definition's own, not one of its lambdas or comprehensions."""
    return qualname == "<module>" or not qualname.endswith(">")


def nodes_of_file(root: Path, path: str) -> Iterable[Node]:
    return nodes_of(path, ast.parse((root / path).read_bytes()))


class Owners:
    """Which definition a code object belongs to."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self.by_line: dict[tuple[str, int, str], str] = {}
        self.by_path: dict[str, list[Node]] = {}
        for node in nodes:
            self.by_line[node.path, node.line, node.name] = node.key
            self.by_path.setdefault(node.path, []).append(node)

    def of(self, path: str, line: int, qualname: str) -> str | None:
        """The key of the innermost definition that a code object is part of; None for code of another making."""
        if path not in self.by_path:
            return None
        parts = [part for part in qualname.split(".") if part != "<locals>"]
        while parts and parts[-1].startswith("<") and parts[-1] != "<module>":
            parts.pop()
        if not parts or parts == ["<module>"]:
            return f"node:{path}:<module>"
        if is_own(qualname):
            return self.by_line.get((path, line, parts[-1]))
        name = ".".join(parts)
        around = [n for n in self.by_path[path] if n.qualname.partition("#")[0] == name and n.line <= line <= n.end_line]
        return around[-1].key if around else None
