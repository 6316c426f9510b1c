"""From end to end: an editor types, agents see it at once, the editor dies, agents see the disk, nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from remora_hub_lsp.discovery import find

from .story import ON_DISK, agent, alive, command, editor_process, files_in, until


def typing(root: Path) -> list[dict[str, Any]]:
    """What an editor says that opens cart.py and types a new parameter, without saving."""
    uri = (root / "cart.py").as_uri()
    start, end = {"line": 1, "character": 14}, {"line": 1, "character": 18}
    edit = {"range": {"start": start, "end": end}, "text": "self, rate: float, *, net: bool = False"}
    document = {"uri": uri, "languageId": "python", "version": 1, "text": ON_DISK}
    told: dict[str, Any] = {
        "initialized": {},
        "textDocument/didOpen": {"textDocument": document},
        "textDocument/didChange": {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [edit]},
    }
    hello = {"processId": None, "rootUri": root.as_uri(), "capabilities": {}}
    return [
        {"id": 1, "method": "initialize", "params": hello},
        *({"method": method, "params": params} for method, params in told.items()),
    ]


def test_the_whole_story(shop: Path, own_runtime: Path) -> None:
    """An editor types, agents on the socket and on TCP see it, the editor is killed, they see the disk, all ends."""
    key = "cart.py:Cart.total"
    command("start", "--tcp", "127.0.0.1:0")
    hub = find()
    assert hub is not None
    with editor_process(*typing(shop)) as (process, relay):
        told = until(lambda: (found := agent(shop, key))["nodes"][key]["origin"] == "buffer" and found)
        for transport in ("unix", "tcp"):
            told = agent(shop, key, transport=transport)
            assert told["source"] == "hub"
            node = told["nodes"][key]
            assert node["signature"] == "def total(self, rate: float, *, net: bool = False) -> int"
            assert (node["origin"], node["version"]) == ("buffer", 2)
        process.kill()
        until(lambda: not alive(relay))
    told = until(lambda: (found := agent(shop, key))["nodes"][key]["origin"] == "disk" and found)
    assert told["nodes"][key]["signature"] == "def total(self) -> int"
    assert (shop / "cart.py").read_text() == ON_DISK
    assert str(hub.pid) in command("stop")
    assert not alive(hub.pid)
    assert files_in(own_runtime) == []
    told = agent(shop, key)
    assert (told["source"], told["reason"]) == ("local", "no hub process runs")
    assert told["nodes"][key]["signature"] == "def total(self) -> int"
