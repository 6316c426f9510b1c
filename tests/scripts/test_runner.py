"""A project's own scripts in its hub: what they say of nodes, when they run, and what they cannot do to it."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.hub.scripts import shelf
from remora_hub_lsp.index.scripts import nodes_with_findings, with_findings

from ..hub.running import Editor, changed_on_disk, node, running, write

FOLDER = shelf.FOLDER
HEAD = """
from typing import Any
from grail import Input, external
nodes: list[dict[str, Any]] = Input("nodes")
result: list[dict[str, Any]] = []
"""
LENGTHS = (
    HEAD
    + """
for node in nodes:
    result.append({"key": node["key"], "extra": {"lines": node["line_count"]}})
result
"""
)
MANY_PARAMETERS = (
    HEAD
    + """
for node in nodes:
    if (node["signature"] or "").count(",") > 1:
        finding = {"message": "more than two parameters", "code": "params", "line": 1}
        result.append({"key": node["key"], "findings": [finding]})
result
"""
)


def write_script(root: Path, name: str, text: str) -> None:
    write(root, {f"{FOLDER}/{name}.pym": textwrap.dedent(text)})


@asynccontextmanager
async def trusted(root: Path, **settings: Any) -> AsyncIterator[Hub]:
    async with running(root, **settings) as hub:
        hub.scripts.trust("test")
        await hub.scripts.settled()
        yield hub


def status(hub: Hub, name: str) -> Any:
    return next(one for one in hub.scripts.status() if one.name == name)


async def extra(hub: Hub, asked: str) -> dict[str, Any]:
    found: dict[str, Any] = (await node(hub, asked))["extra"]
    return found


async def test_what_a_script_says_stands_in_extra(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(a, b, c):\n    return a\n\ndef g(): ...\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    write_script(tmp_path, "parameters", MANY_PARAMETERS)
    async with trusted(tmp_path) as hub:
        assert await extra(hub, "a.py:f") == {
            "lengths": {"lines": 2},
            "parameters": {
                "findings": [
                    {"message": "more than two parameters", "severity": "warning", "line": 1, "code": "params"}
                ]
            },
        }
        assert await extra(hub, "a.py:g") == {"lengths": {"lines": 1}}
        files = await hub.read(with_findings)
        assert files.value == ["a.py"]
        found = await hub.read(lambda view: nodes_with_findings(view, "a.py"))
        assert [state["qualname"] for state in found.value] == ["f"]
        assert [one.state for one in hub.scripts.status()] == ["ready", "ready"]


async def test_it_follows_what_is_typed_and_sends_only_what_changed(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f():\n    return 1\n\n\ndef g():\n    return 2\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    write_script(
        tmp_path,
        "counts",
        HEAD
        + """
for node in nodes:
    names = [other["qualname"] for other in nodes]
    result.append({"key": node["key"], "extra": {"with": names, "hash": node["source_hash"]}})
