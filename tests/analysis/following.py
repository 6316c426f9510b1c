"""A document whose segments follow its edits, compared with a full extraction after each."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from itertools import pairwise

from remora_hub_lsp.analysis.facts import FileFacts
from remora_hub_lsp.analysis.segments import SegmentedText, extract
from remora_hub_lsp.analysis.text import TextDocument, Untouched, split_lines

from .canonical import canonical, differences
from .oracle import known


def parses(text: str) -> bool:
    """Whether Python parses the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


class Follower:
    """One open document, and what is known of it.

    good: whether the text parses now.
    """

    def __init__(self, text: str) -> None:
        self.document = TextDocument(text)
        self.document.take_dirty()
        self.segments = SegmentedText(list(self.document.lines))
        self.good = parses(text)

    def follow(self) -> list[str]:
        """Take the document's edits over; gives what is wrong with the facts then."""
        self.segments.update(*self.document.take_dirty())
        text = self.document.text
        self.good = parses(text)
        if self.good:
            self.segments.settle()
        return complaints(self.segments, text, good=self.good)


def complaints(segments: SegmentedText, text: str, *, good: bool) -> list[str]:
    """What is wrong with the facts of the segments."""
    facts = segments.facts()
    found = list(impossible(facts, text))
    if sum(item.lines for item in segments.items) != len(split_lines(text)):
        found.append("the segments do not cover the text")
    if good:
        found += differences(canonical(extract(text)), canonical(facts))
    elif facts.error is None:
        found.append("the text does not parse, but there is no error")
    return found


def impossible(facts: FileFacts, text: str) -> list[str]:
    """What no facts may ever say, of broken text neither."""
    found = []
    lines = split_lines(text)
    nodes = known(facts)
    if len({node.unique for node in nodes}) != len(nodes):
        found.append("a name stands for two nodes")
    for node in nodes[1:]:
        (line, _), (end, end_col) = node.start, node.end
        if not 0 <= line <= node.name[0] <= end < len(lines):
            found.append(f"{node.unique}: lines {node.start} {node.name} {node.end} of {len(lines)}")
        elif end_col > len(lines[end].encode("utf-16-le", "surrogatepass")) // 2:
            found.append(f"{node.unique}: ends at {node.end}, behind the line's end")
        elif not node.facts.broken and node.facts.line_count != end - line + 1:
            found.append(f"{node.unique}: {node.facts.line_count} lines, from {node.start} to {node.end}")
    if facts.error_line is not None and not 0 <= facts.error_line < max(len(lines), 1):
        found.append(f"error in line {facts.error_line} of {len(lines)}")
    return found


def replay(texts: Sequence[str]) -> list[str]:
    """What is wrong at the end of a history of texts, each following the one before."""
    segments = SegmentedText(split_lines(texts[0]))
    for before, after in pairwise(map(split_lines, texts)):
        segments.update(after, common(before, after))
    if good := parses(texts[-1]):
        segments.settle()
    return complaints(segments, texts[-1], good=good)


def common(before: list[str], after: list[str]) -> Untouched:
    """The equal lines at the start and at the end."""
    shorter = min(len(before), len(after))
    prefix = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    rest = shorter - prefix
    return Untouched(prefix, next((i for i in range(rest) if before[-1 - i] != after[-1 - i]), rest))


def smallest(texts: Sequence[str]) -> list[str]:
    """A short history of short texts with something wrong at its end, made from one that has it.

    The texts are given back as they are where replaying them shows nothing.
    """
    kept = list(texts)
    if not _fails(kept):
        return kept
    kept = _fewer_texts(kept)
    while (shorter := _fewer_equal_lines(_fewer_outer_lines(kept))) != kept:
        kept = shorter
    return kept


def _fewer_texts(history: list[str]) -> list[str]:
    i = 0
    while i < len(history) - 1:
        tried = history[:i] + history[i + 1 :]
        if len(tried) > 1 and _fails(tried):
            history = tried
        else:
            i += 1
    return history


def _fewer_outer_lines(history: list[str]) -> list[str]:
    """Without lines of the start and of the end that all texts have in common."""
    tables = [split_lines(text) for text in history]
    prefix = min(common(tables[0], table)[0] for table in tables)
    suffix = min(common(tables[0], table)[1] for table in tables[1:])
    for i in [*reversed(range(prefix)), *(-1 - i for i in reversed(range(suffix)))]:
        if not any(-len(table) <= i < len(table) for table in tables):
            continue
        tried = [table[:i] + table[i:][1:] for table in tables]
        if _fails(["".join(table) for table in tried]):
            tables = tried
    return ["".join(table) for table in tables]


def _fewer_equal_lines(history: list[str]) -> list[str]:
    for line in sorted({line for text in history for line in split_lines(text)}, key=len, reverse=True):
        tried = ["".join(each for each in split_lines(text) if each != line) for text in history]
        if _fails(tried):
            history = tried
    return history


def _fails(texts: Sequence[str]) -> bool:
    try:
        return bool(replay(texts))
    except Exception:  # noqa: BLE001 - a crash is what is looked for, too
        return True
