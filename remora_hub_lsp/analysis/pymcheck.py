"""What is wrong with a .pym script, as far as its text tells.

Codes E and W are Grail's own (E001 .. E012, W001 .. W004; E100, a type error, takes a type checker). Codes H are this
project's: what runs here, but breaks or means another thing under Grail's own engine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from .pym import Declared, is_external, is_input

LONG = 200  # lines
_MODULES = frozenset({"grail", "typing", "__future__"})


class Problem(NamedTuple):
    """One error or warning. line: 1-based; column: 0-based, in bytes of UTF-8, as `ast` counts."""

    code: str
    line: int
    column: int
    message: str
    suggestion: str
    end_line: int | None = None
    end_column: int | None = None

    @property
    def is_error(self) -> bool:
        return self.code.startswith(("E", "H1", "H2"))


def problems(declared: Declared) -> list[Problem]:
    """Everything that is wrong, in the order of the text."""
    found = [*_dialect(declared.tree), *_declarations(declared), *_warnings(declared), *_portability(declared)]
    return sorted(found, key=lambda problem: (problem.line, problem.column, problem.code))


def features(declared: Declared) -> list[str]:
    """What of the language the script uses, as Grail's `check` names it."""
    used = set()
    for node in ast.walk(declared.tree):
        if isinstance(node, ast.AsyncFunctionDef) and is_external(node):
            continue
        if name := _FEATURES.get(type(node)):
            used.add(name)
    return sorted(used)


_FEATURES: dict[type[ast.AST], str] = {
    ast.AsyncFunctionDef: "async_await",
    ast.For: "for_loop",
    ast.ListComp: "list_comprehension",
    ast.DictComp: "dict_comprehension",
    ast.JoinedStr: "f_string",
}

# What the sandbox has no place for: code, what it is, what to do instead.
_REFUSED: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.ClassDef: ("E001", "classes are not supported", "use functions and dicts"),
    ast.Yield: ("E002", "generators (yield) are not supported", "build a list and return it"),
    ast.YieldFrom: ("E002", "generators (yield from) are not supported", "build a list and return it"),
    ast.With: ("E003", "'with' is not supported", "use try/finally, or do it in an external function"),
    ast.AsyncWith: ("E003", "'async with' is not supported", "use try/finally, or do it in an external function"),
    ast.Match: ("E004", "'match' is not supported", "use if/elif/else"),
    ast.Global: ("E009", "'global' is not supported", "pass the value to the function and return the new one"),
    ast.Nonlocal: ("E010", "'nonlocal' is not supported", "pass the value to the function and return the new one"),
    ast.Delete: ("E011", "'del' is not supported", "build a new value without what is not wanted"),
    ast.Lambda: ("E012", "lambda is not supported", "define a function with def"),
}


def _at(node: ast.AST, code: str, message: str, suggestion: str) -> Problem:
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
    end_line, end_column = getattr(node, "end_lineno", None), getattr(node, "end_col_offset", None)
    return Problem(code, line, column, message, suggestion, end_line, end_column)


def _dialect(tree: ast.Module) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if refused := _REFUSED.get(type(node)):
            yield _at(node, *refused)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name in _imported(node):
                if name not in _MODULES:
                    message = f"{name} cannot be imported"
                    yield _at(node, "E005", message, "import only from grail, typing and __future__; ask an external")


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    return ["." * node.level + (node.module or "")]


def _declarations(declared: Declared) -> Iterator[Problem]:
    for statement in declared.tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_external(statement):
            yield from _external(statement)
    for given in declared.inputs.values():
        if given.annotation is None:
            advice = f'write {given.name}: type = Input("{given.name}")'
            yield Problem("E008", given.line, given.column, f"the input {given.name} has no type", advice)


def _external(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Problem]:
    name = function.name
    if function.returns is None:
        message = f"the external {name} does not say what it returns"
        yield _at(function, "E006", message, f"write def {name}(...) -> type")
    arguments = function.args
    for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if one.annotation is None:
            yield _at(one, "E006", f"the parameter {one.arg} of the external {name} has no type", f"{one.arg}: type")
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if len(body) != 1 or not (
        isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant) and body[0].value.value is ...
    ):
        yield _at(function, "E007", f"the external {name} has a body, which never runs", "its body has to be ...")
    if arguments.defaults or any(arguments.kw_defaults):
        message = f"the external {name} has defaults, which Grail's own engine does not know"
        yield _at(function, "H007", message, "name every argument where it is called")


