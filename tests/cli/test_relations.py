"""The commands that ask the graph, on a small project in git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.cli import main

FILES = {
    "pyproject.toml": "[project]\nname = 'shop'\n[project.scripts]\nshop = 'shop.main:run'\n",
    "shop/__init__.py": "from .cart import total\n",
    "shop/cart.py": "RATE = 1\n\n\ndef total(cart):\n    return _sum(cart)\n\n\ndef _sum(cart):\n    return RATE\n\n\ndef _forgotten():\n    return 1\n",
    "shop/main.py": "from shop import total\n\n\ndef run():\n    print(total([]))\n",
    "tests/test_cart.py": "import shop\n\n\ndef test_total():\n    assert shop.total([]) == 1\n",
    "tests/test_other.py": "def test_other():\n    assert True\n",
}


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(root)
    subprocess.run(["git", "init", "-q"], check=True, cwd=root)
    commit(root)
    return root


def commit(root: Path) -> None:
    for command in (["add", "."], ["commit", "-q", "-m", "next"]):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *command], check=True, cwd=root)


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str) -> tuple[int, list[str]]:
        code = main([*arguments, "--workers", "0"])
        self.err = ""
        out, self.err = self._capsys.readouterr()
        return code, out.splitlines()

    def json(self, *arguments: str) -> Any:
        code, out = self(*arguments, "--json")
        assert code == 0, self.err
        return json.loads("\n".join(out))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(capsys)


def test_callers_and_callees(shop: Path, run: Run) -> None:
    assert run("callers", "shop/cart.py:total") == (0, [
        "shop/main.py:5  run  exact", "tests/test_cart.py:5  test_total  exact",
    ])  # fmt: skip
    assert run("callees", "shop.cart.total") == (0, ["line 5  shop/cart.py:_sum  exact"])
    found = run.json("callers", "shop/cart.py:_sum")
    (call,) = found["calls"]["shop/cart.py:_sum"]
    assert (call["key"], call["evidence"], call["kind"]) == ("node:shop/cart.py:total", "exact", "call")
    assert call["sites"] == [{"start": {"line": 4, "character": 11}, "end": {"line": 4, "character": 15}}]


def test_a_node_that_is_not_there_is_named(shop: Path, run: Run) -> None:
    code, _ = run("callers", "shop/cart.py:totl")
    assert code == 1
    assert "did you mean node:shop/cart.py:total" in run.err


def test_tests_of_a_node_are_arguments_for_pytest(shop: Path, run: Run) -> None:
    assert run("tests", "shop/cart.py:_sum") == (0, ["tests/test_cart.py::test_total"])
    code, out = run("tests", "shop/cart.py:_sum", "--why")
    assert (code, out[0].split()[:3]) == (0, ["tests/test_cart.py::test_total", "distance", "2,"])
    assert run("tests", "shop/cart.py:_forgotten")[0] == 1


def test_tests_for_what_changed(shop: Path, run: Run) -> None:
    assert run("tests", "--changed") == (1, [])
    (shop / "shop/cart.py").write_text(FILES["shop/cart.py"].replace("return RATE", "return RATE + 1"))
    assert run("tests", "--changed") == (0, ["tests/test_cart.py::test_total"])
    assert "1 of 2 tests for 1 changed definition since" in run.err
    found = run.json("tests", "--changed", "HEAD")
    assert found["changed"] == ["node:shop/cart.py:_sum"]
    (shop / "notes.txt").write_text("x")
    run("tests", "--changed")
    assert "not Python does not count: notes.txt" in run.err


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("shop/cart.py", "RATE = 1", "RATE = 2"),  # who imports the module may see it
        ("shop/cart.py", "def _sum(cart):\n    return RATE", "def _gone(cart):\n    return RATE"),
        ("shop/__init__.py", "from .cart import total", "from .cart import _sum as total"),
        ("tests/test_cart.py", "== 1", "== 2"),
        ("shop/cart.py", "def total(cart):", "def total(cart:"),  # it does not parse any more
    ],
)
def test_no_test_of_a_change_is_missed(shop: Path, run: Run, file: str, before: str, after: str) -> None:
    assert before in FILES[file]
    (shop / file).write_text(FILES[file].replace(before, after))
    assert run("tests", "--changed") == (0, ["tests/test_cart.py::test_total"])


def test_what_is_known_to_be_tested_elsewhere_does_not_need_all_who_import_it(shop: Path, run: Run) -> None:
    table = "def rate(): return 1\ndef extra(): return 2\nTABLE = {'rate': rate, 'extra': extra}\n"
    (shop / "shop/rates.py").write_text(table)
    (shop / "tests/test_rate.py").write_text("from shop import rates\ndef test_rate(): assert rates.rate() == 1\n")
    (shop / "tests/test_table.py").write_text("from shop import rates\ndef test_table(): assert rates.TABLE\n")
    commit(shop)
    (shop / "shop/rates.py").write_text(table.replace("return 1", "return 3"))
    assert run("tests", "--changed") == (0, ["tests/test_rate.py::test_rate"])
    assert run("tests", "--changed", "--all") == (0, ["tests/test_rate.py::test_rate", "tests/test_table.py::test_table"])
    (shop / "shop/rates.py").write_text(table.replace("return 2", "return 3"))
    assert run("tests", "--changed") == (0, ["tests/test_rate.py::test_rate", "tests/test_table.py::test_table"])


def test_a_limit_names_the_likeliest(shop: Path, run: Run) -> None:
    (shop / "tests/test_more.py").write_text("import shop\n\n\ndef test_rate():\n    assert shop.cart.RATE\n")
    (shop / "shop/cart.py").write_text(FILES["shop/cart.py"].replace("return RATE", "return 2"))
    assert run("tests", "--changed", "--limit", "1") == (0, ["tests/test_more.py::test_rate"])  # it is new


def test_a_deleted_module_concerns_who_imported_it(shop: Path, run: Run) -> None:
    (shop / "shop/cart.py").unlink()
    assert run("tests", "--changed") == (0, ["tests/test_cart.py::test_total"])


def test_a_revision_that_is_none_is_refused(shop: Path, run: Run) -> None:
    assert run("tests", "--changed", "nothing")[0] == 2
    assert "knows no revision 'nothing'" in run.err


def test_without_nodes_and_changes_there_is_no_question(shop: Path, run: Run) -> None:
    assert run("tests")[0] == 2
    assert "name nodes" in run.err


def test_dead_leaves_entry_points_and_what_is_used_alone(shop: Path, run: Run) -> None:
    assert run("dead") == (0, ["shop/cart.py:12  function     _forgotten"])
    (one,) = run.json("dead")["unused"]
    assert (one["key"], one["sure"]) == ("node:shop/cart.py:_forgotten", True)
    assert run("dead", "tests")[1] == []
