"""Summaries -> a program's modules and scopes, as the resolver walks them. Nothing is evaluated here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from .forms import (
    BINDS,
    BODY,
    CHILD_NAME,
    CHILDREN,
    CLASS,
    DECORATORS,
    EXPORTS,
    FLAGS,
    FUNCTION,
    GLOBALS,
    IMPORTS,
    KIND,
    LAMBDA_KIND,
    NONLOCALS,
    PARAMETERS,
    Expression,
    last_name,
)  # fmt: skip

MODULE_KIND, FRAGMENT = 3, 4
# The slot of code that stands in no definition of its segment: its caller is the class or module around.
AROUND = 0xFFFF
# Direct subclasses are what is passed for this parameter of a class.
SUBCLASSES = -1


class Import(NamedTuple):
    """A name that an import binds: a dotted target; `whole`: `import a.b` binds the first part."""

    target: str
    whole: bool = False


# What a name can be bound to: an expression in the scope that it stands in, a definition, an import.
Binding = tuple["Scope", Any]
# The file's path, and a name in it.
Rest = tuple[str, str]


class Scope:
    """A module, class, function or lambda, or the statements of one segment that stand in a module or class.

    unique: the qualname that is unique in the file. segment, slot: which node of which segment it is.
    children: in source order. names: what each name is bound to here. states: a function's variables (see `summary`).
    rest: (path, name) by which what rests on its definition says so: the name of the module's top level that it belongs
    to, or `Class.member` of a class that stands there; `members`: the same for members of such a class, by name.
    """

    __slots__ = (
        "body",
        "children",
        "exports",
        "fragments",
        "kind",
        "members",
        "module",
        "name",
        "names",
        "outer",
        "parameters",
        "parent",
        "qualname",
        "rest",
        "segment",
        "slot",
        "stars",
        "states",
        "summary",
        "unique",
    )  # fmt: skip

    def __init__(self, kind: int, name: str, parent: Scope | None, module: Module, segment: int, slot: int) -> None:
        self.kind = kind
        self.name = name
        self.parent = parent
        self.module = module
        self.segment = segment
        self.slot = slot
        self.members: dict[str, Rest] = {}
        self.named(name, name)
        self.summary: list[Any] = []
        self.body: list[Any] | None = None
        self.children: list[Scope] = []
        self.fragments: list[Scope] = []  # of a module or class
        self.names: dict[str, list[Binding]] = {}
        self.states: dict[str, Expression] = {}
        self.parameters: dict[str, int] = {}
        self.outer: dict[str, bool] = {}  # declared global (True) or nonlocal (False)
        self.stars: list[str] = []
        self.exports: list[str] | None = None

    def __repr__(self) -> str:
        return f"<{self.module.path}:{self.unique}>"

    @property
    def key(self) -> str:
        """The node's key."""
        return f"node:{self.module.path}:{self.unique}"

    def named(self, qualname: str, unique: str) -> None:
        """Take its names."""
        self.qualname = qualname
        self.unique = unique
        self.rest = self._rest()

    def _rest(self) -> Rest:
        around = self.parent
        if around is None:
            return self.module.path, "<module>"
        if self.kind == FRAGMENT:
            return around.rest
        if around.kind == FRAGMENT and around.parent is not None:
            around = around.parent
        if around.kind == MODULE_KIND or self.qualname == self.name:  # also what a function declares global
            return self.module.path, self.name
        return around.member_rest(self.name)

    def member_rest(self, name: str) -> Rest:
        """What rests on how this class binds a name, or on what its methods store by that name, rests on."""
        found = self.members.get(name)
        if found is None:
            path, own = self.rest
            is_top = self.kind == CLASS and self.qualname == own
            found = self.members[name] = (path, f"{own}.{name}") if is_top else self.rest
        return found

    def class_around(self) -> Scope | None:
        """The class that a method stands in."""
        parent = self.parent
        if parent is not None and parent.kind == FRAGMENT:
            parent = parent.parent
        return parent if parent is not None and parent.kind == CLASS else None


