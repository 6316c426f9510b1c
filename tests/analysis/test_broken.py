"""Half-typed text: what stands beside the broken statement keeps its facts, to the letter.

`python -m pytest tests/analysis/test_broken.py -s` prints the shares; REMORA_ALL=1 takes 300 functions.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from remora_hub_lsp.analysis.facts import FileFacts
from remora_hub_lsp.analysis.segments import extract

from .canonical import canonical, timeless
from .corpus import EVERYTHING, texts
from .following import Follower, common, impossible
from .oracle import Known, Oracle, known

FUNCTIONS = 300 if EVERYTHING else 8

# What is typed on a line of its own in front of a statement of the function.
TYPED = {
    "unclosed parenthesis": "x = f(",
    "unclosed bracket": "x = [1,",
    "unclosed brace": "x = {a for",
    'unclosed """': '"""',
    "unclosed '''": "x = '''",
    "unclosed quote": "x = 'abc",
    "unclosed f-string": 'x = f"a{b',
    'unclosed f"""': 'x = f"""a{b',
    "def f(": "def f(",
    "def f(:": "def f(:",
    "class X(": "class X(",
    "x.": "x.",
    "if": "if ",
    "for x in": "for x in",
    "return (": "return (",
    "@": "@",
    "backslash": "x = \\",
    "lambda:": "x = lambda:",
    "half a dict": "d = {'a':",
    "with open(": "with open(",
    "import": "import ",
    "from x import (": "from x import (",
    "else": "else:",
    "try:": "try:",
    "x = ": "x = ",
}
# What is done to a line that is there.
CHANGED = (
    "stray indent",
    "stray dedent",
    "dedent to column 0",
    "deleted colon",
    "def without a name",
    "extra parenthesis",
)


class Place(NamedTuple):
    """A function in a file: its unique name, the line of its `def`, and a line where one of its statements starts."""

    unique: str
    header: int
    line: int


class Edit(NamedTuple):
    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def places(text: str, rng: random.Random, count: int) -> list[Place]:
    """Random functions of a text, nested ones too."""
    oracle = Oracle(text)
    found = []
    for unique, (_, node) in zip(oracle.unique_names(), oracle.definitions, strict=True):
        if isinstance(node, ast.ClassDef) or node.body[0].lineno == node.lineno:
            continue
        line = rng.choice(node.body).lineno - 1
        if oracle.lines[line].strip() and ";" not in oracle.lines[line]:
            found.append(Place(unique, node.lineno - 1, line))
    return rng.sample(found, min(count, len(found)))


def breakages(lines: list[str], place: Place) -> Iterator[tuple[str, Edit]]:
    """Every way to break the function there that applies to it."""
    at, line = place.line, lines[place.line]
    indent = line[: len(line) - len(line.lstrip())]
    for kind, typed in TYPED.items():
        yield kind, Edit((at, 0), (at, 0), f"{indent}{typed}\n")
    yield "stray indent", Edit((at, 0), (at, 0), "   ")
    yield "stray dedent", Edit((at, 0), (at, 1), "")
    yield "dedent to column 0", Edit((at, 0), (at, len(indent)), "")
    header = lines[place.header]
    if header.rstrip().endswith(":"):
        end = len(header.rstrip())
        yield "deleted colon", Edit((place.header, end - 1), (place.header, end), "")
    name = header.find("def ") + 4
    yield "def without a name", Edit((place.header, name), (place.header, header.find("(", name)), "")
    yield (
        "extra parenthesis",
        Edit((place.header, header.find("(", name)), (place.header, header.find("(", name)), "("),
    )


def statement(node: Known, classes: set[str]) -> list[str]:
    """The statement that a node is (in): a function, or a class and its member. What is inside is not `other`."""
    names = node.unique.split(".")
    return names[: 2 if names[0] in classes else 1]


class Tally:
    """How many nodes kept their facts, for each kind of breakage."""

    def __init__(self) -> None:
        self.kept: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        # Nodes inside the edited statement but not around the edit: [same facts, all]. No part of the share.
        self.inside = [0, 0]
        self.forgotten: list[str] = []
        self.lost: list[str] = []
        self.wrong: list[str] = []

    def add(self, kind: str, place: Place, before: list[Known], facts: FileFacts, grown: int) -> None:
        """Count what the broken text's facts keep of those `before`; `grown` lines were inserted at the place."""
        after = {node.unique: node for node in known(facts)}
        edited = next(node for node in before if node.unique == place.unique)
        classes = {node.unique for node in before if node.facts.node_type == "class"}
        for node in before[1:]:
            around = node.start <= edited.start and edited.end <= node.end
            if around or statement(node, classes) == statement(edited, classes):
                if around and node.unique not in after:
                    self.forgotten.append(f"{kind}: {node.unique} is not known any more ({place})")
                if not around and not (edited.start <= node.start and node.end <= edited.end):
                    got = after.get(node.unique)
                    self.inside[0] += got is not None and timeless(got) == timeless(node)
                    self.inside[1] += 1
                continue
            self.others[kind] += 1
            start = (node.start[0] + (grown if node.start > edited.start else 0), node.start[1])
            got = after.get(node.unique)
            if got is not None and timeless(got) == timeless(node) and got.start == start:
                self.kept[kind] += 1
            else:
                self.lost.append(f"{kind}: {node.unique} ({place})")

    def share(self) -> float:
        return self.kept.total() / self.others.total()

    def table(self, title: str) -> str:
        rows = [f"{self.kept[kind] / count:8.3%}  {kind}" for kind, count in self.others.items()]
        total = f"{title}: {self.kept.total()} of {self.others.total()} other nodes kept, {self.share():.4%}"
        beside = f"  counted apart: {self.inside[0]} of {self.inside[1]} beside the edit in the edited statement itself"
        return "\n".join([total, beside, *sorted(rows)])


