"""Call hierarchy, references and code lenses over the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .conftest import Server, WriteFiles
from .peer import HANG, Peer

FILES = {
    "shop.py": """\
        def total(cart):
            return _sum(cart) + _sum(cart)

        def _sum(cart):
            return 1

        class Cart:
            def pay(self):
                return total(self)
        """,
    "app.py": """\
        from shop import total as t
        def main():
            '😀'; t([])
        """,
    "test_shop.py": """\
        import shop
        def test_total():
            assert shop.total([]) == 2
        """,
}


async def started(peer: Peer, server: Server, project: WriteFiles, **more: Any) -> str:
    """A session whose graph is complete; gives the URI of shop.py."""
    root = project(FILES)
    await peer.initialize(root.as_uri(), **more)
    for hub in server.hubs.all():
        await hub.indexed()
    return (root / "shop.py").as_uri()


async def prepared(peer: Peer, uri: str, line: int, character: int) -> Any:
    position = {"line": line, "character": character}
    return await peer.ask("textDocument/prepareCallHierarchy", {"textDocument": {"uri": uri}, "position": position})


def place(range_: dict[str, Any]) -> tuple[int, int, int]:
    return range_["start"]["line"], range_["start"]["character"], range_["end"]["character"]


async def test_what_is_prepared_is_the_definition_or_what_is_called(
    peer: Peer, server: Server, project: WriteFiles
) -> None:
    uri = await started(peer, server, project)
    (item,) = await prepared(peer, uri, 0, 5)
    assert (item["name"], item["detail"], item["uri"]) == ("total", "shop", uri)
    assert place(item["selectionRange"]) == (0, 4, 9)
    (called,) = await prepared(peer, uri, 1, 13)
    assert called["name"] == "_sum"
    assert await prepared(peer, uri, 4, 4) is None


async def test_incoming_and_outgoing_calls(peer: Peer, server: Server, project: WriteFiles) -> None:
    uri = await started(peer, server, project)
    (item,) = await prepared(peer, uri, 0, 5)
    incoming = await peer.ask("callHierarchy/incomingCalls", {"item": item})
    found = {call["from"]["name"]: [place(one) for one in call["fromRanges"]] for call in incoming}
    assert found == {"main": [(2, 10, 11)], "pay": [(8, 15, 20)], "test_total": [(2, 16, 21)]}
    outgoing = await peer.ask("callHierarchy/outgoingCalls", {"item": item})
    assert [(call["to"]["name"], [place(one) for one in call["fromRanges"]]) for call in outgoing] == [
        ("_sum", [(1, 11, 15), (1, 24, 28)])
    ]


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 12), ("utf-16", 10), ("utf-32", 9)])
async def test_columns_are_the_sessions(
    peer: Peer, server: Server, project: WriteFiles, encoding: str, column: int
) -> None:
    uri = await started(peer, server, project, capabilities={"general": {"positionEncodings": [encoding]}})
    app = uri.replace("shop.py", "app.py")
    (item,) = await prepared(peer, app, 2, column)
    assert item["name"] == "total"
    incoming = await peer.ask("callHierarchy/incomingCalls", {"item": item})
    assert [place(one) for call in incoming for one in call["fromRanges"] if call["from"]["name"] == "main"] \
        == [(2, column, column + 1)]  # fmt: skip


async def test_the_whole_item_of_callers_in_functions_classes_and_modules(
    peer: Peer, server: Server, project: WriteFiles
) -> None:
    text = "from shop import total\n\nGLOBAL = total([])\n\nclass Über:\n    at = total([])\n    class In:\n        def it(self): total(1)\n"
    root = project(FILES | {"pack/über.py": text})
    await peer.initialize(root.as_uri())
    for hub in server.hubs.all():
        await hub.indexed()
    (item,) = await prepared(peer, (root / "shop.py").as_uri(), 0, 5)
    incoming = await peer.ask("callHierarchy/incomingCalls", {"item": item})
    uri = (root / "pack" / "über.py").as_uri()
    found = {call["from"]["name"]: call for call in incoming if call["from"]["uri"] == uri}
    assert {name: [place(one) for one in call["fromRanges"]] for name, call in found.items()} == {
        "pack.über": [(2, 9, 14)], "Über": [(5, 9, 14)], "it": [(7, 22, 27)],
    }  # fmt: skip
    assert found["it"]["from"] == {
        "name": "it",
        "kind": 6,
        "detail": "pack.über.Über.In",
        "uri": uri,
        "range": {"start": {"line": 7, "character": 8}, "end": {"line": 7, "character": 30}},
        "selectionRange": {"start": {"line": 7, "character": 12}, "end": {"line": 7, "character": 14}},
        "data": {"key": "node:pack/über.py:Über.In.it"},
    }
    assert found["Über"]["from"]["kind"] == 5
    assert found["pack.über"]["from"]["kind"] == 2


async def test_references_are_the_places_that_the_graph_knows(peer: Peer, server: Server, project: WriteFiles) -> None:
    uri = await started(peer, server, project)
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 5}}
    found = await peer.ask("textDocument/references", params | {"context": {"includeDeclaration": False}})
    assert sorted((one["uri"].rpartition("/")[2], one["range"]["start"]["line"]) for one in found) == [
        ("app.py", 2), ("shop.py", 8), ("test_shop.py", 2),
    ]  # fmt: skip
    with_own = await peer.ask("textDocument/references", params | {"context": {"includeDeclaration": True}})
    assert with_own[0] == {
        "uri": uri,
        "range": {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 9}},
    }
    assert len(with_own) == 4


async def test_calls_follow_what_is_typed(peer: Peer, server: Server, project: WriteFiles) -> None:
    uri = await started(peer, server, project)
    app = uri.replace("shop.py", "app.py")
    peer.open(app, "from shop import _sum\ndef main():\n    _sum([])\n")
    (item,) = await prepared(peer, uri, 3, 5)
    async with asyncio.timeout(HANG):
        while True:
            incoming = await peer.ask("callHierarchy/incomingCalls", {"item": item})
            if {call["from"]["name"] for call in incoming} == {"total", "main"}:
                break
            await asyncio.sleep(0.05)


async def test_lenses_are_counted_when_they_are_shown(peer: Peer, server: Server, project: WriteFiles) -> None:
    uri = await started(peer, server, project)
    lenses = await peer.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
    first = [lens for lens in lenses if lens["range"]["start"]["line"] == 0]
    assert [lens["data"]["kind"] for lens in first] == ["callers", "tests"]
    assert all("command" not in lens for lens in first)
    callers, tests = [await peer.ask("codeLens/resolve", lens) for lens in first]
    assert callers["command"]["title"] == "3 callers"
    assert callers["command"]["command"] == "remora.showCallers"
    assert callers["command"]["arguments"][:2] == [uri, {"line": 0, "character": 4}]
    assert len(callers["command"]["arguments"][2]) == 3
    assert tests["command"]["title"] == "1 test"
    assert [one["uri"].rpartition("/")[2] for one in tests["command"]["arguments"][2]] == ["test_shop.py"]


async def test_kinds_of_lenses_are_a_setting(peer: Peer, server: Server, project: WriteFiles) -> None:
    uri = await started(peer, server, project, initializationOptions={"lens": ["complexity"]})
    lenses = await peer.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
    assert {lens["command"]["title"] for lens in lenses} == {"complexity 1"}


async def test_features_that_are_switched_off_are_not_offered(peer: Peer, project: WriteFiles) -> None:
    off = {"hover": False, "callHierarchy": False, "references": False, "lens": []}
    answer = await peer.initialize(project(FILES).as_uri(), initializationOptions=off)
    offered = answer["capabilities"].keys()
    assert offered.isdisjoint({"hoverProvider", "callHierarchyProvider", "referencesProvider", "codeLensProvider"})
    assert "documentSymbolProvider" in offered


async def test_the_editor_is_told_when_counts_change(peer: Peer, server: Server, project: WriteFiles) -> None:
    capabilities = {"workspace": {"codeLens": {"refreshSupport": True}}}
    uri = await started(peer, server, project, capabilities=capabilities)
    root = next(iter(server.hubs.all())).root
    peer.open(uri, (root / "shop.py").read_text(encoding="utf-8"))
    await peer.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
    app = uri.replace("shop.py", "app.py")
    peer.open(app, "from shop import _sum\ndef main():\n    _sum([])\n")
    message = await peer.wait(lambda message: message.get("method") == "workspace/codeLens/refresh")
    assert "id" in message


async def test_hover_links_to_callers_and_tests(peer: Peer, server: Server, project: WriteFiles) -> None:
    markdown = {"textDocument": {"hover": {"contentFormat": ["markdown"]}}}
    uri = await started(peer, server, project, capabilities=markdown)
    text = await peer.hover(uri, 0, 5)
    assert text is not None
    quiet = text.splitlines()[-1]
    assert "3 callers: [main](" in quiet
    assert "app.py#L3)" in quiet
    assert "1 test: [test\\_total](" in quiet


async def test_hover_runs_commands_where_the_client_has_them(peer: Peer, server: Server, project: WriteFiles) -> None:
    capabilities = {
        "textDocument": {"hover": {"contentFormat": ["markdown"]}},
        "experimental": {"remora": {"commands": ["remora.showCallers", "remora.showTests"]}},
    }
    uri = await started(peer, server, project, capabilities=capabilities)
    text = await peer.hover(uri, 0, 5)
    assert text is not None
    assert "[3 callers](command:remora.showCallers?" in text
    assert "[1 test](command:remora.showTests?" in text
