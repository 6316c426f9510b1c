"""After every edit the segments' facts equal those of the whole text, wherever that parses.

The long version: `python tests/bench/fuzz_incremental.py --edits 10000`.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis.segments import SegmentedText
from remora_hub_lsp.analysis.text import TextDocument, Untouched, split_lines

from . import corpus
from .canonical import canonical, differences
from .edits import SNIPPETS, Editor
from .following import Follower, replay, smallest

EDITS_PER_FILE = 400 if corpus.EVERYTHING else 60


@pytest.mark.parametrize("number", range(12))
def test_random_edits_of_a_real_file(number: int) -> None:
    originals = [text for _, text in corpus.texts(12, seed=3, max_bytes=12_000 if number else 30_000)]
    rng = random.Random(number)
    follower = Follower(originals[number])
    editor = Editor(follower.document, rng, originals)
    history = [originals[number]]
    for _ in range(EDITS_PER_FILE):
        editor.edit(parses=follower.good)
        history.append(follower.document.text)
        found = follower.follow()
        assert found == [], smallest(history)


BASE = """\
import os, sys as s
from . import a

@dec
class A(Base, k=1):
    '''Doc.

    More.
    '''
    x: int = 1

    @property
    def p(self): return os.x

    # comment
    @p.setter
    def p(self, v):
        self.y = v
        def inner(): pass
        return inner

    class In:
        def m(self, *, a=1): return é

x = f'''{
A}'''
if x:
    def f(a, /, b: int = 1, *c, d, **e) -> None:
        \"\"\"Doc.\"\"\"
        global g
        for i in a: yield i
    class B: y = 1; z = 2
else:
    f = None
async def h(): await f(1); return '''
'''
class C: pass
class D:
    def one(self): pass
    def one(self): pass
    def two(self): pass
