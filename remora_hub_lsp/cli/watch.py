"""`watch`: what changes in the index, as it changes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rich.live import Live
from rich.text import Text

from .asking import Answers
from .show import Output, complain

Json = dict[str, Any]

_PAUSE = 0.15  # seconds between two questions
_MOST_DETAILS = 200  # of more nodes at once only the keys are shown
_STYLES = {"changed": "green", "deleted": "red", "reset": "yellow"}


class News(NamedTuple):
    """One node that changed, or is gone. source: the NodeState's update_source; empty where it is not known."""

    time: datetime
    revision: int
    state: str
    change: str
    key: str
    source: str = ""
    signature: str = ""


class View(Protocol):
    """Where the news are shown."""

    def show(self, news: list[News], revision: int, state: str) -> None: ...


async def follow(hub: Answers, view: View) -> None:
    """Show what changes until the user has had enough."""
    stop = asyncio.Event()
    _on_interrupt(stop)
    found = await hub.changes_since(None)
    view.show([], found["revision"], found["state"])
    while not stop.is_set():
        if not found["more"]:
            await _pause(stop)
        found = await hub.changes_since(found["cursor"])
        view.show(await _news(hub, found), found["revision"], found["state"])


async def _news(hub: Answers, found: Json) -> list[News]:
    now, revision, state = datetime.now(UTC), found["revision"], found["state"]
    if found["reset"]:
        return [News(now, revision, state, "reset", "the index was built anew")]
    keys = found["changed"]
    nodes = (await hub.context(keys[:_MOST_DETAILS]))["nodes"] if keys else {}
    news = [News(now, revision, state, "deleted", key) for key in found["deleted"]]
    for key in keys:
        node = nodes.get(key)
        source, signature = (node["update_source"], node["signature"] or "") if node else ("", "")
        news.append(News(now, revision, state, "changed", key, source, signature))
    return news


async def _pause(stop: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(_PAUSE):
            await stop.wait()
    except TimeoutError:
        return


def _on_interrupt(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows: a KeyboardInterrupt ends it
            return


@contextmanager
def view_of(as_json: bool, root: Path) -> Iterator[View]:
    """JSON lines, plain lines, or a live screen where there is a terminal."""
    if as_json:
        yield _JsonLines()
        return
    output = Output()
    if not output.is_terminal:
        yield _Lines(output)
        return
    complain(f"watching {root.resolve()}; Ctrl-C ends it")
    with Live(console=output, auto_refresh=False, transient=False) as live:
        yield _Screen(live, output)


class _JsonLines:
    def show(self, news: list[News], revision: int, state: str) -> None:
        for one in news:
            print(json.dumps(one._asdict() | {"time": one.time.isoformat(timespec="milliseconds")}))
        sys.stdout.flush()


class _Lines:
    def __init__(self, output: Output) -> None:
        self._output = output

    def show(self, news: list[News], revision: int, state: str) -> None:
        for one in news:
            self._output.show(_line(one))
        sys.stdout.flush()


class _Screen:
    """The newest changes, and below them how the index is."""

    def __init__(self, live: Live, output: Output) -> None:
        self._live = live
        self._output = output
        self._newest: deque[News] = deque(maxlen=500)
        self._count = 0

    def show(self, news: list[News], revision: int, state: str) -> None:
        self._newest.extend(news)
        self._count += len(news)
        room = max(self._output.size.height - 3, 1)
        lines = [_line(one) for one in list(self._newest)[-room:]]
        lines.append(Text(f"revision {revision} · {state} · {self._count:,} changes", style="bold"))
        screen = Text("\n").join(lines)
        screen.no_wrap, screen.overflow = True, "ellipsis"
        self._live.update(screen, refresh=True)


def _line(one: News) -> Text:
    name = one.key.removeprefix("node:")
    parts = [
        (f"{one.time.astimezone():%H:%M:%S}  ", "dim"),
        (f"{one.revision:>6}  ", "cyan"),
        (f"{one.change:<8}", _STYLES[one.change]),
        (f"{one.source.replace('_', ' '):<18}", "dim"),
        (name, "bold"),
    ]
    return Text.assemble(*parts, f"  {one.signature}" if one.signature else "")
