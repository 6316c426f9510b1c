"""The call graph's price: at cold start, after an edit that others rest on, and for one question."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from remora_hub_lsp.index.graph import callers_of
from remora_hub_lsp.index.keys import split_key
from remora_hub_lsp.index.schema import open_reader
from remora_hub_lsp.index.view import IndexView, reading

from .bench_index import index
from .measure import Series, adopt_orphans, cpu_of, run
from .projects import files_of
from .report import Table, verdict
from .server import Server

MOST_CPU = 1.4  # times a cold start without the graph
MOST_EDIT = 100.0  # ms
MOST_CALLERS = 20.0
EDITS = 20
# There is no option for it on the command line. Git's history is left out of both.
COLD = """
import asyncio, pathlib, sys
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.hub import Hub
async def main(root, database, graph):
    settings = {"database": pathlib.Path(database), "graph": bool(graph), "watch": False, "drift_history": False}
    hub = Hub(root, load_config(root, overrides=settings), needs_store=True)
    await hub.start()
    await hub.indexed()
    await hub.close()
if __name__ == "__main__":
    asyncio.run(main(pathlib.Path(sys.argv[1]), *sys.argv[2:]))
"""


class Hub(NamedTuple):
    """A node that many call. callers: how many nodes, files: in how many files."""

    key: str
    callers: int
    files: int


def bench(root: Path, rounds: int) -> None:
    """Print the tables."""
    adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "index.db")
        cold(root, Path(folder), rounds)
        index(root, database)
        connection = open_reader(database)
        with reading(connection) as view:
            called, module = most_called(view, files_of(root), root)
        connection.close()
        questions(root, database, called, module)


def cold(root: Path, folder: Path, rounds: int) -> None:
    """Cold starts with and without the graph, in turns."""
    table = Table("Cold start with the call graph", f"{root.name}, {rounds} rounds in turns.", ["", "CPU s", "ratio", "limit", "kept"])
    without: list[float] = []
    with_graph: list[float] = []
    for number in range(rounds):
        for costs, setting in ((without, ""), (with_graph, "graph")):
            command = [sys.executable, "-c", COLD, str(root), str(folder / f"{number}{setting}.db"), setting]
            costs.append(run(command)[0].cpu)
    ratio = Series([a / b for a, b in zip(with_graph, without, strict=True)]).median
    table.row("without it (baseline)", Series(without).spread(), "1.00", "", "")
    table.row("with it", Series(with_graph).spread(), f"{ratio:.2f}", f"{MOST_CPU} x", verdict(ratio, MOST_CPU))
    table.print()


def most_called(view: IndexView, paths: Sequence[str], root: Path) -> tuple[Hub, Hub]:
    """The node with most callers, and the function with most callers of the module that most files call into."""
    inside = [os.path.relpath(path, root) for path in paths]
    rows = {key: [number for (number,) in view.select(_IDS, [number_of_file])] for key, number_of_file in _numbers(view, inside)}
    callers: Counter[int] = Counter()
    users: dict[str, set[int]] = {}
    for path, ids in rows.items():
        for callee, caller, _ in callers_of(view, ids):
            callers[callee] += 1
            users.setdefault(path, set()).add(caller >> 40)
    owner = {number: path for path, ids in rows.items() for number in ids}
    busiest = max(users, key=lambda path: len(users[path]))
    states = {number: view.by_id(number) for number, _ in callers.most_common(50)}
    functions = [n for n, state in states.items() if state is not None and state["node_type"] == "function"]
    inner = [number for number, path in owner.items() if path == busiest and callers[number]]
    named = max(inner, key=lambda number: ((view.by_id(number) or {})["node_type"] == "function", callers[number]))
    return tuple(  # type: ignore[return-value]
        Hub((view.by_id(number) or {})["key"], callers[number], len(users[owner[number]])) for number in (functions[0], named)
    )


_IDS = "SELECT id FROM nodes WHERE file IN (SELECT value FROM json_each(?))"


def _numbers(view: IndexView, paths: Sequence[str]) -> list[tuple[str, int]]:
    return view.select("SELECT path, id FROM files WHERE path IN (SELECT value FROM json_each(?))", list(paths))


def questions(root: Path, database: Path, called: Hub, module: Hub) -> None:
    """Latencies over stdio."""
    table = Table(
        f"The call graph over stdio, {root.name} indexed",
        f"Milliseconds, median / 95th percentile. Most called: `{called.key}` ({called.callers} callers); most used module: "
        f"that of `{module.key}` (called from {module.files} files).",
        ["", "ms", "server CPU ms", "limit", "kept"],
    )
    with Server(root, database) as server:
        server.initialize()
        server.wait_until_indexed()
        path, qualname = split_key(called.key)
        item = server.ask("textDocument/prepareCallHierarchy", place_of(server, root, path, qualname))[0]
        assert server.ask("callHierarchy/incomingCalls", {"item": item})
        before = cpu_of(server.pid)
        series = server.time("callHierarchy/incomingCalls", {"item": item}, 50)
        cpu = (cpu_of(server.pid) - before) / 60 * 1000
        kept = verdict(series.median * 1000, MOST_CALLERS)
        table.row("incomingCalls of the most called function", series.usual(1000), f"{cpu:.1f}", MOST_CALLERS, kept)
        before = cpu_of(server.pid)
        edits = edited(server, root, *split_key(module.key))
        cpu = (cpu_of(server.pid) - before) / EDITS * 1000
        name = "a changed signature in the most used module until all answers have it"
        table.row(name, edits.usual(1000), f"{cpu:.1f}", MOST_EDIT, verdict(edits.median * 1000, MOST_EDIT))
    table.print()


def place_of(server: Server, root: Path, path: str, qualname: str) -> dict[str, Any]:
    key = f"node:{path}:{qualname}"
    state = server.ask("remora/getContext", {"nodes": [key]})["nodes"][key]
    return {"textDocument": {"uri": (root / path).as_uri()}, "position": state["name_range"]["start"]}


def edited(server: Server, root: Path, path: str, qualname: str) -> Series:
    """Give a function one more parameter, and take it away, again and again; until nothing is pending any more and
    the function and its callers are answered."""
    text = (root / path).read_text(encoding="utf-8")
    uri, key = (root / path).as_uri(), f"node:{path}:{qualname}"
    server.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}})
    state = server.ask("remora/getContext", {"nodes": [key]})["nodes"][key]
    line = state["name_range"]["start"]["line"]
    column = state["name_range"]["end"]["character"]
    line, column = behind_self(text, line, column)
    asked, added, series = [key, *state["callers"][:20]], "remora_bench, ", Series()
    for number in range(EDITS):
        start = {"line": line, "character": column}
        end = start if number % 2 == 0 else {"line": line, "character": column + len(added)}
        change = {"range": {"start": start, "end": end}, "text": added if number % 2 == 0 else ""}
        began = time.perf_counter()
        server.tell("textDocument/didChange", {"textDocument": {"uri": uri, "version": 2 + number}, "contentChanges": [change]})
        answer = server.ask("remora/getContext", {"nodes": asked, "waitMs": 60000})
        while answer["state"] != "ready" or answer["stale"] or server.ask("remora/status", {})["pending"]:
            answer = server.ask("remora/getContext", {"nodes": asked, "waitMs": 60000})
        series.add(time.perf_counter() - began)
        assert ("remora_bench" in answer["nodes"][key]["signature"]) == (number % 2 == 0)
        assert answer["nodes"][key]["callers"]
    return series


def behind_self(text: str, line: int, column: int) -> tuple[int, int]:
    """The place of the first parameter, or behind `self`: in front of it the method would be another one. line, column:
    behind the function's name."""
    lines = text.splitlines(keepends=True)
    start = sum(map(len, lines[:line])) + column
    found = re.compile(r"\s*\(\s*(?:(?:self|cls),\s*)?").match(text, start)
    assert found, "the parameters begin behind the name"
    before = text[: found.end()]
    return before.count("\n"), len(before) - before.rfind("\n") - 1