"""
PLACES = st.tuples(st.integers(0, 42), st.integers(0, 20) | st.sampled_from([0, 4, 99]))
INSERTS = st.text(st.sampled_from("ax:()[]{}'\"\\#@=,. \n\n\t\f\ré"), max_size=4) | st.sampled_from(
    ["", "", "", *SNIPPETS]
)
LINES = st.lists(st.sampled_from(split_lines(BASE)), max_size=4).map("".join)
STEPS = st.tuples(PLACES, st.tuples(st.integers(0, 3), st.integers(0, 30)), INSERTS | LINES)


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=5))
@example([((7, 0), (1, 0), "")])  # the docstring's end goes
@example([((9, 0), (1, 0), "")])
@example([((5, 4), (3, 20), "x = 1")])  # a member in the docstring's place
@example([((12, 0), (0, 0), "    '''doc'''\n")])
@example([((4, 0), (0, 0), "class Z:\n")])  # a class becomes a member
@example([((4, 0), (0, 7), "if x"), ((4, 0), (0, 4), "class")])
@example([((23, 0), (0, 0), "    def late(self): pass\n")])  # a member behind the class's last
@example([((23, 0), (0, 0), "  # comment\n"), ((23, 0), (0, 0), "    def late(self): pass\n")])
@example([((31, 4), (0, 0), "x = '''\n"), ((31, 0), (1, 0), "")])  # all below becomes a string, and none again
@example([((0, 0), (99, 0), ""), ((0, 0), (0, 0), BASE)])
@example([((0, 0), (0, 0), "(")])
@example([((0, 0), (0, 0), "'module doc'\n"), ((0, 0), (0, 0), "\n"), ((0, 0), (0, 0), "x\n")])
def test_edits_of_a_text_with_everything(steps: list[tuple[tuple[int, int], tuple[int, int], str]]) -> None:
    follower = Follower(BASE)
    for start, (more_lines, columns), text in steps:
        end = (start[0] + more_lines, columns if more_lines else start[1] + columns)
        follower.document.edit(start, end, text, "utf-16")
        assert follower.follow() == []


# Found by the fuzz, and shortened.
HISTORIES = {
    "a backslash loses its blank line": ["x = []\\\n\nif a:\n    b\n", "x = []\\\nif a:\n    b\n"],
    "in a class": [
        "class A:\n    x = 1\\\n\n    def f(self): pass\n",
        "class A:\n    x = 1\\\n    def f(self): pass\n",
    ],
    "behind a docstring": [
        "class A:\n    'd'\\\n\n    def f(self): pass\n",
        "class A:\n    'd'\\\n    def f(self): pass\n",
    ],
    "a backslash gets its line": ["x = []\\\n\ny = 1\n", "x = []\\\n+ [1]\ny = 1\n"],
    "another script in a class's header": [
        "class A(B):\n    def f(self): pass\n",
        "class Aé(B):\n    def f(self): pass\n",
    ],
    "a form feed before a class": ["class A(B):\n    x()\nif x:\n    y\n", "\fclass A(B):\n    x()\nif x:\n    y\n"],
    "a decorator's quotes": ["x = 'é'\n@d(a == \"p\")\ndef f(): pass\n", "x = 'é'\n@d(a == \"p\")\ndef f(): 1\n"],
    "a body goes": ["def f():\n    return longname\n", "def f():\n"],
}


@pytest.mark.parametrize("texts", HISTORIES.values(), ids=HISTORIES)
def test_what_once_went_wrong(texts: list[str]) -> None:
    assert replay(texts) == []


def test_many_edits_at_once() -> None:
    """What was not asked for between two edits is never wrong afterwards."""
    rng = random.Random(5)
    follower = Follower(BASE)
    editor = Editor(follower.document, rng, [BASE])
    for _ in range(150):
        for _ in range(rng.randrange(1, 6)):
            editor.edit(parses=follower.good)
        assert follower.follow() == []


def test_the_base_itself() -> None:
    assert replay([BASE]) == []
    assert Follower(BASE).good


def test_an_edit_keeps_the_segments_of_other_statements() -> None:
    """What an index writes for an edit are the segments that the edit touched; nothing else gets a new id."""
    document = TextDocument(BASE)
    document.take_dirty()
    segments = SegmentedText(list(document.lines))
    before = {node.unique: (node.segment, node.number) for node in segments.facts().nodes}
    document.edit((12, 0), (12, 0), "\n\n", "utf-16")
    document.edit((19, 8), (19, 8), "z = 1; ", "utf-16")
    segments.update(*document.take_dirty())
    after = {node.unique: (node.segment, node.number) for node in segments.facts().nodes}
    assert {name for name in before if before[name] != after[name]} <= {"A", "A.p", "A.p#2", "A.p.inner"}
    assert before.keys() == after.keys()


def test_an_edited_class_header_keeps_the_members_segments() -> None:
    document = TextDocument(BASE)
    document.take_dirty()
    segments = SegmentedText(list(document.lines))
    before = {node.unique: node.segment for node in segments.facts().nodes}
    document.edit((4, 8), (4, 12), "Other", "utf-16")
    document.edit((5, 7), (5, 10), "Text", "utf-16")
    segments.update(*document.take_dirty())
    after = {node.unique: node.segment for node in segments.facts().nodes}
    assert [name for name in before if before[name] != after[name]] == ["A"]


def test_lines_called_touched_that_are_not_make_no_difference() -> None:
    """An editor that sends the whole text for each key costs time, not truth."""
    lines = split_lines(BASE)
    new = [*lines[:12], "    def more(self): pass\n", *lines[12:]]
    told, untold = SegmentedText(lines), SegmentedText(lines)
    told.update(new, Untouched(12, len(lines) - 12))
    untold.update(new, None)
    assert differences(canonical(told.facts()), canonical(untold.facts())) == []


def test_a_text_mended_far_from_where_it_broke() -> None:
    """A quote opened at the top swallows everything, until it is closed; in a long file settle() sees that."""
    text = BASE * 30
    follower = Follower(text)
    count = len(follower.segments.facts().nodes)
    follower.document.edit((3, 0), (3, 0), 'x = """\n', "utf-16")
    assert follower.follow() == []
    assert len(follower.segments.facts().nodes) >= count - 2
    follower.document.edit((200, 0), (200, 0), '"""\n', "utf-16")
    assert follower.follow() == []
    follower.document.edit((3, 0), (4, 0), "", "utf-16")
    follower.follow()
    follower.document.edit((199, 0), (200, 0), "", "utf-16")
    assert follower.follow() == []
    assert len(follower.segments.facts().nodes) == count
