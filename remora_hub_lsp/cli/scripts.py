"""`remora-hub scripts`: list, check, run, new."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from ..analysis.pymcheck import Problem
from ..client import HubClient
from ..client.layered import opened
from ..config import Config, default_database, load_config
from ..discovery import find_root
from ..errors import HubError, HubUnavailable, ScriptError
from ..hub.paths import Paths
from ..hub.scripts.externals import ProjectFiles
from ..hub.scripts.limits import PERMISSIVE
from ..hub.scripts.results import FILE_PATH, NODES, TEXT, facts_of, fields_of, misfits, own_texts, read_entries
from ..hub.scripts.sandbox import Ran, Sandbox
from ..hub.scripts.script import SUFFIX, Script, load
from ..hub.scripts.shelf import FOLDER, STEPS, scripts_of, shipped
from ..index.view import Json
from ..protocol import SCRIPTS
from .show import Output, complain

OK, FAILED = 0, 1


def run(arguments: argparse.Namespace) -> int:
    """Run one of the actions; gives its exit code. Raises HubError."""
    overrides = {name: getattr(arguments, name) for name in Config.model_fields if hasattr(arguments, name)}
    root = Paths(arguments.root or find_root(Path.cwd())).root
    config = load_config(root, None, overrides)
    actions = {"list": _list, "check": _check, "run": _run, "new": _new}
    return actions[arguments.action](arguments, root, config)


# ---- list


def _list(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    states = asyncio.run(_live(root))
    rows = []
    own = scripts_of(root, config.scripts_folder, {})
    for name, found in sorted((dict(shipped()) | own).items()):
        live = states.get(name, {})
        state = live.get("state") or _state_of(name, found.origin, config)
        rows.append({"name": name, "path": found.shown, "state": state, "reason": live.get("reason")})
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return OK
    output = Output()
    for row in rows:
        reason = f"  {row['reason']}" if row["reason"] else ""
        output.say((f"{row['name']:<28}", "bold"), f" {row['state']:<10} {row['path']}{reason}")
    return OK


def _state_of(name: str, origin: str, config: Config) -> str:
    """A script's state where no hub runs."""
    if origin == "shipped":
        return "step" if name in STEPS else "on" if name in config.rules else "off"
    return "on" if config.trusted else "untrusted"


async def _live(root: Path) -> dict[str, Json]:
    """How the scripts are doing in the running hub, by name; none if no hub has this root."""
    async with HubClient(root) as client:
        try:
            answer = await client.ask(SCRIPTS, {})
        except HubUnavailable:
            return {}
    return {one["name"]: one for entry in answer["roots"] if Path(entry["root"]) == root for one in entry["scripts"]}


# ---- check


