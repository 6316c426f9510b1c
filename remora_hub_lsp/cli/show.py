"""Answers as people read them: plain lines, with colour where the terminal has it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from ..hub.scripts.shown import said_by_scripts
from ..models import FailedFile, HistoryStatus, HubStatus
from ..protocol import ProcessStatus
from .arguments import PROGRAM

Json = dict[str, Any]

_LABEL = 12  # columns
_MOST_FAILED = 20
_MOST_NAMES = 30
_MOST_KEYS = 5
_NOT_SHOWN = {code: "\ufffd" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


class Output(Console):
    """Standard output. A reader that leaves is the command's to handle, not the console's."""

    def __init__(self) -> None:
        super().__init__(highlight=False, soft_wrap=True)  # a terminal wraps lines itself; pipes get whole ones

    def say(self, *parts: str | tuple[str, str]) -> None:
        """One line of texts and (text, style) pairs."""
        self.show(Text.assemble(*parts))

    def show(self, text: Text) -> None:
        """A project's text may hold anything, but it does not get to command the terminal."""
        text.plain = text.plain.translate(_NOT_SHOWN)
        self.print(text)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def reindexed(result: Json) -> None:
    """What `reindex` did."""
    Output().say(f"{result['files']:,} files analysed in {result['seconds']:.1f} s, revision {result['revision']}")


def cards(nodes: Sequence[Json | None]) -> None:
    """One card for each node that was found."""
    console = Output()
    for number, node in enumerate(node for node in nodes if node is not None):
        if number:
            console.print()
        _card(console, node)


def _card(console: Output, node: Json) -> None:
    first, last = node["range"]["start"]["line"] + 1, node["range"]["end"]["line"] + 1
    title = node["file_path"] if node["node_type"] == "module" else node["qualname"]
    where = f"{node['kind']} · {node['file_path']}:{first}"
    console.say((title, "bold"), "  ", (f"{where} to {last}", "dim"))
    if node["signature"]:
        console.print()
        console.show(_python(node["signature"]))
    if node["docstring_full"]:
        console.print()
        console.say(_indented(node["docstring_full"]))
    console.print()
    for label, value in _facts(node):
        console.say((f"{label:<{_LABEL}}", "cyan"), value)


def _facts(node: Json) -> list[tuple[str, str]]:
    """Label and text of what is known; nothing is said about what was not computed."""
    hints = "yes" if node["has_type_hints"] else "no"
    facts = [
        ("lines", node["line_count"]),
        ("complexity", node["complexity"]),
        ("type hints", hints if node["node_type"] == "function" else None),
        ("decorators", _names(node["decorators"] or None)),
        ("imports", _names(node["imports"] or None)),
        *((label, _keys(label, node)) for label in ("callers", "callees", "tests")),
        ("outdated", node["docstring_outdated_reason"] if node["docstring_outdated"] else None),
        ("broken", node["broken"]),
        *said_by_scripts(node["extra"]),
        ("key", node["key"]),
        ("source hash", node["source_hash"][:12]),
        ("updated", f"{_time(node['last_updated'])} ({node['update_source'].replace('_', ' ')})"),
    ]
    return [(label, str(value)) for label, value in facts if value is not None]


def symbols(found: Sequence[Json]) -> None:
    """One line for each: where (as editors open it), what, and its name."""
    console = Output()
    places = [f"{hit['path']}:{hit['name_range']['start']['line'] + 1}" for hit in found]
    wide = max(map(len, places), default=0)
    for hit, place in zip(found, places, strict=True):
        console.say(f"{place:<{wide}}  ", (f"{hit['kind']:<13}", "dim"), (hit["qualname"], "bold"))


def calls(found: Mapping[str, Sequence[Json]], direction: str) -> None:
    """One line for each: where it is called first, who is at the other end, and how sure that is."""
    console = Output()
    for asked, edges in found.items():
        if len(found) > 1:
            console.say((asked, "bold"))
        if not edges:
            console.say((f"no {direction} are known", "dim"))
        for edge in edges:
            path, _, name = edge["key"].removeprefix("node:").rpartition(":")
            line = edge["sites"][0]["start"]["line"] + 1 if edge["sites"] else None
            sure = ", ".join([edge["evidence"], *([edge["kind"]] if edge["kind"] != "call" else [])])
            if direction == "callers":
                console.say(f"{path}:{line}  " if line else f"{path}  ", (name, "bold"), (f"  {sure}", "dim"))
            else:
                at = f"line {line}" if line else "somewhere"
                console.say(f"{at}  ", (f"{path}:{name}" if path else name, "bold"), (f"  {sure}", "dim"))


def tests(result: Json, why: bool) -> None:
    """The tests as arguments for pytest, one on a line; what there is to say about them goes to standard error."""
    console = Output()
    for test in result["tests"]:
        for name in test["ids"]:
            console.say(name, (f"  distance {test['distance']}, {test['evidence']}" if why else "", "dim"))
    if "changed" in result:
        definitions = _count(len(result["changed"]), "changed definition")
        complain(f"{len(result['tests'])} of {result['known']:,} tests for {definitions} since {result['since'][:12]}")
        if others := result["other_files"]:
            more = f" and {len(others) - 3} more" if len(others) > 3 else ""
            complain(f"what is not Python does not count: {', '.join(others[:3])}{more}")
    elif not result["tests"] and not result["missing"]:
        complain(f"no test is known to reach that (of {result['known']:,})")


