"""Scripts as an editor sees them: trusted by its session, in Problems and hovers, checked while they are written."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from remora_hub_lsp.serve.hover import hover_content

from ..scripts.test_runner import FOLDER, HEAD, LENGTHS, MANY_PARAMETERS
from .conftest import Server, WriteFiles
from .peer import HANG, Peer
from .test_diagnostics import PUBLISH, PUSHED, about

TRUSTED = {"trusted": True}
LONG = "def f(a, b, c):\n    return a\n"


async def connected(peer: Peer, root: Path, **more: Any) -> None:
    await peer.initialize(root.as_uri(), capabilities=PUSHED, **more)


async def scripts(peer: Peer) -> dict[str, Any]:
    found: dict[str, Any] = (await peer.ask("remora/scripts"))["roots"][0]
    return found


async def test_a_finding_is_a_problem_of_the_open_file(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": LONG, f"{FOLDER}/params.pym": MANY_PARAMETERS})
    await connected(peer, root, initializationOptions=TRUSTED)
    uri = (root / "a.py").as_uri()
    peer.open(uri, LONG)
    message = await peer.wait(about(uri, "more than two parameters"))
    (item,) = message["params"]["diagnostics"]
    assert item == {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}},
        "severity": 2, "code": "params", "source": "remora params", "message": "more than two parameters",
    }  # fmt: skip
    peer.edit(uri, 2, ((0, 7, 0, 10), ""))
    await peer.wait(about(uri))


async def test_a_script_is_checked_while_it_is_written(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": LONG, f"{FOLDER}/it.pym": LENGTHS})
    await connected(peer, root, initializationOptions=TRUSTED)
    uri = (root / f"{FOLDER}/it.pym").as_uri()
    peer.open(uri, LENGTHS)
    peer.replace(uri, 2, LENGTHS + "\nclass A:\n    pass\n")
    message = await peer.wait(lambda m: m.get("method") == PUBLISH and m["params"]["uri"] == uri)
    codes = {item["code"]: item for item in message["params"]["diagnostics"]}
    line = LENGTHS.count("\n") + 1
    assert codes["E001"]["range"]["start"] == {"line": line, "character": 0}
    assert codes["E001"]["severity"] == 1
    peer.replace(uri, 3, LENGTHS.replace('"lines"', '"height"'))
    await peer.wait(about(uri))
    await until_hover_shows(peer, (root / "a.py").as_uri(), "it: height 2")


async def problems_of(peer: Peer, uri: str) -> list[dict[str, Any]]:
    """The first that are published of a document."""
    message = await peer.wait(
        lambda m: m.get("method") == PUBLISH and m["params"]["uri"] == uri and m["params"]["diagnostics"]
    )
    found: list[dict[str, Any]] = message["params"]["diagnostics"]
    return found


async def until_hover_shows(peer: Peer, uri: str, text: str) -> None:
    async with asyncio.timeout(HANG):
        while text not in (await peer.hover(uri, 0, 5) or "").replace("\\", ""):
            await asyncio.sleep(0.05)


async def test_types_are_checked_and_a_failure_is_told_on_the_script(peer: Peer, project: WriteFiles) -> None:
    wrong = HEAD + "count: str = len(nodes)\nresult"
    root = project({"a.py": LONG, f"{FOLDER}/types.pym": wrong, f"{FOLDER}/fails.pym": HEAD + "len(nodes) / 0\nresult"})
    await connected(peer, root, initializationOptions=TRUSTED)
    told = {name: await problems_of(peer, (root / FOLDER / name).as_uri()) for name in ("types.pym", "fails.pym")}
    assert [(item["code"], item["range"]["start"]["line"]) for item in told["types.pym"]] == [("E100", 5)]
    assert [(item["code"], item["range"]["start"]["line"]) for item in told["fails.pym"]] == [("H200", 5)]
    assert "division by zero" in told["fails.pym"][0]["message"]


async def test_trust_is_each_sessions_own(server: Server, project: WriteFiles) -> None:
    root = project({"a.py": LONG, f"{FOLDER}/it.pym": LENGTHS})
    first, second = await server.connect(), await server.connect()
    await connected(first, root)
    assert (await scripts(first))["trusted"] is False
    await connected(second, root, initializationOptions=TRUSTED)
    (hub,) = server.hubs.all()
    await hub.scripts.settled()
    found = await scripts(first)
    assert (found["trusted"], found["folders"]) == (True, [FOLDER])
    assert [(one["name"], one["state"]) for one in found["scripts"]] == [("it", "ready")]
    context = await first.ask("remora/getContext", {"nodes": ["a.py:f"]})
    assert context["nodes"]["a.py:f"]["extra"] == {"it": {"lines": 2}}
    await second.__aexit__(None, None, None)
    async with asyncio.timeout(HANG):
        while (await scripts(first))["trusted"]:
            await asyncio.sleep(0.01)
    await hub.scripts.settled()
    context = await first.ask("remora/getContext", {"nodes": ["a.py:f"]})
    assert context["nodes"]["a.py:f"]["extra"] == {}


async def test_a_script_that_nobody_trusts_says_so(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": LONG, f"{FOLDER}/it.pym": LENGTHS})
    await connected(peer, root)
    uri = (root / f"{FOLDER}/it.pym").as_uri()
    peer.open(uri, LENGTHS)
    message = await peer.wait(lambda m: m.get("method") == PUBLISH and m["params"]["uri"] == uri)
    assert [(item["code"], item["severity"]) for item in message["params"]["diagnostics"]] == [("H300", 3)]


async def test_a_project_cannot_trust_itself(peer: Peer, project: WriteFiles) -> None:
    root = project({"a.py": LONG, "pyproject.toml": "[tool.remora-hub]\ntrusted = true\n"})
    number = peer.start("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
    refused = await peer.error(number)
    assert "not for a project to decide" in str(refused)


async def test_a_run_over_many_files_shows_its_progress(peer: Peer, project: WriteFiles) -> None:
    root = project({f"m{number}.py": LONG for number in range(70)} | {f"{FOLDER}/it.pym": LENGTHS})
    await peer.initialize(
        root.as_uri(), capabilities={"window": {"workDoneProgress": True}}, initializationOptions=TRUSTED
    )
    answered = set()
    begun = None
    while begun is None:
        asked = await peer.wait(
            lambda m: (
                (m.get("method") == "window/workDoneProgress/create" and m["id"] not in answered)
                or (m.get("method") == "$/progress" and m["params"]["value"].get("title", "").startswith("Running"))
            )
        )
        if "id" in asked:
            answered.add(asked["id"])
            peer.send({"jsonrpc": "2.0", "id": asked["id"], "result": None})
        else:
            begun = asked["params"]["value"]
    assert begun["cancellable"] is False


@pytest.mark.parametrize(
    "text",
    [
        "[x](command:evil)",
        "<img src=x>",
        "`code` **bold** _it_",
        "https://evil.example/x",
        "a | b\n# head\n---",
        "&lt; \\",
    ],
)
def test_what_a_script_says_is_shown_as_text(text: str) -> None:
    node = {
        "signature": "def f()", "docstring": None, "complexity": None, "line_count": 1, "node_type": "class",
        "has_type_hints": True, "callers": None, "related_tests": None, "docstring_outdated": False, "broken": None,
        "drift": None,
        "extra": {"it": {"said": text, "findings": [{"message": text, "severity": "hint"}]}},
    }  # fmt: skip
    value = hover_content(node, markdown=True, late=False)["value"]
    rendered = MarkdownIt("commonmark").enable(["table"]).parse(value)
    inline = rendered[-2]
    assert {child.type for child in inline.children or []} <= {"text", "text_special", "softbreak"}
    shown = "".join(child.content for child in inline.children or [])
    flat = " ".join(text.split())
    assert shown == f"it: {flat} · said {flat}"
