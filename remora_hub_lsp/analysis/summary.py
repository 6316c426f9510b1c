"""One parsed statement -> its summary (see `forms`), in one pass over its tree.

Local variables are told apart by where they were assigned (`x`, `x%1`, ...), so that a variable has, at each place,
only the values that can reach it: static single assignment, as far as a structured program needs it.
"""

# mypy: disable-error-code="attr-defined, union-attr, arg-type, operator, assignment, type-var, no-any-return"
# The trees' classes are told apart by `__class__ is`, which is faster than isinstance and tells mypy nothing.
from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import syntax
from .forms import (
    ABSTRACT,
    AEACH,
    AENTER,
    ANY,
    ASYNC,
    ATTR,
    AWAIT,
    CALL,
    CLASS,
    CONST,
    DECLARED,
    DICT,
    EACH,
    EITHER,
    ENTER,
    FUNCTION,
    GENERATOR,
    ITEM,
    KEYWORD,
    KWARGS,
    LAMBDA,
    LAMBDA_KIND,
    LIST,
    NAME,
    NARROW,
    OPERATOR,
    PART,
    POSITIONAL,
    PREFIX,
    STAR,
    TRIVIAL,
    TUPLE,
    TYPE,
    VARARGS,
    Expression,
    Places,
)  # fmt: skip

if TYPE_CHECKING:
    from .extract import Source

# Texts of constants up to this length are kept: keys of dicts, names of attributes.
LONGEST_TEXT = 40
_BINARY = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.MatMult: "matmul", ast.Div: "truediv", ast.Mod: "mod",
    ast.Pow: "pow", ast.LShift: "lshift", ast.RShift: "rshift", ast.BitOr: "or", ast.BitXor: "xor",
    ast.BitAnd: "and", ast.FloorDiv: "floordiv",
}  # fmt: skip
# Methods of containers that add their last argument to them.
_ADDS = frozenset(("append", "appendleft", "add", "insert", "setdefault"))
_UNARY = {ast.Invert: "__invert__", ast.UAdd: "__pos__", ast.USub: "__neg__"}
_COMPARED = {
    ast.Eq: "__eq__", ast.NotEq: "__ne__", ast.Lt: "__lt__", ast.LtE: "__le__", ast.Gt: "__gt__", ast.GtE: "__ge__",
    ast.In: "__contains__", ast.NotIn: "__contains__",
}  # fmt: skip
_NOTHING = (None, None)
# None: not known by assignments alone (a definition or import came between): all that the name is bound to.
Env = dict[str, str | None]


class _Scope:
    """A scope while its statements are read."""

    __slots__ = (
        "binds", "children", "effects", "env", "exports", "flags", "globals", "imports", "items", "local", "loops",
        "nonlocals", "returns", "stores", "taken", "versions", "yields",
    )  # fmt: skip

    def __init__(self, local: bool) -> None:
        self.local = local  # a function's or lambda's
        self.binds: list[Any] = []
        self.effects: list[Expression] = []
        self.stores: list[Any] = []
        self.items: list[Any] = []
        self.imports: list[str] = []
        self.children: list[Any] = []
        self.globals: list[str] = []
        self.nonlocals: list[str] = []
        self.exports: list[str] | None = None
        self.returns: list[Expression] = []
        self.yields: list[Expression] = []
        self.flags = 0
        self.env: Env = {}  # variable -> its state here; a comprehension's variable -> its own name
        self.versions = 0
        self.taken: set[str] = set()  # the states that there are
        self.loops: list[tuple[list[Env], list[Env]]] = []  # where `break` and `continue` leave from

    def fragment(self) -> list[Any]:
        """As `forms` describes it."""
        return [
            self.binds, self.effects, self.stores, self.items, self.imports, self.children, self.globals,
            self.nonlocals, self.exports,
        ]  # fmt: skip


def summarize(statements: Sequence[ast.stmt], source: Source, start: int, owner: str) -> tuple[list[Any], Places]:
    """Statements of a module's scope, or of class `owner`'s; `start` is their segment's first line in `source`."""
    writer = _Writer(source, start)
    try:
        writer.block(statements)
    except RecursionError:  # nested too deeply: nothing is known of its names
        return [owner, _Scope(local=False).fragment()], []
    return [owner, writer.scope.fragment()], writer.places


def summarize_header(node: ast.ClassDef, source: Source, start: int) -> tuple[list[Any], Places]:
    """A class without its members."""
    writer = _Writer(source, start)
    writer.class_(node, ())
    return ["", writer.scope.fragment()], writer.places