def unused(found: Sequence[Json]) -> None:
    """One line for each: where, what, its name, and whether that is sure."""
    console = Output()
    for one in found:
        sure = "" if one["sure"] else "  its name is used elsewhere"
        place = f"{one['path']}:{one['range']['start']['line'] + 1}"
        console.say(f"{place}  ", (f"{one['kind']:<13}", "dim"), (one["key"].rpartition(":")[2], "bold"), (sure, "dim"))
    if not found:
        complain("nothing was found that is not used")


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def summary(result: Json, analysed: int | None, failed: Sequence[FailedFile], database: str) -> None:
    """What `index` did; `analysed` files were new or changed (None: the running hub has followed all along)."""
    console = Output()
    what = f"{result['files']:,} files with {result['nodes']:,} modules, classes and functions are indexed"
    count = "by the running hub" if analysed is None else f"{analysed:,} analysed"
    console.say(what, (f" ({count}, {result['seconds']:.1f} s)", "dim"))
    console.say((f"{'index':<{_LABEL}}{database}, revision {result['revision']}", "dim"))
    _failed(console, failed)


def status(hub: HubStatus) -> None:
    """How the hub of a root is doing."""
    console = Output()
    size = f", {hub.database_bytes / 1e6:.1f} MB" if hub.database_bytes is not None else ""
    lines = {
        "root": hub.project_root,
        "state": hub.state + (f": {hub.state_reason}" if hub.state_reason else ""),
        "files": f"{hub.indexed_files:,}",
        "nodes": f"{hub.indexed_nodes:,}",
        "index": f"{hub.database}{size}, revision {hub.revision}",
        "version": hub.version,
        **({"history": told} if (told := _history(hub.history)) else {}),
    }
    for label, value in lines.items():
        console.say((f"{label:<{_LABEL}}", "cyan"), value)
    _failed(console, hub.failed)


def _history(history: HistoryStatus | None) -> str:
    """How far the reading of the git history is; empty where it has not begun."""
    if history is None or history.state in ("off", "waiting"):
        return ""
    if history.state == "unavailable":
        return f"not used: {history.reason}"
    begins = ", as far as this shallow clone has it" if history.shallow else ""
    if history.state == "reading":
        return f"being read, {history.done:,} of {history.total:,} files{begins}"
    return f"read up to {(history.commit or '')[:12]}{begins}"


def processes(found: Sequence[ProcessStatus]) -> None:
    """The running hub processes, and how each of their roots is doing."""
    console = Output()
    for process in found:
        memory = f", {process.memory_bytes / 1e6:.0f} MB" if process.memory_bytes else ""
        console.say()
        console.say(("hub process ", "bold"), (str(process.pid), "bold"), f" (version {process.version}{memory})")
        for address in process.addresses:
            console.say((f"{'listens on':<{_LABEL}}", "cyan"), address)
        console.say((f"{'sessions':<{_LABEL}}", "cyan"), str(process.sessions))
        for root in process.roots:
            _root(console, root)


def _root(console: Output, hub: HubStatus) -> None:
    state = hub.state + (f": {hub.state_reason}" if hub.state_reason else "")
    console.say((f"{'root':<{_LABEL}}", "cyan"), hub.project_root, (f"  {state}", "dim"))
    facts = f"revision {hub.revision}, {hub.pending} pending, {hub.sessions} sessions, {hub.open_buffers} open"
    console.say(" " * _LABEL, (f"{facts}, {hub.indexed_files:,} files", "dim"))
    for slow in hub.slowest:
        console.say(" " * _LABEL, (f"{slow.seconds * 1000:,.0f} ms  {slow.path}", "dim"))


def missing(entry: Json) -> str:
    """Why an asked node has no answer, with the nearest ones that exist."""
    detail = f" ({entry['detail']})" if entry["detail"] else ""
    near = f"; did you mean {' or '.join(entry['near'])}?" if entry["near"] else ""
    return f"{entry['id']}: {entry['reason']}{detail}{near}"


def complain(message: str) -> None:
    """One line on standard error."""
    print(f"{PROGRAM}: {message.translate(_NOT_SHOWN)}", file=sys.stderr)


def _failed(console: Output, failed: Sequence[FailedFile]) -> None:
    if not failed:
        return
    files = "file" if len(failed) == 1 else "files"
    console.say((f"{len(failed):,} {files} could not be analysed as a whole:", "yellow"))
    for entry in failed[:_MOST_FAILED]:
        line = "" if entry.line is None else f":{entry.line + 1}"
        console.say(f"  {entry.file}{line}: {entry.error}")
    if len(failed) > _MOST_FAILED:
        console.say((f"  ... and {len(failed) - _MOST_FAILED:,} more (--json lists them)", "dim"))


def _time(iso: str) -> str:
    return f"{iso[:19].replace('T', ' ')} UTC"


def _names(names: Sequence[str] | None) -> str | None:
    if names is None:
        return None
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more if names else "none"


def _keys(command: str, node: Json) -> str | None:
    """Nodes, one on a line; of many the first, and the command that shows them all."""
    keys = node["related_tests" if command == "tests" else command]
    if keys is None:
        return None
    lines = [key.removeprefix("node:") for key in keys[:_MOST_KEYS]]
    if len(keys) > _MOST_KEYS:
        lines.append(f"and {len(keys) - _MOST_KEYS} more: {PROGRAM} {command} {node['key'].removeprefix('node:')}")
    return f"\n{' ' * _LABEL}".join(lines) or "none"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _python(code: str) -> Text:
    from rich.syntax import Syntax

    text = Syntax(code, "python", theme="ansi_dark", background_color="default").highlight(code)
    text.rstrip()
    return text
