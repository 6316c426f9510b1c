"""Which tests really run which function, from coverage.py's contexts of the packages' own suites; made once and kept.

Contexts are those of pytest-cov's `--cov-context=test`: like coverage.py's own `dynamic_context = test_function`, but the
fixtures of a test count as part of it, and tests have pytest's names. A test runs a function if it runs a line of
its body, the definition's first line and functions inside of it aside. Parameters of a test do not make it another one.
"""

from __future__ import annotations

import ast
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from .nodes import Node, nodes_of
from .packages import Package, cache, fetch, run

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "--cov-context=test", "--cov-report=")


class Covered(NamedTuple):
    """tests: all that ran. by_function: the tests that run a function of the package, by its key. All are keys."""

    tests: set[str]
    by_function: dict[str, set[str]]


def covered_by(package: Package) -> Covered:
    """Which tests run what in a package; its suite is run now if it has not been."""
    data = cache() / "coverage" / f"{package.release.replace('==', '-')}.sqlite"
    if not data.exists():
        record(package, data)
    with closing(sqlite3.connect(data)) as database:
        lines = lines_by_test(database, package)
    by_function: dict[str, set[str]] = {}
    for path, tests_by_line in lines.items():
        for node, body in functions_of(package.root, path):
            ran = set().union(*(tests_by_line.get(line, ()) for line in body))
            if ran:
                by_function[node.key] = ran
    names = Names(package.root)
    by_function = {function: {names.definition(test) for test in tests} for function, tests in by_function.items()}
    return Covered({test for tests in by_function.values() for test in tests}, by_function)


class Names:
    """Tests that a class inherits are told by their definition, where the file has just one of that name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, dict[str, list[str]]] = {}

    def definition(self, test: str) -> str:
        _, path, qualname = test.split(":", 2)
        if path not in self.known:
            named: dict[str, list[str]] = {}
            for node in nodes_of(path, ast.parse((self.root / path).read_bytes())):
                named.setdefault(node.name, []).append(node.key)
            self.known[path] = named
        keys = self.known[path].get(qualname.rpartition(".")[2], [])
        return keys[0] if test not in keys and len(keys) == 1 else test


def record(package: Package, data: Path) -> None:
    fetch(package)
    print(f"measuring the coverage of {package.release}'s tests ...", file=sys.stderr, flush=True)
    part, settings = data.with_suffix(".part"), data.with_name("coveragerc")
    data.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[run]\nbranch = false\n", encoding="utf-8")
    command = [*PYTEST, f"--cov={package.source}", f"--cov-config={settings}", *package.tests]
    code = run(command, package, data.with_suffix(".log"), COVERAGE_FILE=str(part), COVERAGE_CORE="ctrace")
    if code not in (0, 1) or not part.exists():
        raise SystemExit(f"the tests of {package.release} ended with {code}: see {data.with_suffix('.log')}")
    part.rename(data)


def lines_by_test(database: sqlite3.Connection, package: Package) -> dict[str, dict[int, set[str]]]:
    """path -> line -> tests that ran it."""
    rows = database.execute(
        "SELECT file.path, context.context, numbits FROM line_bits"
        " JOIN file ON file.id = file_id JOIN context ON context.id = context_id WHERE context != ''"
    )
    found: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for path, context, bits in rows:
        inside = Path(path).relative_to(package.root).as_posix()
        if "/tests/" not in inside:
            for line in lines_in(bits):
                found[inside][line].add(key_of(context))
    return found


def lines_in(bits: bytes) -> Iterator[int]:
    return (at * 8 + bit for at, byte in enumerate(bits) for bit in range(8) if byte >> bit & 1)


def key_of(context: str) -> str:
    """The node key of a test, from `tests/test_a.py::TestB::test_c[parameter]|run`."""
    name = context.rpartition("|")[0].partition("[")[0]
    path, *parts = name.split("::")
    return f"node:{path}:{'.'.join(parts)}"


def functions_of(root: Path, path: str) -> Iterator[tuple[Node, set[int]]]:
    """Every function of a file with the lines of its body, those of inner functions and classes aside."""
    nodes = list(nodes_of(path, ast.parse((root / path).read_bytes())))
    inner = [range(node.line, node.end_line + 1) for node in nodes if node.kind != "module"]
    for node in nodes:
        if isinstance(node.definition, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.definition.body[0].lineno
            body = range(first, node.end_line + 1) if first > node.definition.lineno else range(0)
            own = [lines for lines in inner if node.line < lines.start and lines.stop <= node.end_line + 1]
            yield node, {line for line in body if not any(line in lines for lines in own)}
