from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from remora_hub_lsp.discovery import running
from remora_hub_lsp.errors import DiscoveryError
from remora_hub_lsp.serve.launch import stop

from .kit import DOORS, opened

# Databases wait for the disk thousands of times, and nothing that is tested rests on the disk: so it is memory.
MEMORY, ROOM = "/dev/shm", 2 << 30

# No outcome rests on how busy the machine is.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--door", choices=(*DOORS, "both"), default="both", help="how marker tests reach the hub")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Whole folders of tests run in parallel, single files one after the other, unless `-n` says otherwise."""
    option = config.option
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # this is one of the processes
    if getattr(option, "numprocesses", 0) is None and not option.usepdb and any(map(os.path.isdir, config.args)):
        option.numprocesses = (os.cpu_count() or 1) + 1  # tests wait for processes, too
        option.dist = "worksteal"


def pytest_configure(config: pytest.Config) -> None:
    """Let no process that a test starts compile the package anew, whatever the surroundings say of bytecode."""
    if "TMPDIR" not in os.environ and _is_good_for_files(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = MEMORY
    if (cache := getattr(config, "cache", None)) is not None:  # none with `-p no:cacheprovider`
        folder = str(cache.mkdir("bytecode"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder


def _is_good_for_files(folder: str) -> bool:
    """Whether all that a run of the tests writes (some hundred megabytes) has room there, programs too."""
    with contextlib.suppress(OSError):
        about = os.statvfs(folder)
        return os.access(folder, os.W_OK) and not about.f_flag & os.ST_NOEXEC and about.f_bavail * about.f_frsize > ROOM
    return False


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let no garbage collection look at the modules and tests themselves again: hubs collect all at each start."""
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "door" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--door")
        metafunc.parametrize("door", DOORS if chosen == "both" else (chosen,))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index databases go to a folder of this test, in processes that it starts too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(autouse=True)
def own_runtime(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Hub processes of a test are found by that test alone, and end with it."""
    folder = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    end_hub_processes()


def end_hub_processes() -> None:
    """End those that are found in the runtime folder of now, other than this process."""
    with contextlib.suppress(DiscoveryError):
        for listening in running():
            if listening.pid != os.getpid():
                stop(listening)


@pytest.fixture
def check(tmp_path: Path, door: str) -> Callable[[str], None]:
    """Checks the marks of a fixture (see kit.py)."""

    def run(text: str) -> None:
        async def look() -> None:
            async with opened(text, tmp_path, door) as project:
                await project.check_marks()

        asyncio.run(look())

    return run
