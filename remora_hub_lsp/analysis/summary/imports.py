"""Imports, `global` and `nonlocal` -> what names they bind."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .writer import Writer


def import_(writer: Writer, node: ast.Import) -> None:
    for alias in node.names:
        writer.scope.imports += (alias.asname or alias.name, alias.name) if alias.asname else (alias.name, "")
        writer.scope.hides(alias.asname or alias.name.partition(".")[0])


def import_from(writer: Writer, node: ast.ImportFrom) -> None:
    module = "." * node.level + (node.module or "")
    joint = "" if module.endswith(".") or not module else "."
    for alias in node.names:
        if alias.name == "*":
            writer.scope.imports += ("*", module)
        else:
            writer.scope.imports += (alias.asname or alias.name, f"{module}{joint}{alias.name}")
            writer.scope.hides(alias.asname or alias.name)


def global_(writer: Writer, node: ast.Global) -> None:
    writer.scope.globals += node.names


def nonlocal_(writer: Writer, node: ast.Nonlocal) -> None:
    writer.scope.nonlocals += node.names
