"""Cancelling, answers that come late, answers from other threads, calls from the server to the peer."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException

from remora_hub_lsp.serve.wire import Limits

from .conftest import Server, WriteFiles, session_of
from .peer import HANG, Peer, Refused

NEVER = {"minRevision": 10**9, "waitMs": 600_000}


async def test_cancel(peer: Peer, project: WriteFiles) -> None:
    await peer.initialize(project({"a.py": "def f(): ..."}).as_uri())
    slow = [peer.start("remora/getContext", NEVER) for _ in range(3)]
    peer.tell("$/cancelRequest", {"id": slow[1]})
    assert (await peer.error(slow[1])).code == -32800
    assert (await peer.ask("remora/getContext", {"nodes": ["a.py:f"]}))["nodes"]
    await peer.ask("shutdown")
    assert (await peer.error(slow[0])).code == -32800
    assert (await peer.error(slow[2])).code == -32800


async def test_cancel_what_is_answered_already(peer: Peer, project: WriteFiles) -> None:
    await peer.initialize(project({}).as_uri())
    number = peer.start("remora/status")
    await peer.answer(number)
    peer.tell("$/cancelRequest", {"id": number})
    await peer.ask("remora/status")
    assert len([m for m in peer.received if m.get("id") == number]) == 1


async def test_a_cancel_in_the_same_segment(peer: Peer, project: WriteFiles) -> None:
    await peer.initialize(project({}).as_uri())
    number = peer.start("remora/getContext", NEVER)
    peer.tell("$/cancelRequest", {"id": number})
    assert (await peer.error(number)).code == -32800


async def test_the_server_asks_the_peer(server: Server, peer: Peer) -> None:
    await peer.initialize()
    wire = session_of(server).wire
    answers = [asyncio.wrap_future(wire.send_request("workspace/configuration", {"n": n})) for n in range(3)]
    asked = [await peer.wait(lambda m, n=n: m.get("params") == {"n": n}) for n in range(3)]
    peer.send({"jsonrpc": "2.0", "id": asked[1]["id"], "error": {"code": 1, "message": "no"}})
    peer.send({"jsonrpc": "2.0", "id": asked[0]["id"], "result": [1]})
    peer.send({"jsonrpc": "2.0", "id": asked[2]["id"]})  # some write null so
    assert await answers[0] == [1]
    with pytest.raises(JsonRpcException, match="no"):
        await answers[1]
    assert await answers[2] is None


async def test_responses_that_nobody_waits_for(server: Server, peer: Peer) -> None:
    await peer.initialize()
    answer = session_of(server).wire.send_request("workspace/configuration", {})
    asked = await peer.wait(lambda m: m.get("method") == "workspace/configuration")
    answer.cancel()
    for response in (
        {"id": asked["id"], "result": 1},
        {"id": asked["id"], "result": 1},
        {"id": "unheard of", "result": 1},
        {"id": "unheard of", "error": {"code": 1, "message": ""}},
        {"id": None, "error": {"code": -32700, "message": "parse error"}},
        {"id": None, "error": 5},
    ):
        peer.send({"jsonrpc": "2.0"} | response)
    assert await peer.ask("shutdown") is None
    assert len(peer.received) == 3, "none of them is answered"


async def test_ids_of_the_two_sides_are_apart(server: Server, peer: Peer, project: WriteFiles) -> None:
    """A peer that answers with the id of its own request must not answer that."""
    await peer.initialize(project({}).as_uri())
    number = peer.start("remora/getContext", NEVER)
    peer.send({"jsonrpc": "2.0", "id": number, "result": "mine"})
    session_of(server).wire.send_request("workspace/configuration", {}, msg_id=number)
    await peer.wait(lambda m: m.get("method") == "workspace/configuration")
    peer.tell("$/cancelRequest", {"id": number})
    await peer.wait(lambda m: m.get("id") == number and m.get("error", {}).get("code") == -32800)


async def test_answers_from_threads_do_not_mix(server: Server, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A StreamWriter is not to be used from two threads: what threads send is written by the loop."""
    await peer.initialize()
    wire = session_of(server).wire
    write, writers = asyncio.StreamWriter.write, set()

    def watched(self: asyncio.StreamWriter, data: bytes) -> None:
        writers.add(threading.current_thread())
        write(self, data)

    monkeypatch.setattr(asyncio.StreamWriter, "write", watched)

    def flood(name: int) -> None:
        for number in range(50):
            wire.notify("test/big", {"name": name, "number": number, "text": "x" * 20_000})

    threads = [threading.Thread(target=flood, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        await peer.error(peer.start("unheard/of"))
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await peer.ask("shutdown")
    big = [m["params"] for m in peer.received if m.get("method") == "test/big"]
    for name in range(4):
        assert [p["number"] for p in big if p["name"] == name] == list(range(50))
    assert writers == {threading.current_thread()}


async def test_nothing_is_left_of_what_is_done(server: Server, peer: Peer, project: WriteFiles) -> None:
    """Neither of requests nor of notifications that take a while; stock keeps all of the latter."""
    await peer.initialize(project({}).as_uri())
    for _ in range(20):
        peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}})
        await peer.ask("remora/status")
    wire = session_of(server).wire
    assert (wire._request_futures, wire._calls, wire._result_types) == ({}, {}, {})


async def test_a_call_that_outlives_its_session(server: Server, peer: Peer) -> None:
    await peer.initialize()
    session = session_of(server)
    answer = session.wire.send_request("workspace/configuration", {})
    peer.writer.close()
    async with asyncio.timeout(HANG):
        while not session.ended.done() or not answer.cancelled():
            await asyncio.sleep(0.01)
    session.wire.notify("too/late", {})


