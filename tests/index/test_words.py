"""Words in names and texts, as ranking compares them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from remora_hub_lsp.index.words import Patterns, _found, _pattern, _words

PIECES = st.sampled_from(["get", "Get", "GET", "HTTP", "http", "2", "42", "_", ".", "A", "a", "Foo", "X", " ", "s", "TCP"])


@given(st.lists(PIECES, max_size=6), st.sampled_from(["get", "http", "aget", "foo", "42", "2", "tcp"]))
def test_a_word_is_found_where_a_text_has_it_as_a_word(pieces: list[str], word: str) -> None:
    text = "".join(pieces)
    patterns: Patterns = {word: _pattern(word)}
    assert _found(patterns, text.encode()) == {word} & set(_words(text))
