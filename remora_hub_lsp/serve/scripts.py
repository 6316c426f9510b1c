"""What scripts found as diagnostics of Python files, and what is wrong with scripts as diagnostics of theirs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from ..analysis.pymcheck import Problem
from ..analysis.text import units
from ..hub.scripts.shelf import folders
from ..index.scripts import nodes_with_findings, with_findings
from ..protocol import RootScripts, ScriptsParams, ScriptsResult
from .convert import Json
from .diagnostics import PROVIDERS, SOURCE, changed_paths

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..hub.scripts.rule import Rule
    from ..index.kv import Changed
    from ..index.view import IndexView
    from .session import Session

_SEVERITY = {"error": 1, "warning": 2, "information": 3, "hint": 4}


async def scripts(session: Session, _: ScriptsParams) -> ScriptsResult:
    """remora/scripts."""
    return ScriptsResult(roots=tuple(_of_root(hub) for hub in session.roots))


def _of_root(hub: Hub) -> RootScripts:
    places = folders(hub.root, hub.config.scripts_folder)
    return RootScripts(
        root=str(hub.root),
        folders=tuple(place.relative_to(hub.root).as_posix() for place in places),
        trusted=hub.scripts.trusted,
        scripts=hub.scripts.status(),
    )


class ScriptFindings:
    """What scripts found in nodes."""

    everywhere = False

    def watch(self, hub: Hub, changed: Callable[[Collection[str]], None]) -> Callable[[], None]:
        def nodes_changed(change: Changed) -> None:
            if hub.scripts.rules:
                changed(changed_paths((*change.changed, *change.deleted)))

        return hub.on_change(nodes_changed)

    def of_file(self, hub: Hub, view: IndexView, path: str) -> list[Json]:
        return [
            _finding(state, script, finding)
            for state in nodes_with_findings(view, path)
            for script, said in state["extra"].items()
            for finding in said.get("findings", ())
        ]

    def files(self, hub: Hub, view: IndexView) -> Collection[str]:
        return with_findings(view)


def _finding(state: Json, script: str, finding: Json) -> Json:
    where = state["name_range"]
    if "line" in finding:
        span = state["range"]
        line = min(span["start"]["line"] + finding["line"] - 1, span["end"]["line"])
        where = {"start": {"line": line, "character": 0}, "end": {"line": line + 1, "character": 0}}
    return {
        "range": where,
        "severity": _SEVERITY[finding["severity"]],
        "code": finding.get("code", script),
        "source": f"{SOURCE} {script}",
        "message": finding["message"],
    }


class ScriptProblems:
    """What is wrong with the project's own scripts: told whether or not they are open."""

    everywhere = True

    def watch(self, hub: Hub, changed: Callable[[Collection[str]], None]) -> Callable[[], None]:
        told: set[str] = set()

        def scripts_changed() -> None:
            now = {rule.found.shown for rule in _own(hub)}
            changed(now | told)
            told.clear()
            told.update(now)

        scripts_changed()
        return hub.scripts.on_change(scripts_changed)

    def of_file(self, hub: Hub, view: IndexView, path: str) -> list[Json]:
        return [_problem(rule, problem) for rule in _own(hub) if rule.found.shown == path for problem in _all(rule)]

    def files(self, hub: Hub, view: IndexView) -> Collection[str]:
        return [rule.found.shown for rule in _own(hub) if any(problem.is_error for problem in _all(rule))]


def _own(hub: Hub) -> list[Rule]:
    return [rule for rule in list(hub.scripts.rules.values()) if rule.found.origin == "project"]


_UNTRUSTED = Problem(
    "H300", 1, 0, "it does not run: nobody has said that this project is trusted", "see the setting `trusted`"
)


def _all(rule: Rule) -> list[Problem]:
    found = list(rule.problems)
    if (failure := rule.failure) is not None:
        found.append(failure)
    if not rule.active:
        found.append(_UNTRUSTED)
    return found


def _problem(rule: Rule, problem: Problem) -> Json:
    lines = rule.found.text.splitlines()
    line = min(problem.line, max(len(lines), 1)) - 1
    start = {"line": line, "character": _column(lines, line, problem.column)}
    end = {"line": line + 1, "character": 0}
    if problem.end_line is not None and problem.end_column is not None:
        last = problem.end_line - 1
        end = {"line": last, "character": _column(lines, last, problem.end_column)}
    severity = 3 if problem is _UNTRUSTED else 1 if problem.is_error else 2
    return {
        "range": {"start": start, "end": end},
        "severity": severity,
        "code": problem.code,
        "source": SOURCE,
        "message": f"{problem.message}: {problem.suggestion}",
    }


def _column(lines: list[str], line: int, column: int) -> int:
    """A column in bytes of UTF-8 as UTF-16."""
    text = lines[line].encode()[:column].decode(errors="ignore") if line < len(lines) else ""
    return units(text, "utf-16")


PROVIDERS.extend([ScriptFindings(), ScriptProblems()])
