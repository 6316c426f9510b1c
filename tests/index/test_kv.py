"""NodeStateKV by key and by file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from remora_hub_lsp.analysis.facts import MODULE
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.errors import KeyFormatError, SourceError, StoreError
from remora_hub_lsp.index import kv as kv_module
from remora_hub_lsp.index import schema
from remora_hub_lsp.index.kv import Changed, NodeStateKV, Stamp, node_key, split_key
from remora_hub_lsp.index.rows import FileRows, encode
from remora_hub_lsp.models import FileIndex, NodeState

from .store import SHOP, contents, put, rows, sound, stamp, times

NAMES = [
    MODULE, "Cart", "Cart.total", "Cart.total#2", "Cart.Line", "Cart.Line.text", "load", "load.inner", "save", "save#2",
]  # fmt: skip


# ------------------------------------------------------------------------------------------------ nodes by key


def test_every_definition_of_a_file_has_a_key_of_its_own(kv: NodeStateKV) -> None:
    changed = put(kv, "shop.py", SHOP)
    assert sorted(changed.changed) == sorted(node_key("shop.py", name) for name in NAMES)
    assert [state.qualname for state in kv.get_by_file("shop.py")] == NAMES
    assert list(kv.list()) == sorted(changed.changed)
    assert changed.deleted == ()


def test_a_node_tells_what_its_text_tells(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    total = kv.get("node:shop.py:Cart.total")
    assert total is not None
    assert (total.node_name, total.node_type, total.kind) == ("total", "function", "property")
    assert total.signature == "def total(self) -> int"
    assert total.docstring == "The price of all."
    assert total.docstring_full == "The price of all.\n\nIn cents."
    assert total.decorators == ("property",)
    assert (total.range.start.line, total.range.end.line, total.name_range.start.line) == (10, 16, 11)
    assert total.line_count == 7
    assert total.complexity == 1
    assert total.has_type_hints
    assert total.broken is None
    assert (total.callers, total.callees, total.related_tests) == (None, None, None)
    inner = kv.get("node:shop.py:load.inner")
    assert inner is not None
    assert inner.imports == ("os.path",)
    text = kv.get("node:shop.py:Cart.Line.text")
    assert text is not None
    assert text.imports == ("json",)


def test_get_many_gives_those_that_exist(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    put(kv, "b.py", "def g(): pass\n")
    found = kv.get_many(["node:a.py:f", "node:b.py:g", "node:a.py:g", "node:no.py:f"])
    assert {key: state.signature for key, state in found.items()} == {
        "node:a.py:f": "def f()",
        "node:b.py:g": "def g()",
    }
    assert kv.get("node:a.py:g") is None
    assert kv.get_many([]) == {}


@pytest.mark.parametrize("key", ["", "node:", "node:a.py", "node::f", "node:a.py:", "a.py:f", "NODE:a.py:f"])
def test_a_key_of_another_form_is_refused(kv: NodeStateKV, key: str) -> None:
    with pytest.raises(KeyFormatError, match=r"node:\{path\}:\{qualname\}"):
        kv.get(key)


@pytest.mark.parametrize(
    "path", ["a.py", "a b.py", "a:b.py", "node:x.py", "é/ü.py", "line\nend.py", 'it\'s "so".py', "%_\\.py"]
)
def test_any_path_may_be_in_a_key(kv: NodeStateKV, path: str) -> None:
    put(kv, path, "def f(): pass\n")
    key = node_key(path, "f")
    assert split_key(key) == (path, "f")
    state = kv.get(key)
    assert state is not None
    assert (state.key, state.file_path) == (key, path)
    assert kv.get_file_index(path) is not None


def test_list_begins_with_the_prefix_literally(kv: NodeStateKV) -> None:
    for path in ("a_b.py", "axb.py", "a_b/c.py"):
        put(kv, path, "def f(): pass\n")
    assert list(kv.list("node:a_b.py:")) == ["node:a_b.py:<module>", "node:a_b.py:f"]
    assert list(kv.list("node:none")) == []


def state_of(kv: NodeStateKV, key: str) -> NodeState:
    found = kv.get(key)
    assert found is not None
    return found


def test_set_writes_all_fields_of_a_node(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    before = state_of(kv, "node:shop.py:load")
    written = before.model_copy(
        update={
            "callers": ("node:a.py:f",),
            "callees": (),
            "related_tests": ("node:t.py:test_f",),
            "docstring_outdated": True,
            "docstring_outdated_reason": "says two",
            "extra": {"owner": ["é", 1, None]},
            "update_source": "manual",
            "last_updated": datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=UTC),
        }
    )
    revision = kv.set(written)
    assert revision == kv.revision
    assert kv.get("node:shop.py:load") == written
    assert len(kv.get_by_file("shop.py")) == len(NAMES)
    assert kv.stats()["nodes"] == len(NAMES)


def test_set_many_is_one_revision_and_makes_files_that_are_not_there(kv: NodeStateKV, tmp_path: Path) -> None:
    put(kv, "shop.py", SHOP)
    states = kv.get_by_file("shop.py")
    with_others = NodeStateKV(tmp_path / "other.db")
    try:
        assert with_others.set_many(states) == 1
        assert with_others.get_by_file("shop.py") == states
        found = with_others.get_file_index("shop.py")
        assert found is not None
        assert (found.node_count, found.file_hash) == (len(NAMES), states[0].file_hash)
        assert with_others.set_many([]) == 1
    finally:
        with_others.close()


def test_a_node_written_by_hand_is_found_at_its_place(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    for state in kv.get_by_file("shop.py"):
        kv.set(state)
    with kv.view() as view:
        at = view.node_at("shop.py", 14, 9)
        assert at is not None
        assert at["qualname"] == "Cart.total"
        at = view.node_at("shop.py", 3, 0)
        assert at is not None
        assert at["qualname"] == MODULE


def test_set_refuses_a_key_that_names_another_node(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    state = state_of(kv, "node:a.py:f").model_copy(update={"key": "node:a.py:g"})
    with pytest.raises(KeyFormatError, match="does not name"):
        kv.set(state)


def test_a_files_rows_replace_what_was_set_by_hand(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\ndef g(): pass\n")
    kv.set(state_of(kv, "node:a.py:f").model_copy(update={"extra": {"a": 1}}))
    changed = put(kv, "a.py", "def f(): pass\n")
    assert changed.deleted == ("node:a.py:g",)
    assert state_of(kv, "node:a.py:f").extra == {}


def test_delete_removes_one_node(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\ndef g(): pass\n")
    assert kv.delete("node:a.py:f")
    assert kv.get("node:a.py:f") is None
    assert kv.get("node:a.py:g") is not None
    assert kv.stats()["nodes"] == 2
    revision = kv.revision
    assert not kv.delete("node:a.py:f")
    assert not kv.delete("node:no.py:f")
    assert kv.revision == revision, "nothing changed"


# ------------------------------------------------------------------------------------------------ files


def test_rows_of_a_text_replace_those_of_the_text_before(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\ndef g(): pass\n")
    changed = put(kv, "a.py", "def f(a): pass\ndef h(): pass\n")
    assert changed.revision == kv.revision == 2
    assert set(changed.changed) == {"node:a.py:<module>", "node:a.py:f", "node:a.py:h"}
    assert changed.deleted == ("node:a.py:g",)
    assert [state.qualname for state in kv.get_by_file("a.py")] == [MODULE, "f", "h"]
    sound(kv.path)


def test_unchanged_nodes_keep_their_revision_and_time(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\ndef g(): pass\n", stamp(10**18))
    put(kv, "a.py", "def f(): pass\ndef g(a): pass\n", stamp(2 * 10**18))
    assert times(kv, "a.py") == {MODULE: (2, 2 * 10**18), "f": (1, 10**18), "g": (2, 2 * 10**18)}
    assert state_of(kv, "node:a.py:f").last_updated.timestamp() == 10**9


def test_a_node_that_only_moved_is_unchanged_and_says_its_new_place(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f():\n    pass\n\n\ndef g():\n    pass\n")
    changed = put(kv, "a.py", "import os\nx = 1\n\ndef f():\n    pass\ndef g():\n    pass\n", stamp(2 * 10**18))
    assert changed.changed == ("node:a.py:<module>",)
    assert {name: at[0] for name, at in times(kv, "a.py").items()} == {MODULE: 2, "f": 1, "g": 1}
    assert [state_of(kv, f"node:a.py:{name}").range.start.line for name in "fg"] == [3, 5]


def test_the_same_text_again_changes_nothing(kv: NodeStateKV) -> None:
    put(kv, "shop.py", SHOP)
    before = times(kv, "shop.py")
    changed = put(kv, "shop.py", SHOP, stamp(2 * 10**18))
    assert (changed.changed, changed.deleted) == ((), ())
    assert times(kv, "shop.py") == before


def test_several_files_are_one_revision(kv: NodeStateKV) -> None:
    files = [(rows(f"{name}.py", f"def {name}(): pass\n"), stamp()) for name in "abc"]
    assert kv.replace_files(files, "cold_start").revision == 1
    assert {state.update_source for state in kv.get_many(kv.list()).values()} == {"cold_start"}


def test_an_error_halfway_leaves_everything_as_it_was(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    put(kv, "b.py", SHOP)
    before, revision = contents(kv), kv.revision
    bad = rows("b.py", "def new(): pass\n")
    bad.nodes.append(bad.nodes[-1])  # one key twice
    with pytest.raises(StoreError):
        kv.replace_files([(rows("a.py", "def other(): pass\n"), stamp()), (bad, stamp())], "file_change")
    assert contents(kv) == before
    assert kv.revision == revision
    put(kv, "a.py", "def other(): pass\n")
    assert kv.revision == revision + 1
    sound(kv.path)


def test_an_error_of_the_caller_halfway_leaves_everything_as_it_was(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    before = contents(kv)

    def files() -> Iterator[tuple[FileRows, Stamp]]:
        yield rows("a.py", "def g(): pass\n"), stamp()
        raise KeyboardInterrupt

    def stamps() -> Iterator[tuple[str, Stamp]]:
        yield "a.py", stamp(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kv.replace_files(files(), "file_change")
    with pytest.raises(KeyboardInterrupt):
        kv.restamp(stamps())
    assert contents(kv) == before
    assert kv.stamps()["a.py"][2] != 5
    put(kv, "a.py", "def g(): pass\n")
    assert kv.get("node:a.py:g") is not None


def test_restamp_changes_when_a_file_was_read_and_nothing_else(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n", stamp(origin="buffer", version=3))
    before = contents(kv)
    kv.restamp([("a.py", stamp(77, size=5, mtime_ns=66)), ("no.py", stamp())])
    assert kv.stamps()["a.py"][:3] == (66, 5, 77)
    assert contents(kv) == before
    state = state_of(kv, "node:a.py:f")
    assert (state.origin, state.version) == ("disk", None)
    assert kv.revision == 2, "nodes tell another origin"
    kv.restamp([("a.py", stamp(78, size=5, mtime_ns=67))])
    assert kv.revision == 2


def test_a_locked_database_is_a_store_error_and_heals(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    kv = NodeStateKV(database)
    put(kv, "a.py", "def f(): pass\n")
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        put(kv, "a.py", "def g(): pass\n")
    with pytest.raises(StoreError, match="locked"):
        kv.restamp([("a.py", stamp(7))])
    other.execute("ROLLBACK")
    other.close()
    put(kv, "a.py", "def g(): pass\n")
    assert kv.get("node:a.py:g") is not None
    kv.close()


def test_revisions_go_on_where_another_writer_left_off(database: Path) -> None:
    one, two = NodeStateKV(database), NodeStateKV(database)
    put(one, "a.py", "def f(): pass\n")
    put(one, "a.py", "def g(): pass\n")
    assert put(two, "b.py", "def f(): pass\n").revision == 3
    assert put(one, "a.py", "def h(): pass\n").revision == 4
    one.close()
    two.close()


def test_more_definitions_in_one_statement_than_there_are_numbers_for(kv: NodeStateKV) -> None:
    many = rows("a.py", "if 1:\n def f(): 0\n")
    segment, _, name, qualname, kind, facts = many.nodes[1]
    with pytest.raises(StoreError, match="65,536"):
        kv.replace_file(many._replace(nodes=[(segment, 1 << 16, name, qualname, kind, facts)]), stamp())
    assert kv.get_file_index("a.py") is None


def test_such_a_statement_has_no_rows() -> None:
    facts = extract("if 1:\n def f(): 0\n")
    facts.nodes[1] = facts.nodes[1]._replace(number=1 << 16)
    with pytest.raises(SourceError, match="65,535"):
        encode("a.py", facts)


def test_invalidate_removes_a_file_with_all_its_nodes(kv: NodeStateKV) -> None:
    put(kv, "a.py", SHOP)
    put(kv, "b.py", "def f(): pass\n")
    changed = kv.invalidate_file("a.py")
    assert sorted(changed.deleted) == sorted(node_key("a.py", name) for name in NAMES)
    assert kv.get_file_index("a.py") is None
    assert kv.get_by_file("a.py") == []
    assert [*kv.list()] == ["node:b.py:<module>", "node:b.py:f"]
    assert kv.invalidate_file("a.py").deleted == ()
    sound(kv.path)


def test_a_file_that_comes_back_with_the_same_content_is_indexed_again(kv: NodeStateKV) -> None:
    put(kv, "a.py", SHOP)
    before = contents(kv)
    kv.invalidate_file("a.py")
    changed = put(kv, "a.py", SHOP)
    assert len(changed.changed) == len(NAMES)
    assert contents(kv) == before


def test_orphans_are_files_gone_from_disk_and_not_open_whatever_their_age(kv: NodeStateKV, tmp_path: Path) -> None:
    for name in ("kept.py", "gone.py", "open.py"):
        put(kv, name, "def f(): pass\n", stamp(1))
    (tmp_path / "kept.py").touch()
    exists = lambda path: (tmp_path / path).exists()  # noqa: E731
    changed = kv.gc_orphans(exists, is_open={"open.py"})
    assert sorted(changed.deleted) == ["node:gone.py:<module>", "node:gone.py:f"]
    assert sorted(kv.stamps()) == ["kept.py", "open.py"]
    revision = kv.revision
    assert kv.gc_orphans(exists, is_open={"open.py"}) == Changed(revision, (), ())
    sound(kv.path)


def test_file_index_round_trip(kv: NodeStateKV) -> None:
    put(kv, "a.py", "def f(): pass\n")
    found = kv.get_file_index("a.py")
    assert found is not None
    assert (found.node_count, found.error, found.origin, found.revision) == (2, None, "disk", 1)
    written = found.model_copy(
        update={"file_hash": "0" * 64, "error": "bad", "error_line": 3, "size": 7, "origin": "buffer", "version": 4}
    )
    assert kv.set_file_index(written) == 2
    assert kv.get_file_index("a.py") == written.model_copy(update={"revision": 2})
    assert [state.qualname for state in kv.get_by_file("a.py")] == [MODULE, "f"], "its nodes stay"
    assert state_of(kv, "node:a.py:f").range.start.line == 0
    assert kv.get_file_index("no.py") is None


def test_set_file_index_of_an_unknown_file(kv: NodeStateKV) -> None:
    index = FileIndex(file_path="new.py", file_hash="1", node_count=0, last_scanned=datetime.now(UTC), size=3)
    kv.set_file_index(index)
    found = kv.get_file_index("new.py")
    assert found is not None
    assert (found.file_hash, found.size, found.revision) == ("1", 3, 1)
    assert kv.get_by_file("new.py") == []


def test_stats_count_files_nodes_and_failures(kv: NodeStateKV) -> None:
    put(kv, "a.py", SHOP)
    put(kv, "b.py", "def f(:\n")
    stats = kv.stats()
    assert (stats["files"], stats["failed"], stats["revision"]) == (2, 1, 2)
    assert stats["nodes"] == sum(len(kv.get_by_file(path)) for path in ("a.py", "b.py"))
    assert stats["bytes"] > 0


def test_everything_is_there_again_after_closing_and_opening(database: Path) -> None:
    kv = NodeStateKV(database)
    put(kv, "shop.py", SHOP)
    before, revision = contents(kv), kv.revision
    kv.close()
    kv.close()
    again = NodeStateKV(database)
    assert again.warning is None
    assert contents(again) == before
    assert again.revision == revision
    again.close()


def test_rows_of_another_python_are_read_again(database: Path) -> None:
    kv = NodeStateKV(database)
    put(kv, "a.py", "def f(): pass\n")
    kv.close()
    raw = sqlite3.connect(database)
    raw.execute("UPDATE meta SET value = '1/python2.7' WHERE key = 'analysis'")
    raw.commit()
    raw.close()
    again = NodeStateKV(database)
    assert again.stamps() == {"a.py": (0, 1, stamp().scanned_ns, "")}
    assert again.get("node:a.py:f") is not None, "until then they are what there is"
    again.close()


def test_of_keys_that_are_gone_only_so_many_are_kept(kv: NodeStateKV, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by a process that runs for weeks; a cursor that is older has to begin anew."""
    monkeypatch.setattr(kv_module, "_BURIED", 50)
    put(kv, "a.py", "def f(): pass\n")
    first = kv.revision
    for number in range(200):
        put(kv, "a.py", f"def f{number}(): pass\n")
    with kv.view() as view:
        kept = len(view.rows("SELECT key FROM deleted"))
        assert 50 <= kept <= 60
        assert view.changes(first, 1000) is None
        assert view.changed_paths(first) is None
        changes = view.changes(kv.revision - 2, 1000)
    assert changes == (["node:a.py:f199", "node:a.py:<module>"], ["node:a.py:f197", "node:a.py:f198"], kv.revision)
