"""The README's agent, run as it stands there: with a hub process that runs, and without one."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ..serve.process import environment
from .story import HANG, command

README = Path(__file__).parents[2] / "README.md"
SHOP = '''\
def rate(country):
    return 2


def total(prices):
    return sum(prices) * rate("x")


class Cart:
    async def pay(self):
        """Pay."""
'''


def example(name: str, folder: Path) -> Path:
    """An example of the README as a program."""
    text = README.read_text(encoding="utf-8")
    found = re.search(rf"<!-- example: {name} -->\n```python\n(.*?)\n```", text, re.DOTALL)
    assert found
    script = folder / f"{name}.py"
    script.write_text(found[1])
    return script


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    return example("agent", tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "cart.py").write_text(SHOP)
    return tmp_path / "shop"


def run(agent: Path, shop: Path) -> list[str]:
    line = [sys.executable, str(agent), str(shop)]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=HANG, check=True)
    return sorted(done.stdout.splitlines())


def test_it_writes_what_the_hub_knows(agent: Path, shop: Path) -> None:
    command("start")
    assert run(agent, shop) == [
        "2 node:cart.py:rate Say what it does. Used by total.",
        "2 node:cart.py:total Say what it does. Used by nobody yet.",
    ]
    written = (shop / "cart.py").read_text()
    assert written == SHOP.replace("    return 2", '    """Say what it does. Used by total."""\n    return 2').replace(
        "    return sum", '    """Say what it does. Used by nobody yet."""\n    return sum'
    )
    assert run(agent, shop) == [], "nothing is left to do"


def test_it_works_without_a_hub_too(agent: Path, shop: Path) -> None:
    assert [line.partition(" Say")[0] for line in run(agent, shop)] == ["2 node:cart.py:rate", "2 node:cart.py:total"]


@pytest.mark.parametrize("transport", ["auto", "tcp"])
def test_a_follower_is_told_what_others_do(transport: str, tmp_path: Path, shop: Path) -> None:
    command("start", "--tcp", "127.0.0.1:0")
    line = [sys.executable, "-u", str(example("follower", tmp_path)), str(shop), transport]
    with subprocess.Popen(line, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        hang = threading.Timer(HANG, process.kill)
        hang.start()
        try:
            until(process, "ready")
            (shop / "cart.py").write_text(SHOP.replace("country", "country, year"))
            until(process, "changed node:cart.py:rate def rate(country, year) total")
            (shop / "cart.py").write_text(SHOP.replace("(prices):", "(prices:"))
            assert until(process, "stale node:cart.py:total").endswith("was never closed)")
            (shop / "cart.py").unlink()
            until(process, "deleted node:cart.py:rate")
        finally:
            hang.cancel()
            process.kill()


def until(process: subprocess.Popen[str], start: str) -> str:
    """The first line that begins so."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.rstrip()
    raise AssertionError(f"it ended without {start!r}")
