"""One visit to a language server: started twice on a project, asked, typed at; what each thing took, in seconds."""

from __future__ import annotations

import ast
import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from .bench_answers import Node, hover
from .bench_keystroke import change
from .measure import Family, Series
from .rivals import Rival
from .server import Json, LanguageServer, Silent

PATIENCE = 120.0  # for one answer, or until something is found
QUIET = 300.0  # until a server has nothing more to do
SETTLING = 1.5  # from an edit until symbols are counted
DISK_PATIENCE = 15.0
TYPING = 40.0  # for one row of keystrokes
STROKE_PATIENCE = 20.0
STROKES = 40
_CAPABILITIES: Json = {
    "textDocument": {
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "hover": {"contentFormat": ["markdown", "plaintext"]},
        "callHierarchy": {},
    },
    "workspace": {"workspaceFolders": True, "configuration": True, "symbol": {}},
}


class Project(NamedTuple):
    """A folder of its own to measure in. opened: the file that is opened first; rare: nodes whose names are."""

    root: Path
    files: dict[str, Path]  # `small` and `long`: those that are typed in
    opened: Path
    rare: list[Node]


class Peer(LanguageServer):
    """Any language server."""

    capabilities = _CAPABILITIES

    def open(self, path: Path) -> str:
        """Gives the text."""
        text = path.read_text(encoding="utf-8")
        document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return text

    def outline(self, path: Path) -> list[str]:
        """The names, those inside others as well."""
        return names(self.ask("textDocument/documentSymbol", {"textDocument": {"uri": path.as_uri()}}))

    def hover(self, path: Path, place: tuple[int, int]) -> str:
        """What it says; empty: nothing."""
        found = self.ask("textDocument/hover", hover(path, place))
        return json.dumps(found["contents"], ensure_ascii=False) if found else ""

    def finds(self, name: str) -> bool:
        return any(symbol["name"] == name for symbol in self.ask("workspace/symbol", {"query": name}) or ())

    def until(self, condition: Callable[[], object], patience: float = PATIENCE) -> float | None:
        """Ask again and again; gives the seconds since now, None if the patience ends."""
        started = time.perf_counter()
        while time.perf_counter() - started < patience:
            with suppress(RuntimeError):  # some refuse while they are not ready
                if condition():
                    return time.perf_counter() - started
            time.sleep(0.001)
        return None


def names(symbols: Any) -> list[str]:
    found = []
    for symbol in symbols or ():
        found += [symbol["name"], *names(symbol.get("children"))]
    return found


def visit(rival: Rival, project: Project, private: Path) -> dict[str, float]:
    """What was measured, by the keys of the report; what the server does not offer, or never did, is not there."""
    shutil.rmtree(private, ignore_errors=True)
    for name in ("cache", "runtime", "config"):
        (private / name).mkdir(parents=True, mode=0o700)
    found: dict[str, float | None] = {}
    with started(rival, project, private) as (server, family):
        start(server, project, family, found)
        found["quiet"] = server.seconds if family.quiet(QUIET) else None
        found |= {"quiet cpu": family.cpu(), "memory": family.memory(), "peak": max(family.peak, family.memory())}
        for step in (ask, calls, typing, kept, disk):
            with suppress(Silent):
                step(server, project, family, found)
    with started(rival, project, private) as (server, family):
        again: dict[str, float | None] = {}
        start(server, project, family, again)
        found |= {f"again {key}": value for key, value in again.items()}
    return {key: value for key, value in found.items() if value is not None}


@contextmanager
def started(rival: Rival, project: Project, private: Path) -> Iterator[tuple[Peer, Family]]:
    """The server with its caches in `private`, and all its processes; ended at the end, those that stay as well."""
    with Family() as family:
        private_folders = {
            "XDG_CACHE_HOME": str(private / "cache"),
            "XDG_RUNTIME_DIR": str(private / "runtime"),
            "XDG_CONFIG_HOME": str(private / "config"),
        }
        server = Peer(rival.command, project.root, family.environment | private_folders, PATIENCE)
        try:
            yield server, family
            with suppress(Silent, RuntimeError):
                server.ask("shutdown", None)
                server.tell("exit", None)
                time.sleep(0.2)
        finally:
            server.kill()
            family.end()


