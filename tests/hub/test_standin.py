"""An index in memory does not stay there when its process has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_hub_lsp.hub import standin
from remora_hub_lsp.index.lock import WriteLock

from .running import age, running, write


async def test_what_a_killed_process_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next hub that starts; not what is in use, was made a moment ago, or is something else."""
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setattr(standin, "_memory", lambda: memory)
    left, used, new, other = (memory / name for name in ("remora-hub-a", "remora-hub-b", "remora-hub-c", "other"))
    for folder in (left, used, new, other):
        write(folder, {"index.db": "", "index.db.lock": "", "index.db-wal": ""})
    write(memory, {"remora-hub-d/no-lock": ""})
    (memory / "remora-hub-e").symlink_to(other)
    for folder in memory.iterdir():
        if folder != new:
            age(folder)
    lock = WriteLock(used / "index.db")
    assert lock.take()
    write(tmp_path, {"project/a.py": ""})
    async with running(tmp_path / "project"):
        lock.release()
    assert sorted(folder.name for folder in memory.iterdir()) == [
        "other", "remora-hub-b", "remora-hub-c", "remora-hub-d", "remora-hub-e",
    ]  # fmt: skip


def test_a_stand_in_goes_with_all_that_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standin, "_memory", lambda: tmp_path)
    one = standin.StandIn()
    one.database.write_bytes(b"x")
    one.cleanup()
    assert list(tmp_path.iterdir()) == []
