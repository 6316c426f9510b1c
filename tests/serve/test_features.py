"""What an editor is shown."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from remora_hub_lsp.serve.convert import document_symbols, same
from remora_hub_lsp.serve.hover import facts, hover_content

from .conftest import WriteFiles
from .peer import HANG, Peer, Refused

MARKDOWN = {"textDocument": {"hover": {"contentFormat": ["markdown", "plaintext"]}}}
TREE = {"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}

SHOP = '''\
"""A shop."""

import os

class Cart(dict):
    """Holds *things* and `code` <b>."""

    limit: int = 3

    def __init__(self): ...

    @property
    def total(self) -> float:
        """Sum it up.

        Slowly.
        """
        if self:
            return 1.0
        return 0.0

    class Line:
        def text(self): ...

def checkout(cart, *, now=True):
    def inner(): ...
    return inner

def checkout(cart: Cart) -> None: ...
'''


async def opened(peer: Peer, project: WriteFiles, text: str = SHOP, **capabilities: Any) -> str:
    """A session with one open document; gives its URI."""
    root = project({"shop/cart.py": "def on_disk(): ..."})
    uri = (root / "shop" / "cart.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities=capabilities)
    peer.open(uri, text)
    return uri


async def test_hover_as_markdown(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project, **MARKDOWN)
    assert await hovered(peer, uri, 12, 9) == (
        "```python\ndef total(self) -> float\n```\n\nSum it up.\n\n*complexity 2 · 9 lines*"
    )
    assert await hovered(peer, uri, 4, 7) == (
        "```python\nclass Cart(dict)\n```\n\nHolds \\*things\\* and `code` \\<b\\>.\n\n*19 lines*"
    )
    assert await hovered(peer, uri, 24, 4) == (
        "```python\ndef checkout(cart, *, now=True)\n```\n\n*complexity 2 · 3 lines · no type hints*"
    )


async def test_hover_as_plain_text(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project)
    answer = await peer.ask(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 12, "character": 9}}
    )
    assert answer["contents"]["kind"] == "plaintext"
    assert _quiet(answer["contents"]["value"]) == "def total(self) -> float\n\nSum it up.\n\ncomplexity 2 · 9 lines"


@pytest.mark.parametrize(
    ("formats", "kind"),
    [(["plaintext", "markdown"], "plaintext"), (["html", "markdown"], "markdown"), ([], "plaintext")],
)
async def test_the_format_is_the_first_that_both_know(
    peer: Peer, project: WriteFiles, formats: list[str], kind: str
) -> None:
    uri = await opened(peer, project, textDocument={"hover": {"contentFormat": formats}})
    params = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 6}}
    assert (await peer.ask("textDocument/hover", params))["contents"]["kind"] == kind


async def test_where_there_is_a_hover(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project)
    shown = {line: await hovered(peer, uri, line, 8) for line in range(32)}
    heads = {line: text.split("\n")[0] for line, text in shown.items() if text}
    assert heads == {
        0: "# module shop.cart",
        4: "class Cart(dict)",
        9: "def __init__(self)",
        11: "def total(self) -> float",
        12: "def total(self) -> float",
        21: "class Line",
        22: "def text(self)",
        24: "def checkout(cart, *, now=True)",
        25: "def inner()",
        28: "def checkout(cart: Cart) -> None",
    }


async def test_hover_while_the_text_does_not_parse(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project)
    assert await hovered(peer, uri, 28, 5)
    peer.edit(uri, 2, ((28, 18, 28, 18), ", ("))
    text = await hovered(peer, uri, 28, 5)
    assert text is not None
    assert text.startswith("def checkout(cart: Cart) -> None\n\n")
    assert "does not parse just now" in text.splitlines()[-1]
    assert await hovered(peer, uri, 24, 5) == "def checkout(cart, *, now=True)\n\ncomplexity 2 · 3 lines · no type hints"
    peer.edit(uri, 3, ((28, 0, 29, 0), "def checkout(n: int) -> str: ...\n"))
    assert await hovered(peer, uri, 28, 5) == "def checkout(n: int) -> str\n\ncomplexity 1 · 1 line"


async def hovered(peer: Peer, uri: str, line: int, character: int = 0) -> str | None:
    """The hover without what the call graph says, which may be there already or not."""
    text = await peer.hover(uri, line, character)
    return _quiet(text) if text else text


def _quiet(text: str) -> str:
    return re.sub(r" · \d+ callers?( · \d+ tests?)?", "", text)


def node(**more: Any) -> dict[str, Any]:
    return {
        "file_path": "shop/__init__.py", "node_type": "function", "signature": "def f()", "docstring": None,
        "complexity": 1, "line_count": 2, "has_type_hints": True, "callers": None, "related_tests": None,
        "docstring_outdated": False, "docstring_outdated_reason": None, "drift": None, "broken": None, "extra": {},
    } | more  # fmt: skip


def test_the_quiet_line_says_only_what_is_known() -> None:
    assert facts(node()) == ["complexity 1", "2 lines"]
    assert facts(node(callers=[], related_tests=["t"])) == ["complexity 1", "2 lines", "0 callers", "1 test"]
    outdated = node(docstring_outdated=True, docstring_outdated_reason="no parameter `x`")
    assert facts(outdated)[-1] == "docstring outdated"
    assert (
        facts(node(broken="line 3: '(' was never closed"))[-1]
        == "does not parse just now (line 3: '(' was never closed)"
    )
    assert facts(node(), late=True)[-1] == "newest edit not seen yet"
    assert facts(node(node_type="module", complexity=None, has_type_hints=False)) == ["2 lines"]


def test_markdown_cannot_be_broken_out_of() -> None:
    content = hover_content(
        node(signature="def f(x='```')", docstring="a ``b*`` _c_ [d](e) *"), markdown=True, late=False
    )
    fence, _, rest = content["value"].partition("python\n")
    assert fence == "````"
    assert rest == "def f(x='```')\n````\n\na ``b*`` \\_c\\_ \\[d\\](e) \\*\n\n*complexity 1 · 2 lines*"
    module = hover_content(node(node_type="module", signature=None, complexity=None), markdown=False, late=False)
    assert module["value"] == "# module shop\n\n2 lines"


def names(symbols: list[dict[str, Any]]) -> list[Any]:
    return [(s["name"], s["kind"], names(s["children"])) if s["children"] else (s["name"], s["kind"]) for s in symbols]


async def test_document_symbols_as_a_tree(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project, **TREE)
    symbols = await peer.symbols(uri)
    assert names(symbols) == [
        ("Cart", 5, [("__init__", 9), ("total", 7), ("Line", 5, [("text", 6)])]),
        ("checkout", 12, [("inner", 12)]),
        ("checkout", 12),
    ]
    assert [s["detail"] for s in symbols] == ["(dict)", "(cart, *, now=True)", "(cart: Cart) -> None"]
    total = symbols[0]["children"][1]
    assert total["range"] == {"start": {"line": 11, "character": 4}, "end": {"line": 19, "character": 18}}
    assert total["selectionRange"] == {"start": {"line": 12, "character": 8}, "end": {"line": 12, "character": 13}}


async def test_document_symbols_flat(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project)
    symbols = await peer.symbols(uri)
    assert [(s["name"], s.get("containerName")) for s in symbols] == [
        ("Cart", None), ("__init__", "Cart"), ("total", "Cart"), ("Line", "Cart"), ("text", "Cart.Line"),
        ("checkout", None), ("inner", "checkout"), ("checkout", None),
    ]  # fmt: skip
    assert {s["location"]["uri"] for s in symbols} == {uri}
    assert symbols[0]["location"]["range"]["start"] == {"line": 4, "character": 0}


async def test_broken_text_keeps_the_other_symbols(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project, **TREE)
    whole = names(await peer.symbols(uri))
    for version, typed in enumerate(('"""', "(", "def ", "class X(", "if x:\n  y(", "'"), 2):
        peer.edit(uri, version, ((27, 0, 27, 0), typed))
        symbols = await peer.symbols(uri)
        assert names(symbols)[0] == whole[0], typed
        assert_ranges_are_nested(symbols)
        peer.replace(uri, version + 100, SHOP)


