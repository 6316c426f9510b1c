"""The commands that ask the graph: callers, callees, tests, dead."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..analysis.compare import difference
from ..analysis.facts import MODULE
from ..analysis.source import decode
from ..config import Config
from ..errors import HubError, SourceError
from ..hub.gitdiff import Changes, changes_since
from ..protocol import CALLS, DEAD, TESTS
from . import show
from .asking import from_here, up_to_date
from .output import write

Json = dict[str, Any]
OK, NOTHING_FOUND = 0, 1


async def callers(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    return await _calls(arguments, root, config, "callers")


async def callees(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    return await _calls(arguments, root, config, "callees")


async def _calls(arguments: argparse.Namespace, root: Path, config: Config, direction: str) -> int:
    asked: Json = {"direction": direction}
    if arguments.all:
        asked |= {"evidence": ["exact", "inferred", "name"], "kinds": ["call", "implicit", "reference"]}
    async with up_to_date(arguments, root, config) as hub:
        keys = {from_here(key, hub): key for key in arguments.keys}
        result = await hub.ask(CALLS, asked | {"nodes": list(keys)})
        result["calls"] = {keys[key]: edges for key, edges in result["calls"].items()}
        _name_missing(result, keys)
        write(arguments, result, lambda: show.calls(result["calls"], direction))
    return NOTHING_FOUND if result["missing"] else OK


async def tests(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    if not arguments.keys and arguments.changed is None:
        raise HubError("name nodes, or ask for what changed with --changed")
    changes = changes_since(root, arguments.changed) if arguments.changed is not None else None
    async with up_to_date(arguments, root, config) as hub:
        keys = {from_here(key, hub): key for key in arguments.keys}
        nodes = [*keys, *(changed_nodes(root, changes) if changes else ())]
        asked: Json = {"nodes": nodes, "changed": changes is not None, "unlikely": arguments.all}
        result = await hub.ask(TESTS, asked | {"depth": arguments.depth, "limit": arguments.limit})
        _name_missing(result, keys)
        if changes is not None:
            result |= {"since": changes.since, "changed": nodes, "other_files": list(changes.others)}
        write(arguments, result, lambda: show.tests(result, why=arguments.why))
    if result["missing"] or not result["tests"]:
        return NOTHING_FOUND
    return OK


async def dead(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        under = hub.path_of(str(arguments.under.absolute())) if arguments.under is not None else ""
        result = await hub.ask(DEAD, {"public": arguments.public, "under": under or ""})
        write(arguments, result, lambda: show.unused(result["unused"]))
    return OK


def changed_nodes(root: Path, changes: Changes) -> list[str]:
    """The keys of what does something else than at that revision, and of what is gone."""
    found = []
    for file in changes.sources:
        differs = difference(file.old, _text(root / file.path))
        names = differs.changed | differs.added | differs.removed | ({MODULE} if differs.whole else set())
        found += [f"node:{file.path}:{name}" for name in sorted(names)]
    return found


def _text(path: Path) -> str | None:
    try:
        return decode(path.read_bytes())
    except (OSError, SourceError):
        return None


def _name_missing(result: Json, keys: dict[str, str]) -> None:
    """Say which of the asked ones are not there, as they were asked."""
    for entry in result["missing"]:
        entry["id"] = keys.get(entry["id"], entry["id"])
        show.complain(show.missing(entry))
