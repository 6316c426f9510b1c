"""`remora-hub doctor`: show what the checks find, and what to do about it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ...config import load_config
from ...discovery import find_root
from ...errors import ConfigError
from ..show import Output
from . import installation, project
from .finding import Finding, Level

OK, PROBLEMS = 0, 1
_MARKS: dict[Level, tuple[str, str]] = {
    "ok": ("ok", "green"), "note": ("note", "cyan"), "warning": ("warning", "yellow"), "problem": ("PROBLEM", "red"),
}  # fmt: skip


def run(arguments: argparse.Namespace) -> int:
    """Check, and show what was found. 1 where something does not work."""
    root = (arguments.root or find_root(Path.cwd())).absolute()
    console, findings = Output(), []
    for finding in examine(root):
        findings.append(finding)
        if not arguments.json:
            _say(console, finding)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    return PROBLEMS if any(finding.level == "problem" for finding in findings) else OK


def examine(root: Path) -> Iterator[Finding]:
    """All checks, in the order in which one thing rests on another."""
    yield from installation.python(root)
    yield from installation.packages()
    yield from installation.program()
    config = None
    try:
        config = load_config(root)
        yield Finding("ok", "settings", f"of {root} are in order")
    except ConfigError as error:
        yield Finding("problem", "settings", str(error), "correct them; until then nobody gets answers for this root")
    yield from project.index(root, config)
    yield from project.processes_of_user()
    yield from project.watcher(root, config)
    yield from installation.scripts()
    yield from project.scripts(root, config)
    yield from project.git(root)
    yield from installation.editors()


def _say(console: Output, finding: Finding) -> None:
    mark, style = _MARKS[finding.level]
    first, *more = finding.message.splitlines() or [""]
    console.say((f"{mark:<8}", style), (f"{finding.topic:<9}", "bold"), first)
    for line in more:
        console.say(" " * 17, line)
    if finding.advice:
        console.say(" " * 17, (f"-> {finding.advice}", "dim"))
