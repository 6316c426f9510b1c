"""Open documents: every edit counts, in message order, in the columns of the session; what is no document is let be."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server, WriteFiles
from .peer import Peer

LINE = 'def f(a="é🙂", b="𝒳"): ...  # ü\n'
UNITS = {"utf-8": lambda s: len(s.encode()), "utf-16": lambda s: len(s.encode("utf-16-le")) // 2, "utf-32": len}


def capabilities(*encodings: str) -> dict[str, Any]:
    return {"general": {"positionEncodings": list(encodings)}}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ((), "utf-16"),
        (("utf-8",), "utf-8"),
        (("utf-32", "utf-8", "utf-16"), "utf-32"),
        (("utf-16", "utf-8"), "utf-16"),
        (("utf-7", "utf-8"), "utf-8"),
        (("ebcdic",), "utf-16"),
    ],
)
async def test_the_encoding_is_the_first_that_both_know(peer: Peer, offered: tuple[str, ...], chosen: str) -> None:
    answer = await peer.initialize(capabilities=capabilities(*offered) if offered else {})
    assert answer["capabilities"]["positionEncoding"] == chosen
    assert answer["serverInfo"]["name"] == "remora-hub-lsp"
    assert answer["serverInfo"]["version"]


@pytest.mark.parametrize("encoding", UNITS)
@pytest.mark.parametrize("is_open", [True, False])
async def test_columns(peer: Peer, project: WriteFiles, encoding: str, is_open: bool) -> None:
    """Edits are read, and ranges written, in the session's columns; from the buffer or from the disk."""
    text = "x = '🙂'\nif '𝒳🙂': [(lambda: 'é')]; Ж = 1\nclass ÉЖ: ...  # é\ndef ж(x='🙂'): ...  # é\n"
    root = project({"a.py": "" if is_open else text})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities=capabilities(encoding))
    if is_open:
        peer.open(uri, text)
    width = UNITS[encoding]
    ranges = {s["name"]: s["location"]["range"] for s in await peer.symbols(uri)}
    assert ranges["ÉЖ"]["end"] == {"line": 2, "character": width("class ÉЖ: ...")}
    assert ranges["ж"]["end"] == {"line": 3, "character": width("def ж(x='🙂'): ...")}
    place = {"uri": uri, "position": {"line": 3, "character": width("def ж(x='🙂'")}}
    context = await peer.ask("remora/getContext", {"nodes": ["a.py:ж"], "positions": [place]})
    assert len(context["nodes"]) == 2
    for node in context["nodes"].values():
        assert node["name_range"]["end"] == {"line": 3, "character": width("def ж")}
        assert node["range"]["end"] == {"line": 3, "character": width("def ж(x='🙂'): ...")}
    (symbol,) = await peer.ask("workspace/symbol", {"query": "ÉЖ"})
    assert symbol["location"]["range"]["end"] == {"line": 2, "character": width("class ÉЖ")}


@pytest.mark.parametrize("encoding", UNITS)
async def test_edits_in_lines_with_emoji(peer: Peer, project: WriteFiles, encoding: str) -> None:
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities=capabilities(encoding))
    width = UNITS[encoding]
    peer.open(uri, LINE)
    at = width(LINE[: LINE.index("𝒳")])
    peer.edit(uri, 2, ((0, at, 0, at + width("𝒳")), "ok🙂"), ((0, at + width("ok🙂"), 0, at + width("ok🙂")), "!"))
    assert await signature(peer, "a.py:f") == "def f(a='é🙂', b='ok🙂!')"


async def test_edits_are_seen_in_message_order(peer: Peer, project: WriteFiles) -> None:
    """Each question sees the edits before it, not those after it, without any waiting in between."""
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "def f(): ...\n")
    numbers = []
    for version in range(2, 52):
        peer.edit(uri, version, ((0, 6, 0, 6 if version == 2 else 6 + len(f"a{version - 1}")), f"a{version}"))
        numbers.append(peer.start("remora/getContext", {"nodes": ["a.py:f"]}))
    for version, number in enumerate(numbers, 2):
        node = (await peer.answer(number))["nodes"]["a.py:f"]
        assert node["version"] >= version
        assert node["signature"] == f"def f(a{node['version']})"
        assert node["origin"] == "buffer"


async def test_many_changes_in_one_message(peer: Peer, project: WriteFiles) -> None:
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "def f(): ...\n" * 1000)
    peer.edit(uri, 2, *(((line, 6, line, 6), f"a{line}") for line in range(1000)))
    symbols = await peer.symbols(uri)
    assert len(symbols) == 1000
    assert await signature(peer, "a.py:f#1000") == "def f(a999)"


async def test_only_lsp_line_ends_end_lines(peer: Peer, project: WriteFiles) -> None:
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "# form\x0cfeed \u2028 \x85 \x1c\r\ndef f(): ...\rdef g(): ...\ndef h(): ...\n")
    peer.edit(uri, 2, ((2, 6, 2, 6), "x"), ((3, 6, 3, 6), "y"), ((1, 6, 1, 6), "z"))
    assert [await signature(peer, f"a.py:{name}") for name in "fgh"] == ["def f(z)", "def g(x)", "def h(y)"]


