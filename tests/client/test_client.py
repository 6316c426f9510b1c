"""HubClient: what it answers with a hub, without one, and in between."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from remora_hub_lsp.client import HubClient, get_hub_client
from remora_hub_lsp.config import default_database, load_config
from remora_hub_lsp.discovery import HELLO
from remora_hub_lsp.errors import HubRefused, HubTimeout, HubUnavailable, RootError
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index.memory import memory_of
from remora_hub_lsp.models import HubStatus
from remora_hub_lsp.protocol import HELLO as HELLO_METHOD

from ..serve.hubprocess import Running, running
from ..serve.process import environment
from .story import HANG, ON_DISK, command

KEY = "node:cart.py:Cart.total"


@pytest.fixture
async def hub() -> AsyncIterator[Running]:
    async with running() as found:
        yield found


@pytest.fixture
async def client(shop: Path) -> AsyncIterator[HubClient]:
    async with HubClient(shop, timeout=HANG) as found:
        yield found


async def indexed(client: HubClient) -> HubStatus:
    """The status once the cold start has ended."""
    async with asyncio.timeout(HANG):
        while (status := await client.status()).state == "indexing":
            await asyncio.sleep(0.01)
    return status


# ------------------------------------------------------------------------------------------------ with a hub


async def test_every_form_of_an_id(hub: Running, client: HubClient, shop: Path) -> None:
    ids = [KEY, "cart.py:Cart.total", f"{shop}/cart.py:Cart.total", f"{(shop / 'cart.py').as_uri()}#Cart.total", "cart.Cart.total"]
    assert await client.ready(HANG)  # else the call graph may come between two answers
    nodes = await client.get_context(ids)
    assert list(nodes) == ids
    assert {node.key for node in nodes.values()} == {KEY}
    assert await client.get_context(KEY) == {KEY: nodes[KEY]}
    assert (await client.get_context("cart.py:Cart.totl")) == {}


async def test_positions(hub: Running, client: HubClient, shop: Path) -> None:
    for file in ("cart.py", shop / "cart.py"):
        found = await client.context(["cart.py"], positions=[(file, 2, 8), (file, 0, 0), ("no.py", 1, 1)])
        assert [node.qualname for node in found.nodes.values()] == ["Cart.total", "Cart", "<module>"]
        assert f"{file}:2:8" in found.nodes
        assert [entry.id for entry in found.missing] == ["no.py:1:1"]
    node = await client.node_at("cart.py", 1, 10)
    assert node is not None
    assert node.key == KEY
    assert await client.node_at("no.py", 1) is None


async def test_all_the_other_questions(hub: Running, client: HubClient, shop: Path) -> None:
    status = await indexed(client)
    assert [symbol.key for symbol in (await client.search("tot")).symbols] == [KEY]
    assert (status.project_root, status.sessions) == (str(shop), 1)
    assert (await client.process()).pid == os.getpid()
    health = await client.health_check()
    assert (health.ok, health.state, health.version) == (True, "ready", "0.1.0")
    cursor = (await client.changes_since()).cursor
    (shop / "new.py").write_text("def new(): ...\n")
    assert "new.py:new" in await client.get_context("new.py:new", wait_ms=HANG * 1000)
    async with asyncio.timeout(HANG):
        while "node:new.py:new" not in (await client.changes_since(cursor)).changed:
            await asyncio.sleep(0.02)


async def test_what_goes_around_a_node(hub: Running, client: HubClient, shop: Path) -> None:
    assert await client.ready()
    found = await client.context(KEY, include=["source", "callers"], brief=True)
    assert found.nodes[KEY].extra["source"] == "    def total(self) -> int:\n        return 1"
    assert {(entry.what, entry.reason) for entry in found.omitted} == {("details", "brief")}


async def test_many_questions_at_once_over_one_connection(hub: Running, client: HubClient) -> None:
    answers = await asyncio.gather(*(client.get_context([KEY, f"x{number}.py"]) for number in range(200)))
    assert all(list(answer) == [KEY] for answer in answers)
    assert (await client.process()).sessions == 1


async def test_a_wrong_question_is_refused_and_not_answered_otherwise(hub: Running, client: HubClient) -> None:
    with pytest.raises(HubRefused, match=r"params\.depth") as refused:
        await client.get_context(KEY, depth=3)
    assert refused.value.code == -32602
    with pytest.raises(HubRefused, match="nonsense"):
        await client.context(KEY, nonsense=1)


async def test_the_ways_to_the_hub(hub: Running, shop: Path) -> None:
    listening = hub.listening
    unix, tcp = listening.addresses
    for where in (
        {"transport": "unix"}, {"transport": "tcp"}, {"address": unix}, {"address": tcp, "token": listening.token},
    ):  # fmt: skip
        async with HubClient(shop, timeout=HANG, **where) as client:  # type: ignore[arg-type]
            assert (await client.context(KEY)).source == "hub"
    for address, wanted in ((tcp, HubRefused), ("tcp:127.0.0.1:1", HubUnavailable), ("nowhere", HubUnavailable)):
        async with HubClient(shop, timeout=HANG, address=address, token="wrong") as client:
            with pytest.raises(wanted):
                await client.status()
            found = await client.context(KEY)
            assert (found.source, KEY in found.nodes) == ("local", True)


async def test_it_connects_again(client: HubClient) -> None:
    async with running():
        assert (await client.context(KEY)).source == "hub"
    assert (await client.context(KEY)).source == "local"
    with pytest.raises(HubUnavailable):
        await client.status()
    async with running():
        assert (await client.context(KEY)).source == "hub"
        await client.close()
        assert (await client.context(KEY)).source == "hub"


async def test_a_connection_that_ended_meanwhile_is_no_error(hub: Running, client: HubClient) -> None:
    await client.status()
    assert client._connection is not None
    client._connection.transport.abort()
    assert (await client.context(KEY)).source == "hub"


def test_one_client_for_several_event_loops(shop: Path) -> None:
    command("start")
    client = HubClient(shop, timeout=HANG)
    for _ in range(3):
        assert asyncio.run(client.context(KEY)).source == "hub"


def test_the_synchronous_face(shop: Path) -> None:
    command("start")
    command("index", str(shop))
    with HubClient(shop, timeout=HANG).sync as client:
        assert client.get_context(KEY)[KEY].signature == "def total(self) -> int"
        assert [symbol.key for symbol in client.search("total").symbols] == [KEY]
        assert client.status().project_root == str(shop)
        assert client.health_check().ok
        assert client.process().sessions == 1
        assert client.changes_since().cursor
        node = client.node_at("cart.py", 1, 8)
        assert node is not None
        assert node.key == KEY
        sources: list[str] = []
        threads = [threading.Thread(target=lambda: sources.append(client.context(KEY).source)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(HANG)
        assert sources == ["hub"] * 10
    assert client.context(KEY).source == "hub", "it can be used again"
    client.close()


async def test_get_hub_client_gives_the_same_one(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert get_hub_client(shop) is get_hub_client(str(shop))
    monkeypatch.chdir(shop)
    assert get_hub_client() is get_hub_client(shop)


def test_the_names_on_the_wire_are_the_protocols() -> None:
    assert HELLO == HELLO_METHOD


async def test_a_hub_that_does_not_answer(shop: Path, tmp_path: Path) -> None:
    """It costs the timeout, once, and then there is an answer all the same."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        async with HubClient(shop, timeout=0.2, address=f"unix:{tmp_path}/s") as client:
            with pytest.raises(HubTimeout, match=r"within 0\.2 s"):
                await client.status()
            found = await client.context(KEY)
            assert (found.source, found.reason) == ("local", "the hub did not answer within 0.2 s")
            assert not (await client.health_check()).ok


