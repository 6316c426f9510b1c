"""The inbox: no change is dropped, newer ones join older ones, and who waits waits only for what it asked for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from remora_hub_lsp.hub.inbox import Inbox

from .running import GUARD

DEBOUNCE = 0.005


class Work:
    """Takes what waits, as the hub does. indexed: the version of each path that is done. taken: each round."""

    def __init__(self, inbox: Inbox, rng: random.Random, most: int = 250) -> None:
        self.inbox = inbox
        self.rng = rng
        self.most = most
        self.newest: dict[str, int] = {}
        self.indexed: dict[str, int] = {}
        self.taken: list[list[str]] = []
        self.running: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def change(self, path: str) -> None:
        self.newest[path] = self.newest.get(path, 0) + 1
        self.inbox.put(path)

    async def drain(self) -> None:
        while True:
            round_ = await self.inbox.ready(DEBOUNCE, self.most)
            self.taken.append(round_)
            assert round_
            assert len(set(round_)) == len(round_) <= self.most
            for path in round_:
                task = asyncio.create_task(self._one(path))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _one(self, path: str) -> None:
        assert path not in self.running, "one at a time"
        self.running.add(path)
        version = self.newest[path]
        for _ in range(self.rng.randrange(4)):
            await asyncio.sleep(self.rng.random() * 0.002)
        self.indexed[path] = version
        self.running.discard(path)
        self.inbox.finish(path)


@asynccontextmanager
async def working(seed: int = 0, most: int = 250) -> AsyncIterator[Work]:
    work = Work(Inbox(), random.Random(seed), most)
    task = asyncio.create_task(work.drain())
    try:
        yield work
    finally:
        task.cancel()
        await asyncio.gather(task, *work._tasks, return_exceptions=True)


@pytest.mark.parametrize("most", [1, 3, 250])
@pytest.mark.parametrize("seed", range(4))
async def test_who_waits_sees_every_change_that_came_before(seed: int, most: int) -> None:
    async with working(seed, most) as work:
        rng = random.Random(seed)
        paths = [f"{n}.py" for n in range(12)]

        async def ask() -> None:
            asked = rng.sample(paths, rng.randrange(1, 4))
            before = {path: work.newest.get(path, 0) for path in asked}
            assert await work.inbox.done(asked, GUARD)
            for path, version in before.items():
                assert work.indexed.get(path, 0) >= version

        asking = []
        for _ in range(150):
            work.change(rng.choice(paths))
            if rng.random() < 0.3:
                asking.append(asyncio.create_task(ask()))
            if rng.random() < 0.3:
                await asyncio.sleep(rng.random() * 0.003)
        await asyncio.gather(*asking)
        assert await work.inbox.done(None, GUARD)
        assert work.indexed == work.newest, "nothing is dropped"
        assert len(work.inbox) == 0
        assert work.inbox.paths == ()


async def test_changes_of_one_path_that_come_together_are_one() -> None:
    async with working() as work:
        for _ in range(100):
            work.change("a.py")
        work.change("b.py")
        assert len(work.inbox) == 2
        assert await work.inbox.done(None, GUARD)
        assert work.taken == [["a.py", "b.py"]]


async def test_a_change_while_its_path_is_analysed_is_analysed_again() -> None:
    inbox = Inbox()
    inbox.put("a.py")
    assert await inbox.ready(0, 9) == ["a.py"]
    inbox.put("a.py")
    assert inbox.pending("a.py")
    assert inbox.paths == ("a.py",)
    waiting = asyncio.create_task(inbox.done(["a.py"], GUARD))
    await asyncio.sleep(0)
    inbox.finish("a.py")
    assert await inbox.ready(GUARD, 9) == ["a.py"], "at once, since somebody waits"
    assert not waiting.done()
    inbox.finish("a.py")
    assert await waiting
    assert not inbox.pending("a.py")


async def test_who_waits_for_one_path_does_not_wait_for_another() -> None:
    inbox = Inbox()
    inbox.put("slow.py")
    assert await inbox.ready(0, 9) == ["slow.py"]
    assert await inbox.done(["other.py"], GUARD)
    assert await inbox.done([], GUARD)
    assert not await inbox.done(["slow.py"], 0)
    assert not await inbox.done(["slow.py", "other.py"], 0.01)
    inbox.finish("slow.py")
    assert await inbox.done(["slow.py"], GUARD)


async def test_what_is_waited_for_goes_first() -> None:
    inbox = Inbox()
    for number in range(20):
        inbox.put(f"{number}.py")
    waiting = asyncio.create_task(inbox.done(["17.py", "nothing.py"], GUARD))
    await asyncio.sleep(0)
    assert await inbox.ready(GUARD, 3) == ["17.py", "0.py", "1.py"]
    inbox.finish("17.py")
    assert await waiting
    inbox.put("17.py")
    inbox.put("nothing.py")
    rest = [path for _ in range(7) for path in await inbox.ready(0, 3)]
    assert rest == [f"{n}.py" for n in range(2, 20) if n != 17] + ["17.py", "nothing.py"], "it was waited for once"


async def test_changes_are_gathered_for_a_moment_unless_somebody_waits() -> None:
    inbox = Inbox()
    inbox.put("a.py")
    taking = asyncio.create_task(inbox.ready(GUARD, 9))
    await asyncio.sleep(0.02)
    inbox.put("b.py")
    assert not taking.done()
    waiting = asyncio.create_task(inbox.done(["a.py"], GUARD))
    assert await taking == ["a.py", "b.py"]
    inbox.finish("a.py")
    inbox.finish("b.py")
    assert await waiting


async def test_closing_releases_everybody() -> None:
    inbox = Inbox()
    inbox.put("a.py")
    await inbox.ready(0, 9)
    inbox.put("a.py")
    inbox.put("b.py")
    waiting = [asyncio.create_task(inbox.done(paths, GUARD)) for paths in (["a.py"], ["b.py"], None)]
    await asyncio.sleep(0)
    inbox.close()
    inbox.close()
    await asyncio.wait_for(asyncio.gather(*waiting), GUARD)
    inbox.finish("a.py")