async def test_the_whole_text_anew(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def on_disk(): ..."})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "def opened(): ...")
    peer.replace(uri, 2, "def replaced(): ...")
    assert [s["name"] for s in await peer.symbols(uri)] == ["replaced"]
    peer.close(uri)
    assert [s["name"] for s in await peer.symbols(uri)] == ["on_disk"]


async def test_saving_what_is_not_open_is_a_change_on_disk(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def old(): ..."})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    assert [s["name"] for s in await peer.symbols(uri)] == ["old"]
    (root / "a.py").write_text("def saved(): ...")
    peer.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert [s["name"] for s in await peer.symbols(uri)] == ["saved"]
    (root / "a.py").write_text("def watched_(): ...")
    peer.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    assert [s["name"] for s in await peer.symbols(uri)] == ["watched_"]
    (root / "a.py").unlink()
    peer.tell("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})
    assert await peer.symbols(uri) is None


async def test_saving_an_open_document(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def old(): ..."})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "def old(): ...")
    peer.replace(uri, 2, "def new(): ...")
    (root / "a.py").write_text("def new(): ...")
    peer.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert await signature(peer, "a.py:new") == "def new()"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:Untitled-1",
        "vscode-notebook-cell:/x.ipynb#1",
        "file:///nowhere/at/all.py",
        "file://other.host/a.py",
        "nonsense",
        "",
        "ROOT/readme.md",
        "ROOT/a.py/b.py",
        "ROOT/",
        "ROOT/../outside.py",
    ],
)
async def test_what_is_no_python_file_of_a_root(peer: Peer, project: WriteFiles, uri: str) -> None:
    """No answers instead of errors."""
    root = project({"readme.md": "# x", "a.py": "def f(): ..."})
    uri = uri.replace("ROOT", root.as_uri())
    await peer.initialize(root.as_uri())
    peer.open(uri, "def f(): ...")
    peer.edit(uri, 2, ((0, 0, 0, 0), "\n"))
    peer.tell("textDocument/didSave", {"textDocument": {"uri": uri}})
    if "a.py/" not in uri:
        assert await peer.hover(uri, 1, 4) is None
        assert await peer.symbols(uri) is None
    position = {"uri": uri, "position": {"line": 0, "character": 4}}
    if not uri.startswith("ROOT"):
        context = await peer.ask("remora/getContext", {"positions": [position]})
        assert [entry["id"] for entry in context["missing"]] == ([f"{uri}:0:4"] if "a.py/" not in uri else [])
    peer.close(uri)
    peer.close(uri)
    peer.edit(uri, 3, ((0, 0, 0, 0), "\n"))
    assert (await peer.ask("remora/status"))["counters"]["failed_requests"] == 0


async def test_edits_of_what_is_not_open(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.edit(uri, 2, ((0, 6, 0, 6), "x"))
    peer.close(uri)
    assert await signature(peer, "a.py:f") == "def f()"


async def test_opened_twice(peer: Peer, project: WriteFiles) -> None:
    root = project({})
    uri = (root / "a.py").as_uri()
    await peer.initialize(root.as_uri())
    peer.open(uri, "def f(first): ...")
    peer.open(uri.replace("a.py", "%61.py"), "def f(second): ...")
    assert await signature(peer, "a.py:f") == "def f(second)"
    peer.close(uri)
    assert await peer.symbols(uri) is None


@pytest.mark.skipif(os.name == "nt", reason="Windows names are Unicode")
async def test_names_with_everything(peer: Peer, project: WriteFiles) -> None:
    root = project({}, root="über 100% #1")
    names = [b"a b.py", b"caf\xe9.py", "é🙂.py".encode(), b"a#b?c.py", b"100%.py", b"%41.py"]
    paths = [Path(os.fsdecode(os.fsencode(root) + b"/" + name)) for name in names]
    for number, path in enumerate(paths):
        path.write_text(f"def from_disk{number}(): ...")
    await peer.initialize(root.as_uri())
    for number, path in enumerate(paths):
        uri = path.as_uri()
        assert [s["name"] for s in await peer.symbols(uri)] == [f"from_disk{number}"]
        (symbol,) = await peer.ask("workspace/symbol", {"query": f"from_disk{number}"})
        assert [s["name"] for s in await peer.symbols(symbol["location"]["uri"])] == [f"from_disk{number}"]
        peer.open(uri, f"def typed{number}(): ...")
        assert [s["name"] for s in await peer.symbols(uri)] == [f"typed{number}"]


async def test_a_root_behind_a_symbolic_link(server: Server, peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": "def f(): ..."})
    link = root.parent / "link"
    link.symlink_to(root)
    await peer.initialize(link.as_uri())
    assert (await peer.ask("remora/status"))["project_root"] == str(root.resolve())
    peer.open((link / "a.py").as_uri(), "def f(typed): ...")
    assert await signature(peer, "a.py:f") == "def f(typed)"
    assert "typed" in str(await peer.hover((root / "a.py").as_uri(), 0, 4))


async def signature(peer: Peer, key: str) -> str:
    context = await peer.ask("remora/getContext", {"nodes": [key], "waitMs": 60_000})
    found: str = context["nodes"][key]["signature"]
    return found
