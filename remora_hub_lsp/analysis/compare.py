"""Two texts of one file -> which definitions do something else in the second. Comments and layout do not count."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from . import syntax
from .facts import MODULE

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Difference(NamedTuple):
    """Qualnames (with #2 for further definitions of a name; the module is `<module>`).

    changed: whose own code differs; that of definitions within is theirs. added, removed: only in one of the texts.
    whole: a text could not be parsed, so that anything in the file may differ.
    """

    changed: frozenset[str]
    added: frozenset[str]
    removed: frozenset[str]
    whole: bool = False

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed or self.whole)


def difference(old: str | None, new: str | None) -> Difference:
    """What differs between two texts of a file; None: there is no file."""
    try:
        before, after = _own_code(old), _own_code(new)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Difference(frozenset({MODULE}), frozenset(), frozenset(), whole=True)
    return Difference(
        frozenset(name for name in before.keys() & after.keys() if before[name] != after[name]),
        frozenset(after.keys() - before.keys()),
        frozenset(before.keys() - after.keys()),
    )


def _own_code(text: str | None) -> dict[str, str]:
    """Each definition's code without that of the definitions in it."""
    if text is None:
        return {}
    found: dict[str, str] = {}
    seen: Counter[str] = Counter()
    _add(MODULE, syntax.module(text).body, "", found, seen)
    return found


def _add(name: str, body: Sequence[ast.stmt], head: str, found: dict[str, str], seen: Counter[str]) -> None:
    seen[name] += 1
    unique = name if seen[name] == 1 else f"{name}#{seen[name]}"
    inside = list(_definitions(body))
    for definition in inside:
        qualname = definition.name if name == MODULE else f"{name}.{definition.name}"
        inner, definition.body = definition.body, []
        _add(qualname, inner, ast.dump(definition), found, seen)
        # What is left of it around: that it is there, and in which place.
        definition.decorator_list = []
        if isinstance(definition, ast.ClassDef):
            definition.bases, definition.keywords = [], []
        else:
            definition.args, definition.returns = _NO_ARGUMENTS, None
    found[unique] = head + "".join(ast.dump(statement) for statement in body)


_NO_ARGUMENTS = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])


def _definitions(body: Sequence[ast.stmt]) -> Iterator[_Definition]:
    """The definitions that stand directly in these statements, also below `if`, `try` and the like."""
    todo: list[ast.AST] = list(reversed(body))
    while todo:
        node = todo.pop()
        if isinstance(node, _DEFINITIONS):
            yield node
        elif isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            todo.extend(reversed(list(ast.iter_child_nodes(node))))
