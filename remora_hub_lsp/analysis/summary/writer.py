"""One parsed statement -> its summary (see `forms`), in one pass over its tree.

Local variables are told apart by where they were assigned (`x`, `x%1`, ...), so that a variable has, at each place,
only the values that can reach it: static single assignment, as far as a structured program needs it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..forms import Expression, Places
from . import assignments, branches, definitions, expressions, imports, inner, narrowing, operators, patterns
from .scope import Scope

if TYPE_CHECKING:
    from ..extract import Source


def summarize(statements: Sequence[ast.stmt], source: Source, start: int, owner: str) -> tuple[list[Any], Places]:
    """Statements of a module's scope, or of class `owner`'s; `start` is their segment's first line in `source`."""
    writer = Writer(source, start)
    try:
        writer.block(statements)
    except RecursionError:  # nested too deeply: nothing is known of its names
        return [owner, Scope(local=False).fragment()], []
    return [owner, writer.scope.fragment()], writer.places


def summarize_header(node: ast.ClassDef, source: Source, start: int) -> tuple[list[Any], Places]:
    """A class without its members."""
    writer = Writer(source, start)
    definitions.class_(writer, node, ())
    return ["", writer.scope.fragment()], writer.places


class Writer:
    """The pass over one segment. scope: that of what is read; places: as far as there are, see `forms`."""

    def __init__(self, source: Source, start: int) -> None:
        self.scope = Scope(local=False)
        self.places: Places = []
        self._count = 0
        self._base = source.skipped + 1 + start
        self._source = source

    def expression(self, node: ast.expr | None) -> Expression:
        """The expression's form."""
        write = _EXPRESSIONS.get(node.__class__)
        return write(self, node) if write is not None else None

    def effect(self, node: ast.expr | None) -> None:
        """Note an expression of which the value is not used."""
        self.scope.keep(self.expression(node))

    def block(self, statements: Sequence[ast.stmt]) -> bool:
        """Read statements; whether the end of the block is reached."""
        for statement in statements:
            write = _STATEMENTS.get(statement.__class__)
            if write is not None and write(self, statement) is False:
                rest = statements[statements.index(statement) + 1 :]
                if rest:  # unreachable, but its definitions are nodes
                    self.block(rest)
                return False
        return True

    def place(self, line: int, column: int, length: int) -> int:
        """The number of a place; line as the tree counts, column and length in bytes."""
        if not self._source.ascii:
            absolute = line - 1 - self._source.skipped
            end = self._source.column(absolute, column + length)
            column = self._source.column(absolute, column)
            length = end - column
        self.places += (line - self._base, column, column + length)
        number = self._count
        self._count = number + 1
        return number

    def after(self, node: ast.expr) -> int:
        """The place right behind an expression: of a call's parenthesis, an item's bracket."""
        return self.place(node.end_lineno or node.lineno, node.end_col_offset or 0, 0)

    def at(self, node: ast.expr) -> int:
        """The place of a whole expression; of one of several lines, its first character."""
        one = node.end_lineno == node.lineno
        return self.place(node.lineno, node.col_offset, (node.end_col_offset or 0) - node.col_offset if one else 1)


def _effect(writer: Writer, node: ast.Expr) -> None:
    writer.effect(node.value)


Write = Callable[[Writer, Any], Any]
_EXPRESSIONS: dict[type[Any], Write] = {
    ast.Name: expressions.name_, ast.Attribute: expressions.attribute, ast.Call: expressions.call,
    ast.Constant: expressions.constant, ast.Subscript: expressions.item, ast.Slice: expressions.slice_,
    ast.Tuple: expressions.tuple_, ast.List: expressions.list_, ast.Set: expressions.list_, ast.Dict: expressions.dict_,
    ast.BoolOp: operators.boolean, ast.IfExp: operators.conditional, ast.BinOp: operators.binary,
    ast.UnaryOp: operators.unary, ast.Compare: operators.compare, ast.Await: expressions.await_,
    ast.Yield: expressions.yield_, ast.YieldFrom: expressions.yield_from, ast.JoinedStr: expressions.joined,
    ast.FormattedValue: expressions.formatted, ast.NamedExpr: expressions.named, ast.Lambda: inner.lambda_,
    ast.ListComp: inner.comprehension, ast.SetComp: inner.comprehension, ast.DictComp: inner.comprehension,
    ast.GeneratorExp: inner.comprehension, ast.Starred: expressions.starred,
}  # fmt: skip
_STATEMENTS: dict[type[ast.AST], Write] = {
    ast.Expr: _effect, ast.Assign: assignments.assign, ast.AnnAssign: assignments.annotated,
    ast.AugAssign: assignments.augmented, ast.Return: branches.return_, ast.Raise: branches.raise_,
    ast.Break: branches.leave, ast.Continue: branches.leave, ast.Assert: narrowing.assert_,
    ast.Delete: assignments.delete, ast.If: branches.if_, ast.For: branches.for_, ast.AsyncFor: branches.for_,
    ast.While: branches.while_, ast.With: branches.with_, ast.AsyncWith: branches.with_, ast.Try: branches.try_,
    ast.TryStar: branches.try_, ast.Match: patterns.match, ast.Import: imports.import_,
    ast.ImportFrom: imports.import_from, ast.Global: imports.global_, ast.Nonlocal: imports.nonlocal_,
    ast.FunctionDef: definitions.function, ast.AsyncFunctionDef: definitions.function,
    ast.ClassDef: definitions.class_,
}  # fmt: skip