async def test_ended_sessions_are_let_go(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    peer = await server.connect()
    await peer.initialize(root.as_uri())
    peer.open((root / "a.py").as_uri(), "def g(): ...")
    await peer.symbols((root / "a.py").as_uri())
    gone = weakref.ref(session_of(server))
    await peer.ask("shutdown")
    peer.tell("exit", None)
    await peer.end()
    async with asyncio.timeout(HANG):
        while gone() is not None:
            gc.collect()
            await asyncio.sleep(0.01)


async def test_a_peer_that_does_not_read_is_dropped(server: Server, project: WriteFiles) -> None:
    server.limits = Limits(slow_at=1 << 30, drop_at=100_000)
    peer = await server.connect()
    await peer.initialize()
    session = session_of(server)
    peer._reading.cancel()
    for number in range(2000):
        session.wire.notify("test/big", {"number": number, "text": "x" * 10_000})
        if session.ended.done():
            break
    assert session.ended.done()
    assert number > 10


async def test_a_peer_that_stops_reading_is_not_read_from_and_then_dropped(server: Server) -> None:
    server.limits = Limits(slow_at=100_000, patience=0.2)
    peer = await server.connect()
    await peer.initialize()
    session = session_of(server)
    peer._reading.cancel()
    answers = 0

    async def big(_: Any) -> str:
        nonlocal answers
        answers += 1
        return "x" * 100_000

    session.wire.register("test/big", big, object)
    for _ in range(1000):
        peer.start("test/big")
    async with asyncio.timeout(HANG):
        assert await session.ended == 1
    assert answers < 100, "most of the requests were left unread"


async def test_a_slow_peer_gets_everything(server: Server) -> None:
    """Slowness alone costs nothing: every answer comes, in full."""
    server.limits = Limits(slow_at=50_000, drop_at=1_000_000)
    peer = await server.connect()
    await peer.initialize()

    async def big(_: Any) -> str:
        return "x" * 20_000

    session_of(server).wire.register("test/big", big, object)
    numbers = [peer.start("test/big") for _ in range(500)]
    for number in numbers:
        assert len(await peer.answer(number)) == 20_000


async def test_refused_is_what_it_says(peer: Peer) -> None:
    with pytest.raises(Refused, match="-32002"):
        await peer.ask("shutdown")


async def test_an_answer_at_once_is_the_answer_in_full(server: Server, project: WriteFiles) -> None:
    """What is put together from kept pieces, and what the model says, is the same; typing shows at once."""
    root = project({"a.py": "def f(x): ...\nclass A:\n    def g(self): ...\n", "b.py": "def f(: ...\n"})
    peer = await server.connect()
    await peer.initialize(root.as_uri())
    uri, ids = (root / "a.py").as_uri(), ["a.py:f", "a.py:A.g", "a.py:f", "node:a.py:A"]
    while (await peer.ask("remora/status"))["state"] != "ready":
        await asyncio.sleep(0.01)
    session = session_of(server)
    plain = await peer.ask("remora/getContext", {"nodes": ids})
    at_once: list[Any] = []
    assert session.roots[0].context_now(ids, at_once.append), "the second time nothing has to be waited for"
    assert len(at_once) == 1
    assert plain == await peer.ask("remora/getContext", {"nodes": ids})
    assert plain == await peer.ask("remora/getContext", {"nodes": ids, "depth": 0})
    peer.open(uri, "def f(x): ...\n")
    for number in range(30):
        peer.replace(uri, number + 2, f"def f(x, a{number}): ...\n")
        answer = await peer.ask("remora/getContext", {"nodes": ["a.py:f", "a.py:f"]})
        assert answer["nodes"]["a.py:f"]["signature"] == f"def f(x, a{number})"
        assert (await peer.ask("remora/getContext", {"nodes": ["a.py:A.g"]}))["missing"][0]["reason"] == "no such node"
    peer.replace(uri, 99, "def f(x: ...\n")
    assert (await peer.ask("remora/getContext", {"nodes": ["a.py:f"]}))["stale"][0]["id"] == "a.py:f"
    for wrong in ({"nodes": [1]}, {"nodes": "a.py:f"}, {"nodes": ["a.py:f"], "waitMs": -1}, {"nodes": [], "x": 1}):
        with pytest.raises(Refused, match="-32602"):
            await peer.ask("remora/getContext", wrong)


async def test_many_who_ask_at_once_for_new_nodes_are_answered_each(server: Server, project: WriteFiles) -> None:
    """One look at the index is for all of them; what is missing in one answer is no matter of the others."""
    files = {f"m{number}.py": f"def f{number}(): ...\n" for number in range(150)}
    root = project(files)
    peers = [await server.connect() for _ in range(5)]
    for peer in peers:
        await peer.initialize(root.as_uri())
    while (await peers[0].ask("remora/status"))["state"] != "ready":
        await asyncio.sleep(0.01)
    asked = {}
    for number in range(150):
        ids = [f"m{number}.py:f{number}", f"m{(number * 7) % 150}.py", *(["m0.py:nothing"] if number % 10 == 3 else [])]
        asked[number] = (peer := peers[number % 5], peer.start("remora/getContext", {"nodes": ids}), ids)
    for number, (peer, request, ids) in asked.items():
        answer = await peer.answer(request)
        assert set(answer["nodes"]) == {text for text in ids if "nothing" not in text}
        assert [entry["id"] for entry in answer["missing"]] == [text for text in ids if "nothing" in text]
        assert answer["nodes"][f"m{number}.py:f{number}"]["signature"] == f"def f{number}()"