def _warnings(declared: Declared) -> Iterator[Problem]:
    body = declared.tree.body
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, (ast.Dict, ast.List)):
        yield _at(last, "W001", "the result has no name", "write result = ... and result as the last line")
    names = (node for node in ast.walk(declared.tree) if isinstance(node, ast.Name))
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    for function in declared.externals.values():
        if function.name not in used:
            message = f"the external {function.name} is never called"
            yield Problem("W002", function.line, function.column, message, "remove it")
    for given in declared.inputs.values():
        if given.name not in used:
            yield Problem("W003", given.line, given.column, f"the input {given.name} is never used", "remove it")
    count = len(declared.text.splitlines())
    if count > LONG:
        yield Problem("W004", 1, 0, f"the script has {count} lines (more than {LONG})", "split it, or use an external")


# ------------------------------------------------------------------- what another engine takes in another way

_BUILTINS = frozenset(
    {
        "abs", "all", "any", "bool", "bytes", "callable", "chr", "dict", "dir", "divmod", "enumerate", "filter",
        "float", "format", "frozenset", "function", "getattr", "hasattr", "hash", "hex", "id", "int",
        "isinstance", "issubclass", "iter", "len", "list", "map", "max", "min", "module", "next", "object",
        "oct", "open", "ord", "pow", "print", "property", "range", "repr", "reversed", "round", "set", "slice",
        "sorted", "str", "sum", "tuple", "type", "vars", "zip",
    }
)  # fmt: skip
_UNPORTABLE_ARGUMENTS = {"sorted": "key", "min": "key", "max": "key", "enumerate": "start"}


def _portability(declared: Declared) -> Iterator[Problem]:
    awaited = {id(node.value) for node in ast.walk(declared.tree) if isinstance(node, ast.Await)}
    for node in ast.walk(declared.tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield from _builtin_name(node, node.id)
        elif isinstance(node, ast.arg):
            yield from _builtin_name(node, node.arg)
        elif isinstance(node, ast.Call):
            yield from _call(node, declared, id(node) in awaited)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not is_external(node):
            yield from _helper(node)
        elif isinstance(node, (ast.List, ast.Tuple, ast.Set)) and any(isinstance(e, ast.Starred) for e in node.elts):
            yield _at(node, "H003", "* in a list, tuple or set does not run under Grail's own engine", "add them up")
        elif isinstance(node, ast.Dict) and None in node.keys:
            yield _at(node, "H003", "** in a dict does not run under Grail's own engine", "copy it in a loop")
        elif isinstance(node, ast.BinOp):
            yield from _operator(node)
    yield from _result(declared)


def _builtin_name(node: ast.AST, name: str) -> Iterator[Problem]:
    if name in _BUILTINS:
        message = f"the name {name} is a builtin's: under Grail's own engine it silently stays the builtin"
        yield _at(node, "H001", message, f"call it {name}_ or better")


def _call(node: ast.Call, declared: Declared, is_awaited: bool) -> Iterator[Problem]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    argument = _UNPORTABLE_ARGUMENTS.get(name)
    if argument and any(keyword.arg == argument for keyword in node.keywords):
        yield _at(node, "H002", f"{name}({argument}=) does not run under Grail's own engine", "write a loop")
    if isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        yield _at(node, "H004", ".format() does not run under Grail's own engine", "use an f-string")
    function = declared.externals.get(name)
    if function is not None:
        if function.is_async and not is_awaited:
            yield _at(node, "H005", f"the external {name} is called without await", f"await {name}(...)")
        if node.keywords:
            message = f"the external {name} is called with names: Grail's own engine takes arguments by position"
            yield _at(node, "H006", message, "leave the names away")


def _operator(node: ast.BinOp) -> Iterator[Problem]:
    if isinstance(node.op, ast.Mod) and isinstance(node.left, (ast.JoinedStr, ast.Constant)):
        if isinstance(node.left, ast.JoinedStr) or isinstance(node.left.value, str):
            yield _at(node, "H004", "% on a text does not run under Grail's own engine", "use an f-string")
    elif isinstance(node.op, ast.BitOr) and (_is_collection(node.left) or _is_collection(node.right)):
        yield _at(node, "H003", "| of sets or dicts does not run under Grail's own engine", "write a loop")


def _is_collection(node: ast.expr) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"set", "dict", "frozenset"}
    return isinstance(node, (ast.Set, ast.Dict, ast.SetComp, ast.DictComp))


def _helper(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Problem]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if function.returns is None or any(one.annotation is None for one in every):
        message = f"the function {function.name} has parameters or a result without type"
        yield _at(function, "H008", message, "annotate it: Grail checks types before it runs a script")


def _result(declared: Declared) -> Iterator[Problem]:
    body = declared.tree.body
    last = body[-1] if body else None
    if not isinstance(last, ast.Expr) or is_input(last.value):
        line = getattr(last, "end_lineno", 1) or 1
        yield Problem("H009", line, 0, "the script has no result", "write the result's name as the last line")
