"""Opening the database, whatever lies in its place."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remora_hub_lsp.errors import StoreError
from remora_hub_lsp.index import schema
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.schema import SCHEMA_VERSION, open_reader

from .store import SHOP, contents, put, sound


def filled(database: Path, files: int = 40) -> None:
    kv = NodeStateKV(database)
    for number in range(files):
        put(kv, f"shop{number}.py", SHOP)
    kv.close()


def foreign(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE customers (name)")
    connection.execute("INSERT INTO customers VALUES ('Ada')")
    connection.commit()
    connection.close()


def newer(database: Path) -> None:
    filled(database)
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")
    connection.close()


def older(database: Path) -> None:
    foreign(database)
    connection = sqlite3.connect(database)
    connection.execute(f"PRAGMA application_id={0x52454D4F}")
    connection.execute(f"PRAGMA user_version={SCHEMA_VERSION - 1}")
    connection.close()


def truncated(database: Path) -> None:
    filled(database)
    os.truncate(database, database.stat().st_size // 2)


def cut_short(database: Path) -> None:
    filled(database)
    os.truncate(database, 100)


def overwritten(database: Path) -> None:
    filled(database)
    data = bytearray(database.read_bytes())
    data[4096:] = random.Random(7).randbytes(len(data) - 4096)
    database.write_bytes(data)


def text(database: Path) -> None:
    database.write_text("no database at all\n" * 1000)


def without_tables(database: Path) -> None:
    filled(database)
    connection = sqlite3.connect(database)
    connection.execute("DROP TABLE nodes")
    connection.close()


UNUSABLE = [foreign, newer, older, truncated, cut_short, overwritten, text, without_tables]


@pytest.mark.parametrize("make", UNUSABLE)
def test_an_unusable_database_is_set_aside_and_built_anew_with_a_warning(
    database: Path, caplog: pytest.LogCaptureFixture, make: Callable[[Path], None]
) -> None:
    database.parent.mkdir()
    make(database)
    with caplog.at_level(logging.WARNING):
        kv = NodeStateKV(database)
    assert kv.warning is not None
    assert kv.warning in caplog.messages
    assert str(database) in kv.warning
    kept = [path for path in database.parent.iterdir() if path.name.startswith("index.db.damaged")]
    assert kept
    assert str(kept[0]) in kv.warning
    assert kv.revision == 0
    put(kv, "shop.py", SHOP)
    held = contents(kv)
    kv.close()
    again = NodeStateKV(database)
    assert again.warning is None
    assert contents(again) == held
    again.close()
    sound(database)


def test_what_is_set_aside_is_kept_as_it_was(database: Path) -> None:
    database.parent.mkdir()
    foreign(database)
    NodeStateKV(database).close()
    connection = sqlite3.connect(database.with_name("index.db.damaged"))
    assert connection.execute("SELECT name FROM customers").fetchall() == [("Ada",)]
    connection.close()


def test_a_second_unusable_database_takes_the_place_of_the_first_that_was_set_aside(database: Path) -> None:
    database.parent.mkdir()
    for make in (truncated, text, foreign, text):
        database.unlink(missing_ok=True)
        for path in database.parent.glob("index.db-*"):
            path.unlink()
        make(database)
        kv = NodeStateKV(database)
        assert kv.warning is not None
        kv.close()


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b""), lambda path: None])
def test_an_empty_or_absent_file_is_a_new_index(database: Path, make: Callable[[Path], object]) -> None:
    database.parent.mkdir()
    make(database)
    kv = NodeStateKV(database)
    assert kv.warning is None
    put(kv, "shop.py", SHOP)
    kv.close()
    sound(database)


def test_an_empty_folder_gives_way(database: Path) -> None:
    database.mkdir(parents=True)
    kv = NodeStateKV(database)
    assert kv.warning is not None
    assert str(database) in kv.warning
    kv.close()
    sound(database)


def test_a_folder_with_something_in_it_is_never_moved(database: Path) -> None:
    database.mkdir(parents=True)
    (database / "thesis.py").touch()
    with pytest.raises(StoreError, match="directory"):
        NodeStateKV(database)
    assert (database / "thesis.py").exists()


def test_a_place_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        NodeStateKV(tmp_path / "file" / "index.db")


def test_a_locked_database_is_not_set_aside(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    filled(database, 1)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE meta SET value = value")
    with pytest.raises(StoreError, match="locked"):
        NodeStateKV(database)
    other.execute("ROLLBACK")
    other.close()
    kv = NodeStateKV(database)
    assert kv.warning is None
    assert kv.stats()["files"] == 1
    kv.close()


def test_left_over_logs_of_a_deleted_database_do_no_harm(database: Path) -> None:
    filled(database)
    connection = NodeStateKV(database)
    put(connection, "a.py", SHOP)
    log = database.with_name("index.db-wal").read_bytes()
    connection.close()
    database.unlink()
    database.with_name("index.db-wal").write_bytes(log)
    kv = NodeStateKV(database)
    put(kv, "b.py", "def f(): pass\n")
    assert "b.py" in kv.stamps()
    kv.close()
    sound(database)


def test_what_was_committed_survives_a_process_that_just_stops(database: Path) -> None:
    """No close, no checkpoint: the log is read again."""
    kv = NodeStateKV(database)
    put(kv, "shop.py", SHOP)
    held = contents(kv)
    copy = database.with_name("copy.db")
    for suffix in ("", "-wal"):
        copy.with_name(copy.name + suffix).write_bytes(database.with_name(database.name + suffix).read_bytes())
    kv.close()
    again = NodeStateKV(copy)
    assert again.warning is None
    assert contents(again) == held
    again.close()


def test_damage_that_shows_later_is_set_aside_with_rebuild(database: Path) -> None:
    kv = NodeStateKV(database)
    put(kv, "shop.py", SHOP)
    revision = kv.revision
    kv.rebuild()
    assert kv.stamps() == {}
    assert put(kv, "shop.py", SHOP).revision > revision, "who waits for a revision does not wait for ever"
    kv.close()
    sound(database)


def test_a_reader_cannot_write(database: Path) -> None:
    filled(database, 1)
    reader = open_reader(database)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM nodes")
    reader.close()


def test_reading_a_database_that_is_not_there_is_an_error_and_makes_none(database: Path) -> None:
    with pytest.raises(StoreError, match="cannot read the index"):
        open_reader(database)
    assert not database.exists()


@pytest.mark.parametrize("name", ["with space.db", "per%cent?.db", "é#1.db", "a;b&c.db"])
def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    if sys.platform == "win32" and "?" in name:
        pytest.skip("no such name on Windows")
    kv = NodeStateKV(tmp_path / name)
    put(kv, "shop.py", SHOP)
    assert kv.get("node:shop.py:Cart") is not None
    kv.close()
    assert (tmp_path / name).exists()
