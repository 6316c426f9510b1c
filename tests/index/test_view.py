"""What is read from the index: one moment of it, at the right places."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remora_hub_lsp.analysis.facts import MODULE
from remora_hub_lsp.analysis.segments import SegmentedText
from remora_hub_lsp.analysis.text import TextDocument, split_lines
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.rows import LiveRows
from remora_hub_lsp.models import NodeState

from .store import SHOP, Reader, dedent, put, rows, stamp
from .test_live_rows import OTHER, index

# ------------------------------------------------------------------------------------------------ one moment


def test_a_reader_sees_one_moment_while_the_writer_goes_on(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    with Reader(kv.path) as view:
        put(kv, "a.py", "def g(): pass\n")
        put(kv, "b.py", "def g(): pass\n")
        assert view.revision == 1
        assert view.has("a.py", "f")
        assert not view.has("a.py", "g")
        assert view.file("b.py") is None
        assert view.counts() == (1, 2)
    with Reader(kv.path) as view:
        assert view.revision == 3
        assert view.has("a.py", "g")


def test_the_moment_is_that_of_the_readers_beginning_not_of_its_first_question(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    with Reader(kv.path) as view:
        kv.invalidate_file("a.py")
        assert view.node("a.py", "f") is not None


def test_readers_never_see_half_a_change(kv: NodeStateKV) -> None:
    """Every text defines as many functions as its number says, and the other file as many again."""
    done = threading.Event()
    wrong: list[Any] = []
    seen: set[int] = set()

    def read() -> None:
        while not done.is_set():
            with Reader(kv.path) as view:
                names = [len(view.qualnames(path)) for path in ("a.py", "b.py")]
                lines = [(view.node(path, MODULE) or {"line_count": 0})["line_count"] for path in ("a.py", "b.py")]
                seen.add(view.revision)
                if names[0] != names[1] or lines[0] != lines[1] or (names[0] or 1) != lines[0] + 1:
                    wrong.append((view.revision, names, lines))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for number in range(60):
            text = "".join(f"def f{i}(): return {number}\n" for i in range(1 + number % 7))
            kv.replace_files([(rows(path, text), stamp()) for path in ("a.py", "b.py")], "file_change")
    finally:
        done.set()
        for reader in readers:
            reader.join(60)
    assert not wrong
    assert seen


def test_a_question_that_fails_ends_its_moment(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    with pytest.raises(ZeroDivisionError), kv.view():
        _ = 1 / 0
    put(kv, "a.py", "def g(): pass\n")
    with kv.view() as view:
        assert view.revision == 2


# ------------------------------------------------------------------------------------------------ places


def places(kv: NodeStateKV, path: str) -> dict[str, tuple[int, int, int, int]]:
    """Each node's range."""
    out = {}
    for state in kv.get_by_file(path):
        start, end = state.range.start, state.range.end
        out[state.qualname] = (start.line, start.character, end.line, end.character)
    return out


def test_ranges_follow_lines_inserted_above_without_writing_the_nodes_anew(kv: NodeStateKV) -> None:
    document, live = TextDocument(SHOP), LiveRows("shop.py")
    segments = SegmentedText(document.take_dirty()[0])
    kv.replace_file(live.update(segments.facts()), stamp())
    before = places(kv, "shop.py")
    document.edit((1, 0), (1, 0), "# one\n# two\n", "utf-16")
    segments.update(*document.take_dirty())
    written = live.update(segments.facts())
    assert [row[2] for row in written.nodes] == [MODULE]
    kv.replace_file(written, stamp(), "buffer_change")
    moved = {name: (a + 2, b, c + 2, d) for name, (a, b, c, d) in before.items()}
    moved[MODULE] = (0, 0, before[MODULE][2] + 2, before[MODULE][3])
    assert places(kv, "shop.py") == moved


def test_columns_count_utf_16_units(kv: NodeStateKV) -> None:
    put(kv, "a.py", "class A:\n    def é(self): '😀'\n    x = '😀'; y = lambda: '😀'\n")
    assert places(kv, "a.py")["A.é"] == (1, 4, 1, 21)
    state = kv.get("node:a.py:A.é")
    assert state is not None
    assert (state.name_range.start.character, state.name_range.end.character) == (8, 9)


def at(kv: NodeStateKV, line: int, character: int) -> str | None:
    with kv.view() as view:
        found = view.node_at("shop.py", line, character)
    return found["qualname"] if found else None