def assert_ranges_are_nested(symbols: list[dict[str, Any]]) -> None:
    """VS Code throws an outline away whose selection is outside of its range."""

    def place(position: dict[str, int]) -> tuple[int, int]:
        return position["line"], position["character"]

    for symbol in symbols:
        whole, name = symbol["range"], symbol["selectionRange"]
        assert place(whole["start"]) <= place(name["start"]) <= place(name["end"]) <= place(whole["end"])
        assert_ranges_are_nested(symbol["children"])


def test_a_name_outside_of_its_node() -> None:
    """Facts of a broken text may be a little off; the outline must not suffer."""

    def at(*numbers: int) -> dict[str, Any]:
        line, character, end_line, end_character = numbers
        end = {"line": end_line, "character": end_character}
        return {"start": {"line": line, "character": character}, "end": end}

    def entry(qualname: str, kind: str, whole: Any, name: Any) -> dict[str, Any]:
        signature = {"class": "class C", "method": "async def m(self)"}[kind]
        return {
            "name": qualname.split(".")[-1].split("#")[0], "qualname": qualname, "kind": kind,
            "node_type": "class", "signature": signature, "range": whole, "name_range": name, "broken": "x",
        }  # fmt: skip

    outline = [
        entry("C", "class", at(0, 0, 2, 0), at(5, 0, 5, 1)),
        entry("C.m", "method", at(1, 4, 2, 0), at(1, 8, 1, 9)),
        entry("C#2", "class", at(3, 0, 4, 9), at(3, 6, 3, 7)),
        entry("C.m#2", "method", at(4, 4, 4, 9), at(4, 8, 4, 12)),
        entry("C#2.m", "method", at(4, 4, 4, 9), at(4, 8, 4, 9)),
    ]
    symbols = document_symbols(outline, same)
    assert names(symbols) == [("C", 5, [("m", 6)]), ("C", 5, [("m", 6), ("m", 6)])]
    assert_ranges_are_nested(symbols)
    assert symbols[0]["selectionRange"] == at(0, 0, 0, 0)
    assert symbols[0]["children"][0]["detail"] == "(self)"


