"""A file's definitions by their keys, read here once more, independently of the index that is measured."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple


class Node(NamedTuple):
    """A module, class or function. line: 1-based, of the first decorator where there is one."""

    path: str
    qualname: str
    kind: str
    line: int
    end_line: int
    definition: ast.AST

    @property
    def key(self) -> str:
        return f"node:{self.path}:{self.qualname}"

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2].partition("#")[0]

    @property
    def decorators(self) -> list[ast.expr]:
        return getattr(self.definition, "decorator_list", [])


def nodes_of(path: str, tree: ast.Module) -> Iterator[Node]:
    """The module, and every class and function in source order; the second of one name is `name#2`."""
    yield Node(path, "<module>", "module", 1, 1 << 30, tree)
    yield from _inside(path, "", tree, Counter())


def _inside(path: str, prefix: str, parent: ast.AST, seen: Counter[str]) -> Iterator[Node]:
    for child in ast.iter_child_nodes(parent):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _inside(path, prefix, child, seen)
            continue
        name = prefix + child.name
        seen[name] += 1
        qualname = name if seen[name] == 1 else f"{name}#{seen[name]}"
        first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
        kind = "class" if isinstance(child, ast.ClassDef) else "function"
        yield Node(path, qualname, kind, first, child.end_lineno or child.lineno, child)
        yield from _inside(path, f"{name}.", child, seen)
