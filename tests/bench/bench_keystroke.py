"""What one keystroke costs in long files: the analysis alone, and a server over stdio until getContext shows it."""

from __future__ import annotations

import ast
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.segments import SegmentedText, extract, text_hash
from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.index.rows import LiveRows

from ..analysis.corpus import texts
from .measure import Series, cpu_of
from .report import Table, verdict
from .server import Server

SIZES = (3_000, 10_000)
TYPED = (
    "total = compute(value, key=1)\n",
    "if total > limit[0]:\n",
    'raise ValueError(f"too many: {total!r}")\n',
    "self.cache = {name: None for name in names}\n",
    '"""Typed."""\n',
)
MOST_MEDIAN, MOST_P95 = 1.0, 3.0  # ms of analysis
MOST_CPU = 5.0  # ms of server CPU


def long_file(lines: int) -> str:
    """Whole statements of real files until there are `lines` lines."""
    out: list[str] = []
    for _, text in texts(1000, seed=4, max_bytes=40_000):
        rows = text.splitlines(keepends=True)
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.decorator_list:
                out += [*rows[node.lineno - 1 : node.end_lineno], "\n\n"]
            if len(out) >= lines:
                return "".join(out)
    raise AssertionError("the standard library is too short")


def keystrokes(text: str, rng: random.Random, count: int) -> Iterator[tuple[int, int, str]]:
    """Where to insert which character: statements typed into functions all over the file, and brackets half-way."""
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    grown: list[int] = []
    while count > 0:
        statement = rng.choice(rng.choice(functions).body)
        row = statement.lineno - 1
        line = row + sum(1 for before in grown if before <= row)
        typed = rng.choice(TYPED)
        yield line, 0, " " * statement.col_offset + "\n"
        grown.append(row)
        for column, character in enumerate(typed.rstrip("\n"), statement.col_offset):
            yield line, column, character
        count -= len(typed)


def bench() -> None:
    """Print the tables."""
    analysis = Table(
        "Analysis of one keystroke",
        "Milliseconds, median / 95th percentile; typing statements into random functions of a file made of real classes and "
        f"functions; `update` parses what the edit touched, `facts` puts the file's facts together; the text's hash, which stamps the file's row, stands by itself. Python {sys.version.split()[0]}.",
        ["lines", "`ast.parse` of it all (baseline)", "full extraction", "update", "facts", "update + facts", "x baseline",
         "SHA-256 of the text", "rows for the index", f"kept ({MOST_MEDIAN} / {MOST_P95})"],
    )  # fmt: skip
    wire = Table(
        "One keystroke until remora/getContext shows it, over stdio",
        "didChange and then getContext of the module; latency median / 95th percentile, and the server's CPU for both, a mean.",
        ["lines", "latency ms", "server CPU ms", "x `ast.parse` of it all", "limit (CPU)", "kept"],
    )
    for size in SIZES:
        text = long_file(size)
        base = in_memory(analysis, text)
        over_stdio(wire, text, base)
    analysis.print()
    wire.print()


def in_memory(table: Table, text: str) -> Series:
    """One row of the analysis table; gives the baseline."""
    parse, whole = Series(), Series()
    for _ in range(7):
        parse.add(timed(lambda: ast.parse(text)))
        whole.add(timed(lambda: extract(text)))
    document = TextDocument(text)
    document.take_dirty()
    segments = SegmentedText(list(document.lines))
    rows = LiveRows("long.py")
    rows.update(segments.facts())
    update, facts, both, hashed, encoded = Series(), Series(), Series(), Series(), Series()
    for line, column, character in keystrokes(text, random.Random(1), 600):
        document.edit((line, column), (line, column), character, "utf-16")
        lines, untouched = document.take_dirty()
        update.add(timed(lambda: segments.update(lines, untouched)))  # noqa: B023 - called at once
        hashed.add(timed(lambda: text_hash(lines)))  # noqa: B023
        digest = text_hash(lines)
        facts.add(timed(lambda: segments.facts(digest)))  # noqa: B023
        both.add(update.numbers[-1] + facts.numbers[-1])
        current = segments.facts(digest)
        encoded.add(timed(lambda: rows.update(current)))  # noqa: B023
    kept = f"{verdict(both.median * 1000, MOST_MEDIAN)} / {verdict(both.percentile(95) * 1000, MOST_P95)}"
    numbers = [series.usual(1000) for series in (update, facts, both)]
    ratio = f"{both.median / parse.median:.3f}"
    table.row(
        f"{len(document.lines):,}",
        parse.spread(1000, 1),
        whole.spread(1000, 1),
        *numbers,
        ratio,
        hashed.usual(1000),
        encoded.usual(1000),
        kept,
    )
    return parse


def over_stdio(table: Table, text: str, base: Series) -> None:
    """One row of the table of keystrokes over the wire."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        root.mkdir()
        (root / "long.py").write_text(text, encoding="utf-8")
        with Server(root, Path(folder, "index.db")) as server:
            server.initialize()
            server.wait_until_indexed()
            uri = (root / "long.py").as_uri()
            document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
            server.tell("textDocument/didOpen", {"textDocument": document})
            server.ask("remora/getContext", {"nodes": ["long.py"]})
            strokes = list(keystrokes(text, random.Random(2), 300))
            latency, before = Series(), cpu_of(server.pid)
            for version, (line, column, character) in enumerate(strokes, 2):
                started = time.perf_counter()
                server.tell("textDocument/didChange", change(uri, version, line, column, character))
                shown = server.ask("remora/getContext", {"nodes": ["long.py"]})
                latency.add(time.perf_counter() - started)
                assert shown["nodes"]["long.py"]["version"] == version
            cpu = (cpu_of(server.pid) - before) / len(strokes) * 1000
    lines, ratio = text.count("\n"), f"{cpu / 1000 / base.median:.2f}"
    table.row(f"{lines:,}", latency.usual(1000), f"{cpu:.2f}", ratio, MOST_CPU, verdict(cpu, MOST_CPU))


def change(uri: str, version: int, line: int, column: int, text: str) -> dict[str, Any]:
    place = {"line": line, "character": column}
    event = {"range": {"start": place, "end": place}, "text": text}
    return {"textDocument": {"uri": uri, "version": version}, "contentChanges": [event]}


def timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
