"""One parsed statement -> the facts of every node in it, in one pass over its tree.

The complexity is McCabe's as ruff counts it (C901): 1 + branches; a nested function adds its own number.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from hashlib import sha256
from inspect import cleandoc
from itertools import accumulate
from typing import Any

from .facts import Behaviour, Binding, NodeFacts, Segment
from .signature import class_signature, expression, function_signature
from .summary.writer import summarize, summarize_header
from .text import units

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = frozenset((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
_NAME_AFTER_KEYWORD = re.compile(r"(?:async(?:\s|\\\r?\n)+)?(?:def|class)(?:\s|\\\r?\n)+(\w+)")
_ALLOWED = b"# remora: docstring-ok"
_LEAVES = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


def _fields(node_class: type[ast.AST]) -> tuple[str, ...]:
    """The fields that can hold expressions or statements."""
    skip = {
        "ctx", "op", "ops", "id", "attr", "arg", "name", "names", "module", "level", "asname", "kind", "type_comment",
        "conversion", "simple", "is_async", "rest", "kwd_attrs", "type_ignores",
    }  # fmt: skip
    fields = tuple(field for field in node_class._fields if field not in skip)
    return () if issubclass(node_class, _LEAVES) else fields


_TREE: dict[type[ast.AST], tuple[str, ...]] = {
    value: _fields(value) for value in vars(ast).values() if isinstance(value, type) and issubclass(value, ast.AST)
}
_BRANCHES = frozenset((ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.match_case))
_TRIES = frozenset((ast.Try, ast.TryStar))
_SPECIAL: dict[type[ast.AST], tuple[str, ...]] = {
    cls: _TREE.pop(cls)
    for cls in (
        *_DEFINITIONS, *_BRANCHES, *_TRIES, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Match,
        ast.AnnAssign, ast.arg, ast.MatchAs, ast.MatchStar, ast.Return, ast.Yield, ast.YieldFrom, ast.Raise,
    )
}  # fmt: skip


class Source:
    """The text of some whole lines, and the tree's coordinates in it.

    skipped: how many lines the parser saw before the first one here.
    """

    def __init__(self, lines: Sequence[str], skipped: int = 0) -> None:
        text = "".join(lines)
        self.lines = lines
        self.skipped = skipped
        self.ascii = text.isascii()
        self.data = text.encode("utf-8", "surrogatepass")
        self.allows = _ALLOWED in self.data
        sizes = map(len, lines) if self.ascii else (len(line.encode("utf-8", "surrogatepass")) for line in lines)
        self.offsets = list(accumulate(sizes, initial=0))

    def column(self, line: int, byte: int) -> int:
        """UTF-16 column of a byte column."""
        if self.ascii:
            return byte
        text = self.lines[line]
        if text.isascii():
            return byte
        before = text.encode("utf-8", "surrogatepass")[:byte]
        try:
            return units(before.decode("utf-8", "surrogatepass"), "utf-16")
        except UnicodeDecodeError:  # within a character: a name that Python normalises is longer than what is written
            return units(before.decode("utf-8", "ignore"), "utf-16")

    def body_digest(self, node: Definition) -> str:
        """SHA-256 of a definition's body, the same wherever it stands: without indentation and line ends."""
        first, line = node.body[0], node.body[0].lineno - 1 - self.skipped
        end_line, end_byte = (node.end_lineno or node.lineno) - 1 - self.skipped, node.end_col_offset or 0
        text = self.data[self.offsets[line] + first.col_offset : self.offsets[end_line] + end_byte]
        return sha256(b"\n".join(map(bytes.strip, text.splitlines()))).hexdigest()

    def is_allowed(self, node: Definition, line: int) -> bool:
        """Whether a comment between the definition's first line and its docstring's last one allows the docstring."""
        if not self.allows:
            return False
        end = (node.body[0].end_lineno or node.lineno) - self.skipped
        return _ALLOWED in self.data[self.offsets[line] : self.offsets[end]]

    def digest(self, line: int, byte: int, end_line: int, end_byte: int) -> str:
        """SHA-256 of the text between two places."""
        return sha256(self.data[self.offsets[line] + byte : self.offsets[end_line] + end_byte]).hexdigest()