class _Writer:
    """The pass over one segment."""

    def __init__(self, source: Source, start: int) -> None:
        self.scope = _Scope(local=False)
        self.places: Places = []
        self.count = 0
        self.base = source.skipped + 1 + start
        self.source = source

    # ---- places

    def place(self, line: int, column: int, length: int) -> int:
        """The number of a place; line as the tree counts, column and length in bytes."""
        if not self.source.ascii:
            absolute = line - 1 - self.source.skipped
            end = self.source.column(absolute, column + length)
            column = self.source.column(absolute, column)
            length = end - column
        self.places += (line - self.base, column, column + length)
        number = self.count
        self.count = number + 1
        return number

    def after(self, node: ast.expr) -> int:
        """The place right behind an expression: of a call's parenthesis, an item's bracket."""
        return self.place(node.end_lineno or node.lineno, node.end_col_offset or 0, 0)

    def at(self, node: ast.expr) -> int:
        """The place of a whole expression; of one of several lines, its first character."""
        one = node.end_lineno == node.lineno
        return self.place(node.lineno, node.col_offset, (node.end_col_offset or 0) - node.col_offset if one else 1)

    # ---- expressions

    def expression(self, node: ast.expr | None) -> Expression:
        """The expression's form."""
        if node is None:
            return None
        write = _EXPRESSIONS.get(node.__class__)
        return write(self, node) if write is not None else None

    def name_(self, node: ast.Name) -> Expression:
        name = node.id
        state = self.scope.env.get(name)
        if state is not None:
            return state
        return [NAME, name, self.place(node.lineno, node.col_offset, (node.end_col_offset or 0) - node.col_offset)]

    def attribute(self, node: ast.Attribute) -> Expression:
        value = self.expression(node.value)
        name = node.attr
        length = len(name) if name.isascii() else len(name.encode())
        return [ATTR, value, name, self.place(node.end_lineno or 0, (node.end_col_offset or 0) - length, length)]

    def call(self, node: ast.Call) -> Expression:
        function = node.func
        write = _EXPRESSIONS.get(function.__class__)
        called = write(self, function) if write is not None else None
        if called.__class__ is str:  # a variable: a call has a place even so
            number = self.at(function)
        elif called.__class__ is list and called[0] == NAME:
            number = called[2]
        elif called.__class__ is list and called[0] == ATTR:
            number = called[3]
        else:
            number = self.after(function)
        arguments = [self.expression(argument) for argument in node.args]
        keywords: list[Any] = []
        for keyword in node.keywords:
            keywords.append(keyword.arg or "")
            keywords.append(self.expression(keyword.value))
        if called.__class__ is list and called[0] == ATTR and called[2] in _ADDS and arguments and not keywords:
            # What a container gets is as if it was assigned to one of its items; -1: without __setitem__.
            self.scope.items.append([called[1], [TYPE, "int"], arguments[-1], -1])
        return [CALL, called, arguments, keywords, number]

    def starred(self, node: ast.Starred) -> Expression:
        return [STAR, self.expression(node.value)]

    def constant(self, node: ast.Constant) -> Expression:
        value = node.value
        kind = value.__class__
        if kind is str:
            return [CONST, value] if len(value) <= LONGEST_TEXT and value.isascii() else [TYPE, "str"]
        if kind is int:
            return [CONST, value] if -1000 < value < 1000 else [TYPE, "int"]
        if value is None or value is Ellipsis:
            return None
        return [TYPE, kind.__name__]

    def item_(self, node: ast.Subscript) -> Expression:
        value = self.expression(node.value)
        if node.slice.__class__ is ast.Slice:
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                self.effect(part)
            return [ITEM, value, [TYPE, _slice(node.slice)], self.after(node.value)]
        return [ITEM, value, self.expression(node.slice), self.after(node.value)]

    def slice_(self, node: ast.Slice) -> Expression:
        for part in (node.lower, node.upper, node.step):
            self.effect(part)
        return [TYPE, "slice"]

    def tuple_(self, node: ast.Tuple) -> Expression:
        return [TUPLE, [self.expression(element) for element in node.elts]]

    def list_(self, node: ast.List | ast.Set) -> Expression:
        if node.__class__ is ast.List:
            return [TUPLE, [self.expression(element) for element in node.elts], "list"]
        return [LIST, "set", [self.expression(element) for element in node.elts]]

    def dict_(self, node: ast.Dict) -> Expression:
        out: list[Any] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                out.append([STAR, self.expression(value)])
                out.append(None)
            else:
                out.append(self.expression(key))
                out.append(self.expression(value))
        return [DICT, out]

    def boolean(self, node: ast.BoolOp) -> Expression:
        if node.op.__class__ is ast.And:
            before = self.scope.env
            values = []
            for value in node.values:
                values.append(self.expression(value))
                self.narrow(value, True)
            self.scope.env = before
            # What is false in front of the last is no object that anything is called on.
            for value in values[:-1]:
                self.keep(value)
            return values[-1]
        return [ANY, [self.expression(value) for value in node.values]]

    def keep(self, form: Expression) -> None:
        """Note an expression of which the value is not used."""
        if form.__class__ is list and form[0] not in (CONST, TYPE):
            self.scope.effects.append(form)

    def effect(self, node: ast.expr | None) -> None:
        self.keep(self.expression(node))

    def conditional(self, node: ast.IfExp) -> Expression:
        self.effect(node.test)
        before = self.scope.env
        self.narrow(node.test, True)
        first = self.expression(node.body)
        self.scope.env = before
        self.narrow(node.test, False)
        second = self.expression(node.orelse)
        self.scope.env = before
        return [ANY, [first, second]]

    def binary(self, node: ast.BinOp) -> Expression:
        left = self.expression(node.left)
        right = self.expression(node.right)
        text = node.left.__class__ is ast.Constant and isinstance(node.left.value, str)
        if text and node.right.__class__ is not ast.Name:
            self.keep(right)
            return [OPERATOR, [TYPE, "str"], "mod" if node.op.__class__ is ast.Mod else "add", -1, right]
        return [OPERATOR, left, _BINARY[node.op.__class__], self._operator(node.left), right]

    def _operator(self, left: ast.expr) -> int:
        return self.after(left)

    def unary(self, node: ast.UnaryOp) -> Expression:
        value = self.expression(node.operand)
        if node.op.__class__ is ast.Not:
            self.keep(value)
            return [TYPE, "bool"]
        if value.__class__ is list and value[0] in (CONST, TYPE):
            if value[0] == CONST and node.op.__class__ is ast.USub and value[1].__class__ is int:
                return [CONST, -value[1]]
            return value
        return [OPERATOR, value, _UNARY[node.op.__class__], self.at(node), None]

    def compare(self, node: ast.Compare) -> Expression:
        left_node = node.left
        left = self.expression(left_node)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.expression(right_node)
            method = _COMPARED.get(op.__class__)
            if method is None:
                self.keep(left)
                self.keep(right)
            else:
                one, other = (right, left) if method == "__contains__" else (left, right)
                self.scope.effects.append([OPERATOR, one, method, self.after(left_node), other])
            left, left_node = right, right_node
            if method is not None:  # it is evaluated once
                left = None
        return [TYPE, "bool"]

    def await_(self, node: ast.Await) -> Expression:
        return [AWAIT, self.expression(node.value)]

    def yield_(self, node: ast.Yield) -> Expression:
        self.scope.flags |= GENERATOR
        self.scope.yields.append(self.expression(node.value))
        return None

    def yield_from(self, node: ast.YieldFrom) -> Expression:
        self.scope.flags |= GENERATOR
        value = self.expression(node.value)
        self.scope.yields.append([EACH, value, self.at(node.value)])
        return None

    def joined(self, node: ast.JoinedStr) -> Expression:
        for value in node.values:
            if value.__class__ is ast.FormattedValue:
                self.formatted(value)
        first = node.values[0] if len(node.values) > 1 else None
        if isinstance(first, ast.Constant) and first.value.isidentifier():
            return [PREFIX, first.value]
        return [TYPE, "str"]

    def formatted(self, node: ast.FormattedValue) -> Expression:
        method = {115: "__str__", 114: "__repr__"}.get(node.conversion, "__format__")
        self.scope.effects.append([OPERATOR, self.expression(node.value), method, self.at(node.value), None])
        if node.format_spec is not None:
            self.effect(node.format_spec)
        return [TYPE, "str"]

    def named(self, node: ast.NamedExpr) -> Expression:
        value = self.expression(node.value)
        self.keep(value)
        return self.bind(node.target.id, value) or [NAME, node.target.id, self.at(node.target)]

    def lambda_(self, node: ast.Lambda) -> Expression:
        parameters = self.parameters(node.args)
        outer, self.scope = self.scope, _Scope(local=True)
        for parameter in parameters:
            self.scope.env[parameter[0]] = parameter[0]
        value = self.expression(node.body)
        scope, self.scope = self.scope, outer
        outer.children.append(
            [LAMBDA_KIND, "<lambda>", scope.fragment(), [], parameters, None, [value], scope.yields, scope.flags]
        )
        return [LAMBDA, len(outer.children) - 1]

    def comprehension(self, node: Any) -> Expression:
        scope = self.scope
        before = scope.env
        scope.env = dict(before)
        for generator in node.generators:
            over = self.expression(generator.iter)
            each = [AEACH if generator.is_async else EACH, over, self.at(generator.iter)]
            self.target(generator.target, each, own=True)
            for test in generator.ifs:
                self.effect(test)
                self.narrow(test, True)
        if node.__class__ is ast.DictComp:
            key, value = self.expression(node.key), self.expression(node.value)
            scope.env = before
            return [DICT, [key, value]]
        element = self.expression(node.elt)
        scope.env = before
        kind = {ast.ListComp: "list", ast.SetComp: "set"}.get(node.__class__, "Generator")
        return [LIST, kind, [element]]

    # ---- variables

    def bind(self, name: str, value: Expression, own: bool = False) -> str | None:
        """Note an assignment; gives the variable's new state, None where it is no local variable."""
        scope = self.scope
        if own:
            state = self.fresh(name)
        elif not scope.local or name in scope.globals or name in scope.nonlocals:
            scope.binds += (name, value)
            return None
        else:
            state = self.fresh(name) if name in scope.env or name in scope.taken else name
        scope.taken.add(state)
        scope.binds += (state, value)
        scope.env[name] = state
        return state

    def fresh(self, name: str) -> str:
        """A new state of a variable."""
        self.scope.versions += 1
        return f"{name}%{self.scope.versions}"

    def either(self, name: str, states: set[str | None]) -> str | None:
        """The state that is one of these."""
        if len(states) == 1 or None in states:
            return None if None in states else states.pop()
        state = self.fresh(name)
        self.scope.binds += (state, [ANY, sorted(states)])
        return state

    def target(self, node: ast.expr, value: Expression, own: bool = False) -> None:
        """Assign `value` to a target."""
        cls = node.__class__
        if cls is ast.Name:
            self.bind(node.id, value, own)
        elif cls is ast.Attribute:
            self.scope.stores.append([self.expression(node.value), node.attr, value, self.at(node)])
        elif cls is ast.Subscript:
            key = self.expression(node.slice)
            self.scope.items.append([self.expression(node.value), key, value, self.after(node.value)])
        elif cls is ast.Tuple or cls is ast.List:
            self.unpack(node.elts, value, own)
        elif cls is ast.Starred:
            self.target(node.value, value, own)

    def unpack(self, targets: list[ast.expr], value: Expression, own: bool) -> None:
        if (
            value.__class__ is list
            and value[0] == TUPLE
            and len(value[1]) == len(targets)
            and not any(isinstance(target, ast.Starred) for target in targets)
        ):
            for target, part in zip(targets, value[1], strict=True):
                self.target(target, part, own)
            return
        if value.__class__ is list and len(targets) > 1:  # evaluated once
            state = self.bind("", value, own=True)
            value = state
        star = next((i for i, target in enumerate(targets) if isinstance(target, ast.Starred)), None)
        for i, target in enumerate(targets):
            if star is None or i < star:
                self.target(target, [PART, value, i, 0], own)
            elif i > star:
                self.target(target, [PART, value, i - len(targets), 0], own)
            else:
                self.target(target, [PART, value, i, len(targets) - 1 - i or -1], own)

    def narrow(self, test: ast.expr, holds: bool) -> None:
        """What a test that holds (or not) tells of variables."""
        cls = test.__class__
        if cls is ast.UnaryOp and test.op.__class__ is ast.Not:
            self.narrow(test.operand, not holds)
        elif cls is ast.BoolOp and (test.op.__class__ is ast.And) == holds:
            for value in test.values:
                self.narrow(value, holds)
        elif cls is ast.Call and self.scope.local and test.func.__class__ is ast.Name:
            self.narrow_instance(test, holds)

    def narrow_instance(self, test: ast.Call, holds: bool) -> None:
        """isinstance(variable, classes)"""
        if test.func.id != "isinstance" or len(test.args) != 2 or test.args[0].__class__ is not ast.Name:
            return
        name = test.args[0].id
        state = self.scope.env.get(name)
        if state is not None:
            self.scope.env = dict(self.scope.env)
            self.bind(name, [NARROW, state, _plain(test.args[1]), not holds])

    # ---- statements

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

    def expr_statement(self, node: ast.Expr) -> None:
        self.effect(node.value)

    def assign(self, node: ast.Assign) -> None:
        value = self.expression(node.value)
        if len(node.targets) > 1 and value.__class__ is list and value[0] not in (CONST, TYPE):
            value = self.bind("", value, own=True)
        for target in node.targets:
            self.target(target, value)
            if not self.scope.local and target.__class__ is ast.Name and target.id == "__all__":
                self.exports(node.value)

    def exports(self, node: ast.expr) -> None:
        if isinstance(node, (ast.List, ast.Tuple)):
            names = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
            self.scope.exports = (self.scope.exports or []) + names

    def annotated(self, node: ast.AnnAssign) -> None:
        kind = self.annotation(node.annotation)
        value = self.expression(node.value) if node.value is not None else None
        target = node.target
        if isinstance(target, ast.Name):
            self.bind(target.id, [ANY, [value, [DECLARED, kind]]])
        elif isinstance(target, ast.Attribute):
            where = self.expression(target.value)
            self.scope.stores.append([where, target.attr, [ANY, [value, [DECLARED, kind]]], self.at(target)])
        else:
            self.keep(value)

    def annotation(self, node: ast.expr | None) -> Expression:
        """An annotation; one in quotes is read."""
        if node is None:
            return None
        if node.__class__ is ast.Constant and isinstance(node.value, str):
            return _quoted(node.value)
        return self.expression(node)

    def augmented(self, node: ast.AugAssign) -> None:
        value = self.expression(node.value)
        target = node.target
        method = "i" + _BINARY[node.op.__class__]
        if isinstance(target, ast.Name):
            if target.id == "__all__" and not self.scope.local:
                self.exports(node.value)
            old = self.scope.env.get(target.id) or [NAME, target.id, self.at(target)]
            self.bind(target.id, [OPERATOR, old, method, self.at(target), value])
        elif isinstance(target, ast.Attribute):
            old = self.attribute(target)
            self.scope.stores.append([old[1], target.attr, [OPERATOR, old, method, old[3], value], self.at(target)])
        elif isinstance(target, ast.Subscript):
            old = self.item_(target)
            self.keep([OPERATOR, old, method, old[3], value])

    def return_(self, node: ast.Return) -> bool:
        if node.value is not None:
            self.scope.returns.append(self.expression(node.value))
        return False

    def raise_(self, node: ast.Raise) -> bool:
        if node.exc is not None:
            form = self.expression(node.exc)
            # A class is called when it is raised.
            if form.__class__ is str or (form.__class__ is list and form[0] in (NAME, ATTR, CALL)):
                self.scope.effects.append([OPERATOR, form, "raise", self.at(node.exc), None])
            else:
                self.keep(form)
        self.effect(node.cause)
        return False

    def leave(self, node: ast.Break | ast.Continue) -> bool:
        if self.scope.loops:
            self.scope.loops[-1][node.__class__ is ast.Continue].append(self.scope.env)
        return False

    def assert_(self, node: ast.Assert) -> None:
        self.effect(node.test)
        self.narrow(node.test, True)
        self.effect(node.msg)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                value, key = self.expression(target.value), self.expression(target.slice)
                self.keep([OPERATOR, value, "__delitem__", self.after(target.value), key])
            elif isinstance(target, ast.Attribute):
                self.keep(self.expression(target.value))

    def if_(self, node: ast.If) -> bool:
        before = self.scope.env
        ends: list[Env] = []
        while True:  # and its `elif`s
            self.effect(node.test)
            before_test = self.scope.env
            self.scope.env = dict(before_test)
            self.narrow(node.test, True)
            if self.block(node.body):
                ends.append(self.scope.env)
            self.scope.env = dict(before_test)
            self.narrow(node.test, False)
            if len(node.orelse) != 1 or node.orelse[0].__class__ is not ast.If:
                break
            node = node.orelse[0]
        if self.block(node.orelse):
            ends.append(self.scope.env)
        self.join(ends, before)
        return bool(ends)

    def join(self, branches: list[Env], before: Env) -> None:
        """Go on with what the branches that end here have in common."""
        if not branches:
            self.scope.env = dict(before)
        elif len(branches) == 1:
            self.scope.env = branches[0]
        else:
            env = {}
            for name in sorted(set().union(*branches)):
                env[name] = self.either(name, {branch[name] for branch in branches if name in branch})
            self.scope.env = env

    def loop(self, node: Any, body: Callable[[], bool]) -> None:
        """A loop: what its body assigns may reach its beginning."""
        scope = self.scope
        if not scope.local:
            body()
            return
        env = dict(scope.env)
        heads: dict[str, int] = {}
        for name in sorted(_assigned(node) & env.keys()):
            if (state := env[name]) is not None:
                env[name] = self.fresh(name)
                heads[name] = len(scope.binds) + 1
                scope.binds += (env[name], [ANY, [state]])
        scope.env = dict(env)
        scope.loops.append(([], []))
        ends = body()
        left, again = scope.loops.pop()
        again = [*again, scope.env] if ends else again
        for name, at in heads.items():
            states = {branch.get(name) for branch in again} - {env[name]}
            # One that a definition or import took over has all that the name is bound to.
            scope.binds[at][1] += sorted(state or name for state in states)
        self.join([env, *again, *left], env)

    def for_(self, node: ast.For | ast.AsyncFor) -> None:
        over = self.expression(node.iter)
        each = [AEACH if node.__class__ is ast.AsyncFor else EACH, over, self.at(node.iter)]

        def body() -> bool:
            self.target(node.target, each)
            return self.block(node.body)

        self.loop(node, body)
        self.block(node.orelse)

    def while_(self, node: ast.While) -> None:
        def body() -> bool:
            self.effect(node.test)
            self.narrow(node.test, True)
            return self.block(node.body)

        self.loop(node, body)
        self.block(node.orelse)

    def with_(self, node: ast.With | ast.AsyncWith) -> bool:
        form = AENTER if node.__class__ is ast.AsyncWith else ENTER
        for item in node.items:
            entered = [form, self.expression(item.context_expr), self.at(item.context_expr)]
            if item.optional_vars is not None:
                self.target(item.optional_vars, entered)
            else:
                self.keep(entered)
        return self.block(node.body)

    def try_(self, node: Any) -> bool:
        scope = self.scope
        before = dict(scope.env)
        first = len(scope.binds)
        ends = self.block(node.body)
        inside = scope.env
        # A handler begins with what was assigned anywhere in the body.
        at_handler = dict(before)
        if scope.local:
            assigned: dict[str, set[str | None]] = {}
            for i in range(first, len(scope.binds), 2):
                state = scope.binds[i]
                assigned.setdefault(state.partition("%")[0], set()).add(state)
            for name, states in assigned.items():
                if name in inside:  # and not a comprehension's
                    at_handler[name] = self.either(name, states | ({before[name]} if name in before else set()))
        branches = []
        for handler in node.handlers:
            scope.env = dict(at_handler)
            self.effect(handler.type)
            if handler.name:
                self.bind(handler.name, [NARROW, None, _plain(handler.type) if handler.type else None, False])
            if self.block(handler.body):
                branches.append(scope.env)
        scope.env = inside
        if self.block(node.orelse) and ends:
            branches.append(scope.env)
        self.join(branches, at_handler)
        return self.block(node.finalbody) and bool(branches)

    def match(self, node: ast.Match) -> bool:
        subject = self.expression(node.subject)
        if subject.__class__ is list:
            subject = self.bind("", subject, own=True) if self.scope.local else subject
        before = self.scope.env
        branches = [before]
        for case in node.cases:
            self.scope.env = dict(before)
            self.pattern(case.pattern, subject, node.subject)
            self.effect(case.guard)
            if self.block(case.body):
                branches.append(self.scope.env)
        self.join(branches, before)
        return True

    def pattern(self, pattern: ast.pattern, subject: Expression, whole: ast.expr | None = None) -> None:
        if isinstance(pattern, ast.MatchClass):
            self.effect(pattern.cls)
            value = [NARROW, subject, _plain(pattern.cls), False]
            if whole is not None and isinstance(whole, ast.Name) and self.scope.local:
                value = self.bind(whole.id, value)
            for inner in pattern.patterns:
                self.pattern(inner, None)
            for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self.pattern(inner, [ATTR, value, name, -1])
        elif isinstance(pattern, ast.MatchAs):
            if pattern.pattern is not None:
                if pattern.name and isinstance(pattern.pattern, ast.MatchClass):
                    subject = [NARROW, subject, _plain(pattern.pattern.cls), False]
                self.pattern(pattern.pattern, subject, whole)
            if pattern.name:
                self.bind(pattern.name, subject)
        elif isinstance(pattern, ast.MatchSequence):
            for i, inner in enumerate(pattern.patterns):
                self.pattern(inner, [PART, subject, i, 0])
        elif isinstance(pattern, ast.MatchMapping):
            for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
                self.pattern(inner, [ITEM, subject, self.expression(key), -1])
            if pattern.rest:
                self.bind(pattern.rest, subject)
        elif isinstance(pattern, ast.MatchOr):
            for inner in pattern.patterns:
                self.pattern(inner, subject)
        elif isinstance(pattern, ast.MatchStar):
            if pattern.name:
                self.bind(pattern.name, [PART, subject, 0, -1])
        elif isinstance(pattern, ast.MatchValue):
            self.effect(pattern.value)

    def import_(self, node: ast.Import) -> None:
        for alias in node.names:
            self.scope.imports += (alias.asname or alias.name, alias.name) if alias.asname else (alias.name, "")
            self._hides(alias.asname or alias.name.partition(".")[0])

    def import_from(self, node: ast.ImportFrom) -> None:
        module = "." * node.level + (node.module or "")
        joint = "" if module.endswith(".") or not module else "."
        for alias in node.names:
            if alias.name == "*":
                self.scope.imports += ("*", module)
            else:
                self.scope.imports += (alias.asname or alias.name, f"{module}{joint}{alias.name}")
                self._hides(alias.asname or alias.name)

    def _hides(self, name: str) -> None:
        """A definition or import takes a name over: its states from before are gone."""
        if self.scope.local:
            self.scope.env[name] = None

    def global_(self, node: ast.Global) -> None:
        self.scope.globals += node.names

    def nonlocal_(self, node: ast.Nonlocal) -> None:
        self.scope.nonlocals += node.names

    # ---- definitions

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        decorators = [self.expression(decorator) for decorator in node.decorator_list]
        parameters = self.parameters(node.args)
        returns = self.annotation(node.returns)
        outer, self.scope = self.scope, _Scope(local=True)
        scope = self.scope
        for parameter in parameters:
            scope.env[parameter[0]] = parameter[0]
        if node.__class__ is ast.AsyncFunctionDef:
            scope.flags |= ASYNC
        self.block(node.body)
        scope.flags |= _openness(node)
        self.scope = outer
        self._hides(node.name)
        # In source order: its own place is before those of the functions in its decorators.
        outer.children.append(
            [FUNCTION, node.name, scope.fragment(), decorators, parameters, returns, scope.returns, scope.yields,
             scope.flags]
        )  # fmt: skip

    def class_(self, node: ast.ClassDef, body: Sequence[ast.stmt] | None = None) -> None:
        decorators = [self.expression(decorator) for decorator in node.decorator_list]
        bases = [self.expression(base) for base in node.bases]
        keywords: list[Any] = []
        for keyword in node.keywords:
            keywords += (keyword.arg or "", self.expression(keyword.value))
        outer, self.scope = self.scope, _Scope(local=False)
        self.block(node.body if body is None else body)
        scope, self.scope = self.scope, outer
        self._hides(node.name)
        outer.children.append([CLASS, node.name, scope.fragment(), decorators, bases, keywords])

    def parameters(self, arguments: ast.arguments) -> list[Any]:
        out: list[Any] = []
        positional = [(arg, POSITIONAL) for arg in arguments.posonlyargs] + [(arg, EITHER) for arg in arguments.args]
        without = len(positional) - len(arguments.defaults)
        for i, (arg, kind) in enumerate(positional):
            default = self.expression(arguments.defaults[i - without]) if i >= without else None
            out.append([arg.arg, kind, self.annotation(arg.annotation), default])
        if arguments.vararg:
            out.append([arguments.vararg.arg, VARARGS, self.annotation(arguments.vararg.annotation), None])
        for arg, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            out.append([arg.arg, KEYWORD, self.annotation(arg.annotation), self.expression(value)])
        if arguments.kwarg:
            out.append([arguments.kwarg.arg, KWARGS, self.annotation(arguments.kwarg.annotation), None])
        return out


