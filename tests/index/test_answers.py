"""remora/getContext over an index: what is found, what is missing and why, what is stale."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pytest

from remora_hub_lsp.analysis.facts import MODULE
from remora_hub_lsp.analysis.segments import SegmentedText
from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.index.answers import Asked, Place, WhyNot, get_context
from remora_hub_lsp.index.ids import BadId, parse_id
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.rows import FileRows, LiveRows
from remora_hub_lsp.protocol import GetContextResult

from .store import SHOP, put, stamp

REASONS = {
    "new.py": WhyNot("not indexed yet", None),
    "build/x.py": WhyNot("file ignored", "build is left out by default"),
}


def why_not(path: str) -> WhyNot:
    return REASONS.get(path, WhyNot("no such file", f"{path} does not exist"))


def ask(
    kv: NodeStateKV,
    *nodes: str,
    places: Mapping[str, Place | BadId] | None = None,
    pending: Collection[str] = (),
) -> dict[str, Any]:
    ids = {text: parse_id(text, lambda path: path.removeprefix("/root/")) for text in nodes}
    with kv.view() as view:
        result = get_context(view, Asked(ids, places or {}), pending, why_not, "ready")
    GetContextResult.model_validate(result)
    return result


def missing(kv: NodeStateKV, asked: str) -> dict[str, Any]:
    result = ask(kv, asked)
    assert result["nodes"] == {}
    (entry,) = result["missing"]
    assert entry["id"] == asked
    return {key: value for key, value in entry.items() if key != "id"}


@pytest.fixture(autouse=True)
def files(kv: NodeStateKV) -> None:
    put(kv, "shop/cart.py", SHOP)
    put(kv, "shop/bill.py", "class Bill:\n    def total(self): pass\n")
    failed = FileRows("shop/bad.py", "", 0, 0, "byte 0xe9 is not utf-8", 3, b"[]", b"[]", [], [])
    kv.replace_file(failed, stamp())


def test_nodes_are_answered_under_the_ids_they_were_asked_by(kv: NodeStateKV) -> None:
    asked = (
        "node:shop/cart.py:Cart.total", "shop/cart.py:Cart.total", "/root/shop/cart.py:Cart.total",
        "file:///root/shop/cart.py:Cart.total", "shop.cart.Cart.total", "cart.Cart.total",
    )  # fmt: skip
    result = ask(kv, *asked)
    assert tuple(result["nodes"]) == asked
    assert {node["key"] for node in result["nodes"].values()} == {"node:shop/cart.py:Cart.total"}
    assert (result["missing"], result["stale"], result["revision"], result["state"]) == ([], [], 3, "ready")


def test_a_path_alone_is_its_module(kv: NodeStateKV) -> None:
    result = ask(kv, "shop/cart.py", "shop.cart")
    assert [node["qualname"] for node in result["nodes"].values()] == [MODULE, MODULE]


def test_a_place_is_answered_with_the_innermost_node(kv: NodeStateKV) -> None:
    result = ask(kv, places={"here": ("shop/cart.py", 27, 10), "there": ("shop/cart.py", 2, 0)})
    assert {text: node["qualname"] for text, node in result["nodes"].items()} == {"here": "load.inner", "there": MODULE}


def test_why_a_place_has_no_answer(kv: NodeStateKV) -> None:
    places: dict[str, Place | BadId] = {
        "failed": ("shop/bad.py", 0, 0), "new": ("new.py", 0, 0), "ignored": ("build/x.py", 0, 0), "none": ("no.py", 0, 0),
        "outside": BadId("the document is outside the project root"),
    }  # fmt: skip
    found = {entry["id"]: (entry["reason"], entry["detail"]) for entry in ask(kv, places=places)["missing"]}
    assert found == {
        "failed": ("file failed", "byte 0xe9 is not utf-8"),
        "new": ("not indexed yet", None),
        "ignored": ("file ignored", "build is left out by default"),
        "none": ("no such file", "no.py does not exist"),
        "outside": ("bad id", "the document is outside the project root"),
    }


@pytest.mark.parametrize(
    ("asked", "reason", "detail"),
    [
        ("no.py:f", "no such file", "no.py does not exist"),
        ("build/x.py:f", "file ignored", "build is left out by default"),
        ("new.py:f", "not indexed yet", None),
        ("new.py", "not indexed yet", None),
        ("shop/bad.py:f", "file failed", "byte 0xe9 is not utf-8"),
        ("shop/bad.py", "file failed", "byte 0xe9 is not utf-8"),
        ("shop/cart.py:nothing", "no such node", "shop/cart.py defines no nothing"),
        ("shop.cart.nothing", "no such node", "shop/cart.py defines no nothing"),
        ("other.thing", "no such file", "no module of the project begins 'other.thing'"),
    ],
)
def test_why_a_node_has_no_answer(kv: NodeStateKV, asked: str, reason: str, detail: str | None) -> None:
    found = missing(kv, asked)
    assert (found["reason"], found["detail"]) == (reason, detail)


@pytest.mark.parametrize("asked", ["", "a b", "node:Cart", "x/y:z", "../a.py:f"])
def test_an_id_that_cannot_be_read(kv: NodeStateKV, asked: str) -> None:
    found = missing(kv, asked)
    assert found["reason"] == "bad id"
    assert found["detail"]


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("shop/cart.py:Cart.totl", "node:shop/cart.py:Cart.total"),
        ("shop/cart.py:total", "node:shop/cart.py:Cart.total"),
        ("shop/cart.py:inner", "node:shop/cart.py:load.inner"),
        ("shop/cart.py:saved", "node:shop/cart.py:save"),
        ("Bill", "node:shop/bill.py:Bill"),
        ("billing.bill", "node:shop/bill.py:Bill"),
    ],
)
def test_near_matches_are_offered(kv: NodeStateKV, asked: str, near: str) -> None:
    assert near in missing(kv, asked)["near"]


def test_nothing_is_near_where_nothing_is_like_it(kv: NodeStateKV) -> None:
    assert missing(kv, "shop/cart.py:zzzzzzzz")["near"] == []
    assert missing(kv, "zzz.yyy")["near"] == []


def test_a_node_whose_file_has_a_newer_change_is_stale(kv: NodeStateKV) -> None:
    result = ask(kv, "shop/cart.py:load", "shop/bill.py:Bill", pending=["shop/cart.py"])
    assert result["stale"] == [{"id": "shop/cart.py:load", "reason": "a newer change of its file is not analysed yet"}]
    assert set(result["nodes"]) == {"shop/cart.py:load", "shop/bill.py:Bill"}


def test_a_node_whose_text_is_broken_is_stale_and_its_neighbours_are_not(kv: NodeStateKV) -> None:
    document, live = TextDocument("def f(a): pass\n\n\ndef g(): pass\n"), LiveRows("b.py")
    segments = SegmentedText(document.take_dirty()[0])
    kv.replace_file(live.update(segments.facts()), stamp())
    document.edit((0, 6), (0, 7), ":", "utf-16")
    segments.update(*document.take_dirty())
    kv.replace_file(live.update(segments.facts()), stamp())
    result = ask(kv, "b.py:f", "b.py:g", "b.py")
    (entry,) = result["stale"]
    assert entry["id"] == "b.py:f"
    assert "does not parse" in entry["reason"]
    assert result["nodes"]["b.py:f"]["signature"] == "def f(a)", "its last good facts"
    assert result["nodes"]["b.py"]["broken"]


def test_nothing_asked_is_nothing_answered(kv: NodeStateKV) -> None:
    result = ask(kv)
    assert (result["nodes"], result["missing"], result["stale"]) == ({}, [], [])
