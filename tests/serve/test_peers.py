"""Several peers over one hub: they see each other's work, and cannot harm each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from .conftest import Server, WriteFiles
from .peer import HANG, Peer


async def two(server: Server, root: Path) -> tuple[Peer, Peer]:
    first, second = await server.connect(), await server.connect()
    await first.initialize(root.as_uri())
    await second.initialize(root.as_uri())
    return first, second


async def names(peer: Peer, uri: str) -> list[str]:
    return [symbol["name"] for symbol in await peer.symbols(uri)]


async def alone(peer: Peer) -> None:
    """Wait until the hub has no other session."""
    async with asyncio.timeout(HANG):
        while (await peer.ask("remora/status"))["sessions"] > 1:
            await asyncio.sleep(0.01)


async def test_one_hub_for_one_root(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def on_disk(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    first.open(uri, "def typed(): ...")
    assert await names(first, uri) == ["typed"]
    assert await names(second, uri) == ["typed"], "an agent sees what is typed in an editor"
    assert (await second.ask("remora/status"))["sessions"] == 2


async def test_the_newest_buffer_counts(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def on_disk(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    text = "\n".join(f"def {name}(): ..." for name in "abcdef")
    first.open(uri, text)
    assert len(await names(first, uri)) == 6
    second.open(uri, text.replace("def ", "def second_") + "\nx = 1")
    assert await names(second, uri) == [f"second_{name}" for name in "abcdef"]
    first.edit(uri, 2, ((3, 4, 3, 5), "edited"))
    assert await names(first, uri) == ["a", "b", "c", "edited", "e", "f"]
    second.edit(uri, 2, ((0, 4, 0, 4), "x"))
    assert await names(second, uri) == ["xsecond_a", *(f"second_{name}" for name in "bcdef")]
    second.close(uri)
    await second.ask("remora/status")
    assert await names(first, uri) == ["a", "b", "c", "edited", "e", "f"]
    first.close(uri)
    assert await names(first, uri) == ["on_disk"]


@pytest.mark.parametrize(
    "last",
    [
        b"",
        b"Content-Length: 10\r\n\r\n{",
        b"POST / HTTP/1.1\r\n\r\n",
        b'Content-Length: 33\r\n\r\n{"jsonrpc":"2.0","method":"exit"}',
        b"\x00" * 300_000,
    ],
)
async def test_the_end_of_one(server: Server, project: WriteFiles, last: bytes) -> None:
    """However a peer goes: its documents are closed, its requests are dropped, all others go on."""
    root = project({"a.py": "def on_disk(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    first.open(uri, "def typed(): ...")
    assert await names(first, uri) == ["typed"]
    assert await names(second, uri) == ["typed"]
    for _ in range(20):
        first.start("remora/getContext", {"minRevision": 10**9, "waitMs": 1000})
    first.write(last)
    if not last or last.endswith(b"{"):
        await first.writer.drain()
        first.writer.close()
    await first.end()
    await alone(second)
    assert await names(second, uri) == ["on_disk"]
    assert len(server.sessions) == 1
    assert await second.ask("shutdown") is None


async def test_an_abrupt_end(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def on_disk(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    first.open(uri, "def typed(): ...\n" * 2000)
    for _ in range(200):
        first.start("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    first.writer.transport.abort()
    await alone(second)
    assert await names(second, uri) == ["on_disk"]


async def test_one_that_does_not_read(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ...\n" * 500})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    await second.ask("remora/getContext", {"nodes": ["a.py:f"], "waitMs": 60_000})
    first._reading.cancel()
    for _ in range(100):
        first.start("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    for _ in range(20):
        assert "def f()" in str(await second.hover(uri, 0, 4))


async def test_a_flood_of_one_does_not_starve_the_other(server: Server, project: WriteFiles) -> None:
    """One peer sends thousands of requests in one go; the other's few are answered in between, not behind them."""
    root = project({"a.py": "def f(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    await second.hover(uri, 0, 4)
    total = 5000
    last = [first.start("unheard/of") for _ in range(total)][-1]
    await first.wait(lambda m: m.get("id") == last - total + 1)
    seen = []
    for _ in range(5):
        await second.hover(uri, 0, 4)
        seen.append(len(first.received))
    await first.error(last)
    assert len(first.received) >= total
    assert seen[-1] < total, "all five answers came while the flood was being answered"


async def test_a_flood_of_slow_requests(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    uri = (root / "a.py").as_uri()
    first, second = await two(server, root)
    await second.hover(uri, 0, 4)
    hover = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 4}}
    numbers = [first.start("textDocument/hover", hover) for _ in range(2000)]
    await first.answer(numbers[0])
    await second.hover(uri, 0, 4)
    assert len(first.received) < 2000
    for number in numbers:
        await first.answer(number)


async def test_many_peers_come_and_go(server: Server, project: WriteFiles) -> None:
    """Each gets its own answers only, whatever the others do."""
    root = project({f"m{n}.py": f"def f{n}(): ..." for n in range(10)})

    async def one(n: int) -> None:
        peer = await server.connect()
        await peer.initialize(root.as_uri())
        uri = (root / f"m{n % 10}.py").as_uri()
        for _ in range(20):
            assert f"f{n % 10}()" in str(await peer.hover(uri, 0, 4))
        assert {m["id"] for m in peer.received} == set(range(1, 22))
        if n % 3 == 0:
            peer.writer.transport.abort()
        elif n % 3 == 1:
            peer.tell("exit", None)
        else:
            peer.write(b"garbage\r\n")
        await peer.end()

    async with asyncio.timeout(HANG), asyncio.TaskGroup() as group:
        for n in range(30):
            group.create_task(one(n))
        await asyncio.sleep(0)
    last = await server.connect()
    await last.initialize(root.as_uri())
    await alone(last)