def start(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """From the start until something of another file is found."""
    server.initialize()
    found["initialize"] = server.seconds
    path = project.opened
    tree = ast.parse(server.open(path))
    place = next(place for place, _ in defined(tree, path.read_text(encoding="utf-8")))
    found["outline first"] = server.seconds if server.until(lambda: server.outline(path)) else None
    found["hover first"] = server.seconds if server.until(lambda: server.hover(path, place)) else None
    if server.offers.get("workspaceSymbolProvider"):
        name = last(project.rare[0])
        found["found"] = server.seconds if server.until(lambda: server.finds(name)) else None
        found["found cpu"] = family.cpu() if found["found"] else None


def ask(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """Hovers, outlines and searches, when everything is at rest."""
    path = project.opened
    text = path.read_text(encoding="utf-8")
    places = [place for place, _ in defined(ast.parse(text), text)]
    before = family.cpu()
    hovers = each(lambda place: server.hover(path, place), (places * 60)[:60])
    found |= {"hover": hovers.median, "hover p95": hovers.percentile(95)}
    found["hover cpu"] = (family.cpu() - before) / (len(hovers.numbers) + 1)
    found["outline"] = each(lambda _: server.outline(path), range(20)).median
    if server.offers.get("workspaceSymbolProvider"):
        seen = []
        found["symbol"] = each(lambda node: seen.append(server.finds(last(node))), project.rare[1:21]).median
        found["symbol share"] = sum(seen) / len(seen)


def calls(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """Incoming calls of functions and classes of the file that is open."""
    if not server.offers.get("callHierarchyProvider"):
        return
    path = project.opened
    text = path.read_text(encoding="utf-8")
    places = [place for place, _ in defined(ast.parse(text), text)][:12]

    def incoming(place: tuple[int, int]) -> None:
        for item in server.ask("textDocument/prepareCallHierarchy", hover(path, place)) or ():
            server.ask("callHierarchy/incomingCalls", {"item": item})

    found["calls"] = each(incoming, places).median


def typing(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """A letter more at the end of a parameter's name until a hover shows it; of a function's until the outline does."""
    for size, path in project.files.items():
        before = family.cpu()
        measured = strokes(server, path)
        family.quiet(SETTLING * 4)  # what it does later because of them, too
        found[f"{size} cpu"] = (family.cpu() - before) / sum(len(series.numbers) for series in measured)
        for what, series in zip(("hover", "outline"), measured, strict=True):
            found |= {f"{size} {what}": series.median, f"{size} {what} p95": series.percentile(95)}


def strokes(server: Peer, path: Path) -> tuple[Series, Series]:
    """Keystrokes until hovers, and until outlines, show them."""
    text = server.open(path)
    server.outline(path)
    places = defined(ast.parse(text), text)
    place, function = places[len(places) // 2]
    version, typed, parameter = 1, "".join(random.Random(3).choices("abcdefgh", k=STROKES)), function.args.args[-1]

    def typing(line: int, column: int, shown: Callable[[str], bool]) -> Series:
        nonlocal version
        series, until = Series(), time.perf_counter() + TYPING
        for count in range(1, STROKES + 1):
            version += 1
            stroke = change(path.as_uri(), version, line, column + count - 1, typed[count - 1])
            began, new = time.perf_counter(), typed[:count]
            server.tell("textDocument/didChange", stroke)
            while not shown(new) and time.perf_counter() - began < STROKE_PATIENCE:
                time.sleep(0.0005)
            series.add(time.perf_counter() - began)
            if time.perf_counter() > until:
                break
        return series

    line, column = parameter.lineno - 1, parameter.col_offset + len(parameter.arg)
    hovered = typing(line, column, lambda new: parameter.arg + new in server.hover(path, place))
    column = place[1] + len(function.name)
    return hovered, typing(line, column, lambda new: function.name + new in server.outline(path))


def kept(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """How many of the long file's symbols there are after three quotes were typed in the middle of it."""
    path = project.files["long"]
    text = path.read_text(encoding="utf-8")
    places = defined(ast.parse(text), text)
    _, function = places[len(places) // 2]
    before = len(server.outline(path))
    first = function.body[0]
    server.tell("textDocument/didChange", change(path.as_uri(), 1000, first.lineno - 1, first.col_offset, '"""'))
    time.sleep(SETTLING)
    found["kept"] = min(len(server.outline(path)) / before, 1.0)
    server.tell("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})


def disk(server: Peer, project: Project, family: Family, found: dict[str, float | None]) -> None:
    """Another program writes a definition into a file that nobody has opened; the client says nothing of it."""
    if not server.offers.get("workspaceSymbolProvider"):
        return
    path = project.root / project.rare[2].path
    before = path.read_bytes()
    try:
        with path.open("ab") as file:
            file.write(b"\n\ndef written_by_another_program():\n    pass\n")
        found["disk"] = server.until(lambda: server.finds("written_by_another_program"), DISK_PATIENCE)
    finally:
        path.write_bytes(before)


def each(work: Callable[[Any], object], things: Any, patience: float = PATIENCE) -> Series:
    """Seconds that the work takes for each, as many as the patience lasts for, after one that does not count."""
    series, until = Series(), time.perf_counter() + patience
    for number, thing in enumerate([*things[:1], *things]):
        started = time.perf_counter()
        work(thing)
        if number or started > until:
            series.add(time.perf_counter() - started)
        if started > until:
            break
    return series


def last(node: Node) -> str:
    """Its own name."""
    return node.key.rpartition(":")[2].rpartition(".")[2].partition("#")[0]


def defined(tree: ast.Module, text: str) -> list[tuple[tuple[int, int], ast.FunctionDef]]:
    """The functions with a parameter, whose name and parameters stand in one line, and where the name stands."""
    lines = text.splitlines()
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FunctionDef)
            and not node.decorator_list
            and node.args.args
            and node.args.args[-1].lineno == node.lineno
            and lines[node.lineno - 1].isascii()
        ):
            column = lines[node.lineno - 1].index(node.name, node.col_offset + 3)
            found.append(((node.lineno - 1, column), node))
    return sorted(found, key=lambda one: one[0])
