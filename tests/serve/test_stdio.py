"""The server as an editor starts it: it begins, and above all ends, as it should."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import WriteFiles
from .peer import HANG
from .process import command, environment, frames, parse, run, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="drives POSIX signals and descriptors")


def session(root: Path) -> list[dict[str, Any]]:
    """Everything a short session says, up to the answer of a hover."""
    position = {"line": 0, "character": 4}
    hover = {"textDocument": {"uri": (root / "a.py").as_uri()}, "position": position}
    return [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": root.as_uri(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "textDocument/hover", "params": hover},
    ]


BYE = [{"id": 3, "method": "shutdown"}, {"method": "exit"}]


async def test_a_whole_session(project: WriteFiles) -> None:
    root = project({"a.py": "def f(x): ..."})
    async with started() as peer:
        answer = await peer.initialize(root.as_uri())
        assert answer["serverInfo"]["name"] == "remora-hub-lsp"
        assert "def f(x)" in str(await peer.hover((root / "a.py").as_uri(), 0, 4))
        assert await peer.ask("shutdown") is None
        peer.tell("exit", None)
        assert await peer.exit_code() == 0
        assert await peer.errors() == ""


async def test_exit_without_shutdown_is_an_error() -> None:
    async with started() as peer:
        await peer.initialize()
        peer.tell("exit", None)
        assert await peer.exit_code() == 1


@pytest.mark.parametrize("initialized", [True, False])
async def test_end_of_file(project: WriteFiles, initialized: bool) -> None:
    async with started() as peer:
        if initialized:
            await peer.initialize(project({"a.py": ""}).as_uri())
        peer.writer.close()
        assert await peer.exit_code() == 0
        assert await peer.errors() == ""


async def test_garbage() -> None:
    async with started() as peer:
        peer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await peer.error(None)).code == -32700
        assert await peer.exit_code() == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", [True, False])
async def test_signals(project: WriteFiles, number: signal.Signals, busy: bool) -> None:
    root = project({f"m{n}.py": "def f(): ...\n" * 100 for n in range(40 if busy else 1)})
    async with started() as peer:
        await peer.initialize(root.as_uri())
        if busy:
            peer.start("remora/getContext", {"minRevision": 10**9, "waitMs": 600_000})
            peer.start("workspace/symbol", {"query": "f"})
        await peer.ask("remora/status")
        peer.process.send_signal(number)
        assert await peer.exit_code() == 0
        assert "Traceback" not in await peer.errors()


async def test_the_editor_does_not_read_and_sends_a_signal(project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ...\n" * 2000})
    async with started() as peer:
        await peer.initialize(root.as_uri())
        peer._reading.cancel()
        for _ in range(100):
            peer.start("textDocument/documentSymbol", {"textDocument": {"uri": (root / "a.py").as_uri()}})
        await asyncio.sleep(0.5)
        peer.process.send_signal(signal.SIGTERM)
        assert await peer.exit_code() == 0


async def test_print_does_not_corrupt_the_protocol(project: WriteFiles) -> None:
    """Not from Python, not from a child process, not from C; and nobody eats the input."""
    root = project({"a.py": "def f(x): ..."})
    noise = """
import asyncio, os, subprocess
import remora_hub_lsp.serve.session as session
before = session.Session.place_of
def place_of(self, uri):
    print("printed", flush=True)
    os.write(1, b"written")
    subprocess.run(["sh", "-c", "echo echoed; cat"], check=True)
    print("read:", repr(sys.stdin.read()))
    return before(self, uri)