def first_line(node: ast.stmt, source: Source) -> int:
    """The line in `source` that a statement starts at, decorators included."""
    line = node.lineno - 1 - source.skipped
    if node.__class__ in _DEFINITIONS and node.decorator_list:  # type: ignore[attr-defined]
        line = node.decorator_list[0].lineno - 1 - source.skipped  # type: ignore[attr-defined]
        # The tree gives the expression's line; "@(" may stand on an earlier one.
        while line > 0 and not source.lines[line].lstrip().startswith("@"):
            line -= 1
    return line


def docstring_of(body: Sequence[ast.stmt]) -> str | None:
    """The cleaned docstring, as ast.get_docstring gives it."""
    if body and is_string(body[0]):
        text: str = body[0].value.value  # type: ignore[attr-defined]
        # The usual one-liner needs none of cleandoc's work.
        return text.lstrip() if "\n" not in text and "\t" not in text else cleandoc(text)
    return None


def is_string(node: ast.stmt) -> bool:
    """Whether the statement is nothing but a string."""
    return node.__class__ is ast.Expr and node.value.__class__ is ast.Constant and node.value.value.__class__ is str


def statement_facts(segment: Segment, statements: Sequence[ast.stmt], source: Source, start: int,
                    owner: str = "") -> None:  # fmt: skip
    """Fill `segment` from the statements that stand in it.

    start: the segment's first line in `source`. owner: the class's qualname where the statements are members.
    """
    pass_ = _Pass(segment, source, start)
    first = statements[0]
    if len(statements) == 1 and first.__class__ in _DEFINITIONS:
        pass_.definition(first, owner + "." if owner else "", bool(owner), frozenset(), {})  # type: ignore[arg-type]
    else:
        scope = _Scope()
        pass_.scan(list(statements), scope)
        for definition in scope.definitions:
            pass_.definition(definition, owner + "." if owner else "", bool(owner), frozenset(), {})
        segment.roots = frozenset(scope.roots)
        segment.bindings = tuple(scope.imports)
        segment.hints = scope.hints
        segment.escapes = bool(scope.module_names)
        if is_string(first):
            segment.string = first.value.value  # type: ignore[attr-defined]
    segment.summary = summarize(statements, source, start, owner)
    if len(segment.nodes) > 1:
        segment.nodes.sort(key=_place)
    last = statements[-1]
    end_line = (last.end_lineno or last.lineno) - 1 - source.skipped
    segment.last = (end_line - start, source.column(end_line, last.end_col_offset or 0))


def class_header_facts(segment: Segment, node: ast.ClassDef, source: Source, start: int) -> None:
    """Fill `segment` with the class `node`: all of it but what its members add (names used, hints)."""
    pass_ = _Pass(segment, source, start)
    scope = _Scope()
    pass_.signature_parts(node, scope)
    facts = pass_.facts(node, "", False, scope, None, frozenset(scope.roots), ())
    segment.nodes = [facts]
    segment.summary = summarize_header(node, source, start)


def _place(facts: NodeFacts) -> tuple[int, int]:
    return facts.line, facts.col


class _Scope:
    """What the statements of one scope do with names."""

    __slots__ = (
        "bound", "calls", "complexity", "definitions", "dotted", "hints", "imports", "module_names", "outer",
        "parameters", "raises", "returns", "roots", "yields",
    )  # fmt: skip

    def __init__(self) -> None:
        self.dotted: set[str] = set()
        self.calls: set[str] = set()
        self.roots: set[str] = set()
        self.bound: set[str] = set()
        self.parameters: frozenset[str] = frozenset()
        self.outer: set[str] = set()  # declared global or nonlocal
        self.module_names: set[str] = set()  # declared global
        self.imports: list[Binding] = []
        self.definitions: list[Definition] = []
        self.complexity = 0
        self.hints = False
        self.returns = False  # a value
        self.yields = False
        self.raises: list[str] = []


