"""Editors share one hub process: started once, attached to by all, replaced when it dies, and never in the way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.discovery import Lock, find, runtime_folder
from remora_hub_lsp.discovery import running as running_hubs
from remora_hub_lsp.errors import DiscoveryError
from remora_hub_lsp.serve.launch import attach, log_file
from remora_hub_lsp.serve.relay import LOST

from ..client.story import RELAY, alive, command, editor, files_in, until
from ..hub.running import stopped
from .conftest import WriteFiles
from .process import environment, frames, parse, started

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sockets of POSIX")

HANG = 180


@pytest.fixture
def root(project: WriteFiles) -> Path:
    return project({"a.py": "def f(): ...", "pyproject.toml": "[tool.remora-hub]\nworkers = 0\n"})


Done = subprocess.CompletedProcess[bytes]


def through_relay(root: Path, *more: dict[str, Any], options: tuple[str, ...] = ()) -> Done:
    """One editor's session from beginning to end; `more` is what it says last."""
    ask = {"nodes": ["a.py:f"], "waitMs": 60_000}  # however busy the machine is
    hello = {"processId": None, "rootUri": root.as_uri(), "capabilities": {}}
    messages = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "initialized", "params": {}},
        {"id": 2, "method": "remora/getContext", "params": ask},
        {"id": 3, "method": "remora/process"},
    ]
    pipe = subprocess.PIPE
    process = subprocess.Popen([*RELAY, *options], env=environment(), stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(frames(messages))
    process.stdin.flush()
    told = b""
    while told.count(b'"id":') < 3:  # what is not answered yet when the session ends is cancelled
        told += process.stdout.read1()
        assert process.poll() is None
    rest, errors = process.communicate(frames(more), timeout=HANG)
    return subprocess.CompletedProcess(process.args, process.returncode, told + rest, errors)


def answer(done: Done, number: int) -> Any:
    (found,) = [message for message in parse(done.stdout) if message.get("id") == number]
    return found["result"]


LEAVE = ({"id": 9, "method": "shutdown"}, {"method": "exit"})


def test_eight_start_at_once_and_one_wins(root: Path) -> None:
    done: list[Done] = []
    threads = [threading.Thread(target=lambda: done.append(through_relay(root, *LEAVE))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG)
    assert [one.returncode for one in done] == [0] * 8
    assert all("def f()" in str(answer(one, 2)) for one in done)
    assert len({answer(one, 3)["pid"] for one in done}) == 1
    assert log_file().read_text().count("listens on") == 1
    assert len(answer(done[-1], 3)["roots"]) == 1


def test_how_a_session_ended_is_the_exit_code(root: Path) -> None:
    assert through_relay(root, *LEAVE).returncode == 0
    assert through_relay(root, {"method": "exit"}).returncode == 1
    done = through_relay(root)
    assert (done.returncode, "def f()" in str(answer(done, 2))) == (0, True), "the end of the input is an end, too"
    assert b"\0" not in done.stdout
    assert b"attached to the hub process" in done.stderr


async def test_a_hub_that_dies_is_replaced(root: Path) -> None:
    """The relay says so and ends; what the dead one left is no hindrance for the next."""
    async with editor(root) as peer:
        hub = find()
        assert hub is not None
        os.kill(hub.pid, signal.SIGKILL)
        assert await peer.exit_code() == LOST
        assert f"the hub process {hub.pid} has died; start the language server again" in await peer.errors()
    assert Path(hub.socket or "").exists()
    assert find() == hub
    assert "def f()" in str(answer(through_relay(root, *LEAVE), 2))
    new = find()
    assert new is not None
    assert new.pid != hub.pid


async def test_stop_ends_editors_with_a_message(root: Path, own_runtime: Path) -> None:
    async with editor(root) as peer:
        command("stop")
        assert await peer.exit_code() == LOST
        assert "was stopped; start the language server again" in await peer.errors()
    assert files_in(own_runtime) == []
    assert "no hub process runs" not in command("stop", code=1)


async def test_the_end_of_the_editor_is_seen_through_the_relay(root: Path) -> None:
    """Even if another process keeps the relay's standard input open."""
    with subprocess.Popen(["sleep", "600"]) as other:
        async with started(arguments=RELAY) as peer:
            await peer.initialize(root.as_uri(), processId=other.pid)
            other.kill()
            other.wait()
            assert await peer.exit_code() == 0


async def test_a_hub_that_is_held_up_holds_no_relay(root: Path) -> None:
    """Its editor has gone."""
    code = "import remora_hub_lsp.serve.relay as relay; relay._LAST_WORDS = relay._DYING = 0.2"
    run = "from remora_hub_lsp.cli import main; raise SystemExit(main(['--stdio']))"
    async with started(arguments=[sys.executable, "-c", f"{code}; {run}"]) as peer:
        await peer.initialize(root.as_uri())
        hub = find()
        assert hub is not None
        with stopped(hub.pid):
            peer.writer.close()
            assert await peer.exit_code() == LOST
    assert "def f()" in str(answer(through_relay(root, *LEAVE), 2))


@pytest.mark.parametrize("pid", [2**22 + 1, 1])
def test_leftovers_heal(root: Path, own_runtime: Path, pid: int) -> None:
    """A discovery file of a process that is gone (or whose number is another's now), its socket, its lock file."""
    folder = runtime_folder()
    told = {"version": "0.1.0", "protocol_version": "1.0", "pid": pid, "token": "t", "started_at": 0, "log": "",
            "socket": str(folder / "0.1.0.sock"), "host": "127.0.0.1", "port": 1}  # fmt: skip
    (folder / "0.1.0.json").write_text(json.dumps(told))
    (folder / "0.1.0.sock").touch()
    (folder / "0.1.0.lock").touch()
    (folder / "0.0.9.json").write_text("{")
    assert running_hubs() == []
    assert files_in(own_runtime) == []
    (folder / "0.1.0.json").write_text(json.dumps(told))
    (folder / "0.1.0.lock").touch()
    assert answer(through_relay(root, *LEAVE), 3)["pid"] != pid


def test_another_version_runs_beside(root: Path, own_runtime: Path) -> None:
    other = "import remora_hub_lsp as r; r.__version__ = '9.9.9'; from remora_hub_lsp.cli import main; main(['serve'])"
    with subprocess.Popen([sys.executable, "-c", other], env=environment(), stderr=subprocess.DEVNULL) as process:
        until(lambda: find("9.9.9"))
        pid = answer(through_relay(root, *LEAVE), 3)["pid"]
        assert pid != process.pid
        told = json.loads(command("status", "--all", "--json"))
        assert [(one["version"], one["pid"]) for one in told] == [("0.1.0", pid), ("9.9.9", process.pid)]
        command("stop")
        assert [listening.version for listening in running_hubs()] == ["9.9.9"]
        command("stop", "--all")
        assert process.wait(HANG) == 0
    assert files_in(own_runtime) == []


@pytest.mark.parametrize("when", [0.0, 0.3])
def test_sigterm_leaves_nothing(own_runtime: Path, tmp_path: Path, when: float) -> None:
    """Even while it indexes a project with worker processes."""
    big = tmp_path / "big"
    big.mkdir()
    for number in range(300):
        (big / f"m{number}.py").write_text("\n".join(f"def f{n}(x): return x + {n}" for n in range(100)))
    command("start")
    hub = find()
    assert hub is not None
    hello = {"processId": None, "rootUri": big.as_uri(), "capabilities": {}}
    with attach().connection as connection:
        connection.sendall(frames([{"id": 1, "method": "initialize", "params": hello}]))
        connection.recv(100_000)
        until(lambda: children(hub.pid) or when == 0)
        inside = children(hub.pid)
        os.kill(hub.pid, signal.SIGTERM)
        until(lambda: not alive(hub.pid))
    until(lambda: not any(map(alive, inside)))
    assert files_in(own_runtime) == []


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


# ------------------------------------------------------------------------------------------ when it cannot be


def test_without_a_trusted_folder_the_editor_gets_its_own(root: Path, own_runtime: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (own_runtime / "remora-hub-lsp").symlink_to(tmp_path / "elsewhere")
    done = through_relay(root, *LEAVE)
    assert done.returncode == 0
    assert "def f()" in str(answer(done, 2))
    assert b"remora-hub-lsp is not a directory (or a link to one)" in done.stderr
    assert b"this editor gets an index of its own" in done.stderr
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_hub_that_cannot_start_is_no_hindrance(root: Path) -> None:
    """Something lies where the socket has to be."""
    (runtime_folder() / "0.1.0.sock").mkdir()
    done = through_relay(root, *LEAVE)
    assert done.returncode == 0
    assert "def f()" in str(answer(done, 2))
    assert b"the hub process could not start; its log is " in done.stderr
    assert "is in the way: it is not a socket" in log_file().read_text()


def test_settings_on_the_command_line_and_standalone_are_for_one_process(root: Path, tmp_path: Path) -> None:
    for options in (("--standalone",), ("--db", str(tmp_path / "own.db"))):
        done = through_relay(root, *LEAVE, options=options)
        assert done.returncode == 0
        assert answer(done, 3)["addresses"] == []
    assert b"serving in this process alone: database was set" in done.stderr
    assert (tmp_path / "own.db").exists()
    assert running_hubs() == []


def test_a_second_one_in_the_foreground_says_who_is_there(own_runtime: Path) -> None:
    command("start")
    line = [sys.executable, "-m", "remora_hub_lsp", "serve"]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=HANG, check=False)
    assert done.returncode == 2
    assert f"runs already: unix:{own_runtime}" in done.stderr


# ---------------------------------------------------------------------------------------------- the folder


def test_the_folder_is_private(own_runtime: Path) -> None:
    (own_runtime / "remora-hub-lsp").mkdir(mode=0o755)
    assert runtime_folder().stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives files away")
def test_a_folder_of_somebody_else_is_not_used(own_runtime: Path) -> None:
    (own_runtime / "remora-hub-lsp").mkdir()
    os.chown(own_runtime / "remora-hub-lsp", 12345, 12345)
    with pytest.raises(DiscoveryError, match="belongs to another user"):
        runtime_folder()


def test_a_path_too_long_for_a_socket(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    assert "def f()" in str(answer(through_relay(root, *LEAVE), 2))
    hub = find()
    assert hub is not None
    assert hub.socket is not None
    assert len(hub.socket) < 104
    assert Path(hub.socket).parent.stat().st_mode & 0o777 == 0o700
    command("stop")
    assert not Path(hub.socket).exists()
    Path(hub.socket).parent.rmdir()
    assert files_in(folder) == []


def test_one_lock_one_holder() -> None:
    first = Lock.take()
    assert first is not None
    assert Lock.take() is None
    assert Lock.is_held("0.1.0")
    first.release()
    assert not Lock.is_held("0.1.0")
    assert list(runtime_folder().iterdir()) == []
    second = Lock.take()
    assert second is not None
    second.release()


# --------------------------------------------------------------------------------------------------- speed


def test_the_relay_imports_little(root: Path) -> None:
    command("start")
    line = [sys.executable, "-X", "importtime", "-m", "remora_hub_lsp", "--stdio"]
    done = subprocess.run(line, input=frames(LEAVE), env=environment(), capture_output=True, timeout=HANG, check=False)
    imported = set(re.findall(r"\| +([\w.]+)$", done.stderr.decode(), re.MULTILINE))
    assert "remora_hub_lsp.serve.relay" in imported
    assert not {"pygls", "lsprotocol", "pydantic", "asyncio", "sqlite3", "subprocess"} & imported


async def test_much_goes_through_in_both_directions(root: Path) -> None:
    """A large document up, and its symbols down, while the editor reads slowly."""
    text = "".join(f"def function_{number}(argument): ...\n" for number in range(20_000))
    async with started(arguments=RELAY) as peer:
        await peer.initialize(root.as_uri())
        uri = (root / "a.py").as_uri()
        peer.open(uri, text)
        numbers = [peer.start("textDocument/documentSymbol", {"textDocument": {"uri": uri}}) for _ in range(3)]
        for number in numbers:
            assert len(await peer.answer(number)) == 20_000