async def test_a_file_without_definitions_and_one_that_cannot_be_read(peer: Peer, project: WriteFiles) -> None:
    """Empty is [], failed is null."""
    root = project({"empty.py": "", "plain.py": "x = 1\n", "binary.py": ""})
    (root / "binary.py").write_bytes(b"\xff\xfe\x00def f")
    await peer.initialize(root.as_uri())
    assert await peer.symbols((root / "empty.py").as_uri()) == []
    assert await peer.symbols((root / "plain.py").as_uri()) == []
    assert await peer.symbols((root / "binary.py").as_uri()) is None
    assert await peer.symbols((root / "gone.py").as_uri()) is None


async def test_workspace_symbols(peer: Peer, project: WriteFiles) -> None:
    root = project({"shop/cart.py": SHOP, "shop/__init__.py": "def total_of(): ...", "other.py": "class Total: ..."})
    await peer.initialize(root.as_uri())
    await ready(peer)
    found = await peer.ask("workspace/symbol", {"query": "total"})
    assert {(s["name"], s["kind"], s["containerName"]) for s in found} == {
        ("total", 7, "shop.cart.Cart"), ("total_of", 12, "shop"), ("Total", 5, "other"),
    }  # fmt: skip
    assert found[0]["name"] == "total"
    assert found[0]["location"] == {
        "uri": (root / "shop/cart.py").as_uri(),
        "range": {"start": {"line": 12, "character": 8}, "end": {"line": 12, "character": 13}},
    }
    assert await peer.ask("workspace/symbol", {"query": "zzz"}) == []
    assert len(await peer.ask("workspace/symbol", {"query": ""})) == 10
    peer.open((root / "other.py").as_uri(), "class Zzz: ...")
    assert [s["name"] for s in await peer.ask("workspace/symbol", {"query": "zzz"})] == ["Zzz"]


async def test_an_index_that_is_not_ready_is_not_called_empty(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    await peer.initialize(root.as_uri(), initializationOptions={"indexOnStart": False})
    assert await peer.ask("workspace/symbol", {"query": "f"}) is None
    assert len(await peer.symbols((root / "a.py").as_uri())) == 1
    assert len(await peer.ask("workspace/symbol", {"query": "f"})) == 1


async def test_get_context_of_unsaved_text(peer: Peer, project: WriteFiles) -> None:
    uri = await opened(peer, project)
    position = {"uri": uri, "position": {"line": 18, "character": 12}}
    context = await peer.ask("remora/getContext", {"nodes": ["shop/cart.py:Cart.total", "x"], "positions": [position]})
    node = context["nodes"]["shop/cart.py:Cart.total"]
    assert node == context["nodes"][f"{uri}:18:12"]
    assert (node["key"], node["origin"], node["version"]) == ("node:shop/cart.py:Cart.total", "buffer", 1)
    assert [entry["id"] for entry in context["missing"]] == ["x"]
    peer.edit(uri, 2, ((12, 18, 12, 18), ", tax"))
    context = await peer.ask("remora/getContext", {"nodes": [node["key"]]})
    assert context["nodes"][node["key"]]["signature"] == "def total(self, tax) -> float"
    assert context["stale"] == []
    peer.edit(uri, 3, ((12, 18, 12, 18), ", ("))
    context = await peer.ask("remora/getContext", {"nodes": [node["key"]]})
    assert context["nodes"][node["key"]]["broken"]
    assert [entry["id"] for entry in context["stale"]] == [node["key"]]


async def test_status(peer: Peer, project: WriteFiles) -> None:
    await peer.symbols(await opened(peer, project))
    status = await ready(peer)
    assert (status["sessions"], status["open_buffers"], status["indexed_files"]) == (1, 1, 1)


async def test_without_a_root(peer: Peer) -> None:
    await peer.initialize()
    peer.open("file:///a.py", "def f(): ...")
    assert await peer.hover("file:///a.py", 0, 4) is None
    assert await peer.ask("workspace/symbol", {"query": "f"}) == []
    for method in ("remora/getContext", "remora/status"):
        with pytest.raises(Refused, match="no project root"):
            await peer.ask(method)


async def ready(peer: Peer) -> dict[str, Any]:
    """The status once the cold start is done."""
    async with asyncio.timeout(HANG):
        while (status := await peer.ask("remora/status"))["state"] == "indexing":
            await asyncio.sleep(0.01)
    assert status["state"] == "ready", status
    found: dict[str, Any] = status
    return found