class _Pass:
    """The walk over one segment's trees."""

    def __init__(self, segment: Segment, source: Source, start: int) -> None:
        self.nodes = segment.nodes
        self.source = source
        self.base = source.skipped + 1 + start  # tree line -> line within the segment

    def definition(
        self, node: Definition, prefix: str, in_class: bool, hidden: frozenset[str], imported: dict[str, str]
    ) -> int:
        """Add the facts of a definition and of all inside it; gives the complexity it adds to what is around it.

        hidden: local variables of the functions around it. imported: what those functions import.
        """
        scope = _Scope()
        self.signature_parts(node, scope)
        hints, signature_roots = scope.hints, scope.roots
        scope.roots = set()
        scope.calls.clear()
        scope.parameters = frozenset(scope.bound)  # nothing else binds in a signature but `:=`
        self.scan(list(node.body), scope)
        scope.bound -= scope.outer
        is_class = node.__class__ is ast.ClassDef
        targets = [target for _, target in scope.imports]
        if imported:
            targets += [imported[name] for name in imported if name in scope.roots and name not in scope.bound]
        if not is_class:
            scope.hints = hints  # annotated local variables are not the signature's
            scope.roots -= scope.bound
            hidden = hidden | scope.bound if scope.bound else hidden
            if scope.imports:
                imported = {**imported, **{name.partition(".")[0]: target for name, target in scope.imports}}
        qualname = prefix + node.name
        for inner in scope.definitions:
            # As __qualname__ has it: what is declared global belongs to the module.
            inside = "" if inner.name in scope.module_names else qualname + "."
            scope.complexity += self.definition(inner, inside, is_class, hidden, imported)
        complexity = None if is_class else scope.complexity + 1
        roots = frozenset((signature_roots | scope.roots) - hidden if is_class else signature_roots | scope.roots)
        self.nodes.append(self.facts(node, prefix, in_class, scope, complexity, roots, tuple(targets)))
        return scope.complexity if complexity is None else complexity

    def signature_parts(self, node: Definition, scope: _Scope) -> None:
        """Scan what the enclosing scope evaluates; a function's parameters become bound names."""
        parts: list[Any] = list(node.decorator_list)
        parts += getattr(node, "type_params", ())
        if node.__class__ is ast.ClassDef:
            parts += node.bases
            parts += [keyword.value for keyword in node.keywords]
        else:
            self._parameters(node, parts, scope)  # type: ignore[arg-type]
        if parts:
            self.scan(parts, scope)
            if node.__class__ is ast.ClassDef:
                scope.hints = False

    def _parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef, parts: list[Any], scope: _Scope) -> None:
        arguments = node.args
        every = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        if arguments.vararg:
            every.append(arguments.vararg)
        if arguments.kwarg:
            every.append(arguments.kwarg)
        for arg in every:
            scope.bound.add(arg.arg)
            if arg.annotation is not None:
                parts.append(arg.annotation)
                scope.hints = True
        parts += arguments.defaults
        parts += arguments.kw_defaults
        if node.returns is not None:
            parts.append(node.returns)
            scope.hints = True

    def facts(
        self,
        node: Definition,
        prefix: str,
        in_class: bool,
        scope: _Scope,
        complexity: int | None,
        roots: frozenset[str],
        local_imports: tuple[str, ...],
    ) -> NodeFacts:
        """The record of a definition whose scope has been scanned."""
        source, skipped = self.source, self.source.skipped
        start = self.base - 1 - skipped  # the segment's first line in the source
        line = first_line(node, source)
        column = source.lines[line].index("@") if node.decorator_list else node.col_offset
        end_line = (node.end_lineno or node.lineno) - 1 - skipped
        end_byte = node.end_col_offset or 0
        name_line, name_col, name_end = self._name_range(node)
        is_class = node.__class__ is ast.ClassDef
        decorators = tuple([self._text(decorator) for decorator in node.decorator_list])
        docstring = docstring_of(node.body)
        return NodeFacts(
            node.name,
            prefix + node.name,
            "class" if is_class else "function",
            "class" if is_class else _kind(decorators) if in_class else "function",
            line - start,
            column,  # white space before it: the same in bytes and in UTF-16
            end_line - start,
            source.column(end_line, end_byte),
            name_line - start,
            name_col,
            name_end,
            class_signature(node) if is_class else function_signature(node),  # type: ignore[arg-type]
            docstring,
            decorators,
            source.digest(line, column, end_line, end_byte),
            end_line - line + 1,
            complexity,
            scope.hints,
            roots,
            local_imports,
            frozenset() if is_class else frozenset(scope.dotted),
            frozenset() if is_class else frozenset(scope.calls),
            None,
            self._behaviour(node, scope, docstring, line) if docstring or node.name == "__init__" else None,
        )

    def _behaviour(self, node: Definition, scope: _Scope, docstring: str | None, line: int) -> Behaviour:
        source = self.source
        allowed = source.is_allowed(node, line)
        if node.__class__ is ast.ClassDef:  # without its members: they may be cut off
            body = sha256((docstring or "").encode("utf-8", "surrogatepass")).hexdigest()
            return Behaviour(False, False, (), False, body, allowed)
        stub = _is_stub(node.body[1:] if docstring is not None else node.body)
        raises = tuple(sorted(set(scope.raises)))
        return Behaviour(scope.returns, scope.yields, raises, stub, source.body_digest(node), allowed)

    def _text(self, node: ast.expr) -> str:
        """A decorator's source where that is one line, else as normalised: nearly all are calls, slow to unparse."""
        line = node.lineno - 1 - self.source.skipped
        text = self.source.lines[line]
        if node.__class__ is not ast.Call or node.end_lineno != node.lineno or not text.isascii():
            return expression(node)
        return text[node.col_offset : node.end_col_offset]

    def _name_range(self, node: Definition) -> tuple[int, int, int]:
        """Line, first and end UTF-16 column of the defined name; the tree does not tell."""
        source = self.source
        line = node.lineno - 1 - source.skipped
        at = node.col_offset
        text = source.lines[line]
        keyword = 6 if node.__class__ is ast.ClassDef else 4 if node.__class__ is ast.FunctionDef else 10
        start = at + keyword
        if text.startswith(node.name, start):  # `def name`, the keyword and one blank: nearly always
            return line, start, start + units(node.name, "utf-16")
        rest = "".join(source.lines[line : line + 8])
        found = _NAME_AFTER_KEYWORD.match(rest, at)
        if found is None:
            return line, at, at
        before = rest[: found.start(1)].splitlines(keepends=True)
        column = len(before[-1]) if before and before[-1][-1] not in "\r\n" else 0
        newlines = len(before) - (1 if column else 0)
        return line + newlines, column, column + units(found[1], "utf-16")

    def scan(self, todo: list[Any], scope: _Scope) -> None:
        """Collect names, bindings, definitions and branches of `todo`, definitions left unopened.

        The hot loop of the whole program: one stack, no recursion, the commonest classes first.
        """
        dotted, root, bind = scope.dotted.add, scope.roots.add, scope.bound.add
        pop, push, extend = todo.pop, todo.append, todo.extend
        parameters, called = scope.parameters, scope.calls.add
        name_class, attribute, load, constant, call_class = ast.Name, ast.Attribute, ast.Load, ast.Constant, ast.Call
        expression_statement, assign = ast.Expr, ast.Assign
        while todo:
            node = pop()
            cls = node.__class__
            if cls is expression_statement:
                node = node.value
                cls = node.__class__
            if cls is name_class:
                name = node.id
                if node.ctx.__class__ is not load:
                    bind(name)
                elif name not in parameters:
                    root(name)
                continue
            if cls is constant:
                continue
            if cls is assign:
                extend(node.targets)
                push(node.value)
                continue
            is_call = False
            if cls is call_class:
                extend(node.args)
                if node.keywords:
                    for keyword in node.keywords:
                        push(keyword.value)
                node = node.func
                cls = node.__class__
                if cls is name_class:
                    root(node.id)
                    called(node.id)
                    continue
                is_call = True
            if cls is attribute:  # a.b.c as one dotted name
                name = node.attr
                value = node.value
                while value.__class__ is attribute:
                    name = f"{value.attr}.{name}"
                    value = value.value
                if value.__class__ is name_class:
                    root(value.id)
                    name = f"{value.id}.{name}"
                    dotted(name)
                else:
                    push(value)
                    name = "." + name
                if is_call:
                    called(name)
                continue
            fields = _TREE.get(cls)
            if fields is None:  # what binds names or branches
                fields = _SPECIAL.get(cls)
                if fields is None or not self._special(node, cls, scope):
                    continue  # None in a display, a leaf, or nothing to go into
            for field in fields:
                value = getattr(node, field)
                if value.__class__ is list:
                    extend(value)
                elif value is not None:
                    push(value)

    def _special(self, node: Any, cls: type[ast.AST], scope: _Scope) -> bool:
        """Note what `node` binds, defines or branches; False where the scan does not go into it."""
        if cls in _DEFINITIONS:
            scope.definitions.append(node)
            scope.bound.add(node.name)
            return False
        if cls is ast.Import or cls is ast.ImportFrom:
            _imports(node, scope)
            return False
        if cls is ast.Global or cls is ast.Nonlocal:
            scope.outer.update(node.names)
            if cls is ast.Global:
                scope.module_names.update(node.names)
            return False
        if cls in _BRANCHES:
            scope.complexity += 1
            if cls is ast.ExceptHandler and node.name:
                scope.bound.add(node.name)
        elif cls in _TRIES:
            scope.complexity += 1 if node.orelse else 0
        elif cls is ast.Match:
            scope.complexity -= _has_else(node)
        elif cls is ast.AnnAssign:
            scope.hints = scope.hints or node.simple == 1
        elif cls is ast.arg:
            scope.bound.add(node.arg)
        elif cls is ast.Return:
            value = node.value
            if value is not None and not (value.__class__ is ast.Constant and value.value is None):
                scope.returns = True
        elif cls is ast.Raise:
            raised = node.exc.func if node.exc.__class__ is ast.Call else node.exc
            if raised.__class__ in (ast.Name, ast.Attribute):
                scope.raises.append(expression(raised))
        elif cls is ast.Yield or cls is ast.YieldFrom:
            scope.yields = True
        else:  # MatchAs, MatchStar
            scope.bound.add(node.name or "_")
        return True