async def test_something_else_listens_there(shop: Path, tmp_path: Path) -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n{}")
        writer.close()

    client = HubClient(shop, timeout=HANG, address=f"unix:{tmp_path}/s")
    async with await asyncio.start_unix_server(nonsense, tmp_path / "s"), client:
        with pytest.raises(HubUnavailable):
            await client.status()
        assert (await client.context(KEY)).source == "local"


# ---------------------------------------------------------------------------------------------- without a hub


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def test_without_a_hub_or_an_index(client: HubClient, shop: Path) -> None:
    ids = [KEY, "cart.Cart", "cart.py"]
    found = await client.context([*ids, "cart.py:Cart.totl", "no.py"])
    assert (found.source, found.reason, found.state) == ("local", "no hub process runs", "degraded")
    assert list(found.nodes) == ids
    assert [(entry.id, entry.reason) for entry in found.missing] == [
        ("cart.py:Cart.totl", "no such node"), ("no.py", "no such file")]  # fmt: skip
    assert found.missing[0].near[0] == KEY
    assert [symbol.key for symbol in (await client.search("Cart.tot")).symbols] == [KEY]
    assert not default_database(shop).exists()
    for question in (client.status, client.process, client.changes_since):
        with pytest.raises(HubUnavailable, match="no hub process runs"):
            await question()
    assert (await client.health_check()).reason == "no hub process runs"


