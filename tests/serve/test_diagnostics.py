"""How findings reach a peer, whoever found them: pushed or asked for, versioned, cleared, in the peer's own way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import pytest

from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index.view import IndexView
from remora_hub_lsp.serve.diagnostics import PROVIDERS, changed_paths

from .conftest import Server, WriteFiles
from .peer import Peer

PUBLISH = "textDocument/publishDiagnostics"
PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}
PUSHED = {"textDocument": {"publishDiagnostics": {"versionSupport": True}}}


class Bare:
    """Finds functions that have no docstring."""

    def __init__(self, *, everywhere: bool) -> None:
        self.everywhere = everywhere

    def watch(self, hub: Hub, changed: Callable[[Collection[str]], None]) -> Callable[[], None]:
        return hub.on_change(lambda change: changed(changed_paths((*change.changed, *change.deleted))))

    def of_file(self, hub: Hub, view: IndexView, path: str) -> list[dict[str, Any]]:
        return [
            {
                "range": node["name_range"], "message": f"{node['node_name']} says nothing", "code": "bare", "tags": [1],
                "relatedInformation": [{"location": {"path": path, "range": node["range"]}, "message": "here"}],
            }
            for node in view.nodes_of(path)
            if node["node_type"] == "function" and not node["docstring"]
        ]  # fmt: skip

    def files(self, hub: Hub, view: IndexView) -> Collection[str]:
        return [path for path in ("a.py", "b.py") if self.of_file(hub, view, path)]


@pytest.fixture
def bare() -> Iterator[Bare]:
    provider = Bare(everywhere=False)
    PROVIDERS.append(provider)
    yield provider
    PROVIDERS.remove(provider)


def about(uri: str, *messages: str, version: int | None = None) -> Callable[[dict[str, Any]], bool]:
    """Whether a message publishes exactly these."""

    def wanted(message: dict[str, Any]) -> bool:
        params = message.get("params")
        return (
            message.get("method") == PUBLISH
            and params["uri"] == uri
            and [item["message"] for item in params["diagnostics"]] == list(messages)
            and version in (None, params.get("version"))
        )

    return wanted


async def pull(peer: Peer, uri: str, previous: str | None = None) -> dict[str, Any]:
    report: dict[str, Any] = await peer.ask(
        "textDocument/diagnostic", {"textDocument": {"uri": uri}, "previousResultId": previous}
    )
    return report


async def test_an_open_document_is_told_of_with_its_version_and_cleared(
    bare: Bare, peer: Peer, project: WriteFiles
) -> None:
    root = project({"a.py": "def f(): ...\n"})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities=PUSHED)
    peer.open(uri, "def f(): ...\n", 3)
    await peer.wait(about(uri, "f says nothing", version=3))
    peer.replace(uri, 4, "def f(): ...\ndef g(): ...\n")
    await peer.wait(about(uri, "f says nothing", "g says nothing", version=4))
    peer.replace(uri, 5, '"""M."""\ndef f(): "F."\n')
    await peer.wait(about(uri, version=5))
    peer.replace(uri, 6, "def h(): ...\n")
    await peer.wait(about(uri, "h says nothing", version=6))
    peer.received.clear()
    peer.close(uri)
    await peer.wait(about(uri))


async def test_a_file_that_nobody_has_open_is_told_of_where_that_is_wanted(
    bare: Bare, server: Server, project: WriteFiles
) -> None:
    root = project({"a.py": "def f(): ...\n", "b.py": "def g(): 'G.'\n"})
    uri = (root / "a.py").as_uri()
    quiet = await server.connect()
    await quiet.initialize(root.as_uri(), capabilities=PUSHED)
    bare.everywhere = True
    loud = await server.connect()
    await loud.initialize(root.as_uri(), capabilities=PUSHED)
    await loud.ask("remora/status")
    (root / "a.py").write_text("def changed(): ...\n")
    loud.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    await loud.wait(about(uri, "changed says nothing"))


async def test_who_asks_is_answered_and_not_told(bare: Bare, peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ...\n"})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities=PULLS)
    peer.open(uri, "def f(): ...\ndef g(): ...\n")
    first = await pull(peer, uri)
    assert [item["message"] for item in first["items"]] == ["f says nothing", "g says nothing"]
    assert "relatedInformation" not in first["items"][0], "this peer has not said that it can show it"
    assert await pull(peer, uri, first["resultId"]) == {"kind": "unchanged", "resultId": first["resultId"]}
    peer.replace(uri, 2, "def f(): 'F.'\n")
    assert (await pull(peer, uri, first["resultId"]))["items"] == [], "an answer has seen what was typed before"
    assert not [message for message in peer.received if message.get("method") == PUBLISH]


async def test_who_asks_is_told_when_to_ask_again(bare: Bare, server: Server, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ...\n"})
    uri = (root / "a.py").as_uri()
    reader, writer = await server.connect(), await server.connect()
    await reader.initialize(root.as_uri(), capabilities=PULLS)
    await writer.initialize(root.as_uri())
    reader.open(uri, "def f(): ...\n")
    assert (await pull(reader, uri))["items"]
    writer.open(uri, "def f(): 'F.'\n")
    await reader.wait(lambda message: message.get("method") == "workspace/diagnostic/refresh")
    assert (await pull(reader, uri))["items"] == []


async def test_the_workspace_can_be_asked_for(bare: Bare, peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ...\n", "b.py": "def g(): 'G.'\n"})
    await peer.initialize(root.as_uri(), capabilities=PULLS, initializationOptions={"diagnostics": "workspace"})
    await peer.ask("remora/getContext", {"nodes": ["a.py", "b.py"]})
    (report,) = (await peer.ask("workspace/diagnostic", {"previousResultIds": []}))["items"]
    assert report["uri"] == (root / "a.py").as_uri()
    assert [item["message"] for item in report["items"]] == ["f says nothing"]
    known = [{"uri": report["uri"], "value": report["resultId"]}]
    (again,) = (await peer.ask("workspace/diagnostic", {"previousResultIds": known}))["items"]
    assert again["kind"] == "unchanged"
    peer.open(report["uri"], "def f(): 'F.'\n")
    (cleared,) = (await peer.ask("workspace/diagnostic", {"previousResultIds": known}))["items"]
    assert cleared["kind"] == "full"
    assert cleared["items"] == []


async def test_related_places_are_in_the_peers_columns(bare: Bare, peer: Peer, project: WriteFiles) -> None:
    text = "class Äö:\n    def größe(self): ...\n"
    root = project({"a.py": text})
    uri = (root / "a.py").as_uri()
    shows = {"relatedInformation": True, "tagSupport": {"valueSet": [1, 2]}}
    capabilities = {"textDocument": {"diagnostic": shows}, "general": {"positionEncodings": ["utf-8"]}}
    await peer.initialize(root.as_uri(), capabilities=capabilities)
    peer.open(uri, text)
    (item,) = (await pull(peer, uri))["items"]
    assert item["tags"] == [1]
    assert item["range"]["end"] == {"line": 1, "character": len("    def größe".encode())}
    (related,) = item["relatedInformation"]
    assert related["location"]["uri"] == uri
    assert related["location"]["range"]["end"] == {"line": 1, "character": len("    def größe(self): ...".encode())}
