"""The hub process: who may come in, what a connection may cost, and what is left when all have gone."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import socket
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp import __version__
from remora_hub_lsp.discovery import find, runtime_folder
from remora_hub_lsp.errors import SharingError
from remora_hub_lsp.protocol import PROTOCOL_VERSION
from remora_hub_lsp.serve import process
from remora_hub_lsp.serve.greeting import WRONG_TOKEN
from remora_hub_lsp.serve.process import peer_uid
from remora_hub_lsp.serve.session import Session
from remora_hub_lsp.serve.wire import Limits

from .conftest import WriteFiles
from .hubprocess import Running, running
from .peer import HANG, Peer

INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


async def hello(peer: Peer, hub: Running, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await peer.ask("remora/hello", {"token": hub.listening.token} | more)
    return answer


async def refusal(peer: Peer) -> dict[str, Any]:
    """The one answer before the connection ends."""
    await peer.end()
    (message,) = peer.received
    error: dict[str, Any] = message["error"]
    return error


# ------------------------------------------------------------------------------------------------ who comes in


async def test_what_is_published_is_for_this_user_alone() -> None:
    async with running() as hub:
        folder = runtime_folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        assert modes == dict.fromkeys(("0.1.0.json", "0.1.0.lock", "0.1.0.sock"), 0o600)
        found = find()
        assert found == hub.listening
        assert len(hub.listening.token) >= 43
    assert list(folder.iterdir()) == []


async def test_both_ways_in(project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    async with running() as hub, await hub.unix() as first, await hub.unix() as second, await hub.tcp() as third:
        assert (await hello(third, hub))["pid"] == os.getpid()
        assert hub.listening.protocol_version == PROTOCOL_VERSION
        assert (await hello(second, hub))["protocolVersion"] == PROTOCOL_VERSION
        for peer in (first, second, third):
            told = await peer.initialize(root.as_uri())
            assert told["serverInfo"] == {"name": "remora-hub-lsp", "version": __version__}
            assert told["capabilities"]["experimental"]["remora"]["protocolVersion"] == PROTOCOL_VERSION
            assert "def f()" in str(await peer.hover((root / "a.py").as_uri(), 0, 4))
        status = await first.ask("remora/process")
        assert (status["sessions"], [r["sessions"] for r in status["roots"]]) == (3, [3])
        assert status["addresses"] == hub.listening.addresses


async def test_a_wrong_token_gets_one_answer_and_a_close_that_takes_its_time() -> None:
    async with running() as hub:
        loop = asyncio.get_running_loop()
        token = hub.listening.token
        started = loop.time()
        asked: list[tuple[str, Any]] = [
            ("remora/hello", {"token": "x" * 43}),
            ("remora/hello", {"token": token[:-1]}),
            ("remora/hello", {"token": "\u00e9"}),
            ("remora/hello", {}),
            ("remora/hello", None),
            ("initialize", INITIALIZE | {"initializationOptions": {"token": token}}),
        ]
        peers = [await hub.tcp() for _ in asked]
        for peer, (method, params) in zip(peers, asked, strict=True):
            peer.start(method, params)
            peer.start("remora/hello", {"token": token})  # too late
        errors = [await refusal(peer) for peer in peers]
        assert {error["code"] for error in errors} == {WRONG_TOKEN}
        assert loop.time() - started >= 1.0
        assert not any(token in str(error) for error in errors)
        assert hub.process.hubs.sessions == 0


async def test_a_hello_of_the_wrong_form() -> None:
    async with running() as hub:
        peer, other = await hub.tcp(), await hub.unix()
        for one in (peer, other):
            one.start("remora/hello", {"token": hub.listening.token, "tokens": 1})
        assert "tokens" in (await refusal(peer))["message"]
        assert "tokens" in (await refusal(other))["message"]


TLS = bytes.fromhex("16030100c8010000c403036b") + os.urandom(190).replace(b"\n", b".")
POST = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n"
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"processId":null,"capabilities":{}}}'
)
HIDDEN = (  # a header that a browser can send, with everything else hidden in the body
    b"Content-Length: 61\r\nOrigin: http://evil.example\r\n\r\n"
)


@pytest.mark.parametrize(
    "noise",
    [POST, TLS, HIDDEN, b"GET /remora/process HTTP/1.0\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 100_000, b"Content-Length: 9999\r\n\r\n"],
    ids=["POST", "TLS", "hidden", "GET", "SSH", "zeros", "long hello"],
)
async def test_noise_is_refused_at_its_first_line(noise: bytes) -> None:
    async with running() as hub:
        peer = await hub.tcp()
        peer.write(noise)
        await peer.end()
        # Closing while there is more to read may cost the peer the answer.
        assert [message["error"]["code"] for message in peer.received] in ([-32700], [])
        assert hub.process.hubs.sessions == 0


async def test_who_says_nothing_has_to_go() -> None:
    async with running(hello_patience=0.2) as hub:
        for peer in (await hub.tcp(), await hub.unix()):
            await peer.end()
            assert peer.received == []


async def test_only_so_many_unknown_ones_at_a_time() -> None:
    async with running(unknown=3) as hub:
        waiting = [await hub.tcp() for _ in range(3)]
        await asyncio.sleep(0.05)
        one_more = await hub.tcp()
        await one_more.end()
        async with await hub.unix() as local:
            assert await hello(local, hub)
        await hello(waiting[0], hub)
        async with await hub.tcp() as again:
            assert await hello(again, hub)


async def test_only_so_many_sessions() -> None:
    async with running(sessions=2) as hub:
        first, second, third = [await hub.unix() for _ in range(3)]
        await hello(first, hub)
        await hello(second, hub)
        await hello(third, hub)
        await third.end()
        first.writer.close()
        await first.end()
        async with await hub.unix() as fourth:
            await hello(fourth, hub)
            await fourth.initialize()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
async def test_a_host_that_others_reach_has_to_be_allowed(host: str) -> None:
    with pytest.raises(SharingError, match="--allow-remote"):
        async with running(tcp=(host, 0)):
            pass
    if host == "0.0.0.0" or can_listen(host):
        async with running(tcp=(host, 0), allow_remote=True) as hub:
            assert hub.listening.port


def can_listen(host: str) -> bool:
    """Whether the machine has IPv6."""
    try:
        socket.create_server((host, 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(SharingError, match=r"cannot listen on 127\."):
        async with running(tcp=other.getsockname()):
            pass
    assert list(runtime_folder().iterdir()) == []


def test_the_user_at_the_other_end_is_known() -> None:
    first, second = socket.socketpair(socket.AF_UNIX)
    with first, second:
        assert peer_uid(first) == os.getuid()


async def test_it_ends_when_nobody_can_find_it_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody cleaned up the folder of the sockets; who is there may stay."""
    monkeypatch.setattr(process, "_LOOK", 0.05)
    async with running() as hub:
        async with await hub.unix() as peer:
            await peer.initialize()
            shutil.rmtree(runtime_folder())
            await asyncio.sleep(0.3)
            assert (await peer.ask("remora/process"))["sessions"] == 1
            assert not hub.ended.done()
        assert await asyncio.wait_for(hub.ended, HANG) == 0


