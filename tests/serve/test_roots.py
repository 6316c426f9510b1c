"""Which hub a document belongs to, when a session has several roots, or roots that come and go, or bad ones."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ..hub.running import age
from .conftest import Server, WriteFiles
from .peer import HANG, Peer, Refused


def folders(*roots: Any) -> list[dict[str, str]]:
    return [{"uri": root.as_uri(), "name": root.name} for root in roots]


async def test_each_document_goes_to_its_root(peer: Peer, project: WriteFiles) -> None:
    one = project({"a.py": "def first(): ..."}, "one")
    two = project({"a.py": "def second(): ...", "only.py": "def lone(): ..."}, "two")
    await peer.initialize(workspaceFolders=folders(one, two))
    assert [s["name"] for s in await peer.symbols((one / "a.py").as_uri())] == ["first"]
    assert [s["name"] for s in await peer.symbols((two / "a.py").as_uri())] == ["second"]
    peer.open((two / "a.py").as_uri(), "def typed(x): ...")
    place = {"uri": (two / "a.py").as_uri(), "position": {"line": 0, "character": 6}}
    nowhere = {"uri": "file:///nowhere.py", "position": {"line": 0, "character": 0}}
    asked = ["a.py:first", "a.py:typed", "only.py:lone", f"{two}/a.py:typed", "lost.py:f", "a.py:nothing"]
    context = await peer.ask("remora/getContext", {"nodes": asked, "positions": [place, nowhere]})
    found = {text: node["signature"] for text, node in context["nodes"].items()}
    assert found == {
        "a.py:first": "def first()",
        "a.py:typed": "def typed(x)",
        "only.py:lone": "def lone()",
        f"{two}/a.py:typed": "def typed(x)",
        f"{two.as_uri()}/a.py:0:6": "def typed(x)",
    }
    assert {entry["id"]: entry["reason"] for entry in context["missing"]} == {
        "lost.py:f": "no such file",
        "a.py:nothing": "no such node",
        "file:///nowhere.py:0:0": "bad id",
    }
    assert {s["name"] for s in await peer.ask("workspace/symbol", {"query": ""})} == {"first", "typed", "lone"}


async def test_the_deepest_root_counts(peer: Peer, project: WriteFiles) -> None:
    outer = project({"a.py": "", "inner/b.py": "def on_disk(): ..."}, "outer")
    inner = outer / "inner"
    await peer.initialize(workspaceFolders=folders(outer, inner))
    peer.open((inner / "b.py").as_uri(), "def typed(): ...")
    context = await peer.ask("remora/getContext", {"nodes": ["b.py:typed", "inner/b.py:typed", "inner/b.py:on_disk"]})
    assert {text: node["key"] for text, node in context["nodes"].items()} == {
        "b.py:typed": "node:b.py:typed",
        "inner/b.py:on_disk": "node:inner/b.py:on_disk",
    }


async def test_folders_come_and_go(server: Server, peer: Peer, project: WriteFiles) -> None:
    one, two = project({}, "one"), project({"b.py": "def on_disk(): ..."}, "two")
    uri = (two / "b.py").as_uri()
    await peer.initialize(workspaceFolders=folders(one))
    peer.open(uri, "def typed(): ...")
    assert await peer.symbols(uri) is None
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": folders(two), "removed": []}})
    assert [s["name"] for s in await peer.symbols(uri)] == ["typed"]
    peer.edit(uri, 2, ((0, 4, 0, 9), "edited"))
    assert [s["name"] for s in await peer.symbols(uri)] == ["edited"]
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": folders(two)}})
    peer.edit(uri, 3, ((0, 4, 0, 10), "unseen"))
    assert await peer.symbols(uri) is None
    hub = await server.hubs.open(two)
    assert (await hub.read(lambda view: view.outline("b.py"), paths=["b.py"])).value[0]["name"] == "on_disk"
    assert hub.sessions == 1, "the session has given it back; this test has it"
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": folders(two), "removed": folders(one)}})
    assert [s["name"] for s in await peer.symbols(uri)] == ["unseen"]


async def test_a_folder_that_is_not_there(peer: Peer, project: WriteFiles) -> None:
    """It is said, and the rest works."""
    one = project({"a.py": "def f(): ..."}, "one")
    await peer.initialize(workspaceFolders=folders(one / "gone", one))
    told = await peer.wait(lambda m: m.get("method") == "window/showMessage")
    assert "gone is not a directory" in told["params"]["message"]
    assert len(await peer.symbols((one / "a.py").as_uri())) == 1
    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": folders(one / "lost"), "removed": []}})
    await peer.wait(lambda m: "lost is not a directory" in str(m.get("params")))
    assert len(await peer.symbols((one / "a.py").as_uri())) == 1


async def test_a_root_on_another_machine(peer: Peer) -> None:
    await peer.initialize("vscode-remote://ssh/home/me/project")
    assert await peer.ask("workspace/symbol", {"query": ""}) == []


async def test_ways_to_say_the_root(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    for said in (
        {"rootPath": str(root), "rootUri": None},
        {"rootUri": root.as_uri(), "rootPath": "/nowhere"},
        {"rootUri": "file:///nowhere", "workspaceFolders": folders(root)},
        {"rootUri": root.as_uri(), "workspaceFolders": []},
        {"rootUri": root.as_uri(), "workspaceFolders": None},
        {"workspaceFolders": folders(root, root)},
    ):
        peer = await server.connect()
        await peer.initialize(**said)
        assert (await peer.ask("remora/status"))["project_root"] == str(root), said
        await peer.ask("shutdown")
        peer.tell("exit", None)
        await peer.end()
    assert (await server.hubs.open(root)).sessions == 1


async def test_a_wrong_setting(peer: Peer, project: WriteFiles) -> None:
    """The session does not start, the message names the setting, and the client may try again."""
    root = project({"a.py": ""})
    wrong = {"processId": None, "rootUri": root.as_uri(), "capabilities": {}, "initializationOptions": {"wrokers": 1}}
    error = await peer.error(peer.start("initialize", wrong))
    assert error.code == -32803
    assert "wrokers" in error.message
    assert error.data == {"retry": False}
    await peer.initialize(root.as_uri(), initializationOptions=[])
    assert (await peer.ask("remora/status"))["running"]


async def test_settings_count_unless_somebody_is_there_with_others(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def here(): ...", "old/b.py": "def left(): ..."})

    async def names(peer: Peer) -> set[str]:
        while (await peer.ask("remora/status", {}))["state"] != "ready":
            await asyncio.sleep(0.01)
        return {symbol["name"] for symbol in await peer.ask("workspace/symbol", {"query": ""})}

    def warnings(peer: Peer) -> list[str]:
        return [m["params"]["message"] for m in peer.received if m.get("method") == "window/showMessage"]

    async with await server.connect() as first:
        await first.initialize(root.as_uri())
        assert await names(first) == {"here", "left"}
        async with await server.connect() as second:
            await second.initialize(root.as_uri(), initializationOptions={"exclude": ["old/"]})
            assert await names(second) == {"here", "left"}
            assert [text.rpartition(": ")[2] for text in warnings(second)] == ["exclude"]
    await server.left()
    async with await server.connect() as third:
        await third.initialize(root.as_uri(), initializationOptions={"exclude": ["old/"]})
        assert await names(third) == {"here"}
        assert warnings(third) == []
    await server.left()
    async with await server.connect() as agent:
        await agent.initialize(root.as_uri())
        assert await names(agent) == {"here"}, "who says nothing has no wish"


async def test_changes_revisions_and_status_of_all_roots(peer: Peer, project: WriteFiles) -> None:
    one = project({"a.py": "def a(): ...\n", "same.py": "def same(): ...\n"}, "one")
    two = project({"b.py": "def b(): ...\n", "same.py": "def same(): ...\n"}, "two")
    three = project({"c.py": "def c(): ...\n"}, "three")
    await peer.initialize(workspaceFolders=folders(one, two))
    async with asyncio.timeout(HANG):
        while "indexing" in {(s := await peer.ask("remora/status"))["state"], s["others"][0]["state"]}:
            await asyncio.sleep(0.01)
    start = await peer.ask("remora/changesSince")
    peer.open((two / "b.py").as_uri(), "def b(x): ...\n")
    peer.open((one / "same.py").as_uri(), "def same(x): ...\n")
    found = await peer.ask("remora/changesSince", {"cursor": start["cursor"]})
    assert {"node:b.py:b", "node:same.py:same"} <= set(found["changed"])
    assert [entry["root"] for entry in found["roots"]] == [one.as_uri(), two.as_uri()]
    assert "node:b.py:b" in found["roots"][1]["changed"]
    assert "node:b.py:b" not in found["roots"][0]["changed"]
    again = await peer.ask("remora/changesSince", {"cursor": found["cursor"]})
    assert (again["changed"], again["deleted"], again["reset"]) == ([], [], False)
    by_page, cursor, more = [], start["cursor"], True
    while more:
        page = await peer.ask("remora/changesSince", {"cursor": cursor, "limit": 1})
        by_page, cursor, more = by_page + page["changed"], page["cursor"], page["more"]
    assert sorted(by_page) == sorted(found["changed"])

    peer.tell("workspace/didChangeWorkspaceFolders", {"event": {"added": folders(three), "removed": folders(one)}})
    later = await peer.ask("remora/changesSince", {"cursor": cursor})
    assert [(entry["root"], entry["reset"]) for entry in later["roots"]] == [
        (two.as_uri(), False), (three.as_uri(), True),
    ], "of a root that came meanwhile everything is new"  # fmt: skip

    context = await peer.ask("remora/getContext", {"nodes": ["b.py:b", "c.py:c"]})
    assert set(context["nodes"]) == {"b.py:b", "c.py:c"}
    status = await peer.ask("remora/status", {"root": three.as_uri()})
    assert (status["project_root"], status["others"]) == (str(three), [])
    assert context["revisions"][three.as_uri()] <= status["revision"]
    both = await peer.ask("remora/status")
    assert [both["project_root"], *(other["project_root"] for other in both["others"])] == [str(two), str(three)]
    with pytest.raises(Refused, match=r"params\.root"):
        await peer.ask("remora/status", {"root": one.as_uri()})


async def test_reindex_looks_at_files_that_nobody_told_of(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def a(): ...\n", "pkg/b.py": "def b(): ...\n" , "pkg/c.py": "def c(): ...\n"})
    other = project({"d.py": "def d(): ...\n"}, "other")
    for file in (*root.rglob("*.py"), *other.rglob("*.py")):
        age(file)
    await peer.initialize(workspaceFolders=folders(root, other), initializationOptions={"watch": False})
    await peer.ask("remora/reindex")
    start = await peer.ask("remora/changesSince")
    for path in ("a.py", "pkg/b.py"):
        (root / path).write_text("def other(): ...\n")
        age(root / path, 50)
    assert (await peer.ask("remora/reindex", {"paths": ["pkg"]}))["files"] == 1
    found = await peer.ask("remora/changesSince", {"cursor": start["cursor"]})
    assert "node:pkg/b.py:other" in found["changed"]
    assert "node:a.py:other" not in found["changed"]
    (root / "pkg" / "c.py").unlink()
    answer = await peer.ask("remora/reindex", {"paths": [root.as_uri()]})
    assert (answer["files"], answer["state"]) == (1, "ready")
    gone = await peer.ask("remora/changesSince", {"cursor": found["cursor"]})
    assert "node:a.py:other" in gone["changed"]
    assert "node:pkg/c.py:c" in gone["deleted"]
    assert (await peer.ask("remora/reindex"))["files"] == 0
    peer.open((root / "a.py").as_uri(), "def typed(): ...\n")
    assert (await peer.ask("remora/reindex", {"anew": True}))["files"] == 2, "without the open one"
    nodes = await peer.ask("remora/getContext", {"nodes": ["a.py:typed", "pkg/b.py:other", "d.py:d"]})
    assert nodes["missing"] == []
    same = await peer.ask("remora/changesSince", {"cursor": gone["cursor"]})
    assert set(same["changed"]) == {"node:a.py:<module>", "node:a.py:typed"}, "what is as it was has not changed"
    for wrong in ("../x.py", "/nowhere/x.py"):
        with pytest.raises(Refused, match=r"params\.paths\[1\]"):
            await peer.ask("remora/reindex", {"paths": ["a.py", wrong]})


@pytest.mark.parametrize("path", ["", ".", "project", "../..", "/\ud83d", "/nul\0"])
async def test_a_root_path_that_can_be_none(server: Server, peer: Peer, path: str) -> None:
    await peer.initialize(rootPath=path)
    assert (await peer.error(peer.start("remora/status"))).code == -32803
    assert server.hubs.all() == []
