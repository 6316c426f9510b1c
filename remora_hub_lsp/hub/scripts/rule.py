"""One script as the hub runs it: which fields it is sent, what is wrong with it, how its last runs went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import cached_property
from types import CodeType
from typing import Any

from ...analysis.pym import compile_native, evaluate
from ...analysis.pymcheck import Problem
from ...errors import CheckError, ExecutionError, ParseError, ScriptError
from ...index.rows import LATER_FIELDS
from .externals import ProjectFiles
from .limits import Limits
from .results import FILE_PATH, NODES, TEXT, Json, fields_of, misfits
from .sandbox import Sandbox
from .script import Script, hash_of
from .shelf import STEPS, Found

# So many failures in a row, and it is not run again until it changes.
MOST_FAILURES = 3


class Rule:
    """active: its results count; it may run only then. types_checked: a type checker has seen it as well.

    seconds: of all its runs. failed: by path why its last run over a file failed.
    """

    def __init__(self, found: Found, active: bool) -> None:
        self.found = found
        self.name = found.name
        self.hash = hash_of(found.text)
        self.active = active
        self.problems: list[Problem] = []
        self.types_checked = found.shipped
        self.seconds = 0.0
        self.runs = 0
        self.failed: dict[str, ScriptError] = {}
        self._failures = 0
        self._script: Script | None = None
        if found.problem:
            self.problems = [Problem("H100", 1, 0, found.problem, "put it right, or remove the script")]
            return
        try:
            self._script = Script(found.path, found.text)
        except ParseError as error:
            self.problems = [Problem("H100", error.line or 1, 0, str(error), "write what Python can parse")]
            return
        result = self._script.check(types=False)
        self.problems = [*result.messages, *misfits(self._script.declared)]

    @property
    def script(self) -> Script:
        """Raises CheckError where its text is no script."""
        if self._script is None:
            raise CheckError(f"{self.found.shown}: {self.problems[0].message}", self.problems[0].line)
        return self._script

    @property
    def is_step(self) -> bool:
        """It has the name of a shipped step, and so records what the step does."""
        return self.name in STEPS

    @property
    def is_valid(self) -> bool:
        return not any(problem.is_error for problem in self.problems)

    @property
    def is_paused(self) -> bool:
        return self._failures >= MOST_FAILURES

    @property
    def runs_now(self) -> bool:
        return self.active and self.is_valid and self.types_checked and not self.is_paused

    @cached_property
    def fields(self) -> tuple[str, ...]:
        """The fields of nodes that it is sent; those of a step only say when to run it again."""
        return fields_of(self.script.declared) if self.takes_nodes else ("key", "file_hash")

    @property
    def takes_nodes(self) -> bool:
        return NODES in self.script.inputs

    @property
    def takes_text(self) -> bool:
        return TEXT in self.fields

    @cached_property
    def takes_joined(self) -> bool:
        """It is sent something that rests on other files."""
        return any(name in LATER_FIELDS or name == "evidence" for name in self.fields)

    @property
    def by_file(self) -> bool:
        """It is run once for each file."""
        return FILE_PATH in self.script.inputs or self.is_step

    @cached_property
    def _native(self) -> CodeType | None:
        """Its code for CPython, where it is trusted and asks for nothing."""
        trusted = self.found.shipped and not self.script.externals
        return compile_native(self.script.declared, str(self.found.path)) if trusted else None

    async def check_types(self) -> None:
        """Add what a type checker says."""
        script = self.script
        result = await asyncio.get_running_loop().run_in_executor(None, script.check)
        self.problems = [*result.messages, *misfits(script.declared)]
        self.types_checked = True

    async def run(self, path: str, nodes: list[Json], files: ProjectFiles, sandbox: Sandbox, limits: Limits) -> Any:
        """Its result for these nodes (of `path`, where it is run by file). Raises ScriptError."""
        script = self.script
        inputs = {name: value for name, value in ((NODES, nodes), (FILE_PATH, path)) if name in script.inputs}
        started = time.monotonic()
        self.runs += 1
        try:
            if self._native is not None:
                return self._evaluate(script.given(inputs, {}))
            externals = files.offered(script.externals)
            return (await script.ran(inputs, externals, limits, sandbox)).result
        finally:
            self.seconds += time.monotonic() - started

    def _evaluate(self, inputs: Json) -> Any:
        assert self._native is not None
        try:
            return evaluate(self._native, inputs, {})
        except Exception as error:  # it is our own script, but its nodes are anybody's
            raise ExecutionError(f"{type(error).__name__}: {error}") from error

    def succeeded(self, paths: Sequence[str]) -> None:
        self._failures = 0
        for path in paths:
            self.failed.pop(path, None)

    def failed_on(self, paths: Sequence[str], error: ScriptError) -> None:
        """A run over these files failed; of several it is not known yet of which."""
        self._failures += 1
        if len(paths) == 1 or self.is_paused:
            self.failed[paths[0]] = error

    @property
    def failure(self) -> Problem | None:
        """What its last runs failed of, as one problem of the script."""
        if not self.failed:
            return None
        path, error = next(iter(self.failed.items()))
        more = f" and {len(self.failed) - 1} more files" if len(self.failed) > 1 else ""
        paused = f"; it is paused until it changes, after {MOST_FAILURES} failures in a row" if self.is_paused else ""
        message = f"it failed on {path}{more}: {error}{paused}"
        return Problem("H200", error.line or 1, 0, message, "what it said before stays")