def cases() -> Iterator[tuple[str, Place]]:
    rng = random.Random(11)
    for _, text in texts(FUNCTIONS, seed=8, min_lines=120, max_bytes=40_000 if EVERYTHING else 12_000):
        for place in places(text, rng, 1):
            yield text, place


@pytest.fixture(scope="module")
def tallies() -> tuple[Tally, Tally]:
    """Every breakage of every function: typed while the file is followed, and met in a file never seen whole."""
    followed, met = Tally(), Tally()
    for number, (text, place) in enumerate(cases()):
        follower = Follower(text)
        lines = list(follower.document.lines)
        whole = canonical(follower.segments.facts())
        before = known(follower.segments.facts())
        for kind, edit in breakages(lines, place):
            followed.wrong += make(follower, edit, by_characters=number % 4 == 0)
            if follower.good:
                follower = Follower(text)
                continue
            grown = edit.text.count("\n")
            followed.add(kind, place, before, follower.segments.facts(), grown)
            met.add(kind, place, before, extract(follower.document.text), grown)
            followed.wrong += [f"{kind} and mended: {wrong} ({place})" for wrong in undo(follower, lines)]
            assert canonical(follower.segments.facts()) == whole
    return followed, met


def make(follower: Follower, edit: Edit, *, by_characters: bool) -> list[str]:
    """The edit at once, or typed; gives what is impossible in the facts then."""
    if not by_characters or not edit.text.endswith("\n"):
        follower.document.edit(*edit, "utf-16")
        return follower.follow()
    line, column = edit.start
    follower.document.edit(edit.start, edit.end, "\n", "utf-16")
    for character in edit.text.rstrip("\n"):
        follower.segments.update(*follower.document.take_dirty())
        follower.document.edit((line, column), (line, column), character, "utf-16")
        column += 1
    return follower.follow()


def undo(follower: Follower, lines: list[str]) -> list[str]:
    """The text as it was, by one edit of the lines that differ; gives what is wrong then."""
    now = follower.document.lines
    prefix, suffix = common(now, lines)
    text = "".join(lines[prefix : len(lines) - suffix])
    follower.document.edit((prefix, 0), (len(now) - suffix, 0), text, "utf-16")
    return follower.follow()


def test_other_nodes_keep_their_facts_while_someone_types(tallies: tuple[Tally, Tally]) -> None:
    print(tallies[0].table("followed"))
    assert len(tallies[0].others) >= 20
    assert tallies[0].share() >= 0.999, tallies[0].lost[:20]


def test_the_edited_function_and_its_classes_stay_known(tallies: tuple[Tally, Tally]) -> None:
    assert tallies[0].forgotten[:10] == []


def test_other_nodes_of_a_broken_file_never_seen_whole_are_found(tallies: tuple[Tally, Tally]) -> None:
    print(tallies[1].table("met"))
    assert tallies[1].share() >= 0.97, tallies[1].lost[:20]


def test_nothing_impossible_is_said_of_broken_text(tallies: tuple[Tally, Tally]) -> None:
    assert tallies[0].wrong[:10] == []


ERRORS = {
    "x = 1\ny = = 2\nz = 3\n": 1,
    "x = 1\n\n# c\n\ndef f():\n    pass\n    return )\n\ny = 2\n": 6,
    "class A:\n    x = 1\n\n    def f(self):\n        pass\n        y = = 1\n\n    def g(self): pass\n": 5,
    "def f(a b): pass\n": 0,
    "class A(:\n    def f(self): pass\n": 0,
    "x = 1\r\ny = = 2\r\n": 1,
    "'''\n\n'''\nif x\n    pass\n": 3,
}


@pytest.mark.parametrize("text", ERRORS)
def test_the_error_is_where_python_says(text: str) -> None:
    facts = extract(text)
    assert facts.error
    assert facts.error_line == ERRORS[text]


def test_what_is_broken_says_so_and_nothing_else_does() -> None:
    text = "def a(): pass\nclass B:\n    def c(self): pass\n    def d(self):\n        return (\n    def e(self): pass\ndef f(): pass\n"
    follower = Follower(text.replace("return (", "return"))
    follower.document.edit((4, 14), (4, 14), " (", "utf-16")
    assert follower.document.text == text
    assert follower.follow() == []
    for facts in (follower.segments.facts(), extract(text)):
        assert [node.unique for node in facts.nodes] == ["<module>", "a", "B", "B.c", "B.d", "B.e", "f"]
        assert [node.unique for node in facts.nodes if node.facts.broken] == ["<module>", "B.d"]
        assert next(node.facts.signature for node in facts.nodes if node.unique == "B.d") == "def d(self)"


def test_what_a_broken_definition_never_seen_whole_is() -> None:
    text = "def a(:\n    pass\nclass B(:\n    async def c(self:\n        pass\n    def d(self): pass\nclass E(\n"
    nodes = known(extract(text))
    assert [(node.unique, node.facts.node_type, node.facts.kind, bool(node.facts.broken)) for node in nodes[1:]] == [
        ("a", "function", "function", True),
        ("B", "class", "class", True),
        ("B.c", "function", "method", True),
        ("B.d", "function", "method", False),
        ("E", "class", "class", True),
    ]
    assert [node.name for node in nodes[1:]] == [(0, 4, 5), (2, 6, 7), (3, 14, 15), (5, 8, 9), (6, 6, 7)]
    assert impossible(extract(text), text) == []
