"""A cold start is shown as progress, where the client can show it, and can be cancelled there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from remora_hub_lsp.hub.coldstart import Progress

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


def many(project: WriteFiles) -> Path:
    body = "".join(f"def f{n}(a, b=1, *c): return a + b\n" for n in range(300))
    return project({f"m{n}.py": body for n in range(60)})


async def test_begin_report_end(peer: Peer, project: WriteFiles) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    token = request["params"]["token"]
    begin = await shown(peer, token, "begin")
    assert begin == {"kind": "begin", "title": "Indexing project", "cancellable": True, "percentage": 0}
    report = await shown(peer, token, "report")
    assert report["message"].endswith("/60 files")
    assert 0 <= report["percentage"] <= 100
    assert (await shown(peer, token, "end")) == {"kind": "end", "message": "60 files"}


async def test_cancel(peer: Peer, project: WriteFiles) -> None:
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
    assert len(await peer.symbols((root / "m59.py").as_uri())) == 300, "asked for, it is indexed"


async def test_no_progress_without_the_capability(peer: Peer, project: WriteFiles) -> None:
    root = many(project)
    await peer.initialize(root.as_uri())
    await indexed(peer)
    assert not [m for m in peer.received if "method" in m]


async def test_a_client_that_refuses(peer: Peer, project: WriteFiles) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "error": {"code": 1, "message": "no"}})
    await indexed(peer)
    assert not [m for m in peer.received if m.get("method") == "$/progress"]


async def test_a_client_that_does_not_answer_in_time(peer: Peer, project: WriteFiles) -> None:
    """Nothing is opened once there is nothing more to show."""
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    request = await asked(peer)
    await indexed(peer)
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    await peer.ask("remora/status")
    assert not [m for m in peer.received if m.get("method") == "$/progress"]


async def test_a_session_that_ends_meanwhile(server: Server, peer: Peer, project: WriteFiles) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    await asked(peer)
    hub = await server.hubs.open(root)
    peer.writer.transport.abort()
    await hub.indexed()
    async with asyncio.timeout(HANG):
        while hub.sessions > 1:
            await asyncio.sleep(0.01)
    assert hub.cold_start._listeners == []


async def test_two_cold_starts_are_two_displays(server: Server, peer: Peer, project: WriteFiles) -> None:
    root = many(project)
    await peer.initialize(root.as_uri(), capabilities=CAN)
    first = await asked(peer)
    peer.send({"jsonrpc": "2.0", "id": first["id"], "result": None})
    await shown(peer, first["params"]["token"], "end")
    hub = await server.hubs.open(root)
    hub.cold_start.progress = Progress()
    for path in root.iterdir():
        path.write_text(path.read_text() + "\n\n")
    hub.cold_start.begin()
    second = await asked(peer, after=first["params"]["token"])
    peer.send({"jsonrpc": "2.0", "id": second["id"], "result": None})
    assert (await shown(peer, second["params"]["token"], "end"))["message"] == "60 files"
