"""The command `outdated`: docstrings that no longer fit, for people, scripts and CI."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..config import Config
from ..errors import HubError
from ..hub.driftsince import LeftBehind, left_behind
from ..index.drift import fields
from ..index.drift import packed as packed_verdict
from .arguments import PROGRAM
from .asking import up_to_date
from .show import Output, complain

Json = dict[str, Any]
_LEVELS = {"error": "error", "warning": "warning", "information": "note", "hint": "note"}
_GITHUB = {"error": "error", "warning": "warning", "information": "notice", "hint": "notice"}


async def run(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    """Show them; 1 if there are any. Raises HubError."""
    below = [_below(root, path) for path in arguments.paths]
    if arguments.since:
        result = _since_revision(root.resolve(), config, arguments.since, below)  # noqa: ASYNC240 - nothing else runs
    else:
        async with up_to_date(arguments, root, config) as hub:
            result = await hub.outdated(below)
    form = "json" if arguments.json else arguments.format
    _FORMS[form](result, config)
    return 1 if result["outdated"] else 0


def _since_revision(root: Path, config: Config, revision: str, below: Sequence[str]) -> Json:
    entries = [_entry(root, one) for one in left_behind(root, config, revision, below)]
    return {"outdated": entries, "total": len(entries), "since": revision}


def _below(root: Path, path: str) -> str:
    """A path from the working directory, relative to the root. Raises HubError."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    if inside == ".." or inside.startswith("../"):
        raise HubError(f"{path} is outside the project {root}")
    if not os.path.exists(path):
        raise HubError(f"{path} does not exist")
    return "" if inside == "." else inside.replace(os.sep, "/")


def _entry(root: Path, one: LeftBehind) -> Json:
    told = fields(packed_verdict(one.verdict))
    place = [{"line": one.line, "character": column} for column in (one.column, one.end)]
    return {
        "key": f"node:{one.path}:{one.qualname}", "uri": (root / one.path).as_uri(), "path": one.path,
        "qualname": one.qualname, "name_range": {"start": place[0], "end": place[1]}, "signature": one.signature,
        "reason": told["docstring_outdated_reason"], "drift": told["drift"],
    }  # fmt: skip


# ---- forms


def _text(result: Json, config: Config) -> None:
    out = Output()
    for entry in result["outdated"]:
        place = f"{entry['path']}:{_line(entry)}: "
        for reason in entry["drift"]["reasons"]:
            out.say(
                (place, "cyan"), (entry["qualname"], "bold"), f": {reason['message']} ", (f"[{reason['code']}]", "dim")
            )
        if before := entry["drift"]["signature"]:
            out.say(("    the docstring belongs to: ", "dim"), before, (_since(entry["drift"]), "dim"))
    count = len(result["outdated"])
    if count:
        complain(f"{count} docstring{' no longer fits' if count == 1 else 's no longer fit'}")
    if result["total"] > count:
        complain(f"{result['total'] - count} more are not shown")


def _since(drift: Json) -> str:
    if not drift["since"]:
        return ""
    commit = f", commit {drift['commit'][:10]}" if drift["commit"] else ""
    return f" (left behind {drift['since'][:10]}{commit})"


def _json(result: Json, config: Config) -> None:
    print(json.dumps(result, indent=2))


def _github(result: Json, config: Config) -> None:
    """Workflow commands: annotations of a pull request."""
    level = _GITHUB[config.drift_severity]
    for entry in result["outdated"]:
        for reason in entry["drift"]["reasons"]:
            where = f"file={_escaped(entry['path'], ':,')},line={_line(entry)},title={reason['code']}"
            print(f"::{level} {where}::{_escaped(_message(entry, reason))}")


def _escaped(text: str, more: str = "") -> str:
    """https://github.com/actions/toolkit: what a workflow command cannot hold."""
    for letter in "%\r\n" + more:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text


def _sarif(result: Json, config: Config) -> None:
    """SARIF 2.1.0, https://docs.oasis-open.org/sarif/sarif/v2.1.0/."""
    codes = sorted({reason["code"] for entry in result["outdated"] for reason in entry["drift"]["reasons"]})
    level = _LEVELS[config.drift_severity]
    driver = {"name": PROGRAM, "version": __version__, "rules": [{"id": code} for code in codes]}
    results = [
        {
            "ruleId": reason["code"],
            "ruleIndex": codes.index(reason["code"]),
            "level": level,
            "message": {"text": _message(entry, reason)},
            "locations": [{"physicalLocation": _physical(entry)}],
            "partialFingerprints": {"node/v1": f"{entry['key']}:{reason['code']}:{reason['parameter']}"},
        }
        for entry in result["outdated"]
        for reason in entry["drift"]["reasons"]
    ]
    print(json.dumps({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    }, indent=2))  # fmt: skip


def _physical(entry: Json) -> Json:
    start, end = entry["name_range"]["start"], entry["name_range"]["end"]
    region = {"startLine": _line(entry), "startColumn": start["character"] + 1, "endColumn": end["character"] + 1}
    return {"artifactLocation": {"uri": entry["path"], "uriBaseId": "%SRCROOT%"}, "region": region}


def _message(entry: Json, reason: Json) -> str:
    return f"The docstring of {entry['qualname']} {reason['message']}."


def _line(entry: Json) -> int:
    return int(entry["name_range"]["start"]["line"]) + 1


_FORMS: Mapping[str, Callable[[Json, Config], None]] = {
    "text": _text, "json": _json, "github": _github, "sarif": _sarif,
}  # fmt: skip
FORMATS: Sequence[str] = tuple(_FORMS)
