"""A session through pytest-lsp, with the capabilities that Neovim announces."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from remora_hub_lsp.discovery import find

from .conftest import WriteFiles

TEXT = """\
class Cart:
    def total(self): ...  # 🙂
    def empty(self): ...
def main(): ...
"""


@pytest.fixture
def root(project: WriteFiles) -> Path:
    return project({"cart.py": "def on_disk(): ...", "other.py": "class Other: ..."})


# No server_env: what is given here was there before the test had folders of its own.
@pytest_lsp.fixture(config=ClientServerConfig(server_command=[sys.executable, "-m", "remora_hub_lsp", "--stdio"]))
async def client(lsp_client: LanguageClient, root: Path) -> AsyncIterator[None]:
    folder = types.WorkspaceFolder(uri=root.as_uri(), name="root")
    params = types.InitializeParams(
        capabilities=client_capabilities("neovim"), root_uri=root.as_uri(), workspace_folders=[folder]
    )
    await lsp_client.initialize_session(params)
    assert find() is not None, "it is served by a hub process of this test"
    yield
    await lsp_client.shutdown_session()


async def hover(client: LanguageClient, uri: str, line: int) -> str:
    found = await client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, 10))
    )
    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    return found.contents.value


async def symbols(client: LanguageClient, uri: str) -> list[str]:
    found = await client.text_document_document_symbol_async(
        types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
    )

    def flat(nodes: Any) -> list[str]:
        return [name for node in nodes for name in (node.name, *flat(node.children or []))]

    return flat(found)


def edit(client: LanguageClient, uri: str, version: int, line: int, start: int, end: int, text: str) -> None:
    range_ = types.Range(types.Position(line, start), types.Position(line, end))
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, uri),
            [types.TextDocumentContentChangePartial(range_, text)],
        )
    )


async def test_a_session(client: LanguageClient, root: Path) -> None:
    uri = (root / "cart.py").as_uri()
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, TEXT)))
    assert "def total(self)\n" in await hover(client, uri, 1)
    edit(client, uri, 2, 1, 18, 18, ", tax: float")
    assert "def total(self, tax: float)\n" in await hover(client, uri, 1)
    edit(client, uri, 3, 2, 18, 18, ", (")
    assert "does not parse just now" in await hover(client, uri, 2)
    assert await symbols(client, uri) == ["Cart", "total", "empty", "main"]
    edit(client, uri, 4, 2, 18, 21, ", now")
    context = await client.protocol.send_request_async("remora/getContext", {"nodes": ["cart.py:Cart.empty"]})
    (node,) = context.nodes  # pygls makes named tuples of untyped answers
    assert node.signature == "def empty(self, now)"
    assert node.origin == "buffer"
    client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))
    assert await symbols(client, uri) == ["on_disk"]


async def test_workspace_symbols(client: LanguageClient, root: Path) -> None:
    while not (found := await client.workspace_symbol_async(types.WorkspaceSymbolParams("Oth"))):
        await asyncio.sleep(0.01)
    assert [symbol.name for symbol in found] == ["Other"]
    assert isinstance(found[0].location, types.Location)
    assert found[0].location.uri == (root / "other.py").as_uri()


async def test_nothing_is_shown_or_logged(client: LanguageClient, root: Path) -> None:
    """A session in which nothing goes wrong is quiet."""
    await symbols(client, (root / "cart.py").as_uri())
    assert client.messages == []
    assert client.log_messages == []
    assert client.error is None
