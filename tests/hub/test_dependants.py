"""What rests on a change: who imports a name hears of it, and nobody else."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from remora_hub_lsp.hub.following import FOLLOW_SECONDS
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.models import UpdateSource
from remora_hub_lsp.protocol import GetContextParams

from .running import GUARD, Editor, changed_on_disk, context, node, running, with_tests, write

FILES = {
    "shop/__init__.py": "",
    "shop/cart.py": "def total(a): ...\ndef other(): ...\nclass Cart:\n    def add(self): ...\n",
    "uses_name.py": "from shop.cart import total as t\ndef caller(): return t(1)\ndef bystander(): ...\n",
    "uses_module.py": "import shop.cart\ndef caller(): return shop.cart.total(1)\n",
    "uses_relative/__init__.py": "",
    "shop/near.py": "from . import cart\nfrom .cart import Cart\ndef caller(): return cart.total(1)\ndef user(): Cart()\n",
    "uses_other.py": "from shop.cart import other\ndef caller(): return other()\n",
    "test_cart.py": "from shop.cart import total\ndef test_total(): assert total(1) is None\n",
}


async def sources(hub: Hub, *asked: str) -> dict[str, UpdateSource]:
    result = await context(hub, *asked)
    assert not result["missing"]
    return {key: found["update_source"] for key, found in result["nodes"].items()}


async def changed_by_dependency(hub: Hub, *asked: str) -> None:
    async with asyncio.timeout(GUARD):
        while set((await sources(hub, *asked)).values()) != {"dependency_change"}:
            await asyncio.sleep(0.02)


async def test_a_changed_signature_reaches_those_that_import_it(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("shop/cart.py", FILES["shop/cart.py"])
        editor.edit("shop/cart.py", (0, 11), (0, 11), ", b")
        await changed_by_dependency(
            hub, "uses_name.py:caller", "uses_module.py:caller", "shop/near.py:caller", "test_cart.py:test_total"
        )
        untouched = await sources(hub, "uses_name.py:bystander", "uses_other.py:caller", "shop/near.py:user")
        assert set(untouched.values()) == {"cold_start"}
        assert (await sources(hub, "shop/cart.py:total"))["shop/cart.py:total"] == "buffer_change"



async def test_an_outline_and_a_search_do_not_wait_for_the_call_graph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REST_SECONDS", "FOLLOW_SECONDS"):
        monkeypatch.setattr(f"remora_hub_lsp.hub.following.{name}", GUARD * 10)  # only who waits for it lets it follow
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("shop/cart.py", FILES["shop/cart.py"])
        editor.edit("shop/cart.py", (0, 9), (0, 9), "ed")
        seen = await hub.read(lambda view: view.qualnames("shop/cart.py"), paths=("shop/cart.py",), calls=False)
        assert "totaled" in seen.value
        assert [found["qualname"] for found in (await hub.search("totaled", 5)).value] == ["totaled"]
        assert hub.following.behind
        assert (await node(hub, "uses_name.py:caller"))["callees"] == []
        assert not hub.following.behind


async def test_opening_a_file_as_it_is_leaves_the_call_graph_alone(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        before = await node(hub, "uses_name.py:caller"), await node(hub, "shop/cart.py:total")
        editor = Editor(hub)
        for path in ("shop/cart.py", "uses_name.py"):
            editor.open(path, FILES[path])
            await hub.read(lambda view, path=path: view.file(path), paths=(path,), calls=False)
            assert not hub.following.behind
        after = await node(hub, "uses_name.py:caller"), await node(hub, "shop/cart.py:total")
        for name in ("callers", "callees", "related_tests"):
            assert [one[name] for one in after] == [one[name] for one in before]


async def test_tests_are_collected_once_it_is_known_who_calls_them(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path, indexed=False) as hub:
        assert hub.cold_start.active
        assert not await hub.relations.collected(0)
        await hub.indexed()
        assert await hub.relations.collected(GUARD)


async def test_a_body_reaches_nobody(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("shop/cart.py", FILES["shop/cart.py"])
        editor.edit("shop/cart.py", (0, 14), (0, 17), "return 1")
        await node(hub, "shop/cart.py:total")
        await asyncio.sleep(0.6)
        assert set((await sources(hub, "uses_name.py:caller", "uses_module.py:caller")).values()) == {"cold_start"}


async def test_a_method_reaches_those_that_import_its_class(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        write(tmp_path, {"shop/cart.py": FILES["shop/cart.py"].replace("add(self)", "add(self, n)")})
        changed_on_disk(hub, "shop/cart.py")
        await changed_by_dependency(hub, "shop/near.py:user")
        assert (await sources(hub, "uses_name.py:caller"))["uses_name.py:caller"] == "cold_start"


async def test_a_file_that_vanishes_and_comes_back_reaches_its_importers(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        (tmp_path / "shop/cart.py").unlink()
        changed_on_disk(hub, "shop/cart.py")
        await changed_by_dependency(hub, "uses_name.py:caller", "uses_other.py:caller")
        told: list[str] = []
        hub.on_change(lambda changed: told.extend(changed.changed))
        write(tmp_path, {"shop/cart.py": FILES["shop/cart.py"]})
        changed_on_disk(hub, "shop/cart.py")
        async with asyncio.timeout(GUARD):
            while "node:uses_name.py:caller" not in told:
                await asyncio.sleep(0.02)


async def test_changes_without_end_do_not_keep_it_from_following(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("shop/cart.py", FILES["shop/cart.py"])
        editor.edit("shop/cart.py", (0, 11), (0, 11), ", b")
        following = asyncio.ensure_future(changed_by_dependency(hub, "uses_name.py:caller"))
        until = asyncio.get_running_loop().time() + 10 * FOLLOW_SECONDS
        number = 0
        while not following.done() and asyncio.get_running_loop().time() < until:
            number += 1
            editor.edit("shop/cart.py", (0, 11), (0, 11), f", c{number}")
            await asyncio.sleep(0.1)
        assert following.done()
        await following


async def test_many_changes_that_others_rest_on_are_one_revision(tmp_path: Path) -> None:
    many = {f"m{number}.py": f"def f{number}(): ...\n" for number in range(50)}
    users = {f"u{number}.py": f"from m{number} import f{number}\ndef u(): return f{number}()\n" for number in range(50)}
    write(tmp_path, many | users)
    async with running(tmp_path) as hub:
        before = hub.revision
        write(tmp_path, {path: text.replace("()", "(a)") for path, text in many.items()})
        changed_on_disk(hub, *many)
        await changed_by_dependency(hub, *(f"u{number}.py:u" for number in range(50)))
        assert hub.revision - before <= 3


async def test_more_names_than_a_statement_of_sql_may_have_parameters(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    async with running(tmp_path) as hub:
        hub.recorder.kv.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 500)  # SQLite's own is 32,766
        text = "".join(f"def f{number}(): ...\n" for number in range(600))
        write(tmp_path, {"shop/cart.py": text + "def total(): ...\n"})
        changed_on_disk(hub, "shop/cart.py")
        await changed_by_dependency(hub, "uses_name.py:caller")
        assert hub.state == "ready"


async def test_tests_are_worked_out_for_whom_the_answer_goes_on_from(tmp_path: Path) -> None:
    write(tmp_path, {"shop.py": "def total(): ...\n", "test_shop.py": "import shop\ndef test_it(): shop.total()\n"})
    test = "node:test_shop.py:test_it"
    async with running(tmp_path) as hub:
        await hub.indexed()
        for depth, known in ((1, None), (2, [test])):
            asked = GetContextParams(nodes=("shop.py:total",), include=("tests",), depth=depth)
            result = await hub.get_context(asked)
            assert result["nodes"]["shop.py:total"]["related_tests"] == [test]
            assert result["related"][test]["related_tests"] == known


async def test_a_new_call_changes_the_tests_of_all_below(tmp_path: Path) -> None:
    files = {
        "shop.py": "def total(): return _sum()\ndef _sum(): return _one()\ndef _one(): ...\ndef alone(): ...\n",
        "test_shop.py": "import shop\ndef test_total(): ...\n",
    }
    write(tmp_path, files)
    async with running(tmp_path) as hub:
        await hub.indexed()
        for name in ("_sum", "_one", "alone"):
            assert (await with_tests(hub, f"shop.py:{name}"))["related_tests"] == []
        before = (await context(hub, "shop.py:alone"))["revision"]
        editor = Editor(hub)
        editor.open("test_shop.py", files["test_shop.py"])
        editor.edit("test_shop.py", (1, 18), (1, 21), "shop.total()")
        await changed_by_dependency(hub, "shop.py:total", "shop.py:_sum", "shop.py:_one")
        assert (await with_tests(hub, "shop.py:_one"))["related_tests"] == ["node:test_shop.py:test_total"]
        assert (await with_tests(hub, "shop.py:_one"))["related_tests_distance"] == [3]
        assert (await context(hub, "shop.py:alone"))["revision"] > before
        assert set((await sources(hub, "shop.py:alone")).values()) == {"cold_start"}


async def test_what_a_test_module_shares_changes_what_its_tests_run(tmp_path: Path) -> None:
    files = {
        "shop.py": "class Cart:\n    def total(self): return _sum()\ndef _sum(): ...\n",
        "test_shop.py": "import pytest, shop\n@pytest.mark.parametrize('kind', [int])\ndef test_total(kind): kind().total()\n",
    }
    write(tmp_path, files)
    async with running(tmp_path) as hub:
        await hub.indexed()
        for name in ("Cart.total", "_sum"):
            assert (await with_tests(hub, f"shop.py:{name}"))["related_tests"] == []
        editor = Editor(hub)
        editor.open("test_shop.py", files["test_shop.py"])
        editor.edit("test_shop.py", (1, 34), (1, 37), "shop.Cart")
        await changed_by_dependency(hub, "shop.py:Cart.total", "shop.py:_sum")
        assert (await with_tests(hub, "shop.py:_sum"))["related_tests"] == ["node:test_shop.py:test_total"]


async def test_a_fixture_that_a_test_asks_for_has_it(tmp_path: Path) -> None:
    files = {
        "shop.py": "def make(): ...\n",
        "conftest.py": "import pytest, shop\n@pytest.fixture\ndef cart(): return shop.make()\n",
        "test_shop.py": "def test_cart(): ...\n",
    }
    write(tmp_path, files)
    async with running(tmp_path) as hub:
        await hub.indexed()
        assert (await with_tests(hub, "shop.py:make"))["related_tests"] == []
        editor = Editor(hub)
        editor.open("test_shop.py", files["test_shop.py"])
        editor.edit("test_shop.py", (0, 14), (0, 14), "cart")
        await changed_by_dependency(hub, "shop.py:make")
        assert (await with_tests(hub, "shop.py:make"))["related_tests"] == ["node:test_shop.py:test_cart"]


async def test_how_tests_are_found_may_change(tmp_path: Path) -> None:
    write(tmp_path, {"shop.py": "def total(): ...\n", "check_shop.py": "import shop\ndef test_total(): shop.total()\n"})
    async with running(tmp_path) as hub:
        await hub.indexed()
        assert (await with_tests(hub, "shop.py:total"))["related_tests"] == []
        write(tmp_path, {"pytest.ini": "[pytest]\npython_files = check_*.py\n"})
        hub.disk_changed(str(tmp_path / "pytest.ini"))
        async with asyncio.timeout(GUARD):
            while (await with_tests(hub, "shop.py:total"))["related_tests"] == []:
                await asyncio.sleep(0.02)
