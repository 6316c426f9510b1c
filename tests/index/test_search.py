"""Fuzzy search over all names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.search import search

from .store import put
from .test_live_rows import index


def functions(*names: str) -> str:
    return "".join(f"def {name}(): pass\n" for name in names)


def found(kv: NodeStateKV, query: str, limit: int = 200) -> list[str]:
    with kv.view() as view:
        return [symbol["qualname"] for symbol in search(view, query, limit)]


def test_the_name_itself_comes_first_then_its_beginning_then_parts_then_letters_in_order(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("c_a_r_t", "shopping_cart", "cart_total", "cart", "chart", "other"))
    assert found(kv, "cart") == ["cart", "cart_total", "shopping_cart", "c_a_r_t", "chart"]


def test_case_does_not_matter_but_the_same_case_comes_first(kv: NodeStateKV) -> None:
    put(kv, "a.py", "class Cart: pass\n" + functions("cart", "CART", "cartoon", "smart_Cart"))
    assert found(kv, "Cart") == ["Cart", "CART", "cart", "cartoon", "smart_Cart"]
    assert found(kv, "cart")[0] == "cart"
    assert set(found(kv, "CARTOON")) == {"cartoon"}


def test_letters_that_start_words_count_more(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("get_query_set", "bigqxs", "getQuerySet", "gxqxs"))
    assert set(found(kv, "gqs")[:2]) == {"get_query_set", "getQuerySet"}


def test_shorter_names_come_first(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("total_of_all", "total_sum", "total_x"))
    assert found(kv, "total") == ["total_x", "total_sum", "total_of_all"]


def test_a_dotted_query_names_the_container(kv: NodeStateKV) -> None:
    put(kv, "a.py", "class Cart:\n    def total(self): pass\n    class Line:\n        def total(self): pass\n")
    put(kv, "b.py", "class Bill:\n    def total(self): pass\n" + functions("total"))
    assert found(kv, "Cart.total") == ["Cart.total", "Cart.Line.total"]
    assert found(kv, "cart.tot") == ["Cart.total", "Cart.Line.total"]
    assert found(kv, "Line.total") == ["Cart.Line.total"]
    assert found(kv, "Cart.Line.total") == ["Cart.Line.total"]
    assert set(found(kv, "Cart.")) == {"Cart.total", "Cart.Line", "Cart.Line.total"}
    assert found(kv, "Nothing.total") == []
    assert set(found(kv, ".total")) == {"Cart.total", "Cart.Line.total", "Bill.total", "total"}


def test_a_dotted_query_finds_one_of_thousands_of_namesakes(kv: NodeStateKV) -> None:
    text = "".join(f"class C{i}:\n    def __init__(self): pass\n" for i in range(2500))
    put(kv, "a.py", text + "class Zoo:\n    def __init__(self): pass\n")
    assert found(kv, "Zoo.__init__") == ["Zoo.__init__"]
    assert found(kv, "Zoo.") == ["Zoo.__init__"]
    assert len(found(kv, "__init__")) == 200
    assert found(kv, "C77.init") == ["C77.__init__"] + [f"C77{i}.__init__" for i in range(10)]


@pytest.mark.parametrize(
    "query", ["%", "\\", "a%b", "__%", "a\\_b", "*", "?", "[a]", "'", '"', "a'b", ";", "\0", "\ud800", "a\0b"]
)
def test_wildcards_in_the_query_are_letters(kv: NodeStateKV, query: str) -> None:
    put(kv, "a.py", functions("a_b", "axb", "ab"))
    assert found(kv, query) == []


def test_an_underscore_is_an_underscore(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("a_b", "axb", "_", "a__b"))
    assert found(kv, "_") == ["_", "a_b", "a__b"]
    assert found(kv, "a_b") == ["a_b", "a__b"]


@pytest.mark.parametrize("query", ["", " ", "\t\n"])
def test_an_empty_query_gives_everything_up_to_the_limit(kv: NodeStateKV, query: str) -> None:
    put(kv, "a.py", functions(*(f"f{i}" for i in range(30))))
    assert len(found(kv, query)) == 30
    assert len(found(kv, query, 7)) == 7
    assert found(kv, query, 0) == []


def test_names_in_any_script(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("größe", "名前", "straße", "名_前", "été"))
    assert found(kv, "größe") == ["größe"]
    assert found(kv, "gröE") == ["größe"]
    assert found(kv, "名前") == ["名前", "名_前"]
    assert found(kv, "aß") == ["straße"]
    assert found(kv, "e\u0301te\u0301") == ["été"], "as macOS writes it"


def test_a_symbol_says_where_it_is(kv: NodeStateKV) -> None:
    put(kv, "pkg/a.py", "class A:\n    def f(self, x): pass\n    def f(self): pass\n")
    with kv.view() as view:
        first, second = search(view, "f")
    assert first == {
        "name": "f", "qualname": "A.f", "key": "node:pkg/a.py:A.f", "path": "pkg/a.py", "kind": "method",
        "node_type": "function", "signature": "def f(self, x)",
        "range": {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 24}},
        "name_range": {"start": {"line": 1, "character": 8}, "end": {"line": 1, "character": 9}},
    }  # fmt: skip
    assert second["qualname"] == "A.f#2"


def test_modules_are_no_symbols(kv: NodeStateKV) -> None:
    put(kv, "module.py", "x = 1\n")
    assert found(kv, "module") == []
    assert found(kv, "") == []


def test_a_very_long_query_finds_nothing_and_harms_nothing(kv: NodeStateKV) -> None:
    put(kv, "a.py", functions("a" * 200))
    assert found(kv, "a" * 200) == ["a" * 200]
    assert found(kv, "a" * 200_000) == []
    assert found(kv, "." * 100_000) in ([], ["a" * 200])
    assert found(kv, "ab" * 30) == []


NAMES = st.lists(
    st.text("abAB_é", min_size=1, max_size=6).filter(str.isidentifier), min_size=1, max_size=12, unique=True
)


@settings(max_examples=40, deadline=None)
@given(NAMES, st.text("abAB_é", min_size=1, max_size=3))
def test_exactly_the_names_that_have_its_letters_in_order_are_found(names: list[str], query: str) -> None:
    def has(name: str) -> bool:
        letters = iter(name.lower())
        return all(letter in letters for letter in query.lower())

    with index() as kv:
        put(kv, "a.py", functions(*names))
        hits = found(kv, query)
    assert sorted(hits) == sorted(name for name in names if has(name))
    same = [hit.lower() == query.lower() for hit in hits]
    assert same == sorted(same, reverse=True)
    if query in names:
        assert hits[0] == query
