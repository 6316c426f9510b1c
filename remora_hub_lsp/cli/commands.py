"""What each command does: open the hub of a root, let it catch up, ask it, show the answer."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ..config import Config, load_config
from ..discovery import find_root
from ..errors import ConfigError, HubError
from ..hub.hub import Hub
from ..index.search import search
from ..models import FailedFile
from ..protocol import GetContextParams
from . import show
from .progress import progress_bar

Json = dict[str, Any]

OK, NOTHING_FOUND = 0, 1


def run(arguments: argparse.Namespace) -> int:
    """Run the command that was parsed; gives its exit code. Raises HubError."""
    overrides = {name: getattr(arguments, name) for name in Config.model_fields if hasattr(arguments, name)}
    root = getattr(arguments, "path", None) or arguments.root or find_root(Path.cwd())
    config = load_config(root, None, {**overrides, "index_on_start": True, "watch": False})
    with logging_of(config, at_least=logging.DEBUG if "log_level" in overrides else logging.WARNING):
        return asyncio.run(_COMMANDS[arguments.command](arguments, root, config))


async def index(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    started = time.monotonic()
    async with up_to_date(arguments, root, config) as hub:
        status = await hub.status()
        if status.state == "degraded":
            raise HubError(f"the index of {hub.root} is not complete: {status.state_reason}")
        unread = [FailedFile(file=problem.path, error=problem.error) for problem in hub.tree.problems]
        failed = [*status.failed, *unread]
        result: Json = {
            "files": status.indexed_files,
            "nodes": status.indexed_nodes,
            "failed": [{"file": entry.file, "error": entry.error} for entry in failed],
            "seconds": round(time.monotonic() - started, 3),
            "revision": status.revision,
        }
        _print(arguments, result, lambda: show.summary(result, hub.progress.total, failed, hub.database))
    return OK


async def context(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        asked = {_from_here(key, hub): key for key in arguments.keys}
        result = await hub.get_context(GetContextParams(nodes=tuple(asked)))
        result["nodes"] = {asked[found]: node for found, node in result["nodes"].items()}
        for entry in (*result["missing"], *result["stale"]):
            entry["id"] = asked[entry["id"]]
        _print(arguments, result, lambda: show.cards([result["nodes"].get(key) for key in asked.values()]))
        for entry in result["missing"]:
            show.complain(show.missing(entry))
        for entry in result["stale"]:
            show.complain(f"{entry['id']}: {entry['reason']}")
    return NOTHING_FOUND if result["missing"] else OK


async def symbols(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        answer = await hub.read(lambda view: search(view, arguments.query, arguments.limit))
        result = {"symbols": answer.value, "revision": answer.revision, "state": answer.state}
        _print(arguments, result, lambda: show.symbols(answer.value))
        if not answer.value:
            show.complain(f"nothing in {hub.root} matches {arguments.query!r}")
    return OK if answer.value else NOTHING_FOUND


async def status(arguments: argparse.Namespace, root: Path, config: Config) -> int:
    async with up_to_date(arguments, root, config) as hub:
        answer = await hub.status()
        _print(arguments, answer.model_dump(mode="json"), lambda: show.status(answer))
    return OK


_Command = Callable[[argparse.Namespace, Path, Config], Coroutine[Any, Any, int]]
_COMMANDS: Mapping[str, _Command] = {"index": index, "context": context, "symbols": symbols, "status": status}


@asynccontextmanager
async def up_to_date(arguments: argparse.Namespace, root: Path, config: Config) -> AsyncIterator[Hub]:
    """The hub of `root` once it has caught up with the files; what keeps it from that is said, never hidden."""
    hub = Hub(root, config, needs_store=True)
    await hub.start()
    try:
        with progress_bar(hub, wanted=not arguments.json and sys.stderr.isatty()):
            await hub.indexed()
        for warning in hub.warnings:
            show.complain(warning)
        if hub.state == "degraded" and arguments.command != "index":
            show.complain(f"the index is not complete: {hub.state_reason}")
        yield hub
    finally:
        await hub.close()


def _from_here(key: str, hub: Hub) -> str:
    """The key; with an absolute path where it names a file from the working directory, as a shell completes it."""
    path, colon, name = key.rpartition(":") if ":" in key else (key, "", "")
    absolute = os.path.abspath(path)
    inside = path.endswith((".py", ".pyi")) and os.path.isfile(absolute) and hub.path_of(absolute) is not None
    return f"{absolute}{colon}{name}" if inside else key


def _print(arguments: argparse.Namespace, result: Json, people: Callable[[], None]) -> None:
    if not arguments.json:
        people()
        return
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(result, indent=2, ensure_ascii=not readable))


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
