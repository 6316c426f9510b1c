"""Worker processes: the same rows as in-process, and an end whatever happens to either side."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from remora_hub_lsp.analysis.segments import SegmentedText
from remora_hub_lsp.analysis.text import split_lines
from remora_hub_lsp.hub.pool import NoWorker, WorkerDied, WorkerPool
from remora_hub_lsp.hub.worker import LENGTH, Outcome, Task, analyse, analyse_batch
from remora_hub_lsp.index.rows import encode

from .running import GUARD, write

TEXT = "import os\nclass A:\n    def f(self): return os\n"
START = "import sys; sys.path[:] = {path!r}; from remora_hub_lsp.hub.worker import main; main()"


def task(root: Path, path: str, known: str = "") -> Task:
    return Task(path, str(root / path), known)


def undated(outcome: Outcome) -> Outcome:
    return outcome._replace(scanned_ns=0)


async def test_a_worker_gives_what_this_process_gives(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": TEXT, "bad.py": b"\xff", "broken.py": "def f(:\n", "same.py": "x = 1\n"})
    tasks = [task(tmp_path, path) for path in ("a.py", "bad.py", "broken.py", "gone.py")]
    tasks.append(task(tmp_path, "same.py", sha256(b"x = 1\n").hexdigest()))
    pool = WorkerPool(1)
    try:
        found = pickle.loads(await pool.run("analyse_batch", tasks, 1000))
    finally:
        await pool.close()
    assert [undated(outcome) for outcome in found] == [undated(outcome) for outcome in analyse_batch(tasks, 1000)]
    assert [(outcome.rows is None, outcome.gone) for outcome in found] == [
        (False, False), (False, False), (False, False), (True, True), (True, False),
    ]  # fmt: skip


async def test_nothing_starts_any_more_once_the_pool_closes(tmp_path: Path) -> None:
    """Neither for who waits for a worker, nor for who is just starting one."""
    pool = WorkerPool(2)
    jobs = [asyncio.ensure_future(pool.run("ready")) for _ in range(6)]
    await asyncio.sleep(0)
    await asyncio.wait_for(pool.close(), GUARD)
    assert not pool.is_running
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [NoWorker] * 6
    with pytest.raises(NoWorker):
        await pool.run("ready")


async def test_a_text_that_a_worker_cut_up_has_the_same_facts(tmp_path: Path) -> None:
    lines = split_lines(TEXT + "x = '\ud800'\n" + TEXT)
    pool = WorkerPool(1)
    try:
        items, whole = pickle.loads(await pool.run("cut_up", lines))
    finally:
        await pool.close()
    here, there = SegmentedText(list(lines)), SegmentedText([])
    there.replace(list(lines), items)
    assert whole == (not here.broken)
    assert encode("a.py", there.facts()) == encode("a.py", here.facts())


async def test_many_jobs_share_the_workers(tmp_path: Path) -> None:
    write(tmp_path, {f"{n}.py": f"def f{n}(): pass\n" for n in range(20)})
    pool = WorkerPool(2)
    try:
        jobs = [pool.run("analyse_batch", [task(tmp_path, f"{n}.py")], 1000) for n in range(20)]
        answers = [pickle.loads(answer)[0] for answer in await asyncio.gather(*jobs)]
        assert [answer.path for answer in answers] == [f"{n}.py" for n in range(20)]
        assert len(pool._alive) <= 2
    finally:
        await pool.close()


async def test_a_job_that_is_cancelled_does_not_give_its_answer_to_the_next(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "def a(): pass\n", "b.py": "def b(): pass\n"})
    pool = WorkerPool(1)
    try:
        await pool.run("analyse_batch", [], 1000)
        job = asyncio.create_task(pool.run("analyse_batch", [task(tmp_path, "a.py")] * 100, 1000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        (answer,) = pickle.loads(await pool.run("analyse_batch", [task(tmp_path, "b.py")], 1000))
        assert answer.path == "b.py"
    finally:
        await pool.close()


async def test_a_job_that_fails_in_the_worker_ends_that_worker_alone() -> None:
    pool = WorkerPool(1)
    try:
        with pytest.raises(WorkerDied):
            await pool.run("analyse_batch", [None], 1000)
        assert pickle.loads(await pool.run("analyse_batch", [], 1000)) == []
    finally:
        await pool.close()


async def test_without_a_python_to_start_there_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = WorkerPool(1)
    for executable in ("/no/python", ""):
        monkeypatch.setattr(sys, "executable", executable)
        with pytest.raises(NoWorker):
            await pool.run("analyse_batch", [], 1000)
    await pool.close()


async def test_stopping_leaves_busy_workers_alone(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": TEXT * 300})
    pool = WorkerPool(2)
    try:
        job = asyncio.create_task(pool.run("analyse_batch", [task(tmp_path, "a.py")] * 5, 10**6))
        await pool.run("analyse_batch", [], 1000)
        pool.stop()
        assert len(pickle.loads(await job)) == 5
    finally:
        await pool.close()


@pytest.mark.parametrize("end", ["its input ends", "half a request", "the hub is killed"])
def test_a_worker_never_outlives_its_hub(end: str) -> None:
    start = START.format(path=sys.path)
    if end == "the hub is killed":
        hub = (
            "import subprocess, sys, time\n"
            f"worker = subprocess.Popen([sys.executable, '-c', {start!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
            "print(worker.pid, flush=True)\ntime.sleep(600)\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", hub], stdout=subprocess.PIPE)
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(GUARD)
        parent.stdout.close()
        gone(pid)
        return
    worker = subprocess.Popen([sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    _, _ = worker.communicate(LENGTH.pack(1000) + b"half" if end == "half a request" else None, timeout=GUARD)
    assert worker.returncode == 0


def test_a_worker_whose_hub_is_gone_when_it_answers_says_nothing() -> None:
    """Its standard error is the hub processes' log."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", START.format(path=sys.path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        worker.stdout.close()
        request = pickle.dumps(("analyse_batch", ([], 1000)))
        worker.stdin.write(LENGTH.pack(len(request)) + request)
        worker.stdin.close()
        assert worker.stderr.read() == b""
        assert worker.wait(GUARD) == 0


def gone(pid: int) -> None:
    until = time.monotonic() + GUARD
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.01)
    raise AssertionError("the worker is still there")


async def test_what_analysed_code_would_print_gets_not_between_the_answers(tmp_path: Path) -> None:
    """Invalid escapes make Python warn; on stdout that would be the end of the protocol."""
    write(tmp_path, {"a.py": "x = '\\d'\nif 1 is 1: pass\nassert (1, 2)\n" * 50})
    pool = WorkerPool(1)
    try:
        (answer,) = pickle.loads(await pool.run("analyse_batch", [task(tmp_path, "a.py")], 10_000))
    finally:
        await pool.close()
    assert undated(answer) == undated(analyse(task(tmp_path, "a.py"), 10_000))
    assert answer.rows is not None
    assert answer.rows.error is None