session.Session.place_of = place_of
"""
    async with started(noise) as peer:
        await peer.initialize(root.as_uri())
        numbers = [peer.start("textDocument/hover", session(root)[2]["params"]) for _ in range(5)]
        for number in numbers:
            assert "def f(x)" in str(await peer.answer(number))
        await peer.ask("shutdown")
        peer.tell("exit", None)
        assert await peer.exit_code() == 0
        errors = await peer.errors()
    for word in ("printed", "written", "echoed", "read: ''"):
        assert errors.count(word) == 5


async def test_without_standard_error(project: WriteFiles) -> None:
    root = project({"a.py": "def f(x): ..."})
    script = 'exec "$@" 2>&-'
    done = await asyncio.to_thread(
        subprocess.run,
        ["sh", "-c", script, "sh", *command("print('early')") ],
        input=frames([*session(root), *BYE]), stdout=subprocess.PIPE, env=environment(), timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stdout.startswith(b"early\n")
    assert len(parse(done.stdout.removeprefix(b"early\n"))) == 3


PARENT = """
import os, subprocess, sys
keeps_the_pipe_open = subprocess.Popen(["sleep", "600"])
sys.stdout.write(f"{os.getpid()} {keeps_the_pipe_open.pid}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.mark.parametrize("without_handles", [False, True])
async def test_the_death_of_the_parent(without_handles: bool) -> None:
    """The server ends with the process that `initialize` names, even if the pipe stays open."""
    editor = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    polling = (
        "import os; del os.pidfd_open\nimport remora_hub_lsp.serve.parent as p; p.watch_process.__defaults__ = (0.05,)"
    )
    async with started(polling if without_handles else "") as peer:
        await peer.initialize(processId=editor.pid)
        await peer.ask("workspace/symbol", {"query": ""})
        assert peer.process.poll() is None
        editor.kill()
        await editor.wait()
        assert await peer.exit_code() == 0


async def test_a_parent_that_cannot_be_seen() -> None:
    """An editor outside of the server's container: its number says nothing here."""
    gone = await asyncio.create_subprocess_exec("true")
    await gone.wait()
    async with started() as peer:
        await peer.initialize(processId=gone.pid)
        assert await peer.ask("shutdown") is None
    for strange in (0, -1, 2**40):
        async with started() as peer:
            await peer.initialize(processId=strange)
            assert await peer.ask("shutdown") is None


def test_files_as_standard_input_and_output(project: WriteFiles, tmp_path: Path) -> None:
    """Questions from a file, answers into a file: all of them, though the end of file comes first."""
    root = project({"a.py": "def f(x): ..."})
    (tmp_path / "in").write_bytes(frames(session(root)))
    with open(tmp_path / "in", "rb") as questions, open(tmp_path / "out", "wb") as answers:
        done = run([], stdin=questions, stdout=answers)
    assert done.returncode == 0
    messages = parse((tmp_path / "out").read_bytes())
    assert [m["id"] for m in messages] == [1, 2]
    assert "def f(x)" in str(messages[1])


def test_a_long_file_as_standard_input(project: WriteFiles, tmp_path: Path) -> None:
    root = project({"a.py": "def f(x): ..."})
    many = [{"id": n, "method": "unheard/of", "params": {"text": "x" * 1000}} for n in range(10, 3000)]
    (tmp_path / "in").write_bytes(frames([session(root)[0], *many, *BYE]))
    with open(tmp_path / "in", "rb") as questions:
        done = run([], stdin=questions, stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert len(parse(done.stdout)) == len(many) + 2


def test_pipes_that_are_written_and_closed(project: WriteFiles) -> None:
    root = project({"a.py": "def f(x): ..."})
    done = run([*session(root), *BYE], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode == 0
    assert done.stderr == b""
    assert "def f(x)" in str(parse(done.stdout)) or "cancelled" in str(parse(done.stdout))


def test_nothing_as_standard_input() -> None:
    with open(os.devnull, "rb") as nothing:
        done = run([], stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


async def test_a_terminal_is_left_as_it_was(project: WriteFiles) -> None:
    """A person who starts it by hand keeps a terminal that works."""
    import fcntl
    import pty

    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command(), stdin=theirs, stdout=theirs, stderr=theirs, env=environment()
    )
    await asyncio.sleep(0.1)
    os.write(ours, b"hello?\n")
    assert await asyncio.wait_for(process.wait(), HANG) == 1
    assert not fcntl.fcntl(theirs, fcntl.F_GETFL) & os.O_NONBLOCK
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize("one", [True, False])
async def test_sockets_as_standard_input_and_output(project: WriteFiles, one: bool) -> None:
    """node gives its children a socket for each; inetd and its heirs one for both."""
    from .peer import Peer

    root = project({"a.py": "def f(x): ..."})
    ours, theirs = socket.socketpair()
    ours2, theirs2 = (ours, theirs) if one else socket.socketpair()
    process = await asyncio.create_subprocess_exec(*command(), stdin=theirs, stdout=theirs2, env=environment())
    theirs.close()
    theirs2.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    if not one:
        reader, _keep = await asyncio.open_connection(sock=ours2)
    async with Peer(reader, writer) as peer:
        await peer.initialize(root.as_uri())
        for _ in range(10):
            assert "def f(x)" in str(await peer.hover((root / "a.py").as_uri(), 0, 4))
        await peer.ask("shutdown")
        peer.tell("exit", None)
        await peer.end()
    assert await asyncio.wait_for(process.wait(), HANG) == 0


async def test_a_big_answer_and_a_big_question(project: WriteFiles) -> None:
    """More than any pipe holds, both ways at once."""
    root = project({"a.py": "x = 1"})
    uri = (root / "a.py").as_uri()
    async with started() as peer:
        await peer.initialize(root.as_uri())
        peer.open(uri, "".join(f"def f{n}(a, b): ...\n" for n in range(5000)))
        numbers = [peer.start("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) for _ in range(4)]
        peer.replace(uri, 2, "# " + "x" * 5_000_000)
        for number in numbers:
            assert len(await peer.answer(number)) in (5000, 0)
        assert await peer.symbols(uri) == []
