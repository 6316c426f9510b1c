"""A cold start is shown as progress, where the client can show it, and can be cancelled there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.hub.coldstart import Progress

from ..hub.running import Gate
from .conftest import Server, WriteFiles
from .peer import HANG, Peer

CAN = {"window": {"workDoneProgress": True}}


async def asked(peer: Peer, after: str = "") -> dict[str, Any]:
    """The server's request for a token, other than the one in `after`."""
    return await peer.wait(
        lambda m: m.get("method") == "window/workDoneProgress/create" and m["params"]["token"] != after
    )


async def shown(peer: Peer, token: str, kind: str) -> dict[str, Any]:
    message = await peer.wait(
        lambda m: (
            m.get("method") == "$/progress" and m["params"]["token"] == token and m["params"]["value"]["kind"] == kind
        )
    )
    value: dict[str, Any] = message["params"]["value"]
    return value


async def indexed(peer: Peer) -> None:
    async with asyncio.timeout(HANG):
        while (await peer.ask("remora/status"))["state"] == "indexing":
            await asyncio.sleep(0.01)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Shut at first."""
    return Gate(monkeypatch)


def many(project: WriteFiles) -> Path:
    """Files for several batches."""
    return project({f"m{n}.py": "def f(a, b=1, *c): return a + b\n" + "#\n" * 10_000 for n in range(6)})


async def test_begin_report_end(peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    token = request["params"]["token"]
    begin = await shown(peer, token, "begin")
    gate.open()
    assert begin == {"kind": "begin", "title": "Indexing project", "cancellable": True, "percentage": 0}
    report = await shown(peer, token, "report")
    assert report["message"].endswith("/6 files")
    assert 0 <= report["percentage"] <= 100
    assert (await shown(peer, token, "end")) == {"kind": "end", "message": "6 files"}


async def test_cancel(peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    token = request["params"]["token"]
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    peer.tell("window/workDoneProgress/cancel", {"token": "unheard of"})
    peer.tell("window/workDoneProgress/cancel", {"token": token})
    assert (await shown(peer, token, "end"))["message"].startswith("stopped at ")
    status = await peer.ask("remora/status")
    assert status["state"] == "degraded"
    assert "cancelled" in status["state_reason"]
    assert len(await peer.symbols((root / "m5.py").as_uri())) == 1, "asked for, it is indexed"


async def test_no_progress_without_the_capability(peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    gate.open()
    await peer.initialize(root.as_uri())
    await indexed(peer)
    assert not [m for m in peer.received if "method" in m]


async def test_a_client_that_refuses(peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "error": {"code": 1, "message": "no"}})
    await peer.ask("remora/status")
    gate.open()
    await indexed(peer)
    assert not [m for m in peer.received if m.get("method") == "$/progress"]


async def test_a_client_that_does_not_answer_in_time(peer: Peer, project: WriteFiles, gate: Gate) -> None:
    """Nothing is opened once there is nothing more to show."""
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    gate.open()
    await indexed(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    await peer.ask("remora/status")
    assert not [m for m in peer.received if m.get("method") == "$/progress"]


async def test_a_session_that_ends_meanwhile(server: Server, peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    await asked(peer)
    hub = await server.hubs.open(root)
    peer.writer.transport.abort()
    gate.open()
    await hub.indexed()
    async with asyncio.timeout(HANG):
        while hub.sessions > 1:
            await asyncio.sleep(0.01)
    assert hub.cold_start._listeners == []


async def test_two_cold_starts_are_two_displays(server: Server, peer: Peer, project: WriteFiles, gate: Gate) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    first = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": first["id"], "result": None})
    await shown(peer, first["params"]["token"], "begin")
    gate.open()
    await shown(peer, first["params"]["token"], "end")
    gate.shut()
    hub = await server.hubs.open(root)
    hub.cold_start.progress = Progress()
    for path in root.iterdir():
        path.write_text(path.read_text() + "\n\n")
    hub.cold_start.begin()
    second = await asked(peer, after=first["params"]["token"])
    peer.send({"jsonrpc": "2.0", "id": second["id"], "result": None})
    await shown(peer, second["params"]["token"], "begin")
    gate.open()
    assert (await shown(peer, second["params"]["token"], "end"))["message"] == "6 files"
