from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remora_hub_lsp.analysis.resolver.classes import merge


@st.composite
def hierarchies(draw: st.DrawFn) -> list[list[int]]:
    """The bases of each class, as numbers of those before it."""
    count = draw(st.integers(1, 8))
    return [draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else [] for number in range(count)]


def order(number: int, bases: list[list[int]]) -> list[int]:
    return [number, *merge([*(order(base, bases) for base in bases[number]), bases[number]])]


@given(hierarchies())
def test_the_order_of_a_hierarchy_is_the_one_that_python_has(bases: list[list[int]]) -> None:
    made: list[type] = []
    for number, above in enumerate(bases):
        try:
            made.append(type(str(number), tuple(made[base] for base in above), {}))
        except TypeError:  # Python has none
            bases = bases[:number]
            break
    for number, cls in enumerate(made):
        assert order(number, bases) == [int(one.__name__) for one in cls.__mro__[:-1]]


def test_where_no_order_agrees_with_all_each_class_still_comes_once() -> None:
    assert merge([["a", "b"], ["b", "a"]]) == ["a", "b"]
    assert merge([["?"], ["?"], ["?", "?"]]) == ["?"]