def _is_stub(body: Sequence[Any]) -> bool:
    """Whether a body, its docstring aside, tells nothing of what a real one does."""
    for statement in body:
        if statement.__class__ is ast.Raise:
            raised = statement.exc.func if statement.exc.__class__ is ast.Call else statement.exc
            if getattr(raised, "id", None) != "NotImplementedError":
                return False
        elif statement.__class__ is not ast.Pass and not (
            statement.__class__ is ast.Expr and statement.value.__class__ is ast.Constant
        ):
            return False
    return True


def _imports(node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
    if node.__class__ is ast.Import:
        for alias in node.names:
            scope.bound.add(alias.asname or alias.name.partition(".")[0])
            scope.imports.append((alias.asname or alias.name, alias.name))
        return
    module = "." * (node.level or 0) + (node.module or "")  # type: ignore[union-attr]
    joint = "" if module.endswith(".") or not module else "."
    for alias in node.names:
        if alias.name == "*":
            scope.imports.append(("*", module))
        else:
            name = alias.asname or alias.name
            scope.bound.add(name)
            scope.imports.append((name, f"{module}{joint}{alias.name}"))


def _has_else(node: ast.Match) -> int:
    """1 when the last case always matches: it then counts like an `else`, which is no branch."""
    last = node.cases[-1]
    return 1 if last.guard is None and _irrefutable(last.pattern) else 0


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or _irrefutable(pattern.pattern)
    if isinstance(pattern, ast.MatchOr):
        return any(_irrefutable(inner) for inner in pattern.patterns)
    return False


def _kind(decorators: tuple[str, ...]) -> str:
    for decorator in decorators:
        name = decorator.partition("(")[0].rpartition(".")[2]
        if name in ("staticmethod", "classmethod"):
            return name
        if name in ("property", "cached_property", "setter", "getter", "deleter", "abstractproperty"):
            return "property"
    return "method"