async def test_the_index_on_disk_is_used_and_not_written(client: HubClient, shop: Path) -> None:
    for name in ("stale", "gone", "same"):
        (shop / f"{name}.py").write_text(f"def {name}(): ...\n")
    command("index", str(shop))
    database = default_database(shop)
    before = digest(database)
    revision = (await client.context("same.py:same")).revision
    assert revision > 0
    (shop / "stale.py").write_text("def stale(now): ...\ndef fresh(): ...\n")
    (shop / "gone.py").unlink()
    os.utime(shop / "same.py", (1, 1))
    (shop / "new.py").write_text("class New: ...\n")
    (shop / ".gitignore").write_text("secret.py\n")
    (shop / "secret.py").write_text("def secret(): ...\n")
    found = await client.context(
        ["stale.py:stale", "stale.fresh", "gone.py:gone", "same.same", "new.New", "secret.py:secret"],
        positions=[("stale.py", 1, 5)], include=["source", "siblings"],
    )  # fmt: skip
    nodes = {name: node.signature for name, node in found.nodes.items()}
    assert nodes == {
        "stale.py:1:5": "def fresh()", "stale.py:stale": "def stale(now)", "stale.fresh": "def fresh()",
        "same.same": "def same()", "new.New": "class New",
    }  # fmt: skip
    assert [(entry.id, entry.reason) for entry in found.missing] == [
        ("gone.py:gone", "no such file"), ("secret.py:secret", "file ignored")]  # fmt: skip
    assert found.nodes["stale.fresh"].extra["source"] == "def fresh(): ..."
    assert found.relations["stale.py:stale"]["siblings"] == ("node:stale.py:fresh",)
    names = {symbol.qualname for symbol in (await client.search("", limit=100)).symbols}
    assert names == {"Cart", "Cart.total", "stale", "fresh", "same", "New"}
    assert digest(database) == before
    assert found.revision == revision