class Module:
    """One file's scopes, from the summaries of its segments in source order."""

    __slots__ = ("by_unique", "is_package", "package", "path", "scope", "scopes")

    def __init__(self, path: str, package: tuple[str, ...], segments: Iterable[tuple[int, list[Any]]]) -> None:
        self.path = path
        self.package = package  # what relative imports start from
        self.is_package = path.rpartition("/")[2].startswith("__init__.")
        self.scope = Scope(MODULE_KIND, "<module>", None, self, -1, 0)
        self.scopes: list[Scope] = []  # all that hold code, in source order
        self.by_unique: dict[str, Scope] = {}
        self._read_all(segments, {}, {})

    def read(self, segments: Iterable[tuple[int, list[Any]]]) -> None:
        """Become what the file is now: scopes that are still there stay the same objects, as others know them."""
        fragments = {(scope.unique, scope.segment): scope for scope in self.scopes if scope.kind == FRAGMENT}
        known, self.by_unique, self.scopes = self.by_unique, {}, []
        self.scope.__init__(MODULE_KIND, "<module>", None, self, -1, 0)  # type: ignore[misc]
        self._read_all(segments, known, fragments)

    def _read_all(
        self, segments: Iterable[tuple[int, list[Any]]], known: dict[str, Scope],
        fragments: dict[tuple[str, int], Scope],
    ) -> None:  # fmt: skip
        reading = _Reading(known, fragments, {}, {})
        for segment, summary in segments:
            owner, fragment = summary
            around = reading.classes.get(owner, self.scope) if owner else self.scope
            self._fragment(around, fragment, segment, reading)

    def _fragment(self, around: Scope, fragment: list[Any], segment: int, reading: _Reading) -> None:
        scope = reading.fragment(around, self, segment, AROUND)
        around.fragments.append(scope)
        self.scopes.append(scope)
        self._fill(scope, around, fragment, segment, [0], reading)

    def _fill(
        self, scope: Scope, target: Scope, body: list[Any], segment: int, slots: list[int], reading: _Reading
    ) -> None:
        """Read a body into `scope`; its names are those of `target`."""
        scope.body = body
        names, states = target.names, scope.states
        for name in body[GLOBALS]:
            scope.outer[name] = True
        for name in body[NONLOCALS]:
            scope.outer[name] = False
        binds = body[BINDS]
        for i in range(0, len(binds), 2):
            state, value = binds[i], binds[i + 1]
            name, version, _ = state.partition("%")
            if version or scope is target:
                states[state] = value
            if version and scope is not target:
                continue  # a comprehension's variable, outside functions
            if name in scope.outer:
                self._bind_outside(scope, name, value)
            elif name:
                names.setdefault(name, []).append((scope, value))
        imports = body[IMPORTS]
        for i in range(0, len(imports), 2):
            name, dotted = imports[i], imports[i + 1]
            if name == "*":
                target.stars.append(dotted)
            elif dotted:
                self._import(scope, target, name, Import(dotted))
            else:
                self._import(scope, target, name.partition(".")[0], Import(name, whole=True))
        if body[EXPORTS] is not None:
            target.exports = (target.exports or []) + body[EXPORTS]
        for number, child in enumerate(body[CHILDREN]):
            self._child(scope, target, child, number, segment, slots, reading)

    def _import(self, scope: Scope, target: Scope, name: str, binding: Import) -> None:
        if name in scope.outer:
            self._bind_outside(scope, name, binding)
        else:
            target.names.setdefault(name, []).append((scope, binding))

    def _bind_outside(self, scope: Scope, name: str, value: Any) -> None:
        """An assignment to a name declared global or nonlocal."""
        at: Scope | None = self.scope
        if not scope.outer[name]:
            at = scope.parent
            while (
                at is not None
                and at.kind in (FUNCTION, LAMBDA_KIND)
                and name not in at.names
                and name not in at.parameters
            ):
                at = at.parent
        if at is not None:
            at.names.setdefault(name, []).append((scope, value))

    def _child(
        self, scope: Scope, target: Scope, child: list[Any], number: int, segment: int, slots: list[int],
        reading: _Reading,
    ) -> None:  # fmt: skip
        kind, name = child[KIND], child[CHILD_NAME]
        is_global = name in scope.outer
        if kind == LAMBDA_KIND:
            within = f"{segment}.{number}" if scope.slot == AROUND else number
            qualname = unique = f"{scope.unique}.<lambda>{within}"
        else:
            prefix = "" if target.kind == MODULE_KIND or is_global else target.qualname + "."
            qualname = prefix + name
            count = reading.seen[qualname] = reading.seen.get(qualname, 0) + 1
            unique = qualname if count == 1 else f"{qualname}#{count}"
        inner = reading.scope(unique, kind, name, scope, self, segment)
        inner.named(qualname, unique)
        inner.summary = child
        scope.children.append(inner)
        if kind == LAMBDA_KIND:
            inner.slot = scope.slot
        else:
            inner.slot = slots[0]
            slots[0] += 1
            if is_global:
                self._bind_outside(scope, name, inner)
            else:
                held = target.names.setdefault(name, [])
                if held and kind == FUNCTION:  # what comes after overloads is what runs
                    held[:] = [one for one in held if not (one[1].__class__ is Scope and is_overload(one[1]))]
                held.append((scope, inner))
        self.by_unique[unique] = inner
        if kind == CLASS:
            if scope.kind == FRAGMENT and target.kind == MODULE_KIND:
                reading.classes[name] = inner
            fragment = reading.fragment(inner, self, segment, inner.slot)
            inner.fragments.append(fragment)
            self.scopes.append(fragment)
            self._fill(fragment, inner, child[BODY], segment, slots, reading)
            return
        for at, parameter in enumerate(child[PARAMETERS]):
            inner.parameters[parameter[0]] = at
        self.scopes.append(inner)
        self._fill(inner, inner, child[BODY], segment, slots, reading)