def test_the_node_at_a_place_is_the_innermost(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    for number, line in enumerate(split_lines(SHOP)):
        found = at(kv, number, len(line.rstrip()))
        expected = {
            0: MODULE, 1: MODULE, 5: "Cart", 6: "Cart", 8: "Cart", 9: "Cart",
            10: "Cart.total", 11: "Cart.total", 14: "Cart.total", 16: "Cart.total",
            18: "Cart.total#2", 20: "Cart.total#2", 22: "Cart.Line", 23: "Cart.Line.text",
            26: "load", 27: "load.inner", 28: "load.inner", 29: "load", 32: MODULE, 33: "save", 34: MODULE, 35: "save#2",
        }.get(number)  # fmt: skip
        if expected is not None:
            assert found == expected, (number, line)


def test_between_members_is_the_class_and_outside_of_everything_the_module(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    assert at(kv, 17, 0) == "Cart", "the blank line between two members"
    assert at(kv, 10, 0) == "Cart.total", "the white space before a definition belongs to it"
    assert at(kv, 24, 0) == MODULE
    assert at(kv, 10_000, 0) == MODULE
    assert at(kv, 0, 10_000) == MODULE
    with kv.view() as view:
        assert view.node_at("no.py", 0, 0) is None


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 60),
    st.integers(0, 40),
    st.sampled_from([SHOP, OTHER, "def f(:\n  x\nclass A:\n def g(self): pass\n"]),
)
def test_the_node_at_any_place_is_the_smallest_around_it(line: int, character: int, text: str) -> None:
    with index() as kv:
        put(kv, "a.py", text)
        with kv.view() as view:
            found = view.node_at("a.py", line, character)
            nodes = view.nodes_of("a.py")
        assert found is not None
        around = [
            node for node in nodes
            if node["range"]["start"]["line"] <= line
            and (line, character) <= (node["range"]["end"]["line"], node["range"]["end"]["character"])
        ]  # fmt: skip
        assert found == (around[-1] if around else nodes[0])


def test_the_outline_has_every_definition_in_source_order(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    with kv.view() as view:
        outline = view.outline("shop.py")
        assert view.outline("no.py") == []
        assert view.nodes_of("no.py") == []
        assert view.qualnames("no.py") == []
    names = [entry["qualname"] for entry in outline]
    assert names == [
        "Cart", "Cart.total", "Cart.total#2", "Cart.Line", "Cart.Line.text", "load", "load.inner", "save", "save#2",
    ]  # fmt: skip
    assert [entry["name"] for entry in outline][-2:] == ["save", "save"]
    assert {entry["kind"] for entry in outline} == {"class", "property", "method", "function"}


def test_names_stay_apart_when_the_first_of_two_goes(kv: NodeStateKV) -> None:
    text = "def f(a): pass\ndef f(b): pass\ndef f(c): pass\n"
    document, live = TextDocument(text), LiveRows("a.py")
    segments = SegmentedText(document.take_dirty()[0])
    kv.replace_file(live.update(segments.facts()), stamp())
    document.edit((0, 0), (1, 0), "", "utf-16")
    segments.update(*document.take_dirty())
    changed = kv.replace_file(live.update(segments.facts()), stamp())
    assert changed.deleted == ("node:a.py:f#3",)
    assert {s.qualname: s.signature for s in kv.get_by_file("a.py")[1:]} == {"f": "def f(b)", "f#2": "def f(c)"}


def test_every_answer_is_a_node_state_on_the_wire(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP, stamp(origin="buffer", version=4), "buffer_change")
    with kv.view() as view:
        for node in view.nodes_of("shop.py"):
            state = NodeState.model_validate(node)
            assert (state.origin, state.version, state.update_source) == ("buffer", 4, "buffer_change")
            assert state.model_dump(mode="json") | {"last_updated": node["last_updated"]} == node


def test_failed_files_are_listed_with_their_error(kv: NodeStateKV) -> None:
    put(kv, "b.py", dedent("""
        def fine(): pass
        def broken(:
    """))  # fmt: skip
    put(kv, "a.py", "def f(): pass\n")
    with kv.view() as view:
        (entry,) = view.failed()
        file = view.file("b.py")
        assert view.failed(0) == []
    assert (entry["file"], entry["line"]) == ("b.py", 1)
    assert entry["error"]
    assert file is not None
    assert (file["error"], file["error_line"]) == (entry["error"], 1)
    assert kv.get("node:b.py:fine") is not None


def test_texts_without_utf_8_can_be_indexed(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(a='\\ud800'):\n    '''\\ud800'''\ndef g(): '\ud800'\ndef h(): pass\n")
    states = {state.qualname: state for state in kv.get_by_file("a.py")}
    assert states["f"].docstring == "\\ud800", "an escape"
    assert states["g"].broken, "the code point itself"
    assert not states["h"].broken


def test_suffixes_of_paths_count_their_case_and_know_no_wildcards(kv: NodeStateKV) -> None:
    for path in ("pkg/a_b.py", "pkg/axb.py", "other/pkg/a_b.py", "A_B.py", "pkg/a%b.py", "x/a\\b.py", "xpkg/a_b.py"):
        put(kv, path, "")
    with kv.view() as view:
        assert view.paths("pkg/a_b.py") == ["pkg/a_b.py", "other/pkg/a_b.py"]
        assert view.paths("a_b.py") == ["pkg/a_b.py", "xpkg/a_b.py", "other/pkg/a_b.py"]
        assert view.paths("a%b.py") == ["pkg/a%b.py"]
        assert view.paths("a\\b.py") == ["x/a\\b.py"]
        assert view.paths("PKG/a_b.py") == []


def test_closing_the_index_closes_its_connections(database: Path) -> None:
    kv = NodeStateKV(database)
    put(kv, "a.py", "")
    kv.get("node:a.py:f")
    kv.close()
    with pytest.raises(sqlite3.ProgrammingError):
        kv._db.execute("SELECT 1")
    assert not database.with_name("index.db-wal").exists(), "the log is folded in"