def _check(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    files = arguments.files or [found.path for found in scripts_of(root, config.scripts_folder, {}).values()]
    if not files:
        complain(f"there are no scripts in {root / FOLDER}; `remora-hub scripts new NAME` writes one to begin with")
    results = [checked(file, arguments.strict) for file in files]
    if arguments.json or arguments.format == "json":
        print(json.dumps(results, indent=2))
    else:
        for result in results:
            _say(result)
    return OK if all(result["valid"] for result in results) and files else FAILED


def checked(file: Path, strict: bool) -> Json:
    """What is wrong with a script, as Grail's check has it. column: 0-based, in bytes of UTF-8."""
    try:
        script = load(file)
        result = script.check()
        problems, info = [*result.messages, *misfits(script.declared)], result.info
    except ScriptError as error:
        problems, info = [Problem("H100", error.line or 1, 0, str(error), "write what Python can parse")], {}
    errors = [_told(problem) for problem in problems if problem.is_error]
    warnings = [_told(problem) for problem in problems if not problem.is_error]
    valid = not errors and not (strict and warnings)
    return {"file": str(file), "valid": valid, "errors": errors, "warnings": warnings, "info": info}


def _told(problem: Problem) -> Json:
    return {
        "line": problem.line, "column": problem.column, "code": problem.code,
        "message": problem.message, "suggestion": problem.suggestion,
    }  # fmt: skip


def _say(result: Json) -> None:
    output = Output()
    output.say(f"{result['file']}: ", ("OK", "green") if result["valid"] else ("wrong", "red"))
    for kind, style in (("errors", "red"), ("warnings", "yellow")):
        for one in result[kind]:
            place = f"  {result['file']}:{one['line']}:{one['column'] + 1}: "
            output.say(place, (one["code"], style), f" {one['message']}: {one['suggestion']}")


# ---- run


def _run(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    script = _named(arguments.script, root, config)
    paths = Paths(root)
    path = paths.relative(arguments.file.absolute())
    if path is None or not arguments.file.is_file():
        raise HubError(f"{arguments.file} is no file below {root}")
    nodes = _nodes(script, path, paths, config)
    started = time.monotonic()
    try:
        ran = asyncio.run(_ran(script, path, nodes, ProjectFiles(paths, config.max_file_size)))
        if script.name not in STEPS:
            read_entries(ran.result, {node["key"] for node in nodes})
    except ScriptError as error:
        complain(f"{script.path}{f':{error.line}' if error.line else ''}: {error}")
        return FAILED
    seconds = round(time.monotonic() - started, 3)
    if ran.printed and not arguments.json:
        print(ran.printed, end="", file=sys.stderr)
    shown: Any = {"result": ran.result, "printed": ran.printed, "seconds": seconds} if arguments.json else ran.result
    print(json.dumps(shown, indent=2))
    return OK


def _named(name: str, root: Path, config: Config) -> Script:
    """The script of a name, or in a file. Raises ScriptError."""
    found = (dict(shipped()) | scripts_of(root, config.scripts_folder, {})).get(name)
    if found is None and not name.endswith(SUFFIX):
        raise HubError(f"there is no script {name} in {root / FOLDER}; `remora-hub scripts list` shows those there are")
    return load(found.path if found else Path(name))


def _nodes(script: Script, path: str, paths: Paths, config: Config) -> list[Json]:
    """What the script is sent of the file."""
    fields = fields_of(script.declared)
    with opened(paths, config, config.database or default_database(paths.root)) as view:
        view.joins_tests = "related_tests" in fields
        states = view.nodes_of(path)
    if not states:
        raise HubError(f"{path} has no nodes: it is not one of the project's Python files, or cannot be parsed")
    lines = Path(paths.absolute(path)).read_text(encoding="utf-8").splitlines(keepends=True) if TEXT in fields else []
    texts = own_texts(states, lines) if lines else {}
    return [facts_of(state, fields, texts.get(state["key"])) for state in states]


async def _ran(script: Script, path: str, nodes: list[Json], files: ProjectFiles) -> Ran:
    inputs = {name: value for name, value in ((NODES, nodes), (FILE_PATH, path)) if name in script.inputs}
    async with Sandbox() as sandbox:
        return await script.ran(inputs, files.offered(script.externals), PERMISSIVE, sandbox)


# ---- new


def _new(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    name = arguments.name.removesuffix(SUFFIX)
    if not name.isidentifier():
        raise HubError(f"{name!r} is no name for a script: letters, digits and _")
    path = root / FOLDER / f"{name}{SUFFIX}"
    if path.exists():
        raise HubError(f"{path} is there already")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEMPLATE, encoding="utf-8")
    print(path)
    return OK


_TEMPLATE = '''\
"""What this rule is about, in one line.

It is given nodes (modules, classes and functions) as dicts, and answers with a list about some of them. Functions,
loops, dicts and f-strings run here; class, lambda, with, match and other imports do not, as the check says.
"""

from typing import Any

from grail import Input

# Only fields whose names stand in this script as strings are sent, and always the key. There are: qualname, kind,
# node_name, node_type, file_path, signature, docstring, docstring_full, imports, decorators, line_count, complexity,
# callers, callees, related_tests (None: not known), has_type_hints, docstring_outdated, text (its own lines), ...
nodes: list[dict[str, Any]] = Input("nodes")

result: list[dict[str, Any]] = []
for node in nodes:
    if node["node_type"] == "function" and node["line_count"] > 50:
        message = f"{node['line_count']} lines are much to read"
        result.append(
            {
                "key": node["key"],
                # Shown in hovers and told to agents, as extra.<name of the script>.
                "extra": {"lines": node["line_count"]},
                # Shown as problems. severity: error, warning, information or hint. line: 1 is the node's first.
                "findings": [{"message": message, "severity": "hint", "line": 1}],
            }
        )

# The last line is the answer.
result
'''
