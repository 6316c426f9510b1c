"""Docstrings that no longer fit, as an editor sees them: diagnostics, quick fixes, the command, what agents ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.analysis.drift import ReasonCode
from remora_hub_lsp.analysis.text import Encoding, TextDocument
from remora_hub_lsp.serve.drift import HELP

from .conftest import WriteFiles
from .peer import Peer, Refused
from .test_diagnostics import PUBLISH, about

OLD = '''class Lädchen:
    def preis(self, größe, rate):
        """Preis 😀.

        Args:
            größe: wie groß.
            rate: the tax.
        """
        return größe * rate
'''
ADDED = OLD.replace("größe, rate)", "größe, rate, 😀=1)".replace("😀", "ö"))
SHOWS = {"relatedInformation": True, "tagSupport": {"valueSet": [1]}, "codeDescriptionSupport": True, "dataSupport": True}


async def began(peer: Peer, root: Path, encoding: Encoding = "utf-16", **options: Any) -> None:
    """The hub has seen the files, and knows which docstrings belong to them."""
    capabilities = {
        "textDocument": {"diagnostic": SHOWS},
        "general": {"positionEncodings": [encoding]},
        "workspace": {"workspaceEdit": {"documentChanges": True}},
    }
    await peer.initialize(root.as_uri(), capabilities=capabilities, initializationOptions=options)
    files = [path.relative_to(root).as_posix() for path in root.rglob("*.py")]
    await peer.ask("remora/getContext", {"nodes": files})


async def pull(peer: Peer, uri: str) -> list[dict[str, Any]]:
    report = await peer.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    items: list[dict[str, Any]] = report["items"]
    return items


async def actions(peer: Peer, uri: str, line: int, *only: str) -> dict[str, dict[str, Any]]:
    where = {"line": line, "character": 0}
    context = {"diagnostics": [], **({"only": list(only)} if only else {})}
    params = {"textDocument": {"uri": uri}, "range": {"start": where, "end": where}, "context": context}
    return {action["title"]: action for action in await peer.ask("textDocument/codeAction", params)}


def applied(text: str, edit: dict[str, Any], version: int, encoding: Encoding = "utf-16") -> str:
    """The text after a WorkspaceEdit of one document, which is for this version of it."""
    (change,) = edit["documentChanges"]
    assert change["textDocument"]["version"] == version
    document = TextDocument(text)
    for one in sorted(change["edits"], key=lambda one: one["range"]["start"]["line"], reverse=True):
        start, end = ((one["range"][edge]["line"], one["range"][edge]["character"]) for edge in ("start", "end"))
        document.edit(start, end, one["newText"], encoding)
    return document.text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("eol", ["\n", "\r\n"], ids=["lf", "crlf"])
async def test_from_the_edit_to_the_quick_fix(peer: Peer, project: WriteFiles, encoding: Encoding, eol: str) -> None:
    root = project({"shop.py": OLD})
    uri = (root / "shop.py").as_uri()
    await began(peer, root, encoding)
    text = ADDED.replace("\n", eol)
    peer.open(uri, text, 7)
    (item,) = await pull(peer, uri)
    assert item["code"] == "outdated-docstring"
    assert item["source"] == "remora"
    assert item["severity"] == 2
    assert item["message"] == (
        "The docstring of `preis` does not document `ö`, which was added, while it documents the other parameters."
    )
    assert shown(text, item["range"], encoding) == "ö"
    parameter, docstring = item["relatedInformation"]
    assert shown(text, parameter["location"]["range"], encoding) == "ö"
    assert parameter["message"] == "the signature was `def preis(self, größe, rate)`"
    assert shown(text, docstring["location"]["range"], encoding) == "Args:"

    found = await actions(peer, uri, item["range"]["start"]["line"])
    fix = found["Document `ö`"]
    assert fix["isPreferred"]
    assert fix["diagnostics"] == [item]
    mended = applied(text, fix["edit"], 7, encoding)
    assert mended == text.replace(f"the tax.{eol}", f"the tax.{eol}            ö: TODO: describe.{eol}")
    peer.replace(uri, 8, mended)
    assert await pull(peer, uri) == [], "cleared at once"
    assert await actions(peer, uri, 1) == {}


def shown(text: str, range_: dict[str, Any], encoding: Encoding) -> str:
    lines = TextDocument(text).lines
    line = lines[range_["start"]["line"]]
    wide = {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
    data = line.encode({"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding])
    part = data[range_["start"]["character"] * wide : range_["end"]["character"] * wide]
    return part.decode({"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding])


async def test_a_mismatch_has_a_code_of_its_own_and_two_ways_out(peer: Peer, project: WriteFiles) -> None:
    wrong = OLD.replace("größe, rate)", "größe, rates)")
    root = project({"shop.py": wrong})
    uri = (root / "shop.py").as_uri()
    await began(peer, root, driftSeverity="hint")
    peer.open(uri, wrong)
    (item,) = await pull(peer, uri)
    assert (item["code"], item["severity"], item["tags"]) == ("docstring-mismatch", 4, [1])
    assert item["codeDescription"]["href"] == HELP
    assert shown(wrong, item["range"], "utf-16") == "rate"
    found = await actions(peer, uri, item["range"]["start"]["line"])
    renamed = applied(wrong, found["Rename `rate` to `rates` in the docstring"]["edit"], 1)
    assert renamed == wrong.replace("rate: the", "rates: the")
    removed = applied(wrong, found["Remove `rate` from the docstring"]["edit"], 1)
    assert removed == wrong.replace("            rate: the tax.\n", "")


async def test_still_accurate(peer: Peer, project: WriteFiles) -> None:
    root = project({"shop.py": OLD})
    uri = (root / "shop.py").as_uri()
    await began(peer, root)
    peer.open(uri, ADDED)
    (item,) = await pull(peer, uri)
    found = await actions(peer, uri, 1)
    command = found["The docstring of `preis` is still accurate"]["command"]
    result = await peer.ask("workspace/executeCommand", {name: command[name] for name in ("command", "arguments")})
    assert result["changed"]
    assert await pull(peer, uri) == []
    undone = await peer.ask("remora/acknowledgeDocstring", {"node": "shop.py:Lädchen.preis", "undo": True})
    assert undone["changed"]
    assert [again["data"] for again in await pull(peer, uri)] == [item["data"]]
    undone = await peer.ask("remora/acknowledgeDocstring", {"node": result["key"], "undo": True})
    assert not undone["changed"], "once is enough"
    with pytest.raises(Refused, match=r"shop\.py defines no Laden"):
        await peer.ask("remora/acknowledgeDocstring", {"node": "shop.py:Laden"})
    with pytest.raises(Refused, match=r"params\.arguments"):
        await peer.ask("workspace/executeCommand", {"command": command["command"], "arguments": [5]})
    with pytest.raises(Refused, match="there is no command 'rm'"):
        await peer.ask("workspace/executeCommand", {"command": "rm"})


NUMPY = '''def f(a, b):
    """Do.

    Parameters
    ----------
    a : int
    b : int
    """


class C:
    """A thing.

    :param x: one
    """

    def __init__(self, x):
        pass

    def m(self, y=1):
        """Do.

        Args:
            y: by default 1.
        """
'''


async def test_all_in_the_file_at_once(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": NUMPY})
    uri = (root / "a.py").as_uri()
    await began(peer, root)
    text = NUMPY.replace("f(a, b)", "f(b, c)").replace("self, x", "self, x, z").replace("y=1", "y=2")
    peer.open(uri, text)
    assert len(await pull(peer, uri)) == 4
    (fix,) = (await actions(peer, uri, 0, "source.fixAll")).values()
    assert fix["kind"] == "source.fixAll.remora"
    mended = applied(text, fix["edit"], 1)
    assert "    b : int\n    c\n        TODO: describe.\n" in mended
    assert "    :param x: one\n    :param z: TODO: describe.\n" in mended
    assert "y: by default 2." in mended
    peer.replace(uri, 2, mended)
    assert await pull(peer, uri) == []
    assert await actions(peer, uri, 0, "source.fixAll") == {}
    assert await actions(peer, uri, 0, "refactor") == {}


async def test_pushed_with_the_buffers_version_and_cleared(peer: Peer, project: WriteFiles) -> None:
    root = project({"shop.py": OLD})
    uri = (root / "shop.py").as_uri()
    await peer.initialize(root.as_uri(), capabilities={"textDocument": {"publishDiagnostics": {"versionSupport": True}}})
    await peer.ask("remora/getContext", {"nodes": ["shop.py"]})
    peer.open(uri, ADDED, 1)
    published = await peer.wait(lambda message: message.get("method") == PUBLISH and message["params"]["diagnostics"])
    assert published["params"]["version"] == 1
    assert "codeDescription" not in published["params"]["diagnostics"][0]
    peer.replace(uri, 2, OLD)
    await peer.wait(about(uri, version=2))


async def test_what_agents_and_people_are_told(peer: Peer, project: WriteFiles) -> None:
    root = project({"shop.py": OLD, "other/wrong.py": NUMPY.replace("(a, b)", "(a)")})
    await began(peer, root)
    uri = (root / "shop.py").as_uri()
    peer.open(uri, ADDED)
    nodes = (await peer.ask("remora/getContext", {"nodes": ["shop.py:Lädchen.preis"]}))["nodes"]
    (state,) = nodes.values()
    assert state["docstring_outdated"]
    assert state["drift"]["signature"] == "def preis(self, größe, rate)"
    assert state["drift"]["since"]
    assert state["drift"]["reasons"][0]["parameter"] == "ö"
    hover = await peer.hover(uri, 1, 10)
    assert hover is not None
    assert "def preis(self, größe, rate)" in hover, "the signature that the docstring belongs to"
    assert "does not document" in hover
    found = await peer.ask("remora/outdated", {})
    assert [(entry["path"], entry["qualname"]) for entry in found["outdated"]] == [
        ("other/wrong.py", "f"),
        ("shop.py", "Lädchen.preis"),
    ]
    assert found["total"] == 2
    assert found["outdated"][1]["uri"] == uri
    assert (await peer.ask("remora/outdated", {"limit": 1}))["total"] == 2
    below = await peer.ask("remora/outdated", {"paths": ["other"]})
    assert [entry["path"] for entry in below["outdated"]] == ["other/wrong.py"]
    with pytest.raises(Refused, match="outside the project root"):
        await peer.ask("remora/outdated", {"paths": ["/elsewhere"]})
    assert (await peer.ask("remora/status"))["outdated_docstrings"] == 2


def test_the_help_page_names_every_reason() -> None:
    page = Path(HELP.removeprefix("file://")).read_text(encoding="utf-8")
    assert [code for code in ReasonCode.__args__ if f"`{code}`" not in page] == []


async def test_all_roots_are_told_of_and_a_node_is_found_in_its_own(peer: Peer, project: WriteFiles) -> None:
    wrong = NUMPY.replace("(a, b)", "(a)")
    roots = [project({"one.py": wrong}, "first"), project({"two.py": wrong}, "second")]
    folders = [{"uri": root.as_uri(), "name": root.name} for root in roots]
    await peer.initialize(None, workspaceFolders=folders)
    for root, name in zip(roots, ("one.py", "two.py"), strict=True):
        await peer.ask("remora/getContext", {"nodes": [str(root / name)]})
    found = await peer.ask("remora/outdated", {})
    assert [entry["path"] for entry in found["outdated"]] == ["one.py", "two.py"]
    assert found["total"] == 2
    second = await peer.ask("remora/outdated", {"paths": [str(roots[1])]})
    assert [entry["path"] for entry in second["outdated"]] == ["two.py"]
    assert (await peer.ask("remora/acknowledgeDocstring", {"node": f"{roots[1].as_uri()}/two.py:f"}))["changed"]
    assert (await peer.ask("remora/acknowledgeDocstring", {"node": found["outdated"][0]["key"]}))["changed"]
    assert (await peer.ask("remora/outdated", {}))["total"] == 0