def _slice(node: ast.Slice) -> str:
    """`slice:1:3` where both ends are written down, `slice` elsewhere."""
    ends = []
    for end in (node.lower, node.upper):
        sign = ""
        if isinstance(end, ast.UnaryOp) and isinstance(end.op, ast.USub):
            sign, end = "-", end.operand
        if end is not None and not (isinstance(end, ast.Constant) and end.value.__class__ is int):
            return "slice"
        ends.append("" if end is None else f"{sign}{end.value!r}")
    return "slice" if node.step is not None else f"slice:{ends[0]}:{ends[1]}"


def _openness(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """ABSTRACT or TRIVIAL: whether a body leaves what there is to do to others."""
    body = [one for one in node.body if not (one.__class__ is ast.Expr and one.value.__class__ is ast.Constant)]
    if any(getattr(one, "attr", getattr(one, "id", "")) == "abstractmethod" for one in node.decorator_list):
        return ABSTRACT
    if len(body) > 1:
        return 0
    only = body[0] if body else None
    if only is None or only.__class__ is ast.Pass:
        return ABSTRACT
    if isinstance(only, ast.Raise):
        exc = only.exc.func if isinstance(only.exc, ast.Call) else only.exc
        return ABSTRACT if isinstance(exc, ast.Name) and exc.id.startswith("NotImplemented") else TRIVIAL
    if isinstance(only, ast.Return) and isinstance(only.value, ast.Constant | ast.Name | None):
        return TRIVIAL
    return 0


def _assigned(node: ast.AST) -> set[str]:
    """Names that are stored anywhere in a statement, nested functions aside."""
    found: set[str] = set()
    todo: list[Any] = [node]
    while todo:
        at = todo.pop()
        cls = at.__class__
        if cls is ast.Name:
            if at.ctx.__class__ is ast.Store:
                found.add(at.id)
            continue
        if cls in (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda):
            continue
        if cls is ast.ExceptHandler and at.name:
            found.add(at.name)
        todo += ast.iter_child_nodes(at)
    return found


def _quoted(text: str) -> Expression:
    """An annotation in quotes; None where it cannot be read."""
    if len(text) > 400:
        return None
    if text.isidentifier():
        return [NAME, text, -1]
    try:
        return _plain(syntax.expression(text.strip()))
    except syntax.UNPARSEABLE:
        return None


def _plain(node: ast.expr) -> Expression:
    """A quoted annotation's form: its places are unknown."""
    if isinstance(node, ast.Name):
        return [NAME, node.id, -1]
    if isinstance(node, ast.Attribute):
        return [ATTR, _plain(node.value), node.attr, -1]
    if isinstance(node, ast.Subscript):
        return [ITEM, _plain(node.value), _plain(node.slice), -1]
    if isinstance(node, (ast.Tuple, ast.List)):
        return [TUPLE, [_plain(element) for element in node.elts]]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return [OPERATOR, _plain(node.left), "or", -1, _plain(node.right)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _quoted(node.value)
    return None


Write = Callable[[_Writer, Any], Any]
_EXPRESSIONS: dict[type[ast.AST], Write] = {
    ast.Name: _Writer.name_, ast.Attribute: _Writer.attribute, ast.Call: _Writer.call, ast.Constant: _Writer.constant,
    ast.Subscript: _Writer.item_, ast.Slice: _Writer.slice_, ast.Tuple: _Writer.tuple_, ast.List: _Writer.list_,
    ast.Set: _Writer.list_, ast.Dict: _Writer.dict_, ast.BoolOp: _Writer.boolean, ast.IfExp: _Writer.conditional,
    ast.BinOp: _Writer.binary, ast.UnaryOp: _Writer.unary, ast.Compare: _Writer.compare, ast.Await: _Writer.await_,
    ast.Yield: _Writer.yield_, ast.YieldFrom: _Writer.yield_from, ast.JoinedStr: _Writer.joined,
    ast.FormattedValue: _Writer.formatted, ast.NamedExpr: _Writer.named, ast.Lambda: _Writer.lambda_,
    ast.ListComp: _Writer.comprehension, ast.SetComp: _Writer.comprehension, ast.DictComp: _Writer.comprehension,
    ast.GeneratorExp: _Writer.comprehension, ast.Starred: _Writer.starred,
}  # fmt: skip
_STATEMENTS: dict[type[ast.AST], Write] = {
    ast.Expr: _Writer.expr_statement, ast.Assign: _Writer.assign, ast.AnnAssign: _Writer.annotated,
    ast.AugAssign: _Writer.augmented, ast.Return: _Writer.return_, ast.Raise: _Writer.raise_,
    ast.Break: _Writer.leave, ast.Continue: _Writer.leave, ast.Assert: _Writer.assert_, ast.Delete: _Writer.delete,
    ast.If: _Writer.if_, ast.For: _Writer.for_, ast.AsyncFor: _Writer.for_, ast.While: _Writer.while_,
    ast.With: _Writer.with_, ast.AsyncWith: _Writer.with_, ast.Try: _Writer.try_, ast.TryStar: _Writer.try_,
    ast.Match: _Writer.match, ast.Import: _Writer.import_, ast.ImportFrom: _Writer.import_from,
    ast.Global: _Writer.global_, ast.Nonlocal: _Writer.nonlocal_, ast.FunctionDef: _Writer.function,
    ast.AsyncFunctionDef: _Writer.function, ast.ClassDef: _Writer.class_,
}  # fmt: skip
