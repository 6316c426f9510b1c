"""The call graph against what really called what while packages' own tests ran.

Judged are edges to functions of the package itself (not of its tests), from functions, class bodies and modules; code in
lambdas and comprehensions belongs to the definition around it, and calls of lambdas are left out, as are classes without an
`__init__` of the project's. The first table has the package and its tests as callers, the others tell them apart.

- recall of calls: of the pairs (caller, callee) that a CALL instruction made, directly or through something built-in
  (`sorted(key=f)`); decorators are unwrapped: caller -> wrapper -> function counts as caller -> function, for wrappers
  that say so (`functools.wraps`, `lru_cache`, `contextmanager`), closures that have taken the function's name, and
  descriptors that call the function they decorate (`cached_property`).
- recall of implicit calls: of the other pairs: properties, operators, iteration, `with`, `str(x)`, ...
- precision: of the pairs found whose caller's every line ran, how many happened (no matter how). Calls of wrappers are left out.

Counted is evidence `exact` and `inferred`; the last columns add `name`. F1 is of the recall of calls and the precision.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..report import Table
from .causes import Finding, misses_of, print_causes, wrong_of
from .edges import Found, found_in
from .packages import Package
from .scores import Score, kept
from .traces import Call, Truth, truth_of

WANTED_RECALL, WANTED_PRECISION, WANTED_F1, WANTED_IMPLICIT = 0.87, 0.93, 0.90, 0.60
COUNTED = ("exact", "inferred")
Pair = tuple[str, str]
Source = Callable[[Package, Truth], list[Found]]


class Result(NamedTuple):
    """calls: recall of calls with the precision. implicit, guessed: the same for implicit calls, and with `name`."""

    calls: Score
    implicit: Score
    guessed: Score


def bench(packages: Sequence[Package], source: Source, *, causes: int = 0, details: Path | None = None) -> None:
    """Print the tables. causes: how many examples of each cause to list. details: a file for all of them."""
    rows: list[tuple[Package, Result, Result]] = []
    findings: list[Finding] = []
    for package in packages:
        truth = truth_of(package)
        found = source(package, truth)
        rows.append((package, score(truth, found, package.source), score(truth, found, "")))
        findings += misses_of(package, truth, missed(truth, found, package.source))
        findings += wrong_of(package, truth, wrong(truth, found, package.source), found)
    print_table("All calls", [(package, summed(inside, tests)) for package, inside, tests in rows])
    print_table("Calls inside the packages", [(package, result) for package, result, _ in rows])
    print_table("The same with the packages' tests as callers", [(package, result) for package, _, result in rows])
    print_causes(findings, causes, details)


def print_table(title: str, rows: Sequence[tuple[Package, Result]]) -> None:
    note = "Pairs of caller and callee; how they are counted stands in `tests/bench/truth/graph.py`."
    columns = ["package", "calls", "recall", "implicit", "recall", "judged", "precision", "F1", "with `name`: recall", "precision"]
    table = Table(title, note, columns)
    for package, result in rows:
        table.row(package.release, *cells(result, f"{result.calls.recall:.3f}", f"{result.implicit.recall:.3f}",
                                          f"{result.calls.precision:.3f}", f"{result.calls.f1:.3f}"))  # fmt: skip
    total = summed(*(result for _, result in rows))
    table.row("**sum**", *cells(total, kept(total.calls.recall, WANTED_RECALL), kept(total.implicit.recall, WANTED_IMPLICIT),
                                kept(total.calls.precision, WANTED_PRECISION), kept(total.calls.f1, WANTED_F1)))  # fmt: skip
    table.print()


def summed(*results: Result) -> Result:
    return Result(*(Score.total(parts) for parts in zip(*results, strict=True)))


def cells(result: Result, recall: str, implicit: str, precision: str, f1: str) -> list[object]:
    calls, guessed = result.calls, result.guessed
    return [calls.true, recall, result.implicit.true, implicit, calls.found, precision, f1,
            f"{guessed.recall:.3f}", f"{guessed.precision:.3f}"]  # fmt: skip


def score(truth: Truth, found: Sequence[Found], source: str) -> Result:
    """source: the folder in which callers have to lie; with none, callers in tests count and only those."""
    calls, implicit = true_pairs(truth, source)
    sure, guessed = pairs_found(truth, found, COUNTED, source), pairs_found(truth, found, (*COUNTED, "name"), source)
    happened = calls | implicit
    return Result(
        both(calls, happened, sure, truth), both(implicit, happened, sure, truth), both(calls, happened, guessed, truth)
    )


def both(true: set[Pair], happened: set[Pair], found: set[Pair], truth: Truth) -> Score:
    judged = {pair for pair in found if pair[0] in truth.whole}
    return Score(len(judged & happened), len(judged), len(true & found), len(true))


def true_pairs(truth: Truth, source: str) -> tuple[set[Pair], set[Pair]]:
    """The pairs that a CALL made, and those that were only made implicitly."""
    calls = {(call.caller, call.callee) for call in truth.calls if call.how != "implicit"}
    every = {(call.caller, call.callee) for call in truth.calls}
    judge = judged_in(truth, source)
    return {pair for pair in calls if judge(pair)}, {pair for pair in every - calls if judge(pair)}


def pairs_found(truth: Truth, found: Sequence[Found], evidence: Sequence[str], source: str) -> set[Pair]:
    judge = judged_in(truth, source)
    return {(e.caller, e.callee) for e in found if e.evidence in evidence and judge((e.caller, e.callee))}


def judged_in(truth: Truth, source: str) -> Callable[[Pair], bool]:
    def inside(key: str) -> bool:
        return key.startswith(f"node:{truth.source}/") and not is_test(key)

    wrappers = {wrapper for wrapper, _ in truth.wrapped}

    def judge(pair: Pair) -> bool:
        caller, callee = pair
        if callee in wrappers or pair in truth.wrapped or callee not in truth.nodes or truth.nodes[callee].kind != "function":
            return False
        return inside(callee) and (inside(caller) if source else not inside(caller))

    return judge


def is_test(key: str) -> bool:
    """Whether a node lies in the tests that some packages carry within themselves."""
    path = key.split(":")[1]
    return "/tests/" in path or path.rpartition("/")[2].startswith(("test_", "conftest"))


def missed(truth: Truth, found: Sequence[Found], source: str) -> list[Call]:
    pairs, judge = pairs_found(truth, found, COUNTED, source), judged_in(truth, source)
    return [call for call in truth.calls if (pair := (call.caller, call.callee)) not in pairs and judge(pair)]


def wrong(truth: Truth, found: Sequence[Found], source: str) -> list[Found]:
    calls, implicit = true_pairs(truth, source)
    pairs = pairs_found(truth, found, COUNTED, source) - calls - implicit
    return [e for e in found if e.caller in truth.whole and (e.caller, e.callee) in pairs and e.evidence in COUNTED]


def from_index(package: Package, _truth: Truth) -> list[Found]:
    """What the index says; a new one, since an older one may be another analysis's."""
    with tempfile.TemporaryDirectory() as folder:
        return found_in(package.root, Path(folder, "index.db"))


def from_truth(_package: Package, truth: Truth) -> list[Found]:
    """The truth itself: the harness has to give 1.000 everywhere."""
    return [Found(c.caller, c.callee, "exact", c.how == "implicit", (c.place[0],)) for c in truth.calls]


def from_names(_package: Package, truth: Truth) -> list[Found]:
    """Every function with the right bare name, of the true calls: the harness has to give precision far below 1."""
    named: dict[str, list[str]] = {}
    for node in truth.nodes.values():
        named.setdefault(node.name, []).append(node.key)
    pairs = {(call.caller, key) for call in truth.calls for key in named[truth.nodes[call.callee].name]}
    return [Found(caller, callee, "inferred", False) for caller, callee in pairs]


SOURCES: dict[str, Source] = {"index": from_index, "truth": from_truth, "names": from_names}
