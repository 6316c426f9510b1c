"""`remora-hub watch`: lines, JSON, the screen, and its end."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remora_hub_lsp.serve.launch import attach

from ..serve.peer import Peer

GUARD = 120
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Watching:
    """The command while it runs; what it wrote so far."""

    def __init__(self, process: subprocess.Popen[bytes], output: int) -> None:
        self.process = process
        self.written = ""
        self._output = output

    def until(self, wanted: str, do: Callable[[], object] = lambda: None) -> None:
        """Read until it has written that; `do` is done again and again meanwhile."""
        end = time.monotonic() + GUARD
        while wanted not in self.written:
            assert time.monotonic() < end, self.written
            do()
            if select.select([self._output], [], [], 0.3)[0]:
                self.written += os.read(self._output, 65536).decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(GUARD)


@contextmanager
def watching(root: Path, *arguments: str, terminal: bool = False) -> Iterator[Watching]:
    inner: int | None = None
    if terminal:
        main, inner = pytest.importorskip("pty").openpty()
    line = [sys.executable, "-m", "remora_hub_lsp", "watch", str(root), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm-256color"}
    process = subprocess.Popen(
        line, env=environment, stdin=subprocess.DEVNULL, stdout=inner or subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        if inner is not None:
            os.close(inner)
        assert process.stdout is not None or inner is not None
        yield Watching(process, main if inner is not None else process.stdout.fileno())  # type: ignore[union-attr]
    finally:
        process.kill()
        process.communicate()
        if inner is not None:
            os.close(main)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("def total(a): ...\n")
    return folder


def once_and_again(path: Path) -> Callable[[], None]:
    """Adds a function with each call: the command may not be watching yet at the first."""
    numbers = iter(range(10**6))

    def add() -> None:
        with path.open("a") as file:
            file.write(f"def f{next(numbers)}(x): ...\n")

    return add


def test_lines(root: Path) -> None:
    with watching(root) as shown:
        shown.until("def f", once_and_again(root / "a.py"))
        assert re.search(r"^\d\d:\d\d:\d\d +\d+ +changed +file change +a\.py:f\d+  def f\d+\(x\)$", shown.written, re.M)
        assert "a.py:total" not in shown.written, "it did not change"
        (root / "a.py").unlink()
        shown.until("deleted")
        shown.until("a.py:total")
        assert "\x1b" not in shown.written
        assert shown.end() == 0


def test_json_lines(root: Path) -> None:
    with watching(root, "--json") as shown:
        shown.until("\n", once_and_again(root / "a.py"))
        entry = next(one for one in map(json.loads, shown.written.splitlines()) if "<module>" not in one["key"])
        assert set(entry) == {"time", "revision", "state", "change", "key", "source", "signature"}
        assert (entry["change"], entry["source"], entry["state"]) == ("changed", "file_change", "ready")
        assert shown.end() == 0


def test_the_screen(root: Path) -> None:
    with watching(root, terminal=True) as shown:
        shown.until("def f", once_and_again(root / "a.py"))
        plain = _ESCAPE.sub("", shown.written)
        assert "· ready ·" in plain
        assert "a.py:f" in plain
        assert shown.end() == 0


async def test_unsaved_text_is_seen_through_the_hub_process(root: Path) -> None:
    attached = attach()
    attached.connection.close()
    with watching(root) as shown:
        async with Peer(*await asyncio.open_unix_connection(attached.listening.socket)) as editor:
            await editor.initialize(root.as_uri())
            uri = (root / "a.py").as_uri()
            editor.open(uri, "def total(a): ...\n")
            versions = itertools.count(2)

            def type_() -> None:
                version = next(versions)
                text = f"def total(a{version}): ...\n"
                loop.call_soon_threadsafe(editor.replace, uri, version, text)

            loop = asyncio.get_running_loop()
            await asyncio.to_thread(shown.until, "buffer change", type_)
            await asyncio.to_thread(shown.until, "def total(a")
        assert shown.end() == 0
    assert (root / "a.py").read_text() == "def total(a): ...\n"
