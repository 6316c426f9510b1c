"""Whatever happens in whatever order, kills included: the index ends as one that is built from the final truth.

REMORA_ALL=1 tries some hundred stories instead of a few.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .lives import OPERATIONS, Life, Step, live, live_to_the_end
from .running import GUARD

STORIES = 400 if os.environ.get("REMORA_ALL") else 24
_SPAWN = multiprocessing.get_context("forkserver")
_SPAWN.set_forkserver_preload([f"{__package__}.lives"])

STEPS = st.builds(Step, st.sampled_from(OPERATIONS), st.integers(0, 4), st.integers(0, 20), st.sampled_from((1, 1, 2)))
LIVES = st.builds(
    Life, st.lists(STEPS, max_size=25), st.one_of(st.none(), st.sampled_from((0, 1, 3, 10, 30, 60, 200)))
)


@settings(
    max_examples=STORIES,
    deadline=None,
    database=None,
    derandomize=STORIES < 100,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(LIVES, max_size=2), st.lists(STEPS, max_size=40))
@example([Life([Step("open", 0, 1), Step("edit", 0, 3), Step("save", 0, 0), Step("edit", 0, 4)], 3)], [])
@example([Life([Step("write", n % 5, n) for n in range(25)], 10)], [Step("move folder", 1, 0), Step("write", 1, 3)])
@example([], [Step("write", 1, 0), Step("move folder", 1, 0), Step("write", 1, 3), Step("move folder", 1, 0)])
def test_the_index_ends_as_a_cold_start_over_the_final_truth(before: list[Life], last: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "project"
        root.mkdir()
        for life in before:
            if life.killed is None:
                asyncio.run(live(root, life))
            else:
                live_and_be_killed(root, life)
        asyncio.run(live_to_the_end(root, Life(last)))


def live_and_be_killed(root: Path, life: Life) -> None:
    done = _SPAWN.Event()
    process = _SPAWN.Process(target=_child, args=(root, life, done))
    process.start()
    try:
        assert done.wait(GUARD)
        time.sleep((life.killed or 0) / 1000)
    finally:
        process.kill()
        process.join()


def _child(root: Path, life: Life, done: Event) -> None:
    asyncio.run(live(root, life, done.set))
