"""Searching while the project is being indexed for the first time."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_hub_lsp.hub.worker import Task, scan_names

from .running import Editor, Gate, running

MANY = 40


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The file with the names is the smallest, so the cold start's last."""
    for number in range(MANY):
        body = "".join(f"def f{number}_{i}(a, b):\n    return a + b\n\n" for i in range(20))
        (tmp_path / f"m{number}.py").write_text(body)
    (tmp_path / "rare.py").write_text("class Cart:\n    async def checkout(self): ...\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Shut: the cold start is not over."""
    return Gate(monkeypatch)


@pytest.mark.parametrize("query", ["checkout", "CHECK", "eckou", "Cart.checkout"])
async def test_a_name_is_found_before_its_file_s_turn(project: Path, gate: Gate, query: str) -> None:
    async with running(project, indexed=False) as hub:
        answer = await hub.search(query, 10)
        assert answer.state == "indexing"
        assert [symbol["key"] for symbol in answer.value] == ["node:rare.py:Cart.checkout"]


async def test_a_name_that_was_typed_meanwhile_is_found_as_well(project: Path, gate: Gate) -> None:
    async with running(project, indexed=False) as hub:
        Editor(hub).open("m1.py", "def brand_new(): ...\n")
        assert [symbol["name"] for symbol in (await hub.search("brand_new", 10)).value] == ["brand_new"]


async def test_nothing_is_kept_once_all_is_indexed(project: Path, gate: Gate) -> None:
    async with running(project, indexed=False) as hub:
        await hub.search("checkout", 10)
        gate.open()
        await hub.indexed()
        assert [symbol["name"] for symbol in (await hub.search("f7_1", 1)).value] == ["f7_1"]
        assert await hub.questions.names.files("checkout") == []
        assert hub.questions.names._names == {}


def test_the_scan_finds_what_lines_define_whatever_else_they_hold(tmp_path: Path) -> None:
    text = "class Ünï(object):\r\n\tdef  Ab_1 (self): pass\nasync   def spät(): ...\nx = 1; def_ = 2\n# def no\n\fdef ff(): 0\n"
    (tmp_path / "a.py").write_text(text, encoding="utf-8", newline="")
    tasks = [Task("a.py", str(tmp_path / "a.py"), ""), Task("gone.py", str(tmp_path / "gone.py"), "")]
    ((path, names),) = scan_names(tasks, 1_000)
    assert path == "a.py"
    assert names.split() == ["ünï", "ab_1", "spät", "ff"]