# ------------------------------------------------------------------------------------------------ what it costs


async def test_no_more_is_read_while_too_much_is_unanswered(project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    async with running(limits=Limits(in_flight=5)) as hub, await hub.unix() as busy, await hub.unix() as other:
        await busy.initialize(root.as_uri())
        await other.initialize(root.as_uri())
        waiting = [busy.start("remora/getContext", {"minRevision": 10**9, "waitMs": 300}) for _ in range(12)]
        busy.tell("$/cancelRequest", {"id": waiting[-1]})
        assert "def f()" in str(await other.hover((root / "a.py").as_uri(), 0, 4))
        assert busy.received[1:] == [], "nothing is answered before its time"
        for number in waiting[:-1]:
            await busy.answer(number)
        assert (await busy.error(waiting[-1])).code == -32800


async def test_roots_nobody_uses_are_closed(project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    uri = (root / "a.py").as_uri()
    async with running(keep=0.1) as hub:
        async with await hub.unix() as peer:
            await peer.initialize(root.as_uri())
            await asyncio.sleep(0.3)
            assert len(hub.process.hubs.all()) == 1
        async with asyncio.timeout(HANG):
            while hub.process.hubs.all():
                await asyncio.sleep(0.01)
        async with await hub.unix() as peer:
            await peer.initialize(root.as_uri())
            assert "def f()" in str(await peer.hover(uri, 0, 4))


async def test_it_ends_when_nobody_has_been_there_for_a_while() -> None:
    async with running(idle=0.3) as hub:
        async with await hub.unix() as peer:
            await peer.initialize()
            await asyncio.sleep(0.6)
            assert not hub.ended.done()
        assert await asyncio.wait_for(hub.ended, HANG) == 0
        assert list(runtime_folder().iterdir()) == []


async def test_a_thousand_come_and_go(project: WriteFiles) -> None:
    """Over both ways in and leaving in every way: no descriptor, task, thread or session stays."""
    root = project({"a.py": "def f(): ..."})

    async def one(hub: Running, number: int) -> None:
        peer = await (hub.tcp() if number % 2 else hub.unix())
        if number % 2:
            await hello(peer, hub)
        if number % 3 == 0:
            await peer.initialize(root.as_uri())
            peer.open((root / "a.py").as_uri(), "def typed(): ...")
            peer.start("remora/getContext", {"minRevision": 10**9, "waitMs": 60_000})
        if number % 5 == 0:
            peer.write(b"garbage\r\n")
        elif number % 5 == 1:
            peer.writer.transport.abort()
        else:
            peer.tell("exit", None)
            peer.writer.close()
        await peer.end()

    async with running(hello_patience=1) as hub:
        before = None
        for start in range(0, 1100, 20):
            await asyncio.gather(*(one(hub, number) for number in range(start, start + 20)))
            if start == 80:
                await quiet(hub)
                before = held()
        await quiet(hub)
        assert held() == before
        assert threading.active_count() < 25, "pools are bounded"
        assert sum(isinstance(thing, Session) for thing in gc.get_objects()) == 0
        (root_hub,) = hub.process.hubs.all()
        assert (root_hub.sessions, (await root_hub.status()).open_buffers) == (0, 0)


async def quiet(hub: Running) -> None:
    """Wait until all have left."""
    async with asyncio.timeout(HANG):
        while hub.process.hubs.sessions or hub.process._sessions:
            await asyncio.sleep(0.01)
    (root_hub,) = hub.process.hubs.all()
    await root_hub.indexed()
    # Each of the two readers has its connection to the index, which stays.
    await asyncio.gather(*(root_hub.read(lambda _: time.sleep(0.05), heavy=True) for _ in range(2)))
    await asyncio.sleep(0.1)
    gc.collect()


def held() -> tuple[int, int]:
    """Descriptors and tasks."""
    return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks())