async def test_what_a_dead_editor_typed_is_not_taken_for_true(client: HubClient, shop: Path) -> None:
    """The index still has rows of a buffer, since its hub was killed."""
    script = (
        "import os, sys; from tests.client.test_story import typing; from tests.client.story import *\n"
        "from pathlib import Path; import asyncio\n"
        "from remora_hub_lsp.client import HubClient\n"
        "from remora_hub_lsp.serve.launch import attach\n"
        "from tests.serve.process import frames\n"
        "root = Path(sys.argv[1]); found = attach()\n"
        "found.connection.sendall(frames(typing(root)))\n"
        "client = HubClient(root, timeout=30).sync\n"
        "until(lambda: client.get_context('cart.py:Cart.total')['cart.py:Cart.total'].origin == 'buffer')\n"
        "os.kill(found.listening.pid, 9)\n"
    )
    line = [sys.executable, "-c", script, str(shop)]
    subprocess.run(line, env=environment(), timeout=HANG, check=True)
    async with asyncio.timeout(HANG):
        while (found := await client.context(KEY)).source != "local":
            await asyncio.sleep(0.01)
    assert found.revision > 0
    assert found.nodes[KEY].signature == "def total(self) -> int"
    assert found.nodes[KEY].origin == "disk"


async def test_an_index_that_cannot_be_used(client: HubClient, shop: Path) -> None:
    database = default_database(shop)
    database.parent.mkdir(parents=True)
    for content in (b"no database at all, but longer than its header has to be" * 100, b""):
        database.write_bytes(content)
        found = await client.context(KEY)
        assert found.nodes[KEY].signature == "def total(self) -> int"
        assert database.read_bytes() == content
    database.unlink()
    database.mkdir()
    assert KEY in (await client.context(KEY)).nodes


@pytest.mark.skipif(os.getuid() == 0, reason="root writes everywhere")
async def test_a_folder_that_cannot_be_written(client: HubClient, shop: Path) -> None:
    command("index", str(shop))
    folder = default_database(shop).parent
    folder.chmod(0o500)
    try:
        assert (await client.context(KEY)).revision > 0
    finally:
        folder.chmod(0o700)


async def test_a_root_that_is_none(tmp_path: Path) -> None:
    async with HubClient(tmp_path / "nowhere") as client:
        with pytest.raises(RootError):
            await client.get_context("a.py")


async def test_broken_files(client: HubClient, shop: Path) -> None:
    (shop / "latin.py").write_bytes(b"# coding: nonsense\n")
    (shop / "cart.py").write_text(ON_DISK + "\ndef broken(:\n")
    found = await client.context([KEY, "latin.py"])
    assert found.nodes[KEY].broken is None
    assert [entry.reason for entry in found.missing] == ["file failed"]


async def test_without_a_hub_a_docstring_is_judged_by_what_is_remembered(tmp_path: Path) -> None:
    text = 'def f(a):\n    """Do.\n\n    Args:\n        a: one.\n    """\n'
    root = tmp_path / "project"
    root.mkdir()
    (root / "a.py").write_text(text)
    hub = Hub(root, load_config(root, overrides={"workers": 0, "watch": False}))
    await hub.start()
    await hub.indexed()
    await hub.close()
    (root / "a.py").write_text(text.replace("(a)", "(a, b)"))
    memory = memory_of(hub.database)
    before = memory.read_bytes()
    async with HubClient(root) as client:
        (node,) = (await client.get_context("a.py:f")).values()
    assert node.drift is not None
    assert [reason.code for reason in node.drift.reasons] == ["parameter-added"]
    assert memory.read_bytes() == before
    assert not memory.with_name(memory.name + "-wal").exists(), "nothing is written"


async def test_an_index_that_turns_out_to_be_damaged(client: HubClient, shop: Path) -> None:
    """What is asked for lies in pages that were overwritten."""
    for number in range(50):
        (shop / f"m{number}.py").write_text("".join(f"def f{n}(): ...\n" for n in range(50)))
    command("index", str(shop))
    with default_database(shop).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(size // 3 // 4096 * 4096)
        file.write(b"\xa5" * (size - file.tell()))
    found = await client.context([KEY, "m7.py:f9"])
    assert [node.signature for node in found.nodes.values()] == ["def total(self) -> int", "def f9()"]
    assert found.source == "local"
    assert "m7.py" in {symbol.path for symbol in (await client.search("f9")).symbols}
