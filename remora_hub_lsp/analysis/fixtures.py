"""What a function says about pytest's fixtures: which one it is, and which ones it asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from . import syntax

_PLAIN = re.compile(r"(?:async )?def \w+\(([\w, ]*)\)(?: -> .*)?$")
_FIXTURE = re.compile(r"(?:^|[._])(?:yield_)?fixture$")


class Fixture(NamedTuple):
    """name: what tests ask for it by. autouse: it serves every test it can be seen from."""

    name: str
    autouse: bool


def fixture_of(name: str, decorators: Iterable[str]) -> Fixture | None:
    """The fixture that a function of that name is, by its decorators' sources."""
    for text in decorators:
        if "fixture" in text and (found := _fixture(text)) is not None:
            return Fixture(found[0] or name, found[1])
    return None


def requested(signature: str | None, decorators: Iterable[str], method: bool) -> tuple[str, ...]:
    """The fixtures that a function asks for by its parameters and marks. method: the first parameter is `self`."""
    names = list(_parameters(signature or "")[1 if method else 0 :])
    wanted: list[str] = []
    for text in decorators:
        direct, indirect, used = _mark(text)
        names = [name for name in names if name not in direct or name in indirect]
        wanted += used
    return tuple(dict.fromkeys([*names, *wanted]))


def used_by_marks(decorators: Iterable[str]) -> tuple[str, ...]:
    """The fixtures that the marks of a class ask for in the name of its tests."""
    return tuple(name for text in decorators for name in _mark(text)[2])


@lru_cache(maxsize=4096)
def _parameters(signature: str) -> tuple[str, ...]:
    """The parameters without default, `*args` and `**kwargs` aside, as pytest counts them."""
    plain = _PLAIN.match(signature)
    if plain:
        return tuple(name for part in plain[1].split(",") if (name := part.strip()))
    try:
        definition = syntax.module(f"{signature}: ...").body[0]
    except syntax.UNPARSEABLE:  # what is broken just now, or longer than what is kept of it
        return ()
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return ()
    given = definition.args
    positional = [*given.posonlyargs, *given.args]
    required = positional[: len(positional) - len(given.defaults)]
    named = [arg for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True) if value is None]
    return tuple(arg.arg for arg in (*required, *named))


@lru_cache(maxsize=4096)
def _fixture(decorator: str) -> tuple[str, bool] | None:
    """(name or '', autouse) where the decorator makes a fixture."""
    call = _expression(decorator)
    function = call.func if isinstance(call, ast.Call) else call
    if function is None or not _FIXTURE.search(ast.unparse(function)):
        return None
    name, autouse = "", False
    for keyword in call.keywords if isinstance(call, ast.Call) else ():
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg == "name" and isinstance(value, str):
            name = value
        elif keyword.arg == "autouse":
            autouse = value is not False  # an expression may be true
    return name, autouse


_Mark = tuple[frozenset[str], frozenset[str], tuple[str, ...]]
_NOTHING: _Mark = (frozenset(), frozenset(), ())


@lru_cache(maxsize=4096)
def _mark(decorator: str) -> _Mark:
    """(arguments it gives values to, those of them that go through fixtures, fixtures it asks for)."""
    if "parametrize" not in decorator and "usefixtures" not in decorator:
        return _NOTHING
    call = _expression(decorator)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return _NOTHING
    if call.func.attr == "usefixtures":
        return frozenset(), frozenset(), tuple(_strings(call.args))
    if call.func.attr != "parametrize":
        return _NOTHING
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    argnames = call.args[0] if call.args else given.get("argnames")
    direct = frozenset(_strings([argnames] if argnames is not None else []))
    indirect = given.get("indirect") or (call.args[2] if len(call.args) > 2 else None)
    if isinstance(indirect, ast.Constant):
        return direct, direct if indirect.value else frozenset(), ()
    return direct, frozenset(_strings([indirect] if indirect is not None else [])), ()


def _expression(source: str) -> ast.expr | None:
    try:
        return syntax.expression(source)
    except syntax.UNPARSEABLE:
        return None


def _strings(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """The names in strings and lists of strings: 'a, b' holds two."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (name for part in node.value.split(",") if (name := part.strip()))
        elif isinstance(node, ast.List | ast.Tuple):
            yield from _strings(node.elts)
