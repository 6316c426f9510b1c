"""What git history tells of docstrings gets into the index of a project that the hub has just met."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.hub.history import seeding
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.protocol import GetContextParams

from ..running import GUARD, hub_of, running
from .repositories import Made

TEXT = '''def total(cart, rate):
    """Add up the cart.

    :param cart: What was bought.
    :param rate: The tax.
    """
    return cart
'''
LATER = TEXT.replace("(cart, rate)", "(cart)")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "project")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeding, "REST_SECONDS", 0.01)


async def node(hub: Hub, key: str = "cart.py:total") -> dict[str, Any]:
    result = await hub.get_context(GetContextParams(nodes=[key]))
    found: dict[str, Any] = result["nodes"][key]
    return found


async def read_to(hub: Hub, commit: str) -> None:
    async with asyncio.timeout(GUARD):
        await hub.history.finished()
        while hub.history.status.commit != commit or hub.history.status.state != "done":
            await asyncio.sleep(0.02)


def states(hub: Hub) -> tuple[str, int, int]:
    return hub.history.status.state, hub.history.status.done, hub.history.status.total


async def test_a_fresh_clone_knows_what_was_left_behind(made: Made) -> None:
    made.commit({"cart.py": TEXT})
    second = made.commit({"cart.py": LATER})
    made.commit({"cart.py": "# Moved.\n\n" + LATER, "other.py": TEXT})
    async with running(made.root) as hub:
        await hub.history.finished()
        found = await node(hub)
        assert found["docstring_outdated"]
        drift = found["drift"]
        assert [(reason["code"], reason["parameter"]) for reason in drift["reasons"]] == [("parameter-removed", "rate")]
        assert (drift["commit"], drift["author"], drift["signature"]) == (second, "A", "def total(cart, rate)")
        assert datetime.fromisoformat(drift["since"]) == datetime.fromtimestamp(made.date(second), UTC)
        assert not (await node(hub, "other.py:total"))["docstring_outdated"]
        assert states(hub) == ("done", 2, 2)
        status = await hub.status()
        assert status.history == hub.history.status


async def test_the_revision_rises_with_what_history_tells(made: Made) -> None:
    made.commit({"cart.py": TEXT})
    made.commit({"cart.py": LATER})
    heard: list[str] = []
    hub = hub_of(made.root)
    await hub.start()
    hub.on_change(lambda changed: heard.extend(changed.changed))
    try:
        await hub.indexed()
        before = hub.revision
        heard.clear()
        await hub.history.finished()
        assert hub.revision > before
        assert "node:cart.py:total" in heard
    finally:
        await hub.close()


async def test_what_is_not_committed_is_compared_with_what_is(made: Made) -> None:
    made.commit({"cart.py": TEXT})
    made.write({"cart.py": LATER})
    async with running(made.root) as hub:
        await hub.history.finished()
        found = await node(hub)
        assert found["docstring_outdated"]
        assert found["drift"]["signature"] == "def total(cart, rate)"
        assert found["drift"]["commit"] is None


async def test_a_docstring_that_is_being_rewritten_is_left_alone(made: Made) -> None:
    made.commit({"cart.py": TEXT})
    made.commit({"cart.py": LATER})
    made.write({"cart.py": LATER.replace("    :param rate: The tax.\n", "")})
    async with running(made.root) as hub:
        await hub.history.finished()
        assert not (await node(hub))["docstring_outdated"]


async def test_nothing_is_read_twice(made: Made) -> None:
    made.commit({"cart.py": TEXT, "a.py": TEXT, "b.py": TEXT})
    made.commit({"cart.py": LATER})
    async with running(made.root) as hub:
        await hub.history.finished()
        assert states(hub) == ("done", 3, 3)
    async with running(made.root) as hub:
        await hub.history.finished()
        assert states(hub) == ("done", 0, 0)
        assert (await node(hub))["docstring_outdated"]
    made.commit({"a.py": LATER})
    async with running(made.root) as hub:
        await hub.history.finished()
        assert states(hub) == ("done", 1, 1)
        assert (await node(hub, "a.py:total"))["docstring_outdated"]


async def test_commits_and_branches_are_followed_while_the_hub_runs(made: Made) -> None:
    first = made.commit({"cart.py": TEXT})
    async with running(made.root, watch=True) as hub:
        await read_to(hub, first)
        made.git("checkout", "-q", "-b", "side")
        other = TEXT.replace("def total(cart, rate)", "def total(cart, rate, net)")
        side = made.commit({"cart.py": other, "new.py": TEXT})
        await read_to(hub, side)
        assert (await node(hub))["drift"]["reasons"][0]["code"] == "parameter-added"
        made.git("checkout", "-q", "main")
        await read_to(hub, first)
        assert not (await node(hub))["docstring_outdated"]
        assert hub.history.status.total == 1
        made.git("checkout", "-q", "side")
        await read_to(hub, side)
        assert (await node(hub))["docstring_outdated"]


async def test_a_hub_that_is_killed_goes_on_where_it_was(made: Made) -> None:
    files = {f"m{number}.py": TEXT for number in range(40)}
    made.commit(dict(files))
    made.commit(dict.fromkeys(files, LATER))
    script = (
        "import asyncio, sys; from pathlib import Path\n"
        "from tests.hub.running import hub_of; from remora_hub_lsp.hub.history import seeding\n"
        "seeding.BATCH = 1\n"
        "async def main():\n"
        "    hub = hub_of(Path(sys.argv[1])); await hub.start()\n"
        "    while hub.history.status.done < 5: await asyncio.sleep(0.001)\n"
        "    print('some', flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(made.root), stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert process.stdout
    async with asyncio.timeout(GUARD):
        assert await process.stdout.readline() == b"some\n"
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with running(made.root) as hub:
        await hub.history.finished()
        state, done, total = states(hub)
        assert state == "done"
        assert done == total <= 35
        assert all([(await node(hub, f"{path}:total"))["docstring_outdated"] for path in files])


async def test_a_worker_that_dies_is_replaced(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.commit({"cart.py": TEXT, "a.py": TEXT, "b.py": TEXT})
    made.commit({"cart.py": LATER})
    hub = hub_of(made.root)
    run, jobs = hub.history._pool.run, []

    async def killed_once(job: str, *arguments: Any) -> Any:
        jobs.append(arguments[0])
        if jobs == ["open", "settle"]:
            for worker in hub.history._pool._alive:
                os.kill(worker.pid, signal.SIGKILL)
        return await run(job, *arguments)

    monkeypatch.setattr(hub.history._pool, "run", killed_once)
    await hub.start()
    try:
        await hub.history.finished()
        assert jobs == ["open", "settle", "open", "settle", "settle", "settle"]
        assert states(hub) == ("done", 3, 3)
        assert (await node(hub))["docstring_outdated"]
    finally:
        await hub.close()


@pytest.mark.parametrize(("settings", "state"), [({"drift_history": False}, "off"), ({"drift": "off"}, "off")])
async def test_it_can_be_switched_off(made: Made, settings: dict[str, Any], state: str) -> None:
    made.commit({"cart.py": TEXT})
    made.commit({"cart.py": LATER})
    async with running(made.root, **settings) as hub:
        await hub.history.finished()
        assert hub.history.status.state == state
        assert not (await node(hub))["docstring_outdated"] or "unknown-parameter" in str(await node(hub))


async def test_without_a_repository_it_says_why(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "cart.py").write_text(TEXT, encoding="utf-8")
    async with running(tmp_path / "project") as hub:
        await hub.history.finished()
        assert (hub.history.status.state, hub.history.status.reason) == ("unavailable", "it is no git repository")
        assert hub.state == "ready"


async def test_a_shallow_clone_tells_what_it_has(made: Made) -> None:
    made.commit({"cart.py": TEXT.replace("rate", "tax")})
    made.commit({"cart.py": TEXT})
    third = made.commit({"cart.py": LATER})
    made.git("clone", "-q", "--depth", "2", f"file://{made.root}", "../shallow")
    async with running(made.root.parent / "shallow") as hub:
        await hub.history.finished()
        assert hub.history.status.shallow
        assert (await node(hub))["drift"]["commit"] == third


async def test_a_root_below_the_repository(made: Made) -> None:
    made.commit({"sub/cart.py": TEXT, "cart.py": TEXT})
    made.commit({"sub/cart.py": LATER})
    async with running(made.root / "sub") as hub:
        await hub.history.finished()
        assert states(hub) == ("done", 1, 1)
        assert (await node(hub))["docstring_outdated"]
