"""The kit itself: a mark that cannot fail would be worth nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ..kit import parse

Check = Callable[[str], None]


def test_a_fixture_without_a_mark_fails(check: Check) -> None:
    with pytest.raises(AssertionError, match="without a mark"):
        check("""
            #- a.py
            def f(): ...
        """)


def test_a_wrong_mark_fails_and_says_what_the_hub_says(check: Check) -> None:
    with pytest.raises(AssertionError, match=r"a.py:1 signature: stated 'def g\(\)', the hub says 'def f\(\)'"):
        check("""
            #- a.py
            def f(): ...  #@ signature: def g()
        """)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f(): ...\n", "before the first"),
        ("#- a.py\nx = 1  #@ nonsense: 1\n", "no field 'nonsense'"),
        ("#- a.py\nx = 1  #@ signature\n", "field: value"),
    ],
)
def test_a_malformed_fixture_is_refused(text: str, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        parse(text)
