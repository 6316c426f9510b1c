"""Which definitions do something else: by code, not by text."""

from __future__ import annotations

from textwrap import dedent

import pytest

from remora_hub_lsp.analysis.compare import difference

BEFORE = dedent("""
    import os
    LIMIT = 3

    def free(a):
        def inner(): return a
        return inner()

    class Cart:
        rate = 1
        def total(self): return 1
        def total2(self): return 2

    if LIMIT:
        def late(): return 1
""")


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("return a", "return  a  # the same", ""),
        ("\nimport os", "\n\n\nimport os\n\n", ""),
        ("return a", "return a + 1", "free.inner"),
        ("return inner()", "return inner() + 1", "free"),
        ("def free(a)", "def free(a, b=1)", "free"),
        ("def inner()", "def inner(b=1)", "free.inner"),
        ("return 2", "return 3", "Cart.total2"),
        ("rate = 1", "rate = 2", "Cart"),
        ("class Cart:", "class Cart(Base):", "Cart"),
        ("LIMIT = 3", "LIMIT = 4", "<module>"),
        ("def late(): return 1", "def late(): return 2", "late"),
    ],
)
def test_a_change_is_the_innermost_definitions(old: str, new: str, changed: str) -> None:
    assert old in BEFORE
    found = difference(BEFORE, BEFORE.replace(old, new, 1))
    assert found.changed == frozenset(changed.split())
    assert not found.added
    assert not found.removed


def test_what_comes_and_goes_changes_what_is_around() -> None:
    found = difference(BEFORE, BEFORE.replace("total2", "total3"))
    assert found.added == {"Cart.total3"}
    assert found.removed == {"Cart.total2"}
    assert found.changed == {"Cart"}


def test_further_definitions_of_a_name_are_told_apart() -> None:
    text = "def f(): return 1\ndef f(): return 2\n"
    assert difference(text, text.replace("2", "3")).changed == {"f#2"}


def test_a_decorator_belongs_to_what_it_decorates() -> None:
    assert difference("@a\ndef f(): ...\n", "@b\ndef f(): ...\n").changed == {"f"}


def test_a_file_that_comes_is_all_new() -> None:
    assert difference(None, "def f(): ...\n").added == {"<module>", "f"}
    assert difference("def f(): ...\n", None).removed == {"<module>", "f"}


def test_a_text_that_does_not_parse_may_differ_anywhere() -> None:
    assert difference("def f(): ...\n", "def f(:\n").whole
