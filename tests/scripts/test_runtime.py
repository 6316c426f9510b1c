"""Grail's names: load, check, run, limits and errors, over the real sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from remora_hub_lsp.errors import (
    Crashed,
    ExecutionError,
    ExternalError,
    InputError,
    LimitError,
    OutputError,
    ParseError,
    ScriptError,
)
from remora_hub_lsp.hub.scripts import DEFAULT, PERMISSIVE, STRICT, Limits, Script, load
from remora_hub_lsp.hub.scripts.sandbox import Sandbox

QUICK = Limits(max_duration="300ms", max_memory="8mb")


def script(text: str) -> Script:
    return Script(Path("x.pym"), textwrap.dedent(text))


async def run(text: str, **options: Any) -> Any:
    return await script(text).run(limits=QUICK, **options)


async def test_a_script_is_run_with_inputs_externals_and_defaults(tmp_path: Path) -> None:
    path = tmp_path / "greet.pym"
    path.write_text("""from grail import Input, external
name: str = Input("name")
times: int = Input("times", default=2)
@external
async def shout(text: str) -> str: ...
result = {"said": [await shout(name) for _ in range(times)]}
result
""")
    loaded = load(path)
    assert loaded.check().valid
    said = await loaded.run(inputs={"name": "ann"}, externals={"shout": str.upper}, limits=STRICT)
    assert said == {"said": ["ANN", "ANN"]}

    class Said(BaseModel):
        said: list[str]

    async def shout(text: str) -> str:
        return text + "!"

    model = await loaded.run({"name": "ann", "times": 1}, {"shout": shout}, output_model=Said)
    assert model == Said(said=["ann!"])


def test_the_presets_are_the_guides() -> None:
    assert (STRICT.max_memory, STRICT.max_duration) == (8 << 20, 0.5)
    assert (DEFAULT.max_memory, DEFAULT.max_duration) == (16 << 20, 2.0)
    assert (PERMISSIVE.max_memory, PERMISSIVE.max_duration) == (64 << 20, 10.0)
    with pytest.raises(ValueError, match="unit"):
        Limits(max_memory="16 apples")


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"inputs": {}}, InputError),
        ({"inputs": {"a": 1, "b": 2}}, InputError),
        ({"inputs": {"a": 1}, "externals": {}}, ExternalError),
        ({"inputs": {"a": 1}, "externals": {"f": str, "g": str}}, ExternalError),
    ],
)
async def test_what_is_missing_or_too_much_is_said(given: dict[str, Any], error: type[ScriptError]) -> None:
    text = 'a: int = Input("a")\n@external\ndef f() -> int: ...\n' if "externals" in given else 'a: int = Input("a")\n'
    with pytest.raises(error):
        await run(text + "a", **given)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("while True:\n    pass", "time"),
        ("x = []\nwhile True:\n    x.append('a' * 100_000)", "memory"),
        ("x = 'a' * 10_000_000\n'b' + x", "memory"),
        ("def f(n: int) -> int:\n    return f(n + 1)\nf(0)", "recursion"),
        ("while True:\n    print('x' * 1000)", "output"),
        ("@external\ndef f() -> int: ...\nwhile True:\n    f()", "calls"),
        ("try:\n    while True:\n        pass\nexcept BaseException:\n    x = 1", "time"),
    ],
)
async def test_each_limit_is_kept_and_named(text: str, limit: str, capfd: pytest.CaptureFixture[str]) -> None:
    externals = {"f": lambda: 1} if "external" in text else {}
    with pytest.raises(LimitError) as caught:
        await script(text).run({}, externals, Limits(max_duration=1.0, max_memory="8mb", max_calls=50))
    assert caught.value.limit == limit
    assert capfd.readouterr().out == ""


async def test_an_error_has_the_authors_line() -> None:
    with pytest.raises(ExecutionError, match="division") as caught:
        await run(
            "from grail import Input\n\na: int = Input('a', default=0)\n\ndef f() -> float:\n    return 1 / a\n\nf()"
        )
    assert caught.value.line == 6
    with pytest.raises(ParseError) as told:
        script("a = 1\nb = (\n")
    assert told.value.line == 2


async def test_an_external_that_fails_fails_in_the_script() -> None:
    def f() -> int:
        raise PermissionError("not that one")

    text = "@external\nasync def f() -> int: ...\n{}"
    with pytest.raises(ExecutionError, match="not that one"):
        await run(text.format("await f()"), externals={"f": f})
    caught = "try:\n    x = await f()\nexcept PermissionError:\n    x = 7\nx"
    assert await run(text.format(caught), externals={"f": f}) == 7


@pytest.mark.parametrize(
    "text", ["open('/etc/passwd').read()", "import os\nos.environ['HOME']", "import socket\nsocket"]
)
async def test_nothing_outside_can_be_reached(text: str) -> None:
    with pytest.raises(ScriptError):
        await run(text)


async def test_printing_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    async with Sandbox() as sandbox:
        ran = await script("print('secret')\n1").ran({}, {}, QUICK, sandbox)
    assert (ran.result, ran.printed) == (1, "secret\n")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


async def test_a_killed_process_is_an_error_and_the_next_run_is_fine() -> None:
    async with Sandbox() as sandbox:
        assert await script("1").run(sandbox=sandbox) == 1

        def kill() -> None:
            for pid in monty_processes(os.getpid()):
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(Crashed):
            await script("@external\nasync def kill() -> None: ...\nawait kill()\n1").run(
                {}, {"kill": kill}, sandbox=sandbox
            )
        assert await script("2").run(sandbox=sandbox) == 2
    assert monty_processes(os.getpid()) == []


async def test_a_wrong_result_is_an_error() -> None:
    class Said(BaseModel):
        said: int

    with pytest.raises(OutputError):
        await run("'no'", output_model=Said)


def test_types_are_checked_where_they_stand() -> None:
    result = script("""
        from grail import Input
        from typing import Any

        nodes: list[dict[str, Any]] = Input("nodes")

        count: str = len(nodes)
        count
    """).check()
    (error,) = result.errors
    assert (error.code, error.line) == ("E100", 7)
    assert "int" in error.message
    assert not result.valid


def test_a_check_runs_nothing() -> None:
    started = time.monotonic()
    assert script("while True:\n    pass\n1").check().valid
    assert time.monotonic() - started < 30


def test_no_process_outlives_a_hub_that_is_killed() -> None:
    code = """
import asyncio, os
from pathlib import Path
from remora_hub_lsp.hub.scripts import Limits, Script
script = Script(Path("x.pym"), "while True:\\n    pass")
print(os.getpid(), flush=True)
asyncio.run(script.run(limits=Limits(max_duration=3.0)))
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        children = wait_for(lambda: monty_processes(pid))
        assert children
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()  # type: ignore[union-attr]
    assert wait_for(lambda: not any(map(is_alive, children)))


def monty_processes(parent: int) -> list[int]:
    """Process ids of the sandbox's processes that are children of a process."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=,comm=", "--ppid", str(parent)], capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 2) for line in found.splitlines()]
    return [int(pid) for pid, state, name in rows if "monty" in name and not state.startswith("Z")]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(condition: Any, seconds: float = 20.0) -> Any:
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.05)
    return found
