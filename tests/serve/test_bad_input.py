"""Whatever a peer sends gets the answer that JSON-RPC and LSP ask for, and hurts nobody: see notes on each row."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from .conftest import Server, WriteFiles, session_of
from .peer import Peer

HOVER = "textDocument/hover"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"", -32700),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"caf\xe9"}', -32700),
        (b'"\xff\\ud83d"', -32700),
        (b'{"jsonrpc":"2.0","id":NaN}', -32700),
        (b"[" * 100_000 + b"]" * 100_000, -32700),
        (b'{"a":' * 100_000 + b'"\\ud83d"' + b"}" * 100_000, -32700),
        (b"5", -32600),
        (b"null", -32600),
        (b'"initialize"', -32600),
        (b"[]", -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"shutdown"}]', -32600),
        (b"{}", -32600),
        (b'{"jsonrpc":"2.0","method":5}', -32600),
        (b'{"jsonrpc":"2.0","id":{},"method":"shutdown"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"shutdown"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"shutdown"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"shutdown"}', -32600),
    ],
)
async def test_no_message_at_all(peer: Peer, body: bytes, code: int) -> None:
    await peer.initialize()
    peer.send(body)
    assert (await peer.error(None)).code == code
    assert await peer.ask("shutdown") is None, "the session lives"


@pytest.mark.parametrize(
    "message",
    [
        {"id": 77, "method": "shutdown"},
        {"jsonrpc": "1.0", "id": 77, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": 77},
        {"jsonrpc": "2.0", "id": 77, "method": ["shutdown"]},
    ],
)
async def test_a_request_with_a_fault_is_answered_under_its_id(peer: Peer, message: dict[str, Any]) -> None:
    await peer.initialize()
    peer.send(message)
    assert (await peer.error(77)).code == -32600
    assert await peer.ask("shutdown") is None


@pytest.mark.parametrize(
    ("params", "path"),
    [
        (None, "params"),
        ([], "params"),
        (5, "params"),
        ({}, "params.textDocument"),
        ({"textDocument": {"uri": 5}, "position": {"line": 0, "character": 0}}, "params.textDocument.uri"),
        ({"textDocument": {"uri": "x"}, "position": {"line": "0", "character": 0}}, "params.position.line"),
        (
            {"textDocument": {"uri": "x"}, "position": {"line": 0, "character": 1.5}},
            "params.position.character",
        ),
        ({"textDocument": {"uri": "x"}, "position": {"line": True, "character": 0}}, "params.position.line"),
        ({"textDocument": {"uri": "x"}, "position": {"line": 0}}, "params.position.character"),
        ({"textDocument": {"uri": "x"}, "position": {"line": -1, "character": 0}}, "params.position"),
        ({"textDocument": {"uri": "x"}}, "params.position"),
    ],
)
async def test_wrong_parameters_of_lsp(peer: Peer, params: Any, path: str) -> None:
    await peer.initialize()
    error = await peer.error(peer.start(HOVER, params))
    assert error.code == -32602
    assert path in [problem["path"] for problem in error.data["errors"]]
    assert path in error.message


@pytest.mark.parametrize(
    ("params", "path"),
    [
        ({"nodes": "a.py"}, "params.nodes"),
        ({"nodes": [5]}, "params.nodes[0]"),
        ({"nodes": ["a.py", None]}, "params.nodes[1]"),
        ({"waitMs": -1}, "params.waitMs"),
        ({"colour": "red"}, "params.colour"),
        ({"wait_ms": 5}, "params.wait_ms"),
        (
            {"positions": [{"uri": "x", "position": {"line": -1, "character": 0}}]},
            "params.positions[0].position.line",
        ),
        ({"positions": [{"position": {"line": 1, "character": 0}}]}, "params.positions[0].uri"),
        ([], "params"),
        (5, "params"),
    ],
)
async def test_wrong_parameters_of_remora(peer: Peer, params: Any, path: str) -> None:
    await peer.initialize()
    error = await peer.error(peer.start("remora/getContext", params))
    assert error.code == -32602
    assert path in [problem["path"] for problem in error.data["errors"]]


@pytest.mark.parametrize(
    ("params", "path"),
    [
        (None, "params.capabilities"),
        ([], "params"),
        ({}, "params.capabilities"),
        ({"capabilities": 5}, "params.capabilities"),
        ({"capabilities": {}, "processId": "x"}, "params.processId"),
        ({"capabilities": {}, "workspaceFolders": [{"name": "x"}]}, "params.workspaceFolders[0].uri"),
        ({"capabilities": {}, "initializationOptions": "x"}, "params.initializationOptions"),
        (
            {"capabilities": {"general": {"positionEncodings": "utf-8"}}},
            "params.capabilities.general.positionEncodings",
        ),
    ],
)
async def test_wrong_parameters_of_initialize(peer: Peer, params: Any, path: str) -> None:
    error = await peer.error(peer.start("initialize", params))
    assert error.code == -32602
    assert path in [problem["path"] for problem in error.data["errors"]]
    await peer.initialize()  # and may be tried again


@pytest.mark.parametrize("method", [HOVER, "remora/getContext", "workspace/symbol", "workspace/executeCommand"])
async def test_parameters_as_deep_as_json_may_be(server: Server, peer: Peer, method: str) -> None:
    await peer.initialize()
    deep: Any = 1
    for _ in range(460):
        deep = {"uri": [deep]}
    params = {"textDocument": deep, "position": deep, "nodes": deep, "query": deep}
    text = json.dumps(params).replace("1", "[" * 100 + "]" * 100).encode()
    peer.send(b'{"jsonrpc":"2.0","id":50,"method":"%b","params":%b}' % (method.encode(), text))
    assert (await peer.error(50)).code in (-32601, -32602)
    peer.tell("textDocument/didOpen", {"textDocument": {"uri": deep}})
    for wrong in (deep, {}, []):
        peer.tell("$/cancelRequest", {"id": wrong})
    session_of(server).wire.send_request("workspace/configuration", {}, msg_id=7)
    await peer.wait(lambda m: m.get("method") == "workspace/configuration")
    peer.send({"jsonrpc": "2.0", "id": 7, "error": deep})
    assert session_of(server).wire.failures == 0
    assert await peer.ask("shutdown") is None


async def test_initialize_is_not_about_what_is_not_read(peer: Peer) -> None:
    deep: Any = 1
    for _ in range(300):
        deep = {"deeper": [deep]}
    await peer.initialize(
        capabilities={
            "experimental": deep,
            "workspace": {"symbol": {"symbolKind": {"valueSet": [1, 999]}}},
            "textDocument": {"unheardOf": True, "completion": "what"},
        },
        unheardOf={},
    )


async def test_requests_without_params_work_where_all_have_defaults(peer: Peer, project: WriteFiles) -> None:
    await peer.initialize(project({"a.py": ""}).as_uri())
    peer.send({"jsonrpc": "2.0", "id": 90, "method": "remora/status"})
    assert (await peer.answer(90))["running"] is True
    peer.send({"jsonrpc": "2.0", "id": 91, "method": "remora/getContext"})
    assert (await peer.answer(91))["nodes"] == {}
    peer.send({"jsonrpc": "2.0", "id": 92, "method": "shutdown"})
    assert await peer.answer(92) is None


async def test_the_order_of_a_session(server: Server, peer: Peer) -> None:
    for method in (HOVER, "shutdown", "remora/status", "unheard/of"):
        assert (await peer.error(peer.start(method))).code == -32002, method
    peer.tell("textDocument/didOpen", {"nonsense": True})
    await peer.initialize()
    again = peer.start("initialize", {"capabilities": {}, "processId": None})
    assert (await peer.error(again)).code == -32600
    assert await peer.ask("shutdown") is None
    for method in (HOVER, "shutdown", "initialize"):
        assert (await peer.error(peer.start(method))).code == -32600, method
    peer.tell("exit", None)
    await peer.end()
    assert server.exit_codes == [0]


async def test_exit_without_shutdown(server: Server, peer: Peer) -> None:
    peer.tell("exit", None)
    await peer.end()
    assert server.exit_codes == [1]


async def test_what_follows_initialize_at_once_is_answered(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(x): ..."})
    peer.start("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
    assert "def f(x)" in str(await peer.hover((root / "a.py").as_uri(), 0, 4))


async def test_unknown_methods(peer: Peer) -> None:
    await peer.initialize()
    for method in ("unheard/of", "$/unheardOf", "textDocument/completion"):
        assert (await peer.error(peer.start(method, {}))).code == -32601
    peer.tell("unheard/of", {})
    peer.tell("textDocument/didOpen", {"textDocument": {"uri": 5}})
    peer.tell("$/cancelRequest", {"id": "nobody"})
    peer.tell("$/cancelRequest", {"id": []})
    peer.tell("textDocument/didChange", None)
    assert await peer.ask("shutdown") is None


async def test_an_id_that_is_in_use(peer: Peer, project: WriteFiles) -> None:
    await peer.initialize(project({}).as_uri())
    slow = {
        "jsonrpc": "2.0",
        "id": 5,
        "method": "remora/getContext",
        "params": {"minRevision": 10**9, "waitMs": 60_000},
    }
    peer.send(slow)
    peer.send(slow)
    assert (await peer.error(5)).code == -32600
    peer.tell("$/cancelRequest", {"id": 5})
    await peer.wait(lambda m: m.get("id") == 5 and m.get("error", {}).get("code") == -32800)


async def test_a_handler_that_fails(server: Server, peer: Peer, project: WriteFiles, caplog: Any) -> None:
    """The peer learns what failed, the log where; nobody sees a traceback on the wire."""
    root = project({"a.py": "def f(): ..."})
    await peer.initialize(root.as_uri())
    hub = await server.hubs.open(root)
    hub.path_of = None  # type: ignore[method-assign,assignment]
    with caplog.at_level(logging.ERROR):
        error = await peer.error(peer.start(HOVER, hover_params((root / "a.py").as_uri())))
        peer.open((root / "a.py").as_uri(), "")
        assert (await peer.ask("remora/status"))["counters"]["failed_requests"] == 2
    assert error.code == -32603
    assert error.message.startswith("Internal error: TypeError: ")
    assert error.data is None
    assert "Traceback" not in json.dumps(peer.received)
    assert not [m for m in peer.received if m.get("method") == "window/showMessage"]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]


async def test_an_answer_that_cannot_be_written(server: Server, peer: Peer, project: WriteFiles) -> None:
    """Something that has no JSON form must not leave the peer waiting."""
    root = project({"a.py": "def f(): ..."})
    await peer.initialize(root.as_uri())
    hub = await server.hubs.open(root)

    async def status() -> Any:
        return {"what": object()}

    hub.status = status  # type: ignore[method-assign]
    assert (await peer.error(peer.start("remora/status"))).code == -32603


async def test_a_hub_that_is_closed(server: Server, peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    await peer.initialize(root.as_uri())
    await (await server.hubs.open(root)).close()
    error = await peer.error(peer.start(HOVER, hover_params((root / "a.py").as_uri())))
    assert error.code == -32803
    assert "closed" in error.message


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: x\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: 1000000000000\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"X" * 200_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n"
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}',
    ],
)
async def test_no_frame(server: Server, peer: Peer, data: bytes) -> None:
    """Only this connection is closed, and nothing of it is executed."""
    other = await server.connect()
    await other.initialize()
    peer.write(data)
    assert (await peer.error(None)).code == -32700
    await peer.end()
    assert len(peer.received) == 1
    assert server.exit_codes == [1]
    assert await other.ask("shutdown") is None


async def test_headers_as_others_write_them(peer: Peer) -> None:
    for number, header in enumerate([b"content-length:%d\r\n\r\n", b"Content-Length:%d\n\n"]):
        body = b'{"jsonrpc":"2.0","id":"h%d","method":"shutdown"}' % number
        peer.write(header % len(body) + body)
        assert (await peer.error(f"h{number}")).code == -32002


async def test_lone_surrogates(peer: Peer, project: WriteFiles) -> None:
    """Half an emoji is no reason to lose a document."""
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, 'def f(x="\ud83d"): ...\n')
    peer.edit(uri, 2, ((0, 9, 0, 10), "\ude42🙂"), ((0, 12, 0, 12), "y"))
    for text in ("\ud83d", "\0", "/\ud83d/a.py"):
        for method, params in (("remora/reindex", {"paths": [text]}), ("remora/status", {"root": text})):
            assert (await peer.error(peer.start(method, params))).code == -32602
        assert len((await peer.ask("remora/getContext", {"nodes": [text]}))["missing"]) == 1
    context = await peer.ask("remora/getContext", {"nodes": ["a.py:f", "\ud83d"]})
    assert context["nodes"]["a.py:f"]["signature"] == "def f(x='\ufffd🙂y')"
    assert [entry["id"] for entry in context["missing"]] == ["\ud83d"]


def hover_params(uri: str) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 4}}
