"""The memory of docstrings, for any life of a few functions: what is typed, saved, renamed, moved, acknowledged."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from remora_hub_lsp.analysis.pairs import watched
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.index.drift import Docstrings
from remora_hub_lsp.index.memory import Memory, Verdict
from remora_hub_lsp.index.watched import WatchedRow, watched_row

PATH = "a.py"
PARAMETERS = st.lists(st.sampled_from(["alpha", "beta", "gamma", "delta"]), unique=True, max_size=3)


class Text(NamedTuple):
    """A function's parameters, those that its docstring documents, and the docstring's first line."""

    parameters: tuple[str, ...]
    documented: tuple[str, ...]
    summary: str = "Do."

    def row(self, name: str) -> WatchedRow:
        return row_of(self, name)


@cache
def row_of(text: Text, name: str) -> WatchedRow:
    entries = "".join(f"        {one}: it.\n" for one in text.documented)
    args = f"\n\n    Args:\n{entries}    " if entries else ""
    source = f'def {name}({", ".join(text.parameters)}):\n    """{text.summary}{args}"""\n    return g(1)\n'
    return watched_row(name, watched(extract(source).nodes)[name])


def drifted(verdict: Verdict | None) -> list[str]:
    """The reasons that need a memory."""
    return [reason.code for reason in (verdict.reasons if verdict else ()) if not reason.static]


class Lives(RuleBasedStateMachine):
    """One function: what is saved, what stands in the buffer, and a model of what has been accepted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "memory.db"
        self.memory = Memory(self.file)
        self.now = 1_000
        self.name = "f"
        self.path = PATH

    def teardown(self) -> None:
        self.memory.close()
        self.folder.cleanup()

    def rows(self) -> Sequence[tuple[object, ...]]:
        with sqlite3.connect(self.file) as db:
            return db.execute("SELECT * FROM pairs ORDER BY path, qualname").fetchall()

    def save(self, text: Text) -> Verdict | None:
        self.now += 1
        row = text.row(self.name)
        found = self.memory.save(self.path, [row], [self.name], self.now, whole=True).get(self.name)
        self.saved = self.buffer = text
        return found

    def judged(self) -> Verdict | None:
        row = self.buffer.row(self.name)
        return self.memory.judge(self.path, [row], [self.name], self.now).get(self.name)

    @initialize(parameters=PARAMETERS, documented=PARAMETERS)
    def first_sight(self, parameters: list[str], documented: list[str]) -> None:
        text = Text(tuple(parameters), tuple(documented))
        assert drifted(self.save(text)) == []
        self.accepted = {text}

    @rule(parameters=PARAMETERS)
    def type_signature(self, parameters: list[str]) -> None:
        before = self.rows()
        self.buffer = self.buffer._replace(parameters=tuple(parameters))
        self.judged()
        assert self.rows() == before, "typing moves nothing"

    @rule(documented=PARAMETERS, summary=st.sampled_from(["Do.", "Do it.", "Half ty"]))
    def type_docstring(self, documented: list[str], summary: str) -> None:
        before = self.rows()
        self.buffer = self.buffer._replace(documented=tuple(documented), summary=summary)
        self.judged()
        assert self.rows() == before

    @rule()
    def give_up_typing(self) -> None:
        self.buffer = self.saved

    @rule()
    def save_buffer(self) -> None:
        before, text = self.saved, self.buffer
        verdict = self.save(text)
        if before[1:] != text[1:]:
            assert drifted(verdict) == [], "a docstring that was changed and saved is accepted"
            self.accepted.add(text)
        elif text in self.accepted:
            assert drifted(verdict) == [], "what belonged together once does so again"
        self.buffer = text

    @rule()
    def save_again(self) -> None:
        first = self.save(self.saved)
        before = self.rows()
        assert self.save(self.saved) == first
        assert self.rows() == before, "the same text says nothing new"

    @rule(documented=st.booleans())
    def save_what_fits(self, documented: bool) -> None:
        """A signature with all of it documented (or none of it) never drifts."""
        parameters = self.buffer.parameters
        assert drifted(self.save(Text(parameters, parameters if documented else (), "Fits."))) == []
        self.accepted.add(self.saved)

    @rule()
    def restart(self) -> None:
        before = self.judged()
        self.memory.close()
        self.memory = Memory(self.file)
        assert self.judged() == before

    @precondition(lambda self: self.buffer == self.saved)
    @rule(name=st.sampled_from(["f", "g", "h"]), path=st.sampled_from(["a.py", "b.py", "c.py"]), new_first=st.booleans())
    def rename_or_move(self, name: str, path: str, new_first: bool) -> None:
        """In one save in a file; or in two files, whichever is saved first."""
        if (name, path) == (self.name, self.path):
            return
        before, old = self.judged(), self.path
        if path != old and new_first and drifted(before):
            return  # as long as the old one is there, what has another signature counts as a copy that was changed
        if path != old and not new_first:
            self.memory.forget_files([old], self.now)
        self.name, self.path = name, path
        after = self.save(self.saved)
        if path != old and new_first:
            self.memory.forget_files([old], self.now)
        assert drifted(after) == drifted(before)
        if drifted(before) and before and after:
            assert after.since_ns == before.since_ns

    @rule()
    def acknowledge_and_take_back(self) -> None:
        before = self.judged()
        row = self.buffer.row(self.name)
        if before is None:
            return
        self.memory.acknowledge(self.path, row, self.now)
        assert self.judged() is None
        assert self.memory.take_back(self.path, self.name)
        assert self.judged() == before

    @rule()
    def acknowledge(self) -> None:
        self.memory.acknowledge(self.path, self.saved.row(self.name), self.now)
        self.accepted.add(self.saved)
        assert self.save(self.saved) is None

    @invariant()
    def tells_only_what_is_so(self) -> None:
        verdict = self.judged() if hasattr(self, "buffer") else None
        for reason in verdict.reasons if verdict else ():
            documented = reason.parameter in self.buffer.documented
            there = reason.parameter in self.buffer.parameters
            assert (documented, there) == ((False, True) if reason.code == "parameter-added" else (True, False))


Lives.TestCase.settings = settings(
    max_examples=30, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestLives = Lives.TestCase


def test_a_memory_of_another_version_is_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "index.docstrings.db"
    Memory(file).close()
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version=99")
    memory = Memory(file)
    assert memory.warning is not None
    assert "99" in memory.warning
    assert (tmp_path / "index.docstrings.db.damaged").exists()
    memory.close()
    assert Memory(file).warning is None


def test_a_memory_that_fails_while_in_use_does_not_fail_who_asks(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.db")
    row = Text(("alpha",), ("alpha",)).row("f")
    memory.save(PATH, [row], ["f"], 1, whole=True)
    (tmp_path / "memory.db").write_bytes(b"x" * 5000)
    memory.close()
    assert memory.save(PATH, [row], ["f"], 2, whole=True) == {}
    assert memory.warning is not None


@pytest.mark.parametrize(
    ("path", "watched"), [("a.py", True), ("vendor/x.py", False), ("src/vendor/y/z.py", False), ("old.py", False)]
)
def test_what_is_left_out(path: str, watched: bool) -> None:
    from remora_hub_lsp.hub.driftrules import DriftRules, excluder

    docstrings = Docstrings(None, excluded=excluder(DriftRules(exclude=("vendor/", "/old.py"))))
    assert docstrings.watches(path) is watched