result
""",
    )
    async with trusted(tmp_path) as hub:
        before = await extra(hub, "a.py:g")
        editor = Editor(hub)
        editor.open("a.py", (tmp_path / "a.py").read_text())
        editor.edit("a.py", (1, 4), (1, 4), "x = 1\n    ")
        revision = (await hub.read(lambda view: view.revision, paths=("a.py",))).value
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"))["lengths"] == {"lines": 3}
        assert sorted((await extra(hub, "a.py:f"))["counts"]["with"]) == ["<module>", "f"]
        assert await extra(hub, "a.py:g") == before
        changed, _, _ = (await hub.read(lambda view: view.changes(revision, 100))).value
        assert "node:a.py:f" in changed
        assert "node:a.py:g" not in changed


async def test_a_result_of_older_text_says_so(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f():\n    return 1\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    async with trusted(tmp_path) as hub:
        write(tmp_path, {"a.py": "def f():\n    a = 1\n    return 1\n"})
        changed_on_disk(hub, "a.py")
        assert (await extra(hub, "a.py:f"))["lengths"] == {"lines": 2, "stale": True}
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"))["lengths"] == {"lines": 3}


async def test_another_start_runs_nothing_that_is_known(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): ...\n", "b.py": "def g(): ...\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    async with trusted(tmp_path) as hub:
        assert status(hub, "lengths").runs == 1
    async with trusted(tmp_path) as hub:
        assert status(hub, "lengths").runs == 0
        assert await extra(hub, "b.py:g") == {"lengths": {"lines": 1}}
        write_script(tmp_path, "lengths", LENGTHS.replace('"lines"', '"height"'))
        hub.scripts.refresh()
        await hub.scripts.settled()
        assert await extra(hub, "b.py:g") == {"lengths": {"height": 1}}


async def test_it_counts_only_while_somebody_trusts_the_project(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): ...\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    async with running(tmp_path) as hub:
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {}
        assert (status(hub, "lengths").state, status(hub, "lengths").runs) == ("untrusted", 0)
        for owner in (1, 2):
            hub.scripts.trust(owner)
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"lengths": {"lines": 1}}
        revision = hub.revision
        hub.scripts.distrust(1)
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"lengths": {"lines": 1}}
        hub.scripts.distrust(2)
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {}
        assert hub.revision > revision
        hub.scripts.trust(3)
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"), status(hub, "lengths").runs) == ({"lengths": {"lines": 1}}, 1)


async def test_unsaved_text_of_a_script_counts_until_it_is_closed(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): ...\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    path = f"{FOLDER}/lengths.pym"
    async with trusted(tmp_path) as hub:
        editor = Editor(hub)
        editor.open(path, LENGTHS.replace('"lines"', '"height"'))
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"lengths": {"height": 1}}
        editor.replace(path, LENGTHS + "\nclass A: ...\n")
        await hub.scripts.settled()
        assert status(hub, "lengths").state == "invalid"
        assert "E001" in status(hub, "lengths").reason
        assert await extra(hub, "a.py:f") == {"lengths": {"height": 1}}  # the last good one
        editor.close(path)
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"lengths": {"lines": 1}}
        (tmp_path / path).unlink()
        changed_on_disk(hub, path)
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"), hub.scripts.status()) == ({}, ())


BAD = {
    "loops": ("while True:\n    pass\nresult", "2 s"),
    "bomb": ("x = ['a']\nwhile True:\n    x = x + x\nresult", "MB"),
    "raises": ("1 / 0\nresult", "division"),
    "nothing": ("None", "nothing"),
    "garbage": ("[1, 2]", "[0]"),
    "liar": ("[{'key': 'node:b.py:x'}]", "none of the nodes"),
    "flood": ("[{'key': nodes[0]['key'], 'extra': {'a': 'x' * 10_000_000}}]", ""),
    "long": ("[{'key': nodes[0]['key'], 'extra': {'a': 'x' * 10_000}}]", "8,000"),
    "many": ("[{'key': nodes[0]['key']} for _ in range(5000)]", "5,000 entries"),
    "lambda": ("[{'key': nodes[0]['key'], 'extra': {'a': print}}]", "JSON"),
    "prints": ("for i in range(10_000):\n    print('x' * 100)\nresult", "printed"),
    "markup": ("[{'key': nodes[0]['key'], 'extra': 1}]", "extra"),
}


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_script_costs_its_limit_and_keeps_what_was_known(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text, reason = BAD[name]
    write(tmp_path, {"a.py": "def f(): ...\n"})
    write_script(tmp_path, "it", LENGTHS)
    async with trusted(tmp_path) as hub:
        capfd.readouterr()
        write_script(tmp_path, "it", HEAD + "for node in nodes:\n    a = node['line_count']\n" + text)
        hub.scripts.refresh()
        await hub.scripts.settled()
        one = status(hub, "it")
        assert one.state == "failing", one
        assert reason in one.reason
        assert await extra(hub, "a.py:f") == {"it": {"lines": 1}}
        assert capfd.readouterr().out == ""
        write_script(tmp_path, "it", LENGTHS)
        hub.scripts.refresh()
        await hub.scripts.settled()
        assert status(hub, "it").state == "ready"


async def test_one_bad_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.py": f"def {name}(): ...\n" for name in ("a", "poison", "z")})
    write_script(
        tmp_path,
        "it",
        HEAD
        + """
