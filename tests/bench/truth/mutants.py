"""Does `tests --changed` select every test that fails when a function is broken?

A trial: the body of a random function of a package is replaced by a `raise`, and the tests that run the function (by
coverage), and some others, are run; those that fail and did not fail before are the truth. Then `remora-hub tests
--changed` is asked in a git clone of the package with just that change. A trial is kept if all failing tests are among
those selected; of a file that cannot be collected any more all tests fail. Functions that no test runs are not drawn, nor
those that break the test runner itself.
"""

from __future__ import annotations

import ast
import json
import random
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from remora_hub_lsp.index.keys import split_key

from ..measure import environment
from ..report import Table
from .covered import Covered, covered_by, key_of
from .nodes import nodes_of
from .packages import Package, cache, run
from .scores import kept

WANTED = 0.95
FAST = ("click", "flask", "marshmallow", "sqlparse", "requests", "jinja2", "starlette", "werkzeug")  # suites of seconds
MOST_OTHERS = 20  # tests that are run although coverage says that they do not run the function
BROKEN = 'raise RuntimeError("broken on purpose")'
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "--no-header", "--tb=no", "-rfE",
          "--continue-on-collection-errors")  # fmt: skip


class Trial(NamedTuple):
    """function: its key. failing: keys of the tests that fail only with the function broken."""

    package: str
    function: str
    failing: list[str]


def bench(packages: Sequence[Package], trials: int, *, seed: int = 1, verbose: bool = False) -> None:
    """Print the table. trials: how many in all, spread evenly over the packages."""
    columns = ["package", "trials", "with failing tests", "all contained", "failing tests contained", "share of suite selected, median / mean",
               "median share up to the last failing test"]  # fmt: skip
    table = Table("Mutation trials", f"{BROKEN!r} in a random function that some test runs.", columns)
    results: list[tuple[Trial, list[str], int]] = []
    for package in packages:
        covered = covered_by(package)
        outcome = [
            (trial, selected_for(package, trial), len(covered.tests))
            for trial in trials_of(package, covered, trials // len(packages), seed)
        ]
        row(table, package.release, outcome)
        results += outcome
        for trial, selected, _ in outcome if verbose else ():
            if lost := sorted(set(trial.failing) - set(selected)):
                print(f"{trial.function}: {len(lost)} of {len(trial.failing)} failing tests not selected, as {lost[0]}")
    row(table, "**sum**", results)
    table.print()


def row(table: Table, name: str, results: Sequence[tuple[Trial, list[str], int]]) -> None:
    biting = [(trial, selected) for trial, selected, _ in results if trial.failing]
    contained = sum(set(trial.failing) <= set(selected) for trial, selected in biting)
    failing = sum(len(trial.failing) for trial, _ in biting)
    inside = sum(len(set(trial.failing) & set(selected)) for trial, selected in biting)
    shares = [len(selected) / tests for _, selected, tests in results]
    needed = sorted(
        max((selected.index(test) + 1 for test in trial.failing if test in selected), default=0) / tests
        for trial, selected, tests in results if trial.failing
    )  # fmt: skip
    kept_all = kept(contained / len(biting), WANTED) if biting else "-"
    share = f"{statistics.median(shares):.3f} / {statistics.mean(shares):.3f}" if shares else "-"
    table.row(name, len(results), len(biting), kept_all, f"{inside / failing:.3f}" if failing else "-", share,
              f"{needed[len(needed) // 2]:.3f}" if needed else "-")  # fmt: skip


# ---- the truth


def trials_of(package: Package, covered: Covered, number: int, seed: int) -> list[Trial]:
    """`number` trials; those already made are taken from the cache."""
    path = cache() / "mutants" / f"{package.release.replace('==', '-')}-{seed}.json"
    made = [Trial(*one) for one in json.loads(path.read_bytes())] if path.exists() else []
    functions = sorted(covered.by_function)
    random.Random(f"{seed} {package.release}").shuffle(functions)
    if len(made) < number:
        before = failing_tests(package, clone(package), [])
        for function in functions[len(made) : number]:
            made.append(Trial(package.name, function, sorted(try_one(package, covered, function) - before)))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(made), encoding="utf-8")
            print(f"{function}: {len(made[-1].failing)} tests fail", file=sys.stderr, flush=True)
    return made[:number]


def try_one(package: Package, covered: Covered, function: str) -> set[str]:
    """The tests that fail with the function broken."""
    folder = clone(package)
    break_function(folder, function)
    running = sorted(covered.by_function[function])
    others = sorted(covered.tests - set(running))
    sample = random.Random(function).sample(others, min(MOST_OTHERS, len(others)))
    return failing_tests(package, folder, [*running, *sample])


def failing_tests(package: Package, folder: Path, tests: Sequence[str]) -> set[str]:
    """The keys of the tests that fail or cannot be run; all of the suite where none are named."""
    ids = [test.removeprefix("node:").replace(":", "::", 1) for test in tests]
    names = ["::".join([path, *name.split(".")]) for path, _, name in (one.partition("::") for one in ids)]
    sources = str(folder / Path(package.source).parent)
    log = cache() / "mutants" / f"{package.name}.log"
    arguments = names or list(package.tests)
    run([*PYTEST, *arguments], package, log, cwd=folder, PYTHONPATH=sources)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line.split(" ", 2)[1] for line in lines if line.startswith(("FAILED ", "ERROR "))]
    # Of a file that cannot be collected no test can be run.
    uncollected = {test for test in tests if split_key(test)[0] in failed}
    return {key_of(f"{test}|run") for test in failed if "::" in test} | uncollected


# ---- the selection


def selected_for(package: Package, trial: Trial) -> list[str]:
    """Keys of the tests that `tests --changed` selects for a trial's change, the likeliest first."""
    folder = clone(package)
    break_function(folder, trial.function)
    database = cache() / "mutants" / f"{package.name}.db"
    command = [sys.executable, "-m", "remora_hub_lsp", "tests", "--changed", "--json", "--root", str(folder), "--db", str(database)]
    done = subprocess.run(command, capture_output=True, env=environment(), text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return list(dict.fromkeys(test["key"] for test in answer["tests"]))


def clone(package: Package) -> Path:
    """A git work tree of the package without any change."""
    folder = cache() / "mutants" / package.name
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    if not (folder / ".git").exists():
        shutil.copytree(package.root, folder, dirs_exist_ok=True, symlinks=True)
        for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-qm", package.release]):
            subprocess.run([*git, *command], check=True)
    subprocess.run([*git, "checkout", "-q", "--", "."], check=True)
    return folder


def break_function(folder: Path, function: str) -> None:
    """Replace a function's body, its docstring aside."""
    path = function.split(":")[1]
    text = (folder / path).read_text(encoding="utf-8")
    (node,) = (one for one in nodes_of(path, ast.parse(text)) if one.key == function)
    assert isinstance(node.definition, ast.FunctionDef | ast.AsyncFunctionDef)
    body = node.definition.body
    first = body[1] if len(body) > 1 and ast.get_docstring(node.definition, clean=False) is not None else body[0]
    lines = text.splitlines(keepends=True)
    start = min([first.lineno, *(one.lineno for one in getattr(first, "decorator_list", []))])
    lines[start - 1 : node.end_line] = [" " * first.col_offset + BROKEN + "\n"]
    (folder / path).write_text("".join(lines), encoding="utf-8")
