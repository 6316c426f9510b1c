"""One script: loaded, checked, run."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ...analysis.pym import Declared, Malformed, code_of, parse, stubs_of
from ...analysis.pymcheck import Problem, features, problems
from ...errors import ExternalError, InputError, OutputError, ParseError
from ...regular import read_text
from .limits import DEFAULT, Limits
from .sandbox import Externals, Ran, Sandbox, type_errors

SUFFIX = ".pym"


@dataclass(frozen=True)
class CheckResult:
    """What a check found. valid: there are no errors."""

    file: str
    errors: list[Problem]
    warnings: list[Problem]
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.errors

    @property
    def messages(self) -> list[Problem]:
        """Errors, then warnings."""
        return self.errors + self.warnings


class Script:
    """A script's text. hash: SHA-256 (hex) of its bytes, which says what it is, wherever it lies."""

    def __init__(self, path: Path, text: str, limits: Limits = DEFAULT) -> None:
        """Raises ParseError where the text is no script."""
        self.path = path
        self.name = path.stem
        self.text = text
        self.limits = limits
        self.hash = hash_of(text)
        try:
            self.declared: Declared = parse(text)
        except Malformed as error:
            raise ParseError(f"{path.name}:{error.line}: {error}", error.line) from None
        self.inputs = self.declared.inputs
        self.externals = self.declared.externals

    @cached_property
    def code(self) -> str:
        """What runs: the text without its declarations, lines as in the text."""
        return code_of(self.declared)

    def check(self, *, types: bool = True) -> CheckResult:
        """Everything that is wrong with it. types: also what a type checker says, which takes a tenth of a second."""
        found = problems(self.declared)
        errors = [problem for problem in found if problem.is_error]
        if types and not errors:
            for line, column, message in type_errors(self.path.name, self.code, stubs_of(self.declared)):
                errors.append(Problem("E100", line, column, message, "give it the type that is wanted"))
        info = {
            "externals_count": len(self.externals),
            "inputs_count": len(self.inputs),
            "lines_of_code": len(self.text.splitlines()),
            "monty_features_used": features(self.declared),
        }
        return CheckResult(str(self.path), errors, [p for p in found if not p.is_error], info)

    async def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        externals: Externals | None = None,
        limits: Limits | None = None,
        output_model: type[BaseModel] | None = None,
        sandbox: Sandbox | None = None,
    ) -> Any:
        """The value of its last expression, or that as an `output_model`. Nothing that it prints goes anywhere.

        sandbox: where to run it; None: in one of its own, which takes some milliseconds more. Raises ScriptError.
        """
        if sandbox is None:
            async with Sandbox() as own:
                return await self.run(inputs, externals, limits, output_model, own)
        result = (await self.ran(inputs or {}, externals or {}, limits or self.limits, sandbox)).result
        if output_model is None:
            return result
        try:
            return output_model.model_validate(result)
        except ValidationError as error:
            raise OutputError(f"its result is no {output_model.__name__}: {error}") from error

    async def ran(self, inputs: Mapping[str, Any], externals: Externals, limits: Limits, sandbox: Sandbox) -> Ran:
        """The same with what it printed."""
        given = self.given(inputs, externals)
        functions = {
            name: _awaitable(function) if self.externals[name].is_async else function
            for name, function in externals.items()
        }
        return await sandbox.run(self.path.name, self.code, given, functions, limits)

    def given(self, inputs: Mapping[str, Any], externals: Externals) -> dict[str, Any]:
        """Its inputs with their defaults. Raises InputError and ExternalError where something lacks or is too much."""
        for name in inputs:
            if name not in self.inputs:
                raise InputError(f"{self.name} declares no input {name}")
        for name in externals:
            if name not in self.externals:
                raise ExternalError(f"{self.name} declares no external {name}")
        for external in self.externals.values():
            if external.name not in externals:
                raise ExternalError(f"there is no external {external.name}", external.line)
        values = {given.name: given.default for given in self.inputs.values() if not given.required} | dict(inputs)
        for declared in self.inputs.values():
            if declared.name not in values:
                raise InputError(f"there is no input {declared.name} ({declared.annotation})", declared.line)
        return values


def _awaitable(function: Callable[..., Any]) -> Callable[..., Any]:
    """The sandbox awaits what a script awaits: a plain function is wrapped."""
    if inspect.iscoroutinefunction(function):
        return function

    async def wrapped(*arguments: Any) -> Any:
        return function(*arguments)

    return wrapped


def load(path: str | Path, limits: Limits = DEFAULT) -> Script:
    """The script in a file. Raises ParseError, also where the file cannot be read."""
    path = Path(path)
    try:
        return Script(path, read_text(path), limits)
    except (OSError, UnicodeDecodeError) as error:
        raise ParseError(f"{path} cannot be read: {error}") from error


def hash_of(text: str) -> str:
    """SHA-256 (hex) of a script's text as UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
