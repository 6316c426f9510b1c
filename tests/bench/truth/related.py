"""Related tests against the tests that really run a function.

Judged is every function of the packages that some test runs. Recall: of all its tests (function by function, and summed over
the functions), how many the index relates to it, with no limit on their number. Precision: of the first five that it
relates (of fewer where it relates fewer), how many run the function; beside it the same of five places for each function,
and how many places there would be for an order that knows everything, since many functions have fewer than five tests.
Tests that did not run (skipped ones) are left out on both sides.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.index.keys import split_key
from remora_hub_lsp.index.view import IndexView

from ..report import Table
from .covered import covered_by
from .edges import asked
from .packages import Package
from .scores import Score, kept

WANTED_RECALL, WANTED_PRECISION = 0.9, 0.9
FIRST = 5
NO_LIMIT = 1_000_000


class Result(NamedTuple):
    """pairs: of function and test. first: of the first five. each: recall of each function. possible: how many of the
    first five could be right. found: share with any."""

    pairs: Score
    first: Score
    each: list[float]
    possible: int

    @property
    def any(self) -> float:
        return sum(recall > 0 for recall in self.each) / len(self.each)


def bench(packages: Sequence[Package], *, verbose: bool = False) -> None:
    """Print the table."""
    columns = ["package", "functions", "tests of them", "with a related test", "recall of pairs", "mean recall of a function", "precision of the first 5", "right of 5 places", "possible"]  # fmt: skip
    table = Table("Related tests", "Against coverage.py's contexts; see `tests/bench/truth/related.py`.", columns)
    results = []
    for package in packages:
        truth = covered_by(package)
        found = related_in(package, sorted(truth.by_function))
        results.append(score(truth.by_function, {key: [t for t in tests if t in truth.tests] for key, tests in found.items()}))
        row(table, package.release, results[-1], wanted=False)
        if verbose:
            show(truth.by_function, found, truth.tests)
    total = Result(Score.total(r.pairs for r in results), Score.total(r.first for r in results),
                   [one for r in results for one in r.each], sum(r.possible for r in results))  # fmt: skip
    row(table, "**sum**", total, wanted=True)
    table.print()


def row(table: Table, name: str, result: Result, *, wanted: bool) -> None:
    recall, precision = result.pairs.recall, result.first.precision
    told = [kept(recall, WANTED_RECALL), kept(precision, WANTED_PRECISION)] if wanted else [f"{recall:.3f}", f"{precision:.3f}"]
    mean = f"{statistics.mean(result.each):.3f}"
    places = FIRST * len(result.each)
    table.row(name, len(result.each), result.pairs.true, f"{result.any:.3f}", told[0], mean, told[1],
              f"{result.first.right_of_found / places:.3f}", f"{result.possible / places:.3f}")  # fmt: skip


def score(true: dict[str, set[str]], found: dict[str, list[str]]) -> Result:
    pairs, first, each = [], [], []
    for function, tests in true.items():
        related = found.get(function, [])
        pairs.append(Score.of(related, tests))
        first.append(Score.of(related[:FIRST], tests))
        each.append(pairs[-1].recall)
    return Result(Score.total(pairs), Score.total(first), each, sum(min(len(tests), FIRST) for tests in true.values()))


def related_in(package: Package, functions: Sequence[str]) -> dict[str, list[str]]:
    """The tests that the index relates to each function, nearest first."""
    with tempfile.TemporaryDirectory() as folder:
        question = partial(_related, functions)
        return asyncio.run(asked(package.root, Path(folder, "index.db"), question, related_limit=NO_LIMIT))


def _related(functions: Sequence[str], view: IndexView) -> dict[str, list[str]]:
    view.joins_tests = True
    asked_for = [split_key(key) for key in functions]
    return {state["key"]: list(state["related_tests"] or ()) for state in view.nodes(asked_for).values() if state}


def show(true: dict[str, set[str]], found: dict[str, list[str]], ran: set[str]) -> None:
    """Functions with the worst recall first, and wrong ones among the first five."""
    for function, tests in sorted(true.items(), key=lambda one: -len(one[1] - set(found.get(one[0], ())))):
        related = [test for test in found.get(function, ()) if test in ran]
        lost, wrong = sorted(tests - set(related)), [test for test in related[:FIRST] if test not in tests]
        for sign, some in (("missed", lost), ("wrong", wrong)):
            if some:
                print(f"{sign:6} {function.removeprefix('node:')}: {len(some)} (of {len(tests)}), as {some[0].removeprefix('node:')}")
