"""A .pym script's text -> what it declares, and the code that is left to run.

The dialect is Grail's: `name: type = Input("name")` declares what the script is given, a function under `@external`
what it can call, the value of the last expression is the result, and `await` may stand at the top level.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, NamedTuple

from . import syntax

GRAIL = "grail"
_RESULT = "__result__"
_TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Input(NamedTuple):
    """A value that the script is given. annotation: None where there is none. line: 1-based; column: 0-based."""

    name: str
    annotation: str | None
    default: Any
    required: bool
    line: int
    column: int


class External(NamedTuple):
    """A function that the script can call. parameters: name and annotation of each (None: no annotation)."""

    name: str
    is_async: bool
    parameters: tuple[tuple[str, str | None], ...]
    returns: str | None
    docstring: str | None
    line: int
    column: int


class Declared(NamedTuple):
    """A script's text as `parse` has read it. strings: every string that stands in it, docstrings aside."""

    text: str
    tree: ast.Module
    inputs: Mapping[str, Input]
    externals: Mapping[str, External]
    strings: frozenset[str]


class Malformed(Exception):
    """The text is no script; line is 1-based, column 0-based."""

    def __init__(self, message: str, line: int, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse(text: str) -> Declared:
    """Read a script. Raises Malformed."""
    try:
        tree = syntax.module(text)
    except SyntaxError as error:
        raise Malformed(error.msg or "invalid syntax", error.lineno or 1, max((error.offset or 1) - 1, 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Malformed(str(error) or "it is nested too deeply", 1) from None
    inputs, externals = {}, {}
    for statement in tree.body:
        if isinstance(statement, (ast.AnnAssign, ast.Assign)) and is_input(statement.value):
            found = _input(statement, statement.value)
            inputs[found.name] = found
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_external(statement):
            externals[statement.name] = _external(statement)
    strings = frozenset(
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return Declared(text, tree, inputs, externals, strings)


def code_of(declared: Declared) -> str:
    """The script without its declarations, each of its lines where its author has it."""
    lines = declared.text.encode().splitlines(keepends=True) or [b""]
    for statement in declared.tree.body:
        if _is_declaration(statement):
            _blank(lines, statement)
    return b"".join(lines).decode()


def stubs_of(declared: Declared) -> str:
    """What a type checker has to know of the declarations, as a .pyi file."""
    lines = ["from typing import *"]
    lines += [f"{given.name}: {given.annotation or 'Any'}" for given in declared.inputs.values()]
    for function in declared.externals.values():
        parameters = ", ".join(f"{name}: {annotation or 'Any'}" for name, annotation in function.parameters)
        start = "async def" if function.is_async else "def"
        lines.append(f"{start} {function.name}({parameters}) -> {function.returns or 'Any'}: ...")
    return "\n".join(lines) + "\n"


def compile_native(declared: Declared, name: str) -> CodeType:
    """The script as CPython's own code, for `evaluate`. Raises Malformed."""
    try:
        tree = syntax.module(code_of(declared), name)
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            tree.body[-1] = ast.Assign([ast.Name(_RESULT, ast.Store())], last.value)
            ast.fix_missing_locations(tree)
        code: CodeType = compile(tree, name, "exec", _TOP_LEVEL_AWAIT, dont_inherit=True)
        return code
    except SyntaxError as error:
        raise Malformed(error.msg or "invalid syntax", error.lineno or 1, max((error.offset or 1) - 1, 0)) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise Malformed(str(error) or "it is nested too deeply", 1) from None


def evaluate(code: CodeType, values: Mapping[str, Any], externals: Mapping[str, Callable[..., Any]]) -> Any:
    """Run trusted code here and now; gives its result. The externals may be async, but have nothing to wait for."""
    names: dict[str, Any] = {**values, **externals}
    running = eval(code, names)
    if running is not None:  # there is an await at the top level
        try:
            running.send(None)
        except StopIteration:
            return names.get(_RESULT)
        running.close()
        raise RuntimeError("a trusted script has waited for something")
    return names.get(_RESULT)


def is_input(value: ast.expr | None) -> bool:
    """Whether it is a call of `Input` or `grail.Input`."""
    return isinstance(value, ast.Call) and _named(value.func, "Input")


def is_external(statement: ast.stmt) -> bool:
    """Whether it is a function under `@external`."""
    return isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
        _named(decorator, "external") for decorator in statement.decorator_list
    )


def _is_declaration(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.AnnAssign, ast.Assign)):
        return is_input(statement.value)
    return is_external(statement) or (isinstance(statement, ast.ImportFrom) and statement.module == GRAIL)


def _named(expression: ast.expr, name: str) -> bool:
    if isinstance(expression, ast.Attribute):
        return expression.attr == name
    return isinstance(expression, ast.Name) and expression.id == name


def _input(statement: ast.AnnAssign | ast.Assign, call: ast.expr | None) -> Input:
    assert isinstance(call, ast.Call)
    target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
    line, column = statement.lineno, statement.col_offset
    if not isinstance(target, ast.Name):
        raise Malformed("Input() has to be given to a plain name", line, column)
    name = target.id
    if not call.args:
        raise Malformed(f'Input() of {name} has to name it: Input("{name}")', line, column)
    if isinstance(call.args[0], ast.Constant) and call.args[0].value != name:
        raise Malformed(f'it is given to {name}, but called {call.args[0].value!r}: Input("{name}")', line, column)
    default = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    try:
        value = ast.literal_eval(default) if default is not None else None
    except ValueError:
        raise Malformed(f"the default of {name} has to be a literal", default.lineno, default.col_offset) from None  # type: ignore[union-attr]
    annotation = ast.unparse(statement.annotation) if isinstance(statement, ast.AnnAssign) else None
    return Input(name, annotation, value, value is None, line, column)


def _external(function: ast.FunctionDef | ast.AsyncFunctionDef) -> External:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return External(
        function.name,
        isinstance(function, ast.AsyncFunctionDef),
        tuple((one.arg, ast.unparse(one.annotation) if one.annotation else None) for one in every),
        ast.unparse(function.returns) if function.returns else None,
        ast.get_docstring(function),
        function.lineno,
        function.col_offset,
    )


def _blank(lines: list[bytes], statement: ast.stmt) -> None:
    """Put spaces in the place of a top-level statement."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    last = (statement.end_lineno or statement.lineno) - 1
    start = 0 if decorators else statement.col_offset
    for number in range(first, last + 1):
        line = lines[number]
        begin = start if number == first else 0
        end = (statement.end_col_offset or 0) if number == last else len(line.rstrip(b"\r\n"))
        lines[number] = line[:begin] + b" " * (end - begin) + line[end:]
    after = statement.end_col_offset or 0
    if lines[last][after:].lstrip(b" \t").startswith(b";"):  # another statement follows: (0 ...) stands before it
        lines[first] = lines[first][:start] + b"(0" + lines[first][start + 2 :]
        lines[last] = lines[last][: after - 1] + b")" + lines[last][after:]
