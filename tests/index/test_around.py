"""getContext in full: what is around the nodes, their texts, and what is cut to keep to a budget."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from remora_hub_lsp.analysis.text import split_lines
from remora_hub_lsp.index.answers import Asked, WhyNot, get_context
from remora_hub_lsp.index.around import RELATIONS, Text, Wanted, finish, relate, texts_of
from remora_hub_lsp.index.ids import parse_id
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.protocol import GetContextResult

from .store import SHOP, put


@pytest.fixture
def kv(tmp_path: Path) -> Iterator[NodeStateKV]:
    kv = NodeStateKV(tmp_path / "index.db")
    put(kv, "shop.py", SHOP)
    yield kv
    kv.close()


def key(name: str) -> str:
    return f"node:shop.py:{name}"


def ask(kv: NodeStateKV, *names: str, **how: Any) -> dict[str, Any]:
    """As a hub answers it; checked against the protocol."""
    include = frozenset(how.pop("include", ()))
    wanted = Wanted(include, **how)
    ids = {key(name): parse_id(key(name), lambda path: path) for name in names}
    with kv.view() as view:
        result = get_context(view, Asked(ids, {}), (), lambda path: WhyNot("no such file", None), "ready")
        relate(view, result, wanted)
    texts = texts_of(result["nodes"].values(), split_lines(SHOP)) if "source" in include else {}
    result = finish(result, wanted, texts)
    GetContextResult.model_validate(result)
    return result


def connect(kv: NodeStateKV, caller: str, callee: str) -> None:
    """Let one be known to call the other, as the graph will."""
    for name, field, other in ((caller, "callees", callee), (callee, "callers", caller)):
        state = kv.get(key(name))
        assert state is not None
        known = getattr(state, field) or ()
        kv.set(state.model_copy(update={field: (*known, key(other))}))


def cuts(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(entry["id"], entry["what"], entry["reason"]) for entry in result["omitted"]]


# ------------------------------------------------------------------------------------------------ around


def test_siblings_are_what_is_defined_beside(kv: NodeStateKV) -> None:
    result = ask(kv, "Cart.total", "load", "load.inner", "<module>", include=["siblings"])
    beside = {name.removeprefix("node:shop.py:"): kinds["siblings"] for name, kinds in result["relations"].items()}
    assert beside == {
        "Cart.total": [key("Cart.total#2"), key("Cart.Line")],
        "load": [key("Cart"), key("save"), key("save#2")],
        "load.inner": [],
        "<module>": [],
    }
    assert list(result["related"]) == [key(name) for name in ("Cart.total#2", "Cart.Line", "Cart", "save", "save#2")]
    assert cuts(result) == []


def test_what_is_not_computed_is_named_and_never_empty(kv: NodeStateKV) -> None:
    result = ask(kv, "load", "save", include=["tests", "callees", "callers"])
    assert cuts(result) == [
        (key(name), kind, "not computed") for name in ("load", "save") for kind in ("callers", "callees", "tests")
    ]
    assert result["relations"] == {}


def test_callers_to_the_depth_that_is_asked_for(kv: NodeStateKV) -> None:
    connect(kv, "save", "load")
    connect(kv, "Cart.total", "save")
    connect(kv, "load.inner", "Cart.total")
    by_depth = [ask(kv, "load", include=["callers"], depth=depth) for depth in (0, 1, 2)]
    assert [list(result["related"]) for result in by_depth] == [
        [], [key("save")], [key("save"), key("Cart.total")]]  # fmt: skip
    assert by_depth[0]["relations"] == by_depth[1]["relations"] == {key("load"): {"callers": [key("save")]}}
    assert by_depth[2]["relations"][key("save")] == {"callers": [key("Cart.total")]}
    assert [cuts(result) for result in by_depth] == [[], [], []]


def test_a_circle_of_calls_ends(kv: NodeStateKV) -> None:
    connect(kv, "save", "load")
    connect(kv, "load", "save")
    result = ask(kv, "load", include=["callers", "callees"], depth=2)
    assert list(result["related"]) == [key("save")]


def test_what_is_called_outside_the_project_is_only_named(kv: NodeStateKV) -> None:
    state = kv.get(key("load"))
    assert state is not None
    kv.set(state.model_copy(update={"callees": ("os.path.join", "node:gone.py:f")}))
    result = ask(kv, "load", include=["callees"])
    assert result["relations"][key("load")]["callees"] == ["os.path.join", "node:gone.py:f"]
    assert result["related"] == {}


def test_the_text_is_whole_lines(kv: NodeStateKV) -> None:
    result = ask(kv, "Cart.total#2", "load.inner", include=["source"])
    assert [node["extra"]["source"] for node in result["nodes"].values()] == [
        "    @total.setter\n    def total(self, value: int) -> None:\n        raise AttributeError",
        "    def inner():\n        return p.join(name)",
    ]
    whole = ask(kv, "<module>", include=["source"])["nodes"][key("<module>")]["extra"]["source"]
    assert whole == SHOP.rstrip("\n")


def test_a_text_that_cannot_be_read_is_named(kv: NodeStateKV) -> None:
    with kv.view() as view:
        ids = {key("load"): parse_id(key("load"), lambda path: path)}
        result = get_context(view, Asked(ids, {}), (), lambda path: WhyNot("no such file", None), "ready")
    result = finish(result, Wanted(frozenset({"source"})), {key("load"): Text(None, "its file is changing")})
    assert cuts(result) == [(key("load"), "source", "its file is changing")]


# ------------------------------------------------------------------------------------------------ cut


def test_brief_leaves_the_details_away_and_says_so(kv: NodeStateKV) -> None:
    full, brief = ask(kv, "Cart.total"), ask(kv, "Cart.total", brief=True)
    state = brief["nodes"][key("Cart.total")]
    assert (state["docstring_full"], state["imports"]) == (None, [])
    assert state["docstring"] == full["nodes"][key("Cart.total")]["docstring"] == "The price of all."
    assert cuts(brief) == [("*", "details", "brief")]


ASKED = ("Cart.total", "load", "save")
EVERYTHING: dict[str, Any] = {"include": ["source", *RELATIONS]}


def size(result: dict[str, Any]) -> int:
    """Tokens of all that counts."""
    counted = {name: result[name] for name in ("nodes", "related", "relations", "missing", "stale")}
    return len(orjson.dumps(counted)) // 4


@pytest.mark.parametrize("budget", [0, 1, 100, 300, 500, 800, 1000, 1500, 2000, 3000, 10_000])
def test_a_budget_is_kept_and_every_cut_has_a_name(kv: NodeStateKV, budget: int) -> None:
    connect(kv, "save", "load")
    whole, result = ask(kv, *ASKED, **EVERYTHING), ask(kv, *ASKED, **EVERYTHING, budget=budget)
    frame = 30  # the names of the five parts
    assert size(result) <= budget + frame
    named = {(entry["id"], entry["what"]) for entry in result["omitted"]}
    for name in whole["nodes"]:
        given = result["nodes"].get(name)
        assert (given is None) == ((name, "node") in named)
        if given is not None:
            assert ("source" in given["extra"]) == ((name, "source") not in named)
    for name, kinds in whole["relations"].items():
        for kind, keys in kinds.items():
            left = len(keys) - len(result["relations"].get(name, {}).get(kind, []))
            told = [entry["count"] for entry in result["omitted"] if (entry["id"], entry["what"]) == (name, kind)]
            assert told == ([left] if left else [])
    lost = len(whole["related"]) - len(result["related"])
    told = [entry["count"] for entry in result["omitted"] if entry["what"] == "related node"]
    assert told == ([lost] if lost else [])


def test_more_budget_never_gives_less(kv: NodeStateKV) -> None:
    results = [ask(kv, *ASKED, **EVERYTHING, budget=budget) for budget in range(0, 4000, 200)]
    for less, more in itertools.pairwise(results):
        assert set(less["nodes"]) <= set(more["nodes"])
    assert results[-1]["related"] == ask(kv, *ASKED, **EVERYTHING)["related"]


def test_the_same_question_has_the_same_answer(kv: NodeStateKV) -> None:
    first, second = (orjson.dumps(ask(kv, *ASKED, **EVERYTHING, budget=1500)) for _ in range(2))
    assert first == second
    assert list(ask(kv, *reversed(ASKED))["nodes"]) == [key(name) for name in reversed(ASKED)]


def test_who_is_asked_for_first_is_cut_last(kv: NodeStateKV) -> None:
    for order in itertools.permutations(ASKED):
        result = ask(kv, *order, budget=500)
        assert list(result["nodes"]) == [key(name) for name in order][: len(result["nodes"])]
        assert 0 < len(result["nodes"]) < 3
