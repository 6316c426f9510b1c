"""However a file's rows came about, by whole texts or by edits, the index holds what its text says and no more."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis.facts import FileFacts
from remora_hub_lsp.analysis.segments import SegmentedText, extract
from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.rows import LiveRows, encode

from ..analysis.edits import Editor
from ..analysis.following import parses
from .store import SHOP, contents, sound, stamp, times

PATHS = ("shop.py", "pkg/__init__.py", "pkg/mod.py")
OTHER = """\
from . import a, b as c
import x.y
class A:
    def f(self): return a.g(c)
    def f(self, again): return x.y.z
    class B:
        def f(self): pass
class A:
    def f(self): pass
async def g(): return [a for b in c]
"""


class Buffer:
    """An open document whose rows follow its edits, as the hub's recorder does it."""

    def __init__(self, path: str, text: str, seed: int) -> None:
        self.document = TextDocument(text)
        self.rows = LiveRows(path)
        self.segments = SegmentedText(list(self.document.lines))
        self.document.take_dirty()
        self.editor = Editor(self.document, random.Random(seed), [SHOP, OTHER])

    def edit(self, count: int) -> None:
        """Some edits, taken over together."""
        for _ in range(count):
            self.editor.edit(parses=parses(self.document.text))
        self.segments.update(*self.document.take_dirty())

    @property
    def facts(self) -> FileFacts:
        return self.segments.facts()


@contextmanager
def index() -> Iterator[NodeStateKV]:
    with tempfile.TemporaryDirectory() as folder:
        kv = NodeStateKV(Path(folder) / "index.db")
        try:
            yield kv
        finally:
            kv.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "edit", "edit", "edit", "write", "remove"]), st.sampled_from(PATHS), st.integers(1, 4)
    ),
    min_size=1,
    max_size=25,
)


class History:
    """Things that happen to files, and what has to be in the index after them."""

    def __init__(self, kv: NodeStateKV, seed: int) -> None:
        self.kv = kv
        self.seed = seed
        self.buffers: dict[str, Buffer] = {}
        self.truth: dict[str, FileFacts] = {}

    def step(self, kind: str, path: str, number: int) -> None:
        if kind == "edit" and path in self.buffers:
            self.buffers[path].edit(number)
            self._follow(path)
        elif kind in ("open", "edit"):
            self.buffers[path] = Buffer(path, (SHOP, OTHER)[number % 2], self.seed + number)
            self._follow(path)
        elif kind == "write":
            self.buffers.pop(path, None)
            self.truth[path] = extract((SHOP, OTHER, "", "def f(:\n", "x = 1\n")[number])
            self.kv.replace_file(encode(path, self.truth[path]), stamp())
        else:
            self.buffers.pop(path, None)
            self.truth.pop(path, None)
            self.kv.invalidate_file(path)

    def _follow(self, path: str) -> None:
        buffer = self.buffers[path]
        self.truth[path] = buffer.facts
        self.kv.replace_file(buffer.rows.update(self.truth[path]), stamp(), "buffer_change")


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(0, 2**32))
def test_any_history_gives_the_index_that_the_last_texts_alone_give(
    steps: list[tuple[str, str, int]], seed: int
) -> None:
    with index() as kv, index() as fresh:
        history = History(kv, seed)
        for step in steps:
            history.step(*step)
        for path, facts in history.truth.items():
            fresh.replace_file(encode(path, facts), stamp())
        assert contents(kv) == contents(fresh)
        assert summaries(kv) == summaries(fresh)
        sound(kv.path)


def summaries(kv: NodeStateKV) -> dict[str, list[Any]]:
    """The raw summaries of each file, in the order of its segments' first lines."""
    out: dict[str, list[Any]] = {}
    for path, number, starts in kv._db.execute("SELECT path, id, starts FROM files"):
        rows = kv._db.execute("SELECT id >> 16 & 0xFFFFFF, data FROM summaries WHERE id >> 40 = ?", (number,)).fetchall()
        out[path] = sorted(data for _, data in rows)
        assert len({segment for segment, _ in rows}) == len(rows), starts
    return out


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_facts_that_stay_the_same_keep_their_revision_and_time(seed: int, count: int) -> None:
    with index() as kv:
        buffer = Buffer("shop.py", SHOP, seed)
        before: dict[str, Any] = {}
        for moment in range(1, count + 1):
            changed = kv.replace_file(buffer.rows.update(buffer.facts), stamp(moment * 10**9), "buffer_change")
            stamps, now = times(kv, "shop.py"), facts_of(kv, buffer.facts)
            news = {key.rpartition(":")[2] for key in changed.changed}
            assert news == {name for name in now if now[name] != before.get(name)}
            assert {key.rpartition(":")[2] for key in changed.deleted} == before.keys() - now.keys()
            for name in now:
                assert (stamps[name] == (changed.revision, moment * 10**9)) == (name in news)
            before = now
            buffer.edit(1)


def facts_of(kv: NodeStateKV, facts: FileFacts) -> dict[str, Any]:
    """What each node is, wherever it stands in the file: its facts and imports."""
    imports = {state.qualname: state.imports for state in kv.get_by_file("shop.py")}
    return {
        node.unique: (node.facts._replace(roots=frozenset(), local_imports=(), dotted=frozenset(), calls=frozenset()), imports[node.unique])
        for node in facts.nodes
    }


def test_an_edit_writes_only_the_rows_that_it_changes() -> None:
    text = "import os\n" + "".join(f"def f{i}(): return os\n" for i in range(200))
    document, rows = TextDocument(text), LiveRows("a.py")
    segments = SegmentedText(document.take_dirty()[0])
    assert len(rows.update(segments.facts()).nodes) == 201
    document.edit((100, 4), (100, 7), "renamed", "utf-16")
    segments.update(*document.take_dirty())
    written = rows.update(segments.facts())
    assert [row[2] for row in written.nodes] == ["<module>", "renamed"]
    assert written.deleted == ("f99",)
    document.edit((0, 0), (1, 0), "import os as other\n", "utf-16")
    segments.update(*document.take_dirty())
    assert len(rows.update(segments.facts()).nodes) == 201, "what they import changed"
