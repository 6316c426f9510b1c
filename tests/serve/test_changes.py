"""Changes over the wire: what peers tell of files on disk, and what they are told of nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.serve.hubs import Hubs

from .conftest import Server, WriteFiles
from .peer import HANG, Peer, Refused

CART = "def total(): ...\n"
WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}


@pytest.fixture
async def deaf(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """A server that watches nothing on disk: what it hears, it hears from peers."""
    found = Server(tmp_path_factory.mktemp("d") / "socket", Hubs({"workers": 0, "watch": False}))
    await found.start()
    yield found
    await found.stop()


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG):
        while not await question():
            await asyncio.sleep(0.02)


async def connect(server: Server, root: Path, **more: Any) -> Peer:
    peer = await server.connect()
    await peer.initialize(root.as_uri(), **more)
    await until(lambda: is_ready(peer))
    return peer


async def is_ready(peer: Peer) -> bool:
    return bool((await peer.ask("remora/status"))["state"] == "ready")


async def names(peer: Peer, query: str = "") -> set[str]:
    """What is indexed, without asking for any file."""
    found = await peer.ask("remora/search", {"query": query, "limit": 1000})
    return {symbol["key"].removeprefix("node:") for symbol in found["symbols"]}


async def becomes(peer: Peer, expected: set[str]) -> None:
    async def same() -> bool:
        return await names(peer) == expected

    await until(same)


# ------------------------------------------------------------------------------------------------ told by peers


async def test_created_renamed_and_deleted_files(deaf: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART, "pkg/b.py": "def b(): ...\n"})
    peer = await connect(deaf, root)
    (root / "new.py").write_text("def new(): ...\n")
    peer.tell("workspace/didCreateFiles", {"files": [{"uri": (root / "new.py").as_uri()}]})
    await becomes(peer, {"a.py:total", "pkg/b.py:b", "new.py:new"})
    (root / "new.py").rename(root / "renamed.py")
    (root / "pkg").rename(root / "moved")
    pairs = [("new.py", "renamed.py"), ("pkg", "moved")]
    files = [{"oldUri": (root / old).as_uri(), "newUri": (root / new).as_uri()} for old, new in pairs]
    peer.tell("workspace/didRenameFiles", {"files": files})
    await becomes(peer, {"a.py:total", "moved/b.py:b", "renamed.py:new"})
    (root / "a.py").unlink()
    (root / "moved" / "b.py").unlink()
    (root / "moved").rmdir()
    peer.tell("workspace/didDeleteFiles", {"files": [{"uri": (root / name).as_uri()} for name in ("a.py", "moved")]})
    await becomes(peer, {"renamed.py:new"})


async def test_watched_files(deaf: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART, "b.py": "def b(): ...\n"})
    peer = await connect(deaf, root, capabilities=WATCHES)
    request = await peer.wait(lambda message: message.get("method") == "client/registerCapability")
    (registration,) = request["params"]["registrations"]
    assert registration["method"] == "workspace/didChangeWatchedFiles"
    assert "**/*.{py,pyi,pym}" in {entry["globPattern"] for entry in registration["registerOptions"]["watchers"]}
    peer.send({"jsonrpc": "2.0", "id": request["id"], "result": None})
    (root / "a.py").write_text("def changed(): ...\n")
    (root / "b.py").unlink()
    (root / "c.py").write_text("def c(): ...\n")
    changes = [{"uri": (root / name).as_uri(), "type": kind} for name, kind in (("a.py", 2), ("b.py", 3), ("c.py", 1))]
    changes.append({"uri": "file:///elsewhere/x.py", "type": 1})
    changes.append({"uri": "untitled:x", "type": 1})
    peer.tell("workspace/didChangeWatchedFiles", {"changes": changes})
    await becomes(peer, {"a.py:changed", "c.py:c"})
    (root / ".gitignore").write_text("c.py\n")
    peer.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": (root / ".gitignore").as_uri(), "type": 1}]})
    await becomes(peer, {"a.py:changed"})


async def test_who_cannot_register_is_not_asked_to(deaf: Server, project: WriteFiles) -> None:
    peer = await connect(deaf, project({"a.py": CART}))
    assert all(message.get("method") != "client/registerCapability" for message in peer.received)


async def test_folders_come_and_go(server: Server, project: WriteFiles) -> None:
    one, two = project({"a.py": CART}, "one"), project({"b.py": "def b(): ...\n"}, "two")
    peer = await connect(server, one)
    assert (await peer.ask("remora/subscribe", {}))["cursor"]
    folders = {"added": [{"uri": two.as_uri(), "name": "two"}], "removed": []}
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": folders})
    await becomes(peer, {"a.py:total", "b.py:b"})
    (two / "c.py").write_text("def c(): ...\n")
    told = await peer.wait(lambda message: "c.py" in str(message.get("params")))
    assert (told["method"], told["params"]["root"]) == ("remora/changed", two.as_uri())
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [{"uri": one.as_uri(), "name": ""}]}})
    await becomes(peer, {"b.py:b", "c.py:c"})


# ------------------------------------------------------------------------------------------------ cursors


async def since(peer: Peer, cursor: str | None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = await peer.ask("remora/changesSince", {"cursor": cursor, **more})
    return found


async def test_changes_since(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART, "b.py": "def b(): ...\n"})
    peer = await connect(server, root)
    start = await since(peer, None)
    assert (start["changed"], start["deleted"], start["more"], start["reset"]) == ([], [], False, False)
    uri = (root / "a.py").as_uri()
    peer.open(uri, CART)
    peer.edit(uri, 2, ((0, 10, 0, 10), "x"))
    found = await since(peer, start["cursor"])
    assert sorted(found["changed"]) == ["node:a.py:<module>", "node:a.py:total"]
    assert found["deleted"] == []
    assert (await since(peer, found["cursor"]))["changed"] == [], "told once"
    peer.replace(uri, 3, "def other(): ...\n")
    second = await since(peer, found["cursor"])
    assert sorted(second["changed"]) == ["node:a.py:<module>", "node:a.py:other"]
    assert second["deleted"] == ["node:a.py:total"]
    peer.replace(uri, 4, "def total(x): ...\n")
    third = await since(peer, found["cursor"])
    assert "node:a.py:total" not in third["deleted"], "it is there again"
    assert "node:a.py:total" in third["changed"]
    assert (await since(peer, second["cursor"]))["deleted"] == ["node:a.py:other"]
    (root / "b.py").unlink()

    async def gone() -> bool:
        return "node:b.py:b" in (await since(peer, third["cursor"]))["deleted"]

    await until(gone)
    everything = await since(peer, start["cursor"])
    assert everything["deleted"] == ["node:a.py:other", "node:b.py:<module>", "node:b.py:b"]
    assert everything["revision"] >= third["revision"]


async def test_pages_tell_everything_once_and_in_order(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    peer = await connect(server, root)
    cursor = (await since(peer, None))["cursor"]
    for number in range(12):
        peer.open((root / f"n{number}.py").as_uri(), f"def f{number}(): ...\n")
        await since(peer, None)  # each in a revision of its own
    told: list[str] = []
    pages = 0
    while True:
        page = await since(peer, cursor, limit=5)
        told += page["changed"]
        cursor, pages = page["cursor"], pages + 1
        assert len(page["changed"]) <= 5
        if not page["more"]:
            break
    assert pages == 6
    assert told == [f"node:n{number}.py:{name}" for number in range(12) for name in (f"f{number}", "<module>")]


async def test_a_page_is_never_less_than_a_revision(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    peer = await connect(server, root)
    cursor = (await since(peer, None))["cursor"]
    peer.open((root / "many.py").as_uri(), "".join(f"def f{number}(): ...\n" for number in range(50)))
    page = await since(peer, cursor, limit=1)
    assert (len(page["changed"]), page["more"]) == (51, False)


async def test_cursors_survive_a_restart_and_not_a_new_index(
    tmp_path_factory: pytest.TempPathFactory, project: WriteFiles
) -> None:
    root = project({"a.py": CART})
    database = tmp_path_factory.mktemp("i") / "index.db"
    cursor = None
    expected: list[tuple[list[str], list[str], bool]] = [
        ([], [], False),
        (["node:new.py:f", "node:new.py:<module>"], [], False),
        ([], [], True),
    ]
    for number, told in enumerate(expected):
        server = Server(tmp_path_factory.mktemp("s") / "socket", Hubs({"workers": 0, "database": database}))
        await server.start()
        peer = await connect(server, root)
        found = await since(peer, cursor)
        assert (found["changed"], found["deleted"], found["reset"]) == told
        cursor = found["cursor"]
        await server.stop()
        if number == 0:
            (root / "new.py").write_text("def f(): ...\n")
        else:
            database.unlink()


@pytest.mark.parametrize("cursor", ["", "x", "0", "abc:1", ":", "abc:-1", "abc:" + "9" * 30, "é:٣"])
async def test_a_cursor_of_nobody_means_nothing(server: Server, project: WriteFiles, cursor: str) -> None:
    peer = await connect(server, project({"a.py": CART}))
    found = await since(peer, cursor)
    assert (found["changed"], found["deleted"], found["reset"]) == ([], [], True)
    own = found["cursor"].split(":")[0]
    for bad in (f"{own}:{10**30}", f"{own}:-1", f"{own}:", f"{own}:٣", f"{own}:²"):
        assert (await since(peer, bad))["reset"] is True
    with pytest.raises(Refused, match="limit"):
        await since(peer, None, limit=0)
    with pytest.raises(Refused):
        await peer.ask("remora/changesSince", {"cursor": 7})


# ------------------------------------------------------------------------------------------------ notifications


def told(peer: Peer) -> list[dict[str, Any]]:
    return [message["params"] for message in peer.received if message.get("method") == "remora/changed"]


async def test_who_subscribed_is_told_and_nobody_else(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    one, two = await connect(server, root), await connect(server, root)
    cursor = (await one.ask("remora/subscribe", {"changed": True}))["cursor"]
    uri = (root / "a.py").as_uri()
    two.open(uri, "def first(): ...\n")
    for number in range(20):
        two.replace(uri, number + 2, f"def f{number}(): ...\n")
        await two.ask("remora/changesSince", {})
    await one.wait(lambda message: "f19" in str(message.get("params")))
    found = told(one)
    assert len(found) < 10, "several changes are told at once"
    last = found[-1]
    assert last["root"] == root.as_uri()
    assert "node:a.py:f19" in last["changed"]
    assert not last["truncated"]
    changed = {key for params in found for key in params["changed"]}
    since_then = await since(one, cursor)
    assert set(since_then["changed"]) <= changed
    assert {key for params in found for key in params["deleted"]} >= {"node:a.py:total"}
    assert not told(two)


async def test_unsubscribing_ends_it(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    peer = await connect(server, root)
    uri = (root / "a.py").as_uri()
    for _ in range(3):
        await peer.ask("remora/subscribe", {})
    peer.open(uri, "def first(): ...\n")
    await peer.wait(lambda message: message.get("method") == "remora/changed")
    assert len(told(peer)) == 1, "told once, however often it was asked for"
    peer.replace(uri, 2, "def second(): ...\n")
    await peer.ask("remora/subscribe", {"changed": False})
    before = len(told(peer))
    peer.replace(uri, 3, "def third(): ...\n")
    await since(peer, None)
    await asyncio.sleep(0.4)
    assert len(told(peer)) == before


async def test_more_than_a_notification_names(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    peer = await connect(server, root)
    cursor = (await peer.ask("remora/subscribe", {}))["cursor"]
    peer.open((root / "many.py").as_uri(), "".join(f"def f{number}(): ...\n" for number in range(2000)))
    params = (await peer.wait(lambda message: message.get("method") == "remora/changed"))["params"]
    assert (params["truncated"], len(params["changed"])) == (True, 500)
    assert len((await since(peer, cursor))["changed"]) == 2001


async def test_changes_on_disk_and_of_the_cold_start_are_told(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    peer = await server.connect()
    await peer.initialize(root.as_uri(), initializationOptions={"indexOnStart": False})
    await peer.ask("remora/subscribe", {})  # before the cold start, which could be over otherwise
    await peer.ask("remora/reindex", {})
    await peer.wait(lambda message: "node:a.py:total" in str(message.get("params")))
    (root / "a.py").unlink()
    await peer.wait(lambda message: "node:a.py:total" in str((message.get("params") or {}).get("deleted")))


async def test_who_subscribes_during_a_cold_start_misses_nothing(server: Server, project: WriteFiles) -> None:
    """Whatever the moment: what comes after the cursor of the answer is told, as that the call graph is known."""
    padding = "# nothing\n" * 1000  # a few files for each batch
    root = project({f"m{number}.py": f"def f{number}(): ...\n{padding}" for number in range(60)})
    peer = await server.connect()
    await peer.initialize(root.as_uri())
    cursor = (await peer.ask("remora/subscribe", {}))["cursor"]
    await until(lambda: is_ready(peer))
    later = set((await since(peer, cursor))["changed"])

    async def all_told() -> bool:
        return later <= {key for params in told(peer) for key in params["changed"]}

    await until(all_told)
    assert len(await names(peer)) == 60


async def test_the_end_of_a_session_ends_its_subscription(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    two = await connect(server, root)
    (hub,) = server.hubs.all()
    before = len(hub.following._listeners)
    one = await connect(server, root)
    await one.ask("remora/subscribe", {})
    assert len(hub.following._listeners) > before
    one.writer.transport.abort()

    async def alone() -> bool:
        return (await two.ask("remora/status"))["sessions"] == 1

    await until(alone)
    assert len(hub.following._listeners) == before
    two.open((root / "a.py").as_uri(), "def x(): ...\n")
    assert await names(two) == {"a.py:x"}


# ------------------------------------------------------------------------------------------------ freshness


async def test_min_revision_waits_for_it(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    one, two = await connect(server, root), await connect(server, root)
    revision = (await one.ask("remora/status"))["revision"]
    asked = one.start("remora/getContext", {"nodes": ["a.py:later"], "minRevision": revision + 1, "waitMs": 30_000})
    await asyncio.sleep(0.05)
    two.open((root / "a.py").as_uri(), "def later(): ...\n")
    found = await one.answer(asked)
    assert found["revision"] > revision
    assert "a.py:later" in found["nodes"]


async def test_min_revision_waits_no_longer_than_asked(server: Server, project: WriteFiles) -> None:
    peer = await connect(server, project({"a.py": CART}))
    started = asyncio.get_running_loop().time()
    found = await peer.ask("remora/getContext", {"nodes": ["a.py"], "minRevision": 10**9, "waitMs": 150})
    assert 0.1 < asyncio.get_running_loop().time() - started < HANG / 2
    assert found["revision"] < 10**9
    assert "a.py" in found["nodes"]


async def test_a_disconnect_counts_as_close(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": CART})
    one, two = await connect(server, root), await connect(server, root)
    one.open((root / "a.py").as_uri(), "def typed(): ...\n")
    await one.ask("remora/changesSince", {})
    assert await names(two) == {"a.py:typed"}
    (root / "a.py").write_text("def theirs(): ...\n")

    async def diverges() -> bool:
        return (await two.ask("remora/status"))["diverging"] == ["a.py"]

    await until(diverges)
    one.writer.transport.abort()
    await becomes(two, {"a.py:theirs"})
    assert (await two.ask("remora/status"))["diverging"] == []
