"""Open documents: what was typed is in every later answer, and the newest buffer is its path's truth."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from remora_hub_lsp.hub.changes import Saved
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.hub.updates import BIG_LINES
from remora_hub_lsp.index import rows

from .running import (
    GUARD,
    Editor,
    age,
    changed_on_disk,
    contents,
    context,
    expected,
    fresh,
    held,
    missing,
    node,
    running,
    signatures,
    write,
)


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Ask until the answer is yes."""
    async with asyncio.timeout(GUARD):
        while not await question():
            await asyncio.sleep(0.02)


# ------------------------------------------------------------------------------------------------ read your writes


async def test_what_was_applied_is_in_every_later_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f0(): pass\n")
        for number in range(30):
            editor.edit("a.py", (0, 4), (0, 5 + len(str(number))), f"f{number + 1}")
            if number % 3:
                assert await signatures(hub, "a.py") == [f"def f{number + 1}()"]
            else:
                found = await node(hub, f"a.py:f{number + 1}")
                assert found["version"] == number + 2
        assert (await node(hub, "a.py"))["origin"] == "buffer"


async def test_a_question_about_everything_waits_for_all_open_buffers(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        for number in range(10):
            editor.open(f"{number}.py", f"def f{number}(): pass\n")
        answer = await hub.read(lambda view: view.counts(), wait=GUARD)
        assert answer.value == (10, 20)
        for number in range(10):
            editor.close(f"{number}.py")
        answer = await hub.read(lambda view: view.counts(), wait=GUARD)
        assert answer.value == (0, 0), "a close is a change, too"


async def test_a_dotted_name_in_a_new_buffer_is_found_at_once(tmp_path: Path) -> None:
    write(tmp_path, {"old.py": "def g(): pass\n"})
    async with running(tmp_path) as hub:
        Editor(hub).open("pkg/new.py", "def f(): pass\n")
        result = await context(hub, "pkg.new.f", "old.py:g")
        assert list(result["nodes"]) == ["pkg.new.f", "old.py:g"]


async def test_many_readers_at_once_all_see_it(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
        editor.replace("a.py", "def g(a): pass\n")
        found = await asyncio.gather(*(signatures(hub, "a.py") for _ in range(20)))
        assert found == [["def g(a)"]] * 20


async def test_edits_between_two_reads_are_taken_together(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "")
        await signatures(hub, "a.py")
        before = hub.counters["changes"]
        for letter in "def f(): pass\n":
            editor.edit("a.py", (10**6, 0), (10**6, 0), letter)
        assert await signatures(hub, "a.py") == ["def f()"]
        assert hub.counters["changes"] == before + 1


async def test_a_reader_without_patience_is_told_what_it_has_not_seen(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
        await signatures(hub, "a.py")
        editor.replace("a.py", "def f(a): pass\n")
        answer = await hub.read(lambda view: view.outline("a.py"), paths=("a.py", "b.py"), wait=0)
        assert answer.pending == ("a.py",)
        assert [entry["signature"] for entry in answer.value] == ["def f()"]
        result = await context(hub, "a.py:f", waitMs=0)
        assert [entry["id"] for entry in result["stale"]] == ["a.py:f"]
        assert await signatures(hub, "a.py") == ["def f(a)"]


async def test_many_ids_in_one_question_see_the_newest_text_too(tmp_path: Path) -> None:
    names = [f"f{i}" for i in range(100)]
    async with running(tmp_path) as hub:
        Editor(hub).open("a.py", "".join(f"def {name}(): pass\n" for name in names))
        result = await context(hub, *(f"a.py:{name}" for name in names))
        assert len(result["nodes"]) == 100
        assert (result["missing"], result["stale"]) == ([], [])


# ------------------------------------------------------------------------------------------------ precedence


async def test_the_buffer_is_the_truth_and_closing_it_restores_the_disk(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): pass\n"})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def buffer(): pass\n")
        assert await signatures(hub, "a.py") == ["def buffer()"]
        write(tmp_path, {"a.py": "def newer_disk(): pass\n"})
        changed_on_disk(hub, "a.py")
        assert await signatures(hub, "a.py") == ["def buffer()"]
        editor.close("a.py")
        assert await signatures(hub, "a.py") == ["def newer_disk()"]
        found = await node(hub, "a.py:newer_disk")
        assert (found["origin"], found["version"]) == ("disk", None)


async def test_closing_a_buffer_that_was_never_saved_forgets_it(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("new.py", "def f(): pass\n")
        assert await signatures(hub, "new.py") == ["def f()"]
        editor.close("new.py")
        assert (await missing(hub, "new.py:f"))[0] == "no such file"


async def test_closing_an_unchanged_buffer_says_disk_again(tmp_path: Path) -> None:
    text = "def f(): pass\n"
    write(tmp_path, {"a.py": text})
    async with running(tmp_path) as hub:
        before = await node(hub, "a.py:f")
        editor = Editor(hub)
        editor.open("a.py", text)
        assert (await node(hub, "a.py:f"))["origin"] == "buffer"
        editor.close("a.py")
        assert await node(hub, "a.py:f") == before


async def test_opened_again_with_another_text(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        for number in range(5):
            editor.open("a.py", f"def f{number}(): pass\n" * (number + 1))
            if number % 2:
                assert len(await signatures(hub, "a.py")) == number + 1
            editor.close("a.py")
        editor.open("a.py", "def last(): pass\n")
        assert await signatures(hub, "a.py") == ["def last()"]


async def test_of_two_buffers_of_one_path_the_newest_wins(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): pass\n"})
    async with running(tmp_path) as hub:
        one, two = Editor(hub, 1), Editor(hub, 2)
        one.open("a.py", "def one(): pass\ndef shared(): pass\n")
        assert await signatures(hub, "a.py") == ["def one()", "def shared()"]
        two.open("a.py", "def two(): pass\ndef shared(): pass\n")
        assert await signatures(hub, "a.py") == ["def two()", "def shared()"]
        one.edit("a.py", (0, 8), (0, 8), "a")
        assert await signatures(hub, "a.py") == ["def one(a)", "def shared()"]
        two.edit("a.py", (1, 11), (1, 11), "b")
        assert await signatures(hub, "a.py") == ["def two()", "def shared(b)"]
        two.close("a.py")
        assert await signatures(hub, "a.py") == ["def one(a)", "def shared()"]
        one.close("a.py")
        assert await signatures(hub, "a.py") == ["def disk()"]


async def test_closing_the_older_of_two_buffers_changes_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        one, two = Editor(hub, 1), Editor(hub, 2)
        one.open("a.py", "def one(): pass\n")
        two.open("a.py", "def two(): pass\n")
        one.close("a.py")
        assert await signatures(hub, "a.py") == ["def two()"]


TEXTS = (
    "def f(a): pass\n\n\nclass A:\n    def g(self): pass\n    def h(self): pass\n",
    "import os\nclass A:\n    x = 1\n    def g(self, b): return os\ndef f(): pass\ndef f(c): pass\n",
    "",
    "def k(): pass\n" * 3,
)
LINES = ("def new{0}(a{0}): pass\n", "import m{0}\n", "x{0} = 1\n", "# {0}\n", "\n", "class C{0}: pass\n")


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_peers_and_disk_do_the_answer_is_that_of_the_newest_truth(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    paths = ("a.py", "pkg/b.py")
    async with running(tmp_path) as hub:
        editors = [Editor(hub, owner) for owner in (1, 2, 3)]
        order: dict[str, list[Editor]] = {path: [] for path in paths}
        for step in range(60):
            path = rng.choice(paths)
            editor = rng.choice(editors)
            happening = rng.choice(("open", "edit", "edit", "edit", "edit", "close", "disk", "save"))
            if happening == "disk":
                place = tmp_path / path
                if rng.random() < 0.3:
                    place.unlink(missing_ok=True)
                else:
                    write(tmp_path, {path: rng.choice(TEXTS)}, settled=rng.random() < 0.5)
                changed_on_disk(hub, path)
            elif path not in editor.documents:
                editor.open(path, rng.choice(TEXTS))
                order[path].append(editor)
            elif happening == "close":
                editor.close(path)
                order[path].remove(editor)
            elif happening == "save":
                editor.documents[path].version += 1
                (tmp_path / path).parent.mkdir(exist_ok=True)
                editor.save(path)
            else:
                edit_lines(rng, editor, path, step)
                order[path].remove(editor)
                order[path].append(editor)
            if rng.random() < 0.5:
                asked = rng.choice(paths)
                assert await held(hub, asked) == truth(tmp_path, asked, order[asked]), (step, asked)
        for path in paths:
            assert await held(hub, path) == truth(tmp_path, path, order[path])


def edit_lines(rng: random.Random, editor: Editor, path: str, step: int) -> None:
    lines = editor.documents[path].lines
    at = rng.randrange(len(lines) + 1)
    while at < len(lines) and lines[at].startswith(" "):
        at += 1  # not between a class and its body
    end = at + (rng.random() < 0.4 and at < len(lines) and lines[at][:3] in ("def", "imp"))
    editor.edit(path, (at, 0), (end, 0), rng.choice(LINES).format(step))


def truth(root: Path, path: str, order: list[Editor]) -> list[tuple[str, int]]:
    if order:
        return expected(path, order[-1].documents[path].text)
    place = root / path
    return expected(path, place.read_text()) if place.exists() else []


# ------------------------------------------------------------------------------------------------ saving


async def test_a_saved_file_is_not_analysed_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
        await asyncio.sleep(0.05)
        editor.save("a.py")
        age(tmp_path / "a.py")
        editor.hub.apply(Saved("a.py", 1))

        async def stamped() -> bool:
            answer = await hub.read(lambda view: view.stamps(["a.py"]), wait=GUARD)
            return bool(answer.value["a.py"][0] == (tmp_path / "a.py").stat().st_mtime_ns)

        await until(stamped)
        revision = hub.revision
    async with running(tmp_path) as hub:
        assert hub.progress.total == 0
        assert hub.revision == revision
        found = await node(hub, "a.py:f")
        assert (found["origin"], found["version"]) == ("disk", None), "no buffer is open any more"


async def test_an_unsaved_buffer_is_repaired_at_the_next_start(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): pass\n"})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def typed(): pass\n")
        editor.open("b.py", "def typed(): pass\n")
        assert await signatures(hub, "a.py") == ["def typed()"]
        assert await signatures(hub, "b.py") == ["def typed()"]
    async with running(tmp_path) as hub:
        assert await signatures(hub, "a.py") == ["def disk()"]
        assert (await missing(hub, "b.py:typed"))[0] == "no such file"
        assert (await node(hub, "a.py:disk"))["origin"] == "disk"


async def test_an_edit_after_saving_is_not_taken_for_the_saved_text(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\n")
        editor.save("a.py")
        editor.edit("a.py", (0, 6), (0, 6), "a")
        assert await signatures(hub, "a.py") == ["def f(a)"]
    async with running(tmp_path) as hub:
        assert await signatures(hub, "a.py") == ["def f()"]


# ------------------------------------------------------------------------------------------------ broken text


async def test_while_a_buffer_does_not_parse_the_rest_stays_and_the_broken_is_marked(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(a): pass\n\n\ndef g(): pass\n")
        await signatures(hub, "a.py")
        editor.edit("a.py", (0, 8), (0, 14), "")
        result = await context(hub, "a.py:f", "a.py:g")
        assert result["nodes"]["a.py:f"]["signature"] == "def f(a)"
        assert result["nodes"]["a.py:f"]["broken"]
        assert result["nodes"]["a.py:g"]["broken"] is None
        assert [entry["id"] for entry in result["stale"]] == ["a.py:f"]
        (failed,) = (await hub.status()).failed
        assert failed.file == "a.py"
        editor.edit("a.py", (0, 8), (0, 8), ": return 1")
        result = await context(hub, "a.py:f")
        assert result["stale"] == []
        assert (await hub.status()).failed == ()


async def two_quotes_far_apart(hub: Hub, lines: int) -> Editor:
    """What stands between two new quotes is a string, which neither of the two edits can tell by itself."""
    editor = Editor(hub)
    editor.open("a.py", "".join(f"def f{i}(a):\n    pass\n" for i in range(lines // 2)))
    await signatures(hub, "a.py")
    for line in (lines // 4 * 2, 0):
        editor.edit("a.py", (line, 0), (line, 0), "'''\n")
        await signatures(hub, "a.py")
    return editor


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("lines", [40, 600, BIG_LINES + 200])
async def test_what_no_edit_can_tell_by_itself_settles_when_the_typing_rests(
    tmp_path: Path, lines: int, workers: int
) -> None:
    async with running(tmp_path, workers=workers) as hub:
        editor = await two_quotes_far_apart(hub, lines)
        wanted = expected("a.py", editor.documents["a.py"].text)

        async def settled() -> bool:
            return await held(hub, "a.py") == wanted and (await hub.status()).failed == ()

        await until(settled)
        answer = await hub.read(lambda view: [entry["broken"] for entry in view.outline("a.py")], paths=("a.py",))
        assert set(answer.value) == {None}


async def test_what_closes_before_it_settled_is_as_the_disk_has_it(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = await two_quotes_far_apart(hub, 600)
        text = editor.documents["a.py"].text
        editor.save("a.py")
        editor.close("a.py")
        assert await held(hub, "a.py") == expected("a.py", text)
        assert (await hub.status()).failed == ()


async def test_last_good_facts_of_a_buffer_are_not_taken_for_the_disk(tmp_path: Path) -> None:
    """The disk has the same broken text, but never had the facts of before: a new index must hold the same."""
    async with running(tmp_path) as hub:
        database = hub.database
        for path in ("closed.py", "open.py"):
            editor = Editor(hub)
            editor.open(path, "def f(a): pass\n\n\ndef g(): pass\n")
            await signatures(hub, path)
            editor.edit(path, (0, 8), (0, 14), "")
            await signatures(hub, path)
            editor.save(path)
            age(tmp_path / path)
            await asyncio.sleep(0.05)
            hub.apply(Saved(path, 1))
            if path == "closed.py":
                editor.close(path)
            await hub.indexed()
    async with running(tmp_path):
        pass
    assert contents(database) == await fresh(tmp_path)


# ------------------------------------------------------------------------------------------------ big buffers


def big(lines: int) -> str:
    return "".join(f"class C{i}:\n    def f(self, a{i}): pass\n" for i in range(lines // 2))


@pytest.mark.parametrize("workers", [0, 1])
async def test_a_big_buffer_is_there_for_the_first_question(tmp_path: Path, workers: int) -> None:
    text = big(BIG_LINES + 300)
    async with running(tmp_path, workers=workers) as hub:
        Editor(hub).open("a.py", text)
        assert await held(hub, "a.py") == expected("a.py", text)


async def test_edits_that_arrive_while_a_worker_cuts_a_big_buffer_up(tmp_path: Path) -> None:
    rng = random.Random(3)
    async with running(tmp_path, workers=1) as hub:
        editor = Editor(hub)
        editor.open("a.py", big(BIG_LINES + 300))
        for step in range(16):
            if step % 8 == 7:
                editor.replace("a.py", editor.documents["a.py"].text.replace("a1)", f"b{step})"))
            else:
                edit_lines(rng, editor, "a.py", step)
            if step % 5 == 4:
                assert await held(hub, "a.py") == expected("a.py", editor.documents["a.py"].text)
            else:
                await asyncio.sleep(rng.random() * 0.03)
        assert await held(hub, "a.py") == expected("a.py", editor.documents["a.py"].text)


async def test_a_big_buffer_that_closes_while_a_worker_cuts_it_up(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def disk(): pass\n"})
    async with running(tmp_path, workers=1) as hub:
        editor = Editor(hub)
        for wait in (0.0, 0.03, 0.06, 0.1):
            editor.open("a.py", big(BIG_LINES + 2000))
            await asyncio.sleep(wait)
            editor.close("a.py")
            assert await signatures(hub, "a.py") == ["def disk()"]


async def test_a_killed_worker_does_not_lose_the_big_buffer(tmp_path: Path) -> None:
    text = big(BIG_LINES + 3000)
    async with running(tmp_path, workers=1) as hub:
        Editor(hub).open("a.py", text)
        async with asyncio.timeout(GUARD):
            while not hub.pool._alive:
                await asyncio.sleep(0.001)
        for worker in list(hub.pool._alive):
            worker.kill()
        assert len(await held(hub, "a.py")) == len(expected("a.py", text))


# ------------------------------------------------------------------------------------------------ odd texts and failures


@pytest.mark.parametrize(
    "text",
    ["\ud800 = 1\ndef f(): pass\n", "def f(): pass\nx = '\ud800'\n", "x = 1\0\ndef f(): pass\n", "\ufeffdef f(): pass\n", "def f(): pass\r# a\r\n",
     "(" * 5000 + "\ndef f(): pass\n", "\f\ndef f(): pass\n"],
)  # fmt: skip
async def test_any_text_can_be_typed(tmp_path: Path, text: str) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", text)
        await hub.read(lambda view: view.outline("a.py"), paths=("a.py",), wait=GUARD)
        editor.replace("a.py", "def f(b): pass\n")
        assert await signatures(hub, "a.py") == ["def f(b)"]
        assert hub.counters["failed_changes"] == 0


async def test_a_change_that_cannot_be_written_is_told_and_made_up_for(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "def f(): pass\ndef g(): pass\ndef h(): pass\n")
        await signatures(hub, "a.py")
        other = sqlite3.connect(hub.database, isolation_level=None)
        other.execute("CREATE TRIGGER full BEFORE INSERT ON nodes BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
        editor.edit("a.py", (1, 6), (1, 6), "a")
        await hub.read(lambda view: None, paths=("a.py",), wait=GUARD)
        assert hub.counters["failed_changes"] == 1
        assert hub.state != "ready"
        other.execute("DROP TRIGGER full")
        other.close()
        editor.edit("a.py", (2, 6), (2, 6), "b")
        await hub.indexed()
        assert await signatures(hub, "a.py") == ["def f()", "def g(a)", "def h(b)"]


async def test_a_document_that_moves_to_another_hub_is_whole_there(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    async with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        editor = Editor(one)
        editor.open("a.py", "def f(): pass\n")
        await signatures(one, "a.py")
        document = editor.documents["a.py"]
        editor.close("a.py")
        other = Editor(two)
        other.documents["a.py"] = document
        other.edit("a.py", (0, 6), (0, 6), "a")
        assert await signatures(two, "a.py") == ["def f(a)"]
        assert await signatures(one, "a.py") == []


async def test_a_text_that_cannot_be_recorded_does_no_harm_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "MOST_IN_SEGMENT", 9)
    write(tmp_path, {"a.py": "import os\ndef f(): pass\ndef g(): pass\ndef h(): pass\n"})
    async with running(tmp_path) as hub:
        editor = Editor(hub)
        editor.open("a.py", "if 1:\n" + " def f(): 0\n" * 12)
        await hub.read(lambda view: None, paths=("a.py",), wait=GUARD)
        assert hub.counters["failed_changes"] == 1
        for step in range(3):
            editor.replace("a.py", f"import os\n\ndef k(): pass\ndef f(a{step}): return os\n")
            assert await signatures(hub, "a.py") == ["def k()", f"def f(a{step})"]
            editor.edit("a.py", (2, 0), (3, 0), "if 1:\n" + " def f(): 0\n" * 12)
            await hub.read(lambda view: None, paths=("a.py",), wait=GUARD)
        assert hub.counters["failed_changes"] == 4
        editor.close("a.py")
        assert await signatures(hub, "a.py") == ["def f()", "def g()", "def h()"]
        database = hub.database
    assert contents(database) == await fresh(tmp_path)
