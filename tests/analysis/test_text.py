"""TextDocument against an oracle that edits one plain str."""

from __future__ import annotations

import random
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis.text import (
    Encoding,
    TextDocument,
    Untouched,
    character_of,
    index_of,
    split_lines,
    units,
)

CODECS: dict[Encoding, tuple[str, int]] = {
    "utf-8": ("utf-8", 1),
    "utf-16": ("utf-16-le", 2),
    "utf-32": ("utf-32-le", 4),
}
ENCODINGS = st.sampled_from(sorted(CODECS))
# Line ends often; and what str.splitlines() takes for line ends, but LSP and Python do not.
TEXTS = st.text(st.sampled_from("\n\r\n\rab \t\f\v\x1c\x85\u2028\u2029é€😀𝒳\0"), max_size=12) | st.sampled_from(
    ["", "\r", "\n", "\r\n", "a\r\nb\rc\nd", "😀\r\n", "\f\n"]
)
POSITIONS = st.tuples(st.integers(0, 9), st.integers(0, 12))


class Change(NamedTuple):
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


CHANGES = st.builds(Change, POSITIONS, POSITIONS, TEXTS)


def oracle_lines(text: str) -> list[str]:
    """Lines with their ends, one character at a time."""
    lines, line = [], ""
    for i, char in enumerate(text):
        line += char
        if char == "\n" or (char == "\r" and text[i + 1 : i + 2] != "\n"):
            lines.append(line)
            line = ""
    return [*lines, line] if line else lines


def oracle_units(text: str, encoding: Encoding) -> int:
    codec, width = CODECS[encoding]
    return len(text.encode(codec, "surrogatepass")) // width


def oracle_offset(text: str, position: tuple[int, int], encoding: Encoding) -> int:
    """Index in `text` of an LSP position, clamped to its line's text and to the text's end."""
    line, character = position
    lines = oracle_lines(text)
    if line >= len(lines):
        return len(text)
    body = lines[line].rstrip("\r\n")
    fitting = [i for i in range(len(body) + 1) if oracle_units(body[:i], encoding) <= character]
    return sum(map(len, lines[:line])) + max(fitting)


def oracle_edit(text: str, change: Change, encoding: Encoding) -> str:
    start, end = sorted((change.start, change.end))
    return text[: oracle_offset(text, start, encoding)] + change.text + text[oracle_offset(text, end, encoding) :]


@given(TEXTS)
def test_lines_end_at_n_rn_and_r_only(text: str) -> None:
    assert split_lines(text) == oracle_lines(text)


@settings(max_examples=400)
@given(TEXTS, st.lists(CHANGES, min_size=1, max_size=6), ENCODINGS)
@example("a\rb\n", [Change((1, 0), (1, 1), "")], "utf-16")  # \r and \n meet
@example("a\r\nb", [Change((0, 1), (0, 9), "")], "utf-16")  # past the line's end is before its \r\n
@example("a\r", [Change((1, 0), (1, 0), "\n")], "utf-16")  # \n is typed at the end, behind a \r
@example("\n", [Change((0, 0), (0, 0), "x\r")], "utf-16")  # \r is typed before a \n
@example("a\n\r\rb", [Change((0, 1), (1, 0), "")], "utf-8")
@example("a\rx\n\nb", [Change((1, 0), (2, 0), "")], "utf-8")
@example("a\nb", [Change((1, 0), (1, 1), "")], "utf-8")  # the last line vanishes
@example("a\nb\n", [Change((0, 0), (9, 9), "")], "utf-8")
@example("", [Change((3, 3), (0, 0), "x\r")], "utf-8")
@example("😀b", [Change((0, 1), (0, 2), "")], "utf-16")  # inside a surrogate pair: its start
@example("é😀b", [Change((0, 1), (0, 5), "")], "utf-8")
@example("a\nb", [Change((1, 1), (0, 0), "x")], "utf-8")  # end before start
def test_edits_equal_edits_of_one_string(text: str, changes: list[Change], encoding: Encoding) -> None:
    document = TextDocument(text)
    for change in changes:
        document.edit(*change, encoding)
        text = oracle_edit(text, change, encoding)
        assert document.lines == oracle_lines(text)


@settings(max_examples=400)
@given(TEXTS, st.lists(st.lists(CHANGES, max_size=4), min_size=1, max_size=3), ENCODINGS)
def test_untouched_lines_are_those_of_the_last_call(text: str, rounds: list[list[Change]], encoding: Encoding) -> None:
    document = TextDocument(text)
    before, untouched = document.take_dirty()
    assert untouched is None
    for changes in rounds:
        for change in changes:
            document.edit(*change, encoding)
        after, untouched = document.take_dirty()
        assert untouched is not None
        check_untouched(before, after, untouched, edited=bool(changes))
        assert after == document.lines
        assert after is not document.lines
        before = after


def check_untouched(before: list[str], after: list[str], untouched: Untouched, *, edited: bool) -> None:
    """The prefix and suffix are equal in both, and overlap in neither."""
    prefix, suffix = untouched
    if not edited:
        assert before == after
        assert untouched == (len(before), len(before))
        return
    assert prefix + suffix <= min(len(before), len(after))
    assert before[:prefix] == after[:prefix]
    assert before[len(before) - suffix :] == after[len(after) - suffix :]


def test_one_typed_character_touches_one_line() -> None:
    document = TextDocument("".join(f"line {i}\n" for i in range(1000)))
    document.take_dirty()
    document.edit((500, 2), (500, 2), "x", "utf-16")
    assert document.take_dirty()[1] == Untouched(500, 499)


def test_replace_all_touches_everything() -> None:
    document = TextDocument("a\nb\n")
    document.take_dirty()
    document.edit((0, 0), (0, 0), "x", "utf-16")
    document.replace_all("a\r\nb")
    lines, untouched = document.take_dirty()
    assert (lines, untouched) == (["a\r\n", "b"], None)


@given(TEXTS, ENCODINGS, st.integers(0, 40))
def test_columns_go_both_ways(text: str, encoding: Encoding, character: int) -> None:
    for line in split_lines(text):
        body = line.rstrip("\r\n")
        assert units(line, encoding) == oracle_units(line, encoding)
        for i in range(len(body) + 1):
            assert index_of(line, character_of(line, i, encoding), encoding) == i
        assert character_of(line, index_of(line, character, encoding), encoding) <= character


def test_lone_surrogates_do_no_harm() -> None:
    """A peer can send them in JSON as escapes."""
    document = TextDocument("x = '\ud800'\n")
    document.edit((0, 6), (0, 6), "\udc00y", "utf-16")
    assert document.text == "x = '\ud800\udc00y'\n"
    assert units(document.lines[0], "utf-8") == oracle_units(document.lines[0], "utf-8")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_long_session_of_edits(line_end: str) -> None:
    rng = random.Random(1)
    text = line_end.join(f"def f{i}(é='😀', *args): return {i}" for i in range(60))
    document = TextDocument(text)
    for _ in range(300):
        start = (rng.randrange(70), rng.randrange(45))
        end = (start[0] + rng.choice([0, 0, 0, 1, 3]), rng.randrange(45))
        change = Change(start, end, rng.choice(["", "x", line_end, "\r", "\n", "é😀", f"a{line_end}b{line_end}"]))
        document.edit(*change, "utf-16")
        text = oracle_edit(text, change, "utf-16")
        assert document.text == text
    assert document.lines == oracle_lines(text)
