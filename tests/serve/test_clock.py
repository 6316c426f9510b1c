"""A real hub process whose wall clock jumps by hours and years, while files come with stamps from anywhere."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from remora_hub_lsp.client import HubClient
from remora_hub_lsp.discovery import find

from ..hub.running import contents, fresh
from .conftest import WriteFiles
from .process import environment

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")

JUMPS = ("+5h", "-5h", "+300d", "-300d", "-20000d", "+1s", "+0")
STAMPS = (None, 10**9, 4 * 10**9)  # seconds since 1970; None: now
HANG = 60
IDLE = 1.5  # seconds


@contextmanager
def hub_with_a_clock_of_its_own(clock: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The hub process takes its time from the file; the monotonic clock is not touched, as the system's never is."""
    settings = {"TIMESTAMP_FILE": str(clock), "NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}
    env = environment() | {"LD_PRELOAD": str(LIBRARY)} | {f"FAKETIME_{name}": value for name, value in settings.items()}
    clock.write_text("+0")
    command = [sys.executable, "-m", "remora_hub_lsp", "serve", "--idle", str(IDLE)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + HANG
            while find() is None:
                assert time.monotonic() < until
                time.sleep(0.02)
            yield process
        finally:
            process.kill()
            process.wait()
            for left in Path("/dev/shm").glob(f"*faketime_*_{process.pid}"):
                left.unlink()


async def test_nothing_is_missed_and_the_end_is_neither_early_nor_late(project: WriteFiles, tmp_path: Path) -> None:
    root = project({f"m{number}.py": f"def f{number}(): ...\n" for number in range(20)})
    clock, rng = tmp_path / "clock", random.Random(1)
    with hub_with_a_clock_of_its_own(clock) as process:
        async with HubClient(root, timeout=HANG) as hub:
            await hub.status()
            for number, jump in enumerate(JUMPS):
                clock.write_text(jump)
                keys = []
                for stamp, file in zip(STAMPS, rng.sample(range(20), len(STAMPS)), strict=True):
                    place = root / f"m{file}.py"
                    place.write_text(f"def g{number}_{stamp}(): ...\n")
                    if stamp is not None:
                        os.utime(place, (stamp, stamp))
                    keys.append(f"{place.name}:g{number}_{stamp}")
                until = time.monotonic() + HANG
                while len((found := await hub.context(keys)).nodes) < len(keys):
                    assert time.monotonic() < until, f"after {jump}: {found.missing}"
            database = Path((await hub.status()).database)
            assert contents(database) == await fresh(root)
        left = time.monotonic()
        for jump in ("+300d", "-300d"):
            clock.write_text(jump)
            time.sleep(IDLE / 4)
            assert process.poll() is None
        assert process.wait(HANG) == 0
        assert time.monotonic() - left > IDLE * 0.9
