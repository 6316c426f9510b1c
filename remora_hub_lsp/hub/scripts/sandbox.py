"""The engine for scripts that nobody vouches for: Monty, in processes of its own.

Importing it costs a server's start nothing: the engine is imported when the first script runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import Crashed, ExecutionError, LimitError, ParseError, ScriptError
from .limits import Limits

if TYPE_CHECKING:
    import pydantic_monty

log = logging.getLogger(__name__)

Externals = Mapping[str, Callable[..., Any]]

# Seconds in which the engine ends a run that is over its time by itself, before its process is killed.
_GRACE = 1.0
# Seconds that the externals of one run may take together.
_EXTERNAL_SECONDS = 20.0
# The engine's own threads need that long after the pool is closed, or else the interpreter's end can abort.
_AFTER_CLOSE = 0.05


class Ran(NamedTuple):
    """What a run gave: the value of the script's last expression, and what it printed."""

    result: Any
    printed: str


class Sandbox:
    """A pool of Monty processes: `async with Sandbox() as sandbox`. They end with it, or when this process does."""

    def __init__(self, processes: int = 1) -> None:
        self._processes = processes
        self._pool: pydantic_monty.AsyncMonty | None = None
        self._starting = asyncio.Lock()

    async def __aenter__(self) -> Sandbox:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the processes; a later run starts new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.__aexit__(None, None, None)
            await asyncio.sleep(_AFTER_CLOSE)

    async def run(self, name: str, code: str, inputs: Mapping[str, Any], externals: Externals, limits: Limits) -> Ran:
        """Run code under limits. Raises ParseError, ExecutionError, LimitError."""
        import pydantic_monty as monty

        printed = monty.CollectString(limits.max_output)
        try:
            async with asyncio.timeout(limits.max_duration + 2 * _GRACE + _EXTERNAL_SECONDS):
                pool = await self._started()
                async with pool.checkout(
                    script_name=name, limits=_limits(limits), os_policy={"sleep": "zero"}
                ) as session:
                    result = await session.feed_run(
                        code,
                        inputs=dict(inputs),
                        external_lookup=dict(externals),
                        print_callback=printed,
                    )
        except TimeoutError:
            raise LimitError("the script was waited for too long", "time") from None
        except monty.MontyError as error:
            raise _told(error, limits) from error
        return Ran(result, printed.output)

    async def _started(self) -> pydantic_monty.AsyncMonty:
        import pydantic_monty as monty

        async with self._starting:
            if self._pool is None:
                pool = monty.AsyncMonty(
                    min_processes=1,
                    max_processes=self._processes,
                    checkout_timeout=60.0,
                    feed_duration_limit_grace=_GRACE,
                )
                await pool.__aenter__()
                self._pool = pool
        return self._pool


def type_errors(name: str, code: str, stubs: str) -> list[tuple[int, int, str]]:
    """What Monty's type checker says of code: 1-based line, 0-based column, message. Nothing of it runs. It blocks."""
    import pydantic_monty as monty

    def stop() -> None:
        raise RuntimeError("only checked")

    stubs = f"{stubs}def {_STOP}() -> None: ...\n"
    try:
        with (
            monty.Monty(min_processes=1, max_processes=1) as pool,
            pool.checkout(
                script_name=name, type_check=True, type_check_stubs=stubs, type_check_format="concise",
                limits={"max_feed_duration_secs": 1.0},
            ) as session,
        ):  # fmt: skip
            session.feed_run(f"{_STOP}()\n{code}", external_lookup={_STOP: stop})
    except monty.MontyTypingError as error:
        return [_read(line) for line in str(error).splitlines() if line.strip()]
    except monty.MontyError as error:
        log.debug("%s: %s", name, error)  # that the first line stops it, or what a run would say as well
    return []


# No script has this name; the type checker knows names that begin with _ in stubs as private.
_STOP = "remora_hub_only_checks"


def _read(line: str) -> tuple[int, int, str]:
    """`x.pym:3:5: error[code] message` of a text with one line before."""
    place, _, message = line.partition(": ")
    parts = place.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdecimal() and parts[2].isdecimal():
        return max(int(parts[1]) - 1, 1), int(parts[2]) - 1, message
    return 1, 0, line


def _limits(limits: Limits) -> pydantic_monty.ResourceLimits:
    return {
        "max_memory": limits.max_memory,
        "max_feed_duration_secs": limits.max_duration,
        "max_recursion_depth": limits.max_recursion,
        "max_suspensions": limits.max_calls,
        "max_total_sleep_secs": 0.01,
    }


def _told(error: pydantic_monty.MontyError, limits: Limits) -> ScriptError:
    """The engine's error in our words."""
    import pydantic_monty as monty

    if isinstance(error, monty.MontyCrashedError):
        if error.timed_out:
            return LimitError(f"it ran for more than {limits.max_duration:g} s", "time")
        return Crashed("the process that it ran in ended")
    frames = error.traceback() if isinstance(error, (monty.MontyRuntimeError, monty.MontySyntaxError)) else []
    line = frames[-1].line if frames else None
    cause = error.exception()
    if isinstance(error, monty.MontySyntaxError) or isinstance(cause, NotImplementedError):
        return ParseError(f"it cannot be run here: {error}", line)
    if isinstance(error, monty.MontyConversionError):
        return ExecutionError(f"an input or an external's answer cannot be given to it: {error}", line)
    if limit := _limit(cause, str(error), bool(frames), limits):
        return LimitError(*limit, line)
    return ExecutionError(str(error), line)


def _limit(cause: BaseException, text: str, raised: bool, limits: Limits) -> tuple[str, str] | None:
    """What limit was reached, in words and by name. raised: the script itself was where the exception came from."""
    if isinstance(cause, RecursionError):
        return f"more than {limits.max_recursion} calls within calls", "recursion"
    if isinstance(cause, RuntimeError) and f"suspension limit {limits.max_calls} exceeded" in text:
        return f"it called externals more than {limits.max_calls:,} times", "calls"
    if raised and not isinstance(cause, MemoryError):
        return None
    if isinstance(cause, TimeoutError):
        return f"it ran for more than {limits.max_duration:g} s", "time"
    if isinstance(cause, MemoryError):
        if f"> {limits.max_output} bytes" in text:
            return f"it printed more than {limits.max_output:,} bytes", "output"
        return f"it used more than {limits.max_memory / (1 << 20):g} MB", "memory"
    return None