for node in nodes:
    if "poison" in node["key"]:
        1 / 0
    result.append({"key": node["key"], "extra": {"ok": True}})
result
""",
    )
    async with trusted(tmp_path) as hub:
        assert (await extra(hub, "a.py:a"), await extra(hub, "z.py:z")) == ({"it": {"ok": True}}, {"it": {"ok": True}})
        assert await extra(hub, "poison.py:poison") == {}
        assert status(hub, "it").state == "failing"
        assert "poison.py" in status(hub, "it").reason
        assert hub.scripts.rules["it"].failure.line == 9  # type: ignore[union-attr]


async def test_after_three_failures_in_a_row_it_is_paused_until_it_changes(tmp_path: Path) -> None:
    write(tmp_path, {f"{name}.py": f"def {name}(): ...\n" for name in "abcdef"})
    write_script(tmp_path, "it", HEAD + "1 / 0\nresult")
    async with trusted(tmp_path) as hub:
        assert (status(hub, "it").state, status(hub, "it").runs) == ("paused", 3)
        changed_on_disk(hub, "a.py")
        write(tmp_path, {"a.py": "def a(x): ...\n"})
        await hub.read(lambda view: None, paths=("a.py",))
        await hub.scripts.settled()
        assert status(hub, "it").runs == 3
        write_script(tmp_path, "it", LENGTHS)
        hub.scripts.refresh()
        await hub.scripts.settled()
        assert await extra(hub, "f.py:f") == {"it": {"lines": 1}}


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.txt", "link.txt", "a/../../secret.txt"])
async def test_externals_stay_inside_the_root(path: str, tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(tmp_path, {"secret.txt": "secret"})
    write(root, {"a.py": "def f(): ...\n", "data.txt": "42"})
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    reads = """
from typing import Any
from grail import Input, external
nodes: list[dict[str, Any]] = Input("nodes")
@external
async def read_file(path: str) -> str: ...
text = await read_file({!r})
result = [{{"key": node["key"], "extra": {{"text": text}}}} for node in nodes]
result
"""
    write_script(root, "good", reads.format("data.txt"))
    write_script(root, "bad", reads.format(path))
    async with trusted(root) as hub:
        assert await extra(hub, "a.py:f") == {"good": {"text": "42"}}
        assert "root" in status(hub, "bad").reason


async def test_a_script_that_links_out_of_the_root_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"a.py": "def f(): ...\n", f"{FOLDER}/x.txt": ""})
    write(tmp_path, {"it.pym": LENGTHS})
    (root / FOLDER / "it.pym").symlink_to(tmp_path / "it.pym")
    async with trusted(root) as hub:
        assert status(hub, "it").state == "invalid"
        assert "outside" in status(hub, "it").reason


async def test_shipped_rules_run_when_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "@app.get('/x')\ndef f():\n    # TODO(ann): it\n    ...\n"})
    async with running(tmp_path, rules=["http_routes", "todo_owners"]) as hub:  # nobody trusts anything
        await hub.scripts.settled()
        found = await extra(hub, "a.py:f")
        assert found["http_routes"] == {"routes": [{"path": "/x", "methods": ["GET"]}]}
        assert found["todo_owners"]["todos"] == [{"kind": "TODO", "owner": "ann", "text": "it", "line": 3}]
        editor = Editor(hub)
        editor.open("a.py", (tmp_path / "a.py").read_text())
        editor.edit("a.py", (2, 11), (2, 14), "bob")
        await hub.read(lambda view: None, paths=("a.py",))
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"))["todo_owners"]["todos"][0]["owner"] == "bob"
    async with running(tmp_path) as hub:
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {}


async def test_a_copy_of_a_shipped_rule_is_trusted_and_a_changed_one_is_not(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "@app.get('/x')\ndef f(): ...\n"})
    text = shelf.shipped()["http_routes"].text
    write_script(tmp_path, "http_routes", text)
    async with running(tmp_path) as hub:
        await hub.scripts.settled()
        assert "http_routes" in await extra(hub, "a.py:f")
        write_script(tmp_path, "http_routes", text.replace('"methods": [name.upper()]', '"methods": ["ANY"]'))
        hub.scripts.refresh()
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"), status(hub, "http_routes").state) == ({}, "untrusted")
        hub.scripts.trust("test")
        await hub.scripts.settled()
        assert (await extra(hub, "a.py:f"))["http_routes"]["routes"][0]["methods"] == ["ANY"]


async def test_a_projects_own_step_refines_what_is_recorded(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": 'def f(a):\n    """Add.\n\n    More.\n    """\n\ndef g(): ...\n'})
    text = shelf.shipped()["extract_signatures"].text
    write_script(tmp_path, "extract_signatures", text.replace("summary(docstring)", '(docstring or "?").upper()'))
    async with trusted(tmp_path) as hub:
        state = await node(hub, "a.py:f")
        assert (state["docstring"], state["signature"], state["extra"]) == ("ADD.\n\nMORE.", "def f(a)", {})
        assert (await node(hub, "a.py:g"))["docstring"] == "?"
        hub.scripts.distrust("test")
        await hub.scripts.settled()
        assert (await node(hub, "a.py:f"))["docstring"] == "Add."


async def test_what_the_hub_does_not_have_is_said_before_it_runs(tmp_path: Path) -> None:
    write_script(tmp_path, "none", "a: int = Input('a', default=1)\na")
    write_script(tmp_path, "inputs", "nodes: list = Input('nodes')\nb: int = Input('b')\nb")
    write_script(
        tmp_path, "externals", 'nodes: list = Input("nodes")\n@external\nasync def shell(x: str) -> str: ...\nnodes'
    )
    async with trusted(tmp_path) as hub:
        assert {one.name: (one.state, one.reason[:12]) for one in hub.scripts.status()} == {
            "none": ("invalid", "line 1: H101"), "inputs": ("invalid", "line 2: H102"), "externals": ("invalid", "line 3: H103"),
        }  # fmt: skip


async def test_another_folder_and_another_index(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): ...\n", "tools/lengths.pym": LENGTHS.replace('"lines"', '"there"')})
    write_script(tmp_path, "lengths", LENGTHS)
    async with trusted(tmp_path, scripts_folder=tmp_path / "tools") as hub:
        assert await extra(hub, "a.py:f") == {"lengths": {"there": 1}}
        hub.database.unlink()
        await hub.status()
        await hub.indexed()
        await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"lengths": {"there": 1}}


async def test_files_and_nodes_that_go_take_their_results_along(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(): ...\n", "b.py": "def g(): ...\n"})
    write_script(tmp_path, "lengths", LENGTHS)
    async with trusted(tmp_path) as hub:
        (tmp_path / "a.py").unlink()
        changed_on_disk(hub, "a.py")
        await hub.read(lambda view: None, paths=("a.py",))
        write(tmp_path, {"c.py": "def f(): ...\n\n"})
        changed_on_disk(hub, "c.py")
        assert await extra(hub, "c.py:f") == {}
        await hub.scripts.settled()
        assert await extra(hub, "c.py:f") == {"lengths": {"lines": 1}}


async def test_a_broken_text_is_looked_at_again_when_it_is_whole(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def f(a):\n    print(a)\n"})
    write_script(
        tmp_path,
        "it",
        HEAD
        + """
for node in nodes:
    result.append({"key": node["key"], "extra": {"first": node["text"].split("\\n")[0]}})
result
""",
    )
    async with trusted(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", (tmp_path / "a.py").read_text())
        for start, end, text in (((0, 7), (0, 7), "!"), ((0, 7), (0, 8), "")):
            editor.edit("a.py", start, end, text)
            await hub.read(lambda view: None, paths=("a.py",))
            await hub.scripts.settled()
        assert await extra(hub, "a.py:f") == {"it": {"first": "def f(a):"}}
