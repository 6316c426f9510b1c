"""The parts of pygls, most of them private, that serve/wire.py replaces or leans on. They are pinned with pygls.

If one of these fails after an update of pygls: read the new code of that part, then change wire.py, then this.
"""

from __future__ import annotations

import gc
import inspect
import weakref
from importlib.metadata import version
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import JsonRPCProtocol, LanguageServerProtocol
from pygls.server import JsonRPCServer

from remora_hub_lsp.serve.params import shared_converter
from remora_hub_lsp.serve.wire import PeerServer, WireProtocol, shared_threads

OVERRIDDEN = {
    "_register_builtin_features": ["self"],
    "_send_data": ["self", "data"],
    "_send_response": ["self", "msg_id", "result", "error"],
    "get_message_type": ["self", "method"],
    "get_result_type": ["self", "method"],
    "lsp_exit": ["self", "args"],
    "lsp_shutdown": ["self", "args"],
    "notify": ["self", "method", "params"],
    "send_request": ["self", "method", "params", "callback", "msg_id"],
}
USED = {
    "_execute_handler": ["self", "msg_id", "handler", "callback", "args", "kwargs"],
    "_get_handler": ["self", "feature_name"],
    "set_writer": ["self", "writer", "include_headers"],
}


def names(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_pinned_version() -> None:
    assert version("pygls") == "2.1.1"


@pytest.mark.parametrize("name", [*OVERRIDDEN, *USED])
def test_signatures(name: str) -> None:
    parameters = (OVERRIDDEN | USED)[name]
    assert names(getattr(LanguageServerProtocol, name)) == parameters
    if name in OVERRIDDEN:
        ours = getattr(WireProtocol, name)
        assert ours is not getattr(LanguageServerProtocol, name)
        assert names(ours)[: len(parameters)] == [p.replace("args", "_") for p in parameters]


def test_what_init_sets() -> None:
    stock = JsonRPCProtocol(object(), shared_converter())  # type: ignore[arg-type]
    assert stock._request_futures == {}
    assert stock._shutdown is False
    assert stock.writer is None
    assert stock.fm.builtin_features == {}
    assert stock.VERSION == "2.0"


def test_the_server_object() -> None:
    assert names(LanguageServer.__init__)[:3] == ["self", "name", "version"]
    assert {"protocol_cls", "converter_factory"} <= set(names(JsonRPCServer.__init__))
    assert isinstance(inspect.getattr_static(JsonRPCServer, "thread_pool"), property)
    assert names(LanguageServer.report_server_error) == ["self", "error", "source"]


def test_parameters_are_the_third_of_the_method_table() -> None:
    assert types.METHOD_TO_TYPES[types.TEXT_DOCUMENT_HOVER][2] is types.HoverParams


def test_shutdown_and_exit_still_exist_as_methods() -> None:
    assert LanguageServerProtocol.lsp_exit.method_name == "exit"  # type: ignore[attr-defined]
    assert LanguageServerProtocol.lsp_shutdown.method_name == "shutdown"  # type: ignore[attr-defined]


async def test_only_ours_is_registered() -> None:
    """Stock's own document handlers would build a second copy of each document."""
    assert set(PeerServer().protocol.fm.builtin_features) == {"shutdown", "exit", "$/cancelRequest"}


async def test_sessions_share_what_is_dear_and_are_let_go() -> None:
    first, second = PeerServer(), PeerServer()
    assert first.protocol._converter is second.protocol._converter is shared_converter()
    assert first.thread_pool is second.thread_pool is shared_threads()
    assert first.protocol.get_message_type("textDocument/hover") is types.HoverRequest
    assert first.protocol.get_result_type("textDocument/hover") is types.HoverResponse
    gone = weakref.ref(first.protocol)
    del first
    gc.collect()
    assert gone() is None