class _Reading(NamedTuple):
    """Reading a module. known, fragments: its scopes from before. seen: how often each qualname was there so far.
    classes: of the top level, by name."""

    known: dict[str, Scope]
    fragments: dict[tuple[str, int], Scope]
    seen: dict[str, int]
    classes: dict[str, Scope]

    def scope(self, unique: str, kind: int, name: str, parent: Scope, module: Module, segment: int) -> Scope:
        """A definition's scope, still without its names."""
        known = self.known.pop(unique, None)
        if known is None or known.kind != kind:
            return Scope(kind, name, parent, module, segment, AROUND)
        known.__init__(kind, name, parent, module, segment, AROUND)  # type: ignore[misc]
        return known

    def fragment(self, around: Scope, module: Module, segment: int, slot: int) -> Scope:
        """The scope of a segment's statements in a module or class."""
        scope = self.fragments.pop((around.unique, segment), None)
        if scope is None:
            scope = Scope(FRAGMENT, around.name, around, module, segment, slot)
        else:
            scope.__init__(FRAGMENT, around.name, around, module, segment, slot)  # type: ignore[misc]
        scope.named(around.unique, around.unique)
        return scope


def is_overload(scope: Scope) -> bool:
    """Whether a function is a declaration for type checkers."""
    if scope.kind != FUNCTION:
        return False
    return any(last_name(form) == "overload" for form in scope.summary[DECORATORS])


def is_function(scope: Scope) -> bool:
    """Whether it can be called as a function."""
    return scope.kind in (FUNCTION, LAMBDA_KIND)


def flags(scope: Scope) -> int:
    """A function's flags (see `forms`)."""
    return int(scope.summary[FLAGS])
