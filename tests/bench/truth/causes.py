"""Why edges were missed or wrong, by the form of the expression that makes the call."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..report import Table
from .edges import Found
from .nodes import Node
from .packages import Package
from .traces import Call, Truth

Defined = ast.FunctionDef | ast.AsyncFunctionDef


class Finding(NamedTuple):
    """One pair that was missed or is wrong, and where."""

    kind: str
    cause: str
    package: str
    caller: str
    callee: str
    line: int
    text: str


def misses_of(package: Package, truth: Truth, missed: Iterable[Call]) -> Iterator[Finding]:
    """One finding for each missed pair."""
    seen = set()
    for call in missed:
        if (call.caller, call.callee) not in seen:
            seen.add((call.caller, call.callee))
            yield finding("missed", cause_of_miss(package.root, truth, call), package, call.caller, call.callee, call.place[0])


def wrong_of(package: Package, truth: Truth, wrong: Iterable[Found], found: Sequence[Found]) -> Iterator[Finding]:
    """One finding for each wrong pair."""
    happened: dict[str, set[str]] = defaultdict(set)
    for call in truth.calls:
        happened[call.caller].add(call.callee)
    seen = set()
    for edge in wrong:
        if (edge.caller, edge.callee) not in seen:
            seen.add((edge.caller, edge.callee))
            cause = cause_of_wrong(truth, edge, happened[edge.caller])
            yield finding("wrong", cause, package, edge.caller, edge.callee, min(edge.sites, default=0))


def finding(kind: str, cause: str, package: Package, caller: str, callee: str, line: int) -> Finding:
    lines = lines_of(package.root / caller.split(":")[1])
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return Finding(kind, cause, package.name, caller, callee, line, text)


def cause_of_wrong(truth: Truth, edge: Found, happened: set[str]) -> str:
    how = "implicit" if edge.implicit else "call"
    name = truth.nodes[edge.callee].name
    others = [key for key in happened if truth.nodes[key].name == name]
    if others:
        return f"{edge.evidence}, {how}: another definition of that name was called"
    return f"{edge.evidence}, {how}: {'never ran' if edge.callee not in truth.started else 'not called from there'}"


def cause_of_miss(root: Path, truth: Truth, call: Call) -> str:
    """Names the form of the call."""
    caller, callee = truth.nodes[call.caller], truth.nodes[call.callee]
    if call.how == "implicit":
        return f"implicit: {form_of_implicit(callee)}"
    if call.how == "callback":
        return "callback: through something built-in"
    expression = expression_at(root / caller.path, call.place)
    if isinstance(expression, ast.Await):
        expression = expression.value
    if not isinstance(expression, ast.Call):
        return f"decorator or other: {type(expression).__name__}"
    what = "instantiation of " if callee.name in ("__init__", "__new__") else ""
    return what + form_of(expression.func, caller)


def form_of_implicit(callee: Node) -> str:
    if callee.name.startswith("__"):
        return callee.name
    names = {ast.unparse(one).rpartition(".")[2] for one in callee.decorators}
    return "property" if names & {"property", "cached_property", "setter"} else "other descriptor or callback"


def form_of(called: ast.expr, caller: Node) -> str:
    match called:
        case ast.Name(name):
            return f"name: {origin_of(name, caller)}"
        case ast.Attribute(value=ast.Name("self" | "cls" as name)):
            return f"method of {name}"
        case ast.Attribute(value=ast.Call(func=ast.Name("super"))):
            return "method of super()"
        case ast.Attribute(value=ast.Name(name)):
            return f"method of {origin_of(name, caller)}"
        case ast.Attribute(value=ast.Attribute(value=ast.Name("self"))):
            return "method of an attribute of self"
        case ast.Attribute(value=ast.Attribute()):
            return "method of an attribute of something else"
        case ast.Attribute(value=ast.Call()):
            return "method of a call's result"
        case ast.Attribute(value=ast.Subscript()) | ast.Subscript():
            return "out of a container"
        case ast.Attribute():
            return f"method of a {type(called.value).__name__}"
        case ast.Call():
            return "a call's result called"
    return f"{type(called).__name__} called"


def origin_of(name: str, caller: Node) -> str:
    """Where a name in a function comes from."""
    if not isinstance(caller.definition, Defined):
        return "a name of the module or class"
    arguments = caller.definition.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.arg == name:
            return f"a parameter {'with' if argument.annotation else 'without'} annotation"
    for one in ast.walk(caller.definition):
        if isinstance(one, ast.For | ast.comprehension) and name in names_in(one.target):
            return "a loop's variable"
        if isinstance(one, ast.withitem) and one.optional_vars and name in names_in(one.optional_vars):
            return "a with statement's variable"
        if isinstance(one, ast.Assign) and any(name in names_in(target) for target in one.targets):
            return f"a local variable = {type(one.value).__name__}"
        if isinstance(one, ast.AnnAssign | ast.NamedExpr) and name in names_in(one.target):
            return "a local variable"
    return "a name of the module or around"


def names_in(target: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}


def expression_at(path: Path, place: tuple[int, int, int, int]) -> ast.AST | None:
    """The expression with exactly that place."""
    return expressions_of(path).get(place)


@cache
def expressions_of(path: Path) -> dict[tuple[int, int, int, int], ast.AST]:
    found: dict[tuple[int, int, int, int], ast.AST] = {}
    for one in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(one, ast.expr):
            found.setdefault((one.lineno, one.col_offset, one.end_lineno or 0, one.end_col_offset or 0), one)
    return found


@cache
def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def print_causes(findings: Sequence[Finding], examples: int, details: Path | None) -> None:
    """The table of causes, most frequent first, and some examples of each; all of them to the file `details`."""
    count = Counter((one.kind, one.cause) for one in findings)
    table = Table("Causes", "Pairs inside the packages.", ["", "pairs", "cause"])
    for (kind, cause), number in count.most_common():
        table.row(kind, number, cause)
    table.print()
    for wanted, _ in count.most_common() if examples else ():
        print(f"{wanted[0]}: {wanted[1]}")
        of_it = [one for one in findings if (one.kind, one.cause) == wanted]
        for one in of_it[:: max(1, len(of_it) // examples)][:examples]:
            print(f"    {told(one)}")
    if details:
        ordered = sorted(findings, key=lambda one: (one.kind, -count[one.kind, one.cause], one.cause, one.package))
        details.write_text("".join(f"{one.kind}\t{one.cause}\t{told(one)}\n" for one in ordered), encoding="utf-8")


def told(one: Finding) -> str:
    caller, callee = one.caller.removeprefix("node:"), one.callee.removeprefix("node:")
    return f"[{one.package}] {caller}:{one.line} -> {callee}    {one.text}"
