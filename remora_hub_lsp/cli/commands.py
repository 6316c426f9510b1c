"""What each command does: ask whoever knows, once the index has caught up, and show the answer."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..config import Config, load_config
from ..discovery import find_root, is_project
from ..errors import ConfigError, HubError, RootError
from . import relations, show
from .asking import from_here, processes, up_to_date
from .output import write

Json = dict[str, Any]

OK, NOTHING_FOUND = 0, 1


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was parsed; gives its exit code. Raises HubError."""
    overrides = {name: getattr(arguments, name) for name in Config.model_fields if hasattr(arguments, name)}
    root = _root(arguments)
    config = load_config(root, None, {**overrides, "index_on_start": True, "watch": arguments.command == "watch"})
    with logging_of(config, at_least=logging.DEBUG if "log_level" in overrides else logging.WARNING):
        return asyncio.run(_COMMANDS[arguments.command](arguments, root, config))


def _root(arguments: argparse.Namespace) -> Path:
    """The project's root. Raises RootError where there is none, or nobody can mean the folder that it would be."""
    named: Path | None = getattr(arguments, "path", None) or arguments.root
    root = named or find_root(Path.cwd())
    if arguments.command == "status" and arguments.all:
        return root  # which nobody asks for
    if not root.is_dir():
        raise RootError(f"{root} is not a directory; name that of a project")
    if named is None and root in (Path(root.anchor), Path(os.path.expanduser("~"))) and not is_project(root):
        raise RootError(f"{root} is no project (it has neither a pyproject.toml nor a .git); name one with --root PATH")
    return root


async def index(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    started = time.monotonic()
    async with up_to_date(arguments, root, config) as hub:
        status = await hub.status()
        if status.state == "degraded":
            raise HubError(f"the index of {status.project_root} is degraded: {status.state_reason}")
        result: Json = {
            "files": status.indexed_files,
            "nodes": status.indexed_nodes,
            "failed": [{"file": entry.file, "error": entry.error} for entry in status.failed],
            "seconds": round(time.monotonic() - started, 3),
            "revision": status.revision,
        }
        write(arguments, result, lambda: show.summary(result, hub.analysed, status.failed, status.database))
    return OK


async def reindex(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        result = await hub.reindex([str(Path.cwd() / path) for path in arguments.paths], arguments.anew)
        write(arguments, result, lambda: show.reindexed(result))
    return OK


async def context(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        asked = {from_here(key, hub): key for key in arguments.keys}
        result = await hub.context(list(asked))
        result["nodes"] = {asked[found]: node for found, node in result["nodes"].items()}
        for entry in (*result["missing"], *result["stale"]):
            entry["id"] = asked[entry["id"]]
        write(arguments, result, lambda: show.cards([result["nodes"].get(key) for key in asked.values()]))
        for entry in result["missing"]:
            show.complain(show.missing(entry))
        for entry in result["stale"]:
            show.complain(f"{entry['id']}: {entry['reason']}")
    return NOTHING_FOUND if result["missing"] else OK


async def symbols(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        result = await hub.symbols(arguments.query, arguments.limit)
        write(arguments, result, lambda: show.symbols(result["symbols"]))
        if not result["symbols"]:
            show.complain(f"nothing in {root} matches {arguments.query!r}")
    return OK if result["symbols"] else NOTHING_FOUND


async def status(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    if arguments.all:
        running = await processes()
        write(arguments, [one.model_dump(mode="json") for one in running], lambda: show.processes(running))
        return OK if running else NOTHING_FOUND
    async with up_to_date(arguments, root, config) as hub:
        answer = await hub.status()
        write(arguments, answer.model_dump(mode="json"), lambda: show.status(answer))
    if not arguments.json:
        show.processes(await processes())
    return OK


async def watch(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    from .watch import follow, view_of

    async with up_to_date(arguments, root, config) as hub:
        with view_of(arguments.json, root) as view:
            await follow(hub, view)
    return OK


async def outdated(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    from . import outdated

    return await outdated.run(arguments, root, config)


_Command = Callable[[argparse.Namespace, Path, Config], Coroutine[Any, Any, int]]
_COMMANDS: Mapping[str, _Command] = {
    "index": index, "reindex": reindex, "context": context, "symbols": symbols, "status": status, "watch": watch,
    "outdated": outdated,
    "callers": relations.callers, "callees": relations.callees, "tests": relations.tests, "dead": relations.dead,
}  # fmt: skip


@contextmanager
def logging_of(config: Config, at_least: int) -> Iterator[None]:
    """Logs to standard error from `at_least` upwards, and all that the settings ask for to the settings' file."""
    level = getattr(logging, config.log_level.upper())
    stream = logging.StreamHandler()
    stream.setLevel(at_least)
    handlers: list[logging.Handler] = [stream]
    if config.log_file is not None:
        try:
            handlers.append(logging.FileHandler(config.log_file, encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"the log file {config.log_file} cannot be written: {error.strerror}") from error
    root = logging.getLogger()
    before = root.level
    root.setLevel(level)
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before)
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
