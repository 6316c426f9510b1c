"""start, stop, status, logs, and the other commands while a hub process runs: as processes, as a person types them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from remora_hub_lsp.cli import main
from remora_hub_lsp.discovery import find
from remora_hub_lsp.protocol import ProcessStatus
from remora_hub_lsp.serve.launch import attach

from ..client.story import ON_DISK, alive, command, editor, files_in, until
from ..serve.process import environment


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text(ON_DISK)
    (root / "pyproject.toml").write_text("[tool.remora-hub]\nworkers = 0\n")
    monkeypatch.chdir(root)
    return root


def test_start_and_stop(own_runtime: Path) -> None:
    told = command("start", "--idle", "60", "--workers", "0")
    hub = find()
    assert hub is not None
    assert told == f"the hub process {hub.pid} has started: unix:{hub.socket}\n"
    assert alive(hub.pid)
    assert os.getsid(hub.pid) != os.getsid(0), "it does not end with the terminal"
    assert command("start") == f"the hub process {hub.pid} runs already: unix:{hub.socket}\n"
    assert "not over TCP: stop it first" in command("start", "--tcp", "127.0.0.1:0", code=1)
    assert command("stop") == f"the hub process {hub.pid} has ended\n"
    assert not alive(hub.pid)
    assert files_in(own_runtime) == []
    assert command("stop", code=1) == ""


def test_start_over_tcp(own_runtime: Path) -> None:
    assert re.search(r"tcp:127\.0\.0\.1:\d+$", command("start", "--tcp", "127.0.0.1:0").strip())
    hub = find()
    assert hub is not None
    assert hub.port is not None
    with socket.create_connection(("127.0.0.1", hub.port)):
        pass


def test_a_start_that_fails_says_where_the_log_is(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "remora_hub_lsp", "start", "--tcp", "0.0.0.0:0"]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "could not start; its log is " in done.stderr
    assert "use 127.0.0.1, or say --allow-remote" in command("logs")


@pytest.mark.parametrize("address", ["7000", "localhost", ":1", "h:x", "h:99999"])
def test_an_address_of_the_wrong_form(address: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--tcp", address])
    assert ended.value.code == 2


def test_logs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs"]) == 2
    assert "there is no log" in capsys.readouterr().err
    command("start")
    command("stop")
    assert main(["logs", "--lines", "1"]) == 0
    assert re.fullmatch(r".* INFO .*: the hub process \d+ has ended\n", capsys.readouterr().out)


async def test_context_sees_what_an_editor_has_not_saved(shop: Path) -> None:
    async with editor(shop) as peer:
        uri = (shop / "cart.py").as_uri()
        peer.open(uri, ON_DISK.replace("(self)", "(self, tax: float)"))
        await peer.symbols(uri)
        told = json.loads(command("context", "cart.py:Cart.total", "--json"))
        assert told["nodes"]["cart.py:Cart.total"]["signature"] == "def total(self, tax: float) -> int"
        assert "def total(self, tax: float) -> int" in command("context", "cart.Cart.total")
        assert "cart.py:2  method       Cart.total" in command("symbols", "tot")
        assert "(by the running hub, " in command("index")
        own = command("context", "cart.py:Cart.total", "--db", "own.db")
        assert "def total(self) -> int" in own, "settings on the command line: a hub of its own"


async def test_status_tells_of_every_hub_process(shop: Path) -> None:
    assert json.loads(command("status", "--all", "--json", code=1)) == []
    async with editor(shop) as peer:
        peer.open((shop / "cart.py").as_uri(), ON_DISK)
        await peer.symbols((shop / "cart.py").as_uri())
        (told,) = json.loads(command("status", "--all", "--json"))
        process = ProcessStatus.model_validate(told)
        hub = find()
        assert hub is not None
        assert (process.pid, list(process.addresses)) == (hub.pid, hub.addresses)
        assert process.memory_bytes is not None
        assert process.memory_bytes > 10_000_000
        (root,) = process.roots
        assert (root.project_root, root.sessions, root.open_buffers) == (str(shop), 1, 1)
        assert [slow.path for slow in root.slowest] == ["cart.py"]
        lines = command("status").splitlines()
        assert lines[0] == f"root        {shop}"
        assert any(re.fullmatch(rf"hub process {hub.pid} \(version 0\.1\.0, \d+ MB\)", line) for line in lines)
        assert any(re.fullmatch(r" +\d+ ms  cart\.py", line) for line in lines)
        assert json.loads(command("status", "--json"))["project_root"] == str(shop)


async def test_the_process_ends_when_nobody_needs_it(shop: Path, own_runtime: Path) -> None:
    with attach(("--idle", "0.5")).connection:  # until the editor is there, however long that takes
        hub = find()
        assert hub is not None
        async with editor(shop):
            pass
    until(lambda: not alive(hub.pid))
    assert files_in(own_runtime) == []
