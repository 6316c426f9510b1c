"""What names and expressions of a program are: lazily, from summaries, each question once.

A `World` is one state of the program. Its questions (what is this variable, what does this function give, what has
this class) are answered with sets of abstract values (see `values`), the least ones that satisfy all that is written:
questions that ask each other in a circle are asked again until nothing is added.
"""

# mypy: disable-error-code="attr-defined, union-attr, arg-type, assignment, index, no-any-return"
# Values are told apart by `__class__ is`, which is faster than isinstance and tells mypy nothing.
from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, Protocol

from . import known
from .forms import (
    ABSTRACT,
    AEACH,
    AENTER,
    ASYNC,
    ATTR,
    BASES,
    CALL,
    CLASS,
    CLASS_KEYWORDS,
    CONST,
    DECORATORS,
    EITHER,
    FUNCTION,
    GENERATOR,
    ITEM,
    ITEMS,
    KEYWORD,
    KWARGS,
    LAMBDA_KIND,
    NAME,
    OPERATOR,
    PARAMETERS,
    RETURN_TYPE,
    RETURNS,
    STAR,
    STORES,
    TRIVIAL,
    TUPLE,
    VARARGS,
    YIELDS,
    Expression,
)  # fmt: skip
from .program import FRAGMENT, MODULE_KIND, SUBCLASSES, Import, Module, Rest, Scope, flags
from .values import (
    BEGINS,
    BOUND,
    CLS,
    CONSTANT,
    FIXED,
    INSTANCE,
    MANAGED,
    MAPPING,
    NAMESPACE,
    NOTHING,
    OUTER,
    PARAMETER,
    PARTIAL,
    PROPERTY,
    SELF,
    SEQUENCE,
    SUPER,
    Value,
    Values,
    limited,
    shallow,
    union,
)  # fmt: skip

CALLED, IMPLICIT, REFERENCE = range(3)
EXACT, INFERRED, BY_NAME = 1, 2, 3


@cache
def without(name: str) -> Rest:
    """What rests on it that there is no such name in some of the classes that were looked at rests on this, and on
    them: see PRESENCE."""
    return "", f".{name}"


def _above(start: Iterable[Rest], on: Mapping[Rest, Iterable[Rest]]) -> set[Rest]:
    """These, and all that rests on them. on: what rests on each directly."""
    todo = list(start)
    found = set(todo)
    while todo:
        for owner in on.get(todo.pop(), ()):
            if owner not in found:
                found.add(owner)
                todo.append(owner)
    return found


class Program(Protocol):
    """Where the modules come from."""

    def module(self, path: str) -> Module | None:
        """The module of a file."""

    def find(self, dotted: str, importer: str) -> str | None:
        """The file that an absolute dotted name is a module of, as `importer` imports it; "" for a folder without
        an `__init__`, None where the project has none."""

    def passed(self, function: Scope) -> Mapping[str, Values]:
        """What callers pass to a function, as edges.Flows has it."""


class Walked(Protocol):
    """What was found out of a file's code."""

    def forget(self, gone: set[Rest], on: Rest | None = None) -> None:
        """These names may mean something else. on: for what rests on that, too."""


class Sink(Protocol):
    """Takes the edges of the code that is evaluated."""

    def edge(self, target: Scope | str, kind: int, evidence: int, place: int) -> None: ...

    def flow(self, function: Scope, key: str, values: Values) -> None: ...


# Iterations of questions that ask each other in a circle.
MOST_ROUNDS = 8
DEEPEST = 60
FS = frozenset
# What is asked, and of what.
Question = tuple[Any, ...]
# `Class.?name`: whether the class has that name at all.
PRESENCE = ".?"
# A name that stands for all of a file's.
ANY_NAME = "*"
# What rests on which names a module or class has rests on this one, too.
ALL_NAMES = "<names>"
# Questions that are asked for the asker: what the answer rests on comes with it.
_LOOKUPS = frozenset(("find", "instance", "overriding", "below"))
# `Class.<below>`: which classes are below it.
BELOW = "<below>"
# Questions about a class that are about one name of it.
_OF_MEMBERS = frozenset(("member", "stored", "name", "state")) | _LOOKUPS
# And those about its subclasses.
_OF_SUBCLASSES = frozenset(("subclasses", "names below"))


class World:
    """One state of a program, and what has been found out about it.

    rests: by file and name ("": the edges of its code), which names of which files that rests on; names as in
    `Scope.rest`. What was found out since the last `take_rests`.
    reads: what was asked lately that may have another answer once it is known what callers pass; None: nothing.
    """

    def __init__(self, program: Program, flows: bool = True, forgets: bool = True) -> None:
        """flows: whether what callers pass is known; if not, it may be later. forgets: whether `forget` is called."""
        self.program = program
        self._forgets = forgets
        self.flows = flows
        self.reads: set[Question] | None = None
        self.rests: dict[Rest, set[Rest]] = {}
        self._rested: dict[Rest, set[Rest]] = {}  # all of them
        self._on: dict[Rest, set[Rest]] = {}  # the same the other way round, and what rested on it once
        self._links: list[tuple[Rest, tuple[Rest, ...]]] = []  # what was looked up in classes, to go there
        self._memo: dict[Question, Any] = {}
        # Answers that may be others once it is known what callers pass: [answer, what it read, owner, how to ask].
        self._tentative: dict[Question, tuple[Any, set[Question], Rest, tuple[Any, ...]]] = {}
        self._unlike: set[Question] = set()  # those that are
        self.walked: dict[str, Walked] = {}  # files of which the code was looked at, and may be again
        self._answers: dict[Rest, list[Question]] = {}  # what has an answer, by what it was found out for
        self._shapes: dict[str, list[Question]] = {}  # and what only a file's text tells, by file
        self._flowing: list[Question] = []  # and what is passed
        self._active: dict[Question, list[Any]] = {}  # key -> [depth, value so far, asked meanwhile]
        self._provisional: dict[Question, tuple[Any, int, Rest, tuple[Any, ...]]] = {}
        self._lowest = [1 << 30]
        self._owner = ("", "")
        self._into: set[Rest] = set()  # what it rests on
        self._looked: set[Question] | None = None  # what was looked up for the edges of a file
        self._depth = 0
        self._ev: tuple[Callable[[list[Any], Scope, Sink | None], Values], ...] = (
            self._name, self._attribute, self._call, self._item, self._const, self._type, self._tuple, self._list,
            self._dict, self._any, self._each, self._each, self._part, self._enter, self._enter, self._operator,
            self._lambda, self._narrow, self._star, self._await, self._declared, self._prefix,
        )  # fmt: skip

    # ---- questions, each answered once

    def _ask(self, key: Question, module: Module, compute: Callable[..., Any], *arguments: Any) -> Any:
        """The answer to a question about `module`, by `compute`."""
        memo = self._memo
        if key in memo:
            return memo[key]
        if key in self._tentative:
            self._read(key)
            return self._tentative[key][0]
        active = self._active.get(key)
        if active is not None:  # in a circle: what is known so far
            active[2] = True
            if active[0] < self._lowest[-1]:
                self._lowest[-1] = active[0]
            return active[1]
        provisional = self._provisional.get(key)
        if provisional is not None:
            if provisional[1] < self._lowest[-1]:
                self._lowest[-1] = provisional[1]
            return provisional[0]
        depth = len(self._active)
        if depth > DEEPEST:
            return self._give_up(key)
        state = self._active[key] = [depth, NOTHING, False]
        owner, into, looked = self._owner, self._into, self._looked
        reads_before, self.reads = self.reads, None
        about = key[1]
        if key[0] not in _LOOKUPS:
            self._owner = now = self._rest_of(key, about)
            if now != owner:
                rests = self.rests.get(now)
                if rests is None:
                    rests = self.rests[now] = set()
                self._into, self._looked = rests, None
        try:
            for _ in range(MOST_ROUNDS):
                self._lowest.append(1 << 30)
                state[2] = False
                try:
                    answer = compute(*arguments)
                finally:
                    lowest = self._lowest.pop()
                if not state[2] or answer == state[1]:
                    break
                state[1] = answer
                self._forget_provisional(depth)
        finally:
            self._owner, self._into, self._looked = owner, into, looked
            del self._active[key]
        reads = self.reads
        if lowest < depth:
            self._provisional[key] = (answer, lowest, owner, (key, module, compute, *arguments))
            if lowest < self._lowest[-1]:
                self._lowest[-1] = lowest
        elif reads is None:
            memo[key] = answer
            self._note(key)
            if self._provisional:
                self._settle(depth, None)
        else:
            self._tentative[key] = (answer, reads, owner, (key, module, compute, *arguments))
            self._note(key)
            reads = {key}
            if self._provisional:
                self._settle(depth, reads)
        self.reads = reads_before if reads is None else reads if reads_before is None else reads_before | reads
        return answer

    def _give_up(self, key: Question) -> Any:
        if self._lowest[-1] > 0:
            self._lowest[-1] = 0
        return NOTHING

    def _forget_provisional(self, depth: int) -> None:
        """Answers that rest on one that has changed."""
        if self._provisional:
            self._provisional = {key: kept for key, kept in self._provisional.items() if kept[1] < depth}

    def _settle(self, depth: int, reads: set[Question] | None) -> None:
        """Answers that rested on nothing but one that is final now are final, too."""
        for key, (answer, lowest, owner, how) in list(self._provisional.items()):
            if lowest >= depth:
                if reads is None:
                    self._memo[key] = answer
                else:
                    self._tentative[key] = (answer, reads, owner, how)
                self._note(key)
                del self._provisional[key]

    # ---- what callers pass

    def _read(self, key: Question) -> None:
        if self.reads is None:
            self.reads = set()
        self.reads.add(key)

    def know_passed(self) -> None:
        """From now on the program knows what callers pass: what has been found out without it is looked at again.

        That is done in the order in which it was found out: each answer comes after those that it rests on, and
        where these are the same as before so is it.
        """
        self.flows = True
        tentative, self._tentative = self._tentative, {}
        for key, (answer, reads, owner, how) in tentative.items():
            if key not in self._memo and not self.is_unlike(reads):
                self._memo[key] = answer
                continue
            self._owner = owner
            self._into, self._looked = self.rests.setdefault(owner, set()), None
            if self._ask(*how) != answer:
                self._unlike.add(key)

    def is_unlike(self, reads: set[Question]) -> bool:
        """Whether one of these questions has another answer, now that it is known what callers pass."""
        return any(self._passed(key[1], key[2]) if key[0] == "passed" else key in self._unlike for key in reads)

    # ---- what changes

    def _note(self, key: Question) -> None:
        """There is an answer."""
        if not self._forgets:
            return
        owner = self._rest_of(key, key[1])
        held = self._answers.get(owner)
        if held is None:
            self._answers[owner] = [key]
        else:
            held.append(key)

    def _rest_of(self, key: tuple[Any, ...], about: Scope) -> Rest:
        """What a question is about."""
        kind = about.kind
        if kind == CLASS:
            if key[0] in _OF_MEMBERS:
                return about.member_rest(key[2])
            return about.member_rest(BELOW) if key[0] in _OF_SUBCLASSES else about.rest
        if kind == MODULE_KIND:
            return about.module.path, key[2]
        if kind == FRAGMENT:
            name = key[2].partition("%")[0]
            around = about.parent
            return around.member_rest(name) if around.kind == CLASS else (about.module.path, name)
        return about.rest

    def take_rests(self) -> dict[Rest, set[Rest]]:
        """What was found out, since the last time, to rest on what."""
        if self._forgets:
            self._merge_rests()
        taken, self.rests = self.rests, {}
        return taken

    def _merge_rests(self) -> None:
        """Know by what is rested on what was found out lately."""
        on = self._on
        for owner, found in self.rests.items():
            known = self._rested.setdefault(owner, set())
            for one in found - known:
                on.setdefault(one, set()).add(owner)
            known |= found
        for owner, looked_up in self._links:
            for one in looked_up:
                on.setdefault(one, set()).add(owner)
        self._links.clear()

    def forget(self, names: Iterable[Rest], paths: Collection[str]) -> None:
        """These names may mean something else now, these files have other texts: let go of what rests on that."""
        self._merge_rests()
        on = self._on
        start = set(names)
        anything = {path for path, name in start if name == ANY_NAME}
        if anything:
            start |= {one for one in {*on, *self._answers} if one[0] in anything}
        for path, name in names:
            cls, _, member = name.partition(PRESENCE)
            if member and (looking := on.get(without(member))):
                found = _above([(path, cls)], on)
                start |= found & looking
                for walked in self.walked.values():
                    walked.forget(found, without(member))
        for path in paths:
            self._rested.pop((path, ""), None)
            for key in self._shapes.pop(path, ()):
                self._memo.pop(key, None)
        every = _above(start, on)
        for walked in self.walked.values():
            walked.forget(every)
        for gone in every:
            for key in self._answers.pop(gone, ()):
                self._memo.pop(key, None)
                self._tentative.pop(key, None)
            self._rested.pop(gone, None)
        for key in self._flowing:
            self._memo.pop(key, None)
        self._flowing.clear()

    def _rest_on(self, module: Module, name: str) -> None:
        """What is being found out rests on a name of the module."""
        self._into.add((module.path, name))

    def begin(self, path: str) -> None:
        """What is asked next is asked for the edges of a file."""
        self._owner = (path, "")
        self._into = self.rests.setdefault(self._owner, set())
        self._looked = set()

    def begin_code(self, path: str) -> set[Rest]:
        """What is asked next is asked for some code of a file; what that rests on comes into the set."""
        self._owner = (path, "")
        self._into, self._looked = set(), set()
        return self._into

    # ---- names

    def state(self, scope: Scope, state: str) -> Values:
        """The values of a variable's state in its own scope."""
        key = ("state", scope, state)
        found = self._memo.get(key)
        if scope.kind == FRAGMENT:
            self._into.add(self._rest_of(key, scope))
        if found is not None:
            return found
        if state in scope.states:
            return self._ask(key, scope.module, self._state, scope, state)
        at = scope.parameters.get(state)
        return self.parameter(scope, at) if at is not None else NOTHING

    def _state(self, scope: Scope, state: str) -> Values:
        values = self.value(scope.states[state], scope, None)
        items = self._items(scope).get(state.partition("%")[0])
        return self._with_items(values, items, scope) if items else values

    def _items(self, scope: Scope) -> dict[str, list[list[Any]]]:
        """What a scope assigns to items of its variables, by name."""
        key = ("items", scope)
        if key not in self._memo:
            found: dict[str, list[list[Any]]] = {}
            for part in scope.fragments or (scope,):
                for entry in part.body[ITEMS] if part.body else ():
                    holder = entry[0]
                    if holder.__class__ is str:
                        found.setdefault(holder.partition("%")[0], []).append((entry, part))
                    elif holder.__class__ is list and holder[0] == NAME:
                        found.setdefault(holder[1], []).append((entry, part))
            self._remember(key, found)
        return self._memo[key]

    def _remember(self, key: tuple[Any, ...], found: Any) -> None:
        """What only the text of a file tells."""
        self._memo[key] = found
        self._shapes.setdefault(key[1].module.path, []).append(key)

    def _with_items(self, values: Values, items: Sequence[Any], scope: Scope) -> Values:
        """Containers with what is assigned to their items."""
        pairs = [(self.value(entry[1], part, None), self.value(entry[2], part, None)) for entry, part in items]
        again = {key for keys, assigned in pairs if assigned for key in _constants(keys)} - {None}
        out = set()
        for value in values:
            if value.__class__ is tuple and value[0] == MAPPING and again:
                value = (MAPPING, tuple(entry for entry in value[1] if entry[0] not in again))
            for keys, assigned in pairs:
                value = _with_item(value, keys, assigned)
            out.add(value)
        return shallow(FS(out))

    def lookup(self, name: str, scope: Scope) -> tuple[Scope, str] | str | None:
        """Where a name is bound as code in `scope` sees it: the scope; a builtin's dotted name; None."""
        at: Scope | None = scope
        while at is not None:
            kind = at.kind
            bound = name in at.names or (kind <= LAMBDA_KIND and kind != CLASS and name in at.parameters)
            if kind == CLASS and at is scope.parent:
                self._into.add(at.member_rest(name))
            if bound and (kind != CLASS or at is scope.parent):  # functions do not see their class's names
                return at, name
            if at.outer and at.outer.get(name):
                at = at.module.scope
                if name in at.names:
                    return at, name
                break
            at = at.parent
        module = scope.module.scope
        for star in module.stars:
            target = self._resolve_module(star, module.module)
            if isinstance(target, Module) and self._exports(target, name):
                return module, name
        return f"builtins.{name}" if name in known.BUILTINS else None

    def _name(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        name = form[1]
        found = self.lookup(name, scope)
        if found is None:
            return NOTHING
        if found.__class__ is str:
            return FS((found,))
        values = self.variable(found[0], name)
        if sink is not None and form[2] >= 0:
            self._refer(values, form, scope, sink)
        return values

    def _refer(self, values: Values, form: list[Any], scope: Scope, sink: Sink) -> None:
        """A definition's name is used without calling it."""
        for value in values:
            if value.__class__ is Scope and value.kind != LAMBDA_KIND:
                sink.edge(
                    value,
                    REFERENCE,
                    EXACT if self.exact(form, scope) else INFERRED,
                    form[2] if form[0] == NAME else form[3],
                )

    def variable(self, scope: Scope, name: str) -> Values:
        """All values of a name bound in `scope`."""
        key = ("name", scope, name)
        found = self._memo.get(key)
        if scope.kind == MODULE_KIND:
            self._rest_on(scope.module, name)
        elif scope.kind == CLASS:
            self._into.add(scope.member_rest(name))
        if found is not None:
            return found
        return self._ask(key, scope.module, self._variable, scope, name)

    def _variable(self, scope: Scope, name: str) -> Values:
        parts = []
        if name in scope.parameters:
            parts.append(self.parameter(scope, scope.parameters[name]))
        bindings = scope.names.get(name, ())
        for part, value in bindings:
            parts.append(self._bound(value, part))
        if not bindings:
            for star in scope.stars:
                target = self._resolve_module(star, scope.module)
                if isinstance(target, Module) and self._exports(target, name):
                    parts.append(self.member(target, name))
                elif isinstance(target, str):
                    pass
        values = union(parts)
        if values:
            items = self._items(scope).get(name)
            if items and scope.kind == MODULE_KIND:
                values = self._with_items(values, items, scope)
        return values

    def _bound(self, value: Any, scope: Scope) -> Values:
        cls = value.__class__
        if cls is Scope:
            return self.decorated(value)
        if cls is Import:
            return self._imported(value, scope.module)
        return self.value(value, scope, None)

    def decorated(self, scope: Scope) -> Values:
        """What the name of a definition is bound to."""
        if not scope.summary[DECORATORS]:
            return FS((scope,))
        return self._ask(("decorated", scope), scope.module, self._decorated, scope)

    def _decorated(self, scope: Scope) -> Values:
        values: Values = FS((scope,))
        around = scope.parent
        assert around is not None
        for form in reversed(scope.summary[DECORATORS]):
            decorator = self.value(form, around, None)
            values = self.apply_decorator(decorator, values, scope, None)
        # A definition stays reachable by its name, whatever wraps it.
        is_property = any(value.__class__ is tuple and value[0] == PROPERTY for value in values)
        return values if is_property else values | FS((scope,))

    def apply_decorator(self, decorators: Values, values: Values, scope: Scope, sink: Sink | None) -> Values:
        """What decorators make of `values`; what is not known leaves them as they are."""
        out = set()
        for decorator in decorators:
            if decorator.__class__ is str or (decorator.__class__ is tuple and decorator[0] == OUTER):
                name = decorator if decorator.__class__ is str else decorator[1]
                if name in known.PROPERTIES or (name.rpartition(".")[2] in known.PROPERTY_NAMES):
                    out.add((PROPERTY, scope))
                elif name in known.MANAGERS:
                    out |= values
                else:
                    out |= values
            elif decorator.__class__ is tuple and decorator[0] == PROPERTY:
                out.add(decorator)
            else:
                found = self.result(decorator, [values], (), sink, -1)
                if scope.kind == CLASS:
                    found = FS(value for value in found if value.__class__ is Scope and value.kind == CLASS)
                if (
                    decorator.__class__ is Scope
                    and decorator.kind == CLASS
                    and (self.find_member(decorator, "__get__") or decorator.name in known.PROPERTY_NAMES)
                ):
                    out.add((PROPERTY, scope))
                else:
                    out |= found
        return limited(FS(out)) or values

    # ---- modules and imports

    def member(self, module: Module, name: str) -> Values:
        """What a module has by that name: a variable, or a module below it."""
        scope = module.scope
        if name in scope.names or self._starred(module, name):
            return self.variable(scope, name)
        self._rest_on(module, name)
        if module.is_package:
            path = self.program.find(".".join((*module.package, name)), module.path)
            if path is not None:
                return self._module_value(path, ".".join((*module.package, name)))
        if "__getattr__" in scope.names:
            return union(self.result(value, (), (), None, -1) for value in self.variable(scope, "__getattr__"))
        return NOTHING

    def _starred(self, module: Module, name: str) -> bool:
        """Whether a star import of the module brings the name."""
        stars = module.scope.stars
        return bool(stars) and bool(self._ask(("starred", module.scope, name), module, self._is_starred, module, name))

    def _is_starred(self, module: Module, name: str) -> Any:
        for star in module.scope.stars:
            target = self._resolve_module(star, module)
            if isinstance(target, Module) and target is not module and self._exports(target, name):
                return FS((1,))
        return NOTHING

    def _exports(self, module: Module, name: str) -> bool:
        """Whether `from module import *` brings the name."""
        self._rest_on(module, name)
        scope = module.scope
        if scope.exports is not None:
            return name in scope.exports
        return not name.startswith("_") and (name in scope.names or self._starred(module, name))

    def _absolute(self, target: str, module: Module) -> str:
        if target[:1] != ".":
            return target
        rest = target.lstrip(".")
        level = len(target) - len(rest) - 1
        package = module.package
        kept = package[: len(package) - level] if level <= len(package) else ()
        return ".".join((*kept, rest) if rest else kept)

    def _resolve_module(self, target: str, module: Module) -> Module | str | None:
        """A dotted module name as `module` imports it."""
        dotted = self._absolute(target, module)
        path = self.program.find(dotted, module.path)
        if not path:
            self._rest_on_absent(dotted)
        if path is None:
            return dotted or None
        return self.program.module(path) if path else None

    def _rest_on_absent(self, dotted: str) -> None:
        """What is being found out rests on there being no such module."""
        self._into.add(("", dotted.partition(".")[0]))

    def _module_value(self, path: str, dotted: str) -> Values:
        if not path:
            self._rest_on_absent(dotted)  # a folder may become a package
            return FS(((NAMESPACE, dotted),))
        module = self.program.module(path)
        return FS((module,)) if module is not None else NOTHING

    def _imported(self, binding: Import, module: Module) -> Values:
        dotted = self._absolute(binding.target, module)
        if binding.whole:
            dotted = dotted.partition(".")[0]
        return self.dotted(dotted, module)

    def dotted(self, dotted: str, importer: Module) -> Values:
        """What an absolute dotted name is: a module, or something in one."""
        head, _, last = dotted.rpartition(".")
        path = self.program.find(head, importer.path) if head else None
        if path:
            package = self.program.module(path)
            if package is not None:
                own = package.scope
                if last in own.names or self._starred(package, last):
                    values = self.member(package, last)
                    # In `from . import name` of the package itself the name is the module below.
                    if values or importer is not package:
                        return values
        path = self.program.find(dotted, importer.path)
        if path is not None:
            return self._module_value(path, dotted)
        if head:
            parent = self.program.find(head, importer.path)
            if not parent:
                self._rest_on_absent(dotted)
            if parent is None:
                return self._outside(dotted, importer)
            if parent:
                found = self.program.module(parent)
                return self.member(found, last) if found is not None else NOTHING
            return NOTHING
        self._rest_on_absent(dotted)
        return FS((dotted,))

    def _outside(self, dotted: str, importer: Module) -> Values:
        """A name whose module is not the project's, unless something above it is."""
        parts = dotted.split(".")
        for length in range(len(parts) - 2, 0, -1):
            path = self.program.find(".".join(parts[:length]), importer.path)
            if path:
                module = self.program.module(path)
                values = FS((module,)) if module is not None else NOTHING
                for name in parts[length:]:
                    values = union(self.attribute(value, name, None, -1) for value in values)
                return values
        return FS((dotted,))

    # ---- parameters

    def parameter(self, scope: Scope, number: int) -> Values:
        """What a parameter is, as far as its function tells."""
        key = ("parameter", scope, number)
        found = self._memo.get(key)
        if found is not None:
            return found
        return self._ask(key, scope.module, self._parameter, scope, number)

    def _parameter(self, scope: Scope, number: int) -> Values:
        name, kind, annotation, default = scope.summary[PARAMETERS][number]
        around = scope.parent
        assert around is not None
        if number == 0 and scope.kind == FUNCTION and kind < VARARGS:
            owner = scope.class_around()
            if owner is not None:
                role = self.role(scope)
                if role == "class" or scope.name in ("__new__", "__init_subclass__", "__class_getitem__"):
                    return FS(((CLS, owner),))
                if role != "static":
                    if self.is_metaclass(owner):
                        return FS(((SELF, owner),))
                    return FS(((SELF, owner),))
        if annotation is not None:
            declared = self.declared(annotation, around)
            if kind == VARARGS and declared:
                return FS(((SEQUENCE, "tuple", declared),))
            if kind == KWARGS and declared:
                return FS(((MAPPING, ((None, declared),)),))
            if declared and self._says_little(declared):
                fixture = self._fixture(scope, name) if kind == EITHER and scope.kind == FUNCTION else None
                return declared | (FS(((PARAMETER, scope, number),)) if fixture is None else self._given(fixture))
            if declared:
                if any(value.__class__ is not tuple or value[0] != OUTER for value in declared):
                    return declared
                return declared | FS(((PARAMETER, scope, number),)) if default is None else declared
        elif kind == EITHER and scope.kind == FUNCTION and (fixture := self._fixture(scope, name)) is not None:
            return self._given(fixture)
        marker = FS(((PARAMETER, scope, number),))
        if kind >= VARARGS and kind in (VARARGS, KWARGS):
            return marker
        if default is not None:
            return marker | self.value(default, around, None)
        return marker

    def _says_little(self, declared: Values) -> bool:
        """Whether there are protocols among these: what fits them is not their subclass."""
        return any(
            value.__class__ is tuple and value[0] == INSTANCE
            and any(one in ("typing.Protocol", "typing_extensions.Protocol") for one in self.mro(value[1]))
            for value in declared
        )  # fmt: skip

    def _fixture(self, scope: Scope, name: str) -> Scope | None:
        """The pytest fixture that a parameter of a test, or of another fixture, is named after."""
        if not scope.name.startswith("test") and not is_fixture(scope):
            return None
        owner = scope.class_around()
        places = [one for one in (self.mro(owner) if owner is not None else ()) if one.__class__ is Scope]
        module: Module | None = scope.module
        folder = module.path
        while True:
            places += [module.scope] if module is not None else ()
            for place in places:
                self._into.update((place.rest, without(name)) if place.kind == CLASS else ((place.module.path, name),))
                for _, found in reversed(place.names.get(name, ())):
                    if found.__class__ is Scope and is_fixture(found) and found is not scope:
                        return found
            if not folder:
                self._rest_on_absent("conftest")
                return None
            folder = folder.rpartition("/")[0]
            module, places = self.program.module(f"{folder}/conftest.py".lstrip("/")), []

    def _given(self, fixture: Scope) -> Values:
        """What a fixture gives to tests."""
        values = self.returned(fixture)
        return self.iterated(values, None, -1) if flags(fixture) & GENERATOR else values

    def expand(self, values: Values) -> Values:
        """The values with parameters replaced by what callers pass for them."""
        for value in values:
            if value.__class__ is tuple and value[0] == PARAMETER:
                return self._expand(values)
        return values

    def _expand(self, values: Values) -> Values:
        out: set[Value] = set()
        todo, seen = list(values), set()
        while todo:
            value = todo.pop()
            if value.__class__ is tuple and value[0] == PARAMETER:
                if value not in seen:
                    seen.add(value)
                    todo += self.passed(value[1], value[2])
            else:
                out.add(value)
        return limited(FS(out))

    def passed(self, function: Scope, number: int) -> Values:
        """What callers pass for a parameter."""
        self._rest_on(function.module, f"({function.unique})")
        if not self.flows:
            self._read(("passed", function, number))
            return NOTHING
        return self._passed(function, number)

    def _passed(self, function: Scope, number: int) -> Values:
        key = ("passed", function, number)
        if key not in self._memo:
            given = ("given", function)
            if given not in self._memo:
                self._memo[given] = self.program.passed(function)
                self._flowing.append(given)
            self._memo[key] = _for_parameter(function, number, self._memo[given])
            self._flowing.append(key)
        return self._memo[key]

    # ---- classes

    def subclasses(self, scope: Scope) -> tuple[Scope, ...]:
        """All classes below a class, as far as the program has them."""
        self._into.add(scope.member_rest(BELOW))
        return self._ask(("subclasses", scope), scope.module, self._find_subclasses, scope) or ()

    def _find_subclasses(self, scope: Scope) -> tuple[Scope, ...]:
        found: dict[Scope, None] = {}
        todo = [scope]
        while todo:
            for below in sorted(self.passed(todo.pop(), SUBCLASSES), key=lambda one: one.key):
                if below not in found and below is not scope:
                    self._into.add(below.rest)
                    found[below] = None
                    todo.append(below)
        return tuple(found)

    def _overrides(self, members: Values, receiver: Value, name: str) -> list[Value]:
        """Receivers of the subclasses that define a method anew which a class leaves to them."""
        open_ = ABSTRACT | TRIVIAL if receiver[0] == SELF else ABSTRACT
        for member in members:
            function = member[1] if member.__class__ is tuple and member[0] == PROPERTY else member
            if function.__class__ is not Scope or function.kind != FUNCTION or not flags(function) & open_:
                return []
        return [(SELF, below) for below in self._overriding(receiver[1], name)] if members else []

    def _overriding(self, scope: Scope, name: str) -> tuple[Scope, ...]:
        """The subclasses that bind a name in their own body."""
        return self._look("overriding", self._find_overriding, scope, name) or ()

    def _find_overriding(self, scope: Scope, name: str) -> tuple[Any, tuple[Rest, ...]]:
        found = tuple([below for below in self.subclasses(scope) if name in below.names])
        rests = [scope.member_rest(BELOW), without(name), *(below.member_rest(name) for below in found)]
        return found, self._looked_up(scope, name, rests)

    def role(self, scope: Scope) -> str:
        """What a method's decorators make of it: static, class, property, or nothing of these."""
        if not scope.summary[DECORATORS]:
            return ""
        key = ("role", scope)
        if key not in self._memo:
            self._remember(key, self._role(scope))
        return self._memo[key]

    def _role(self, scope: Scope) -> str:
        for form in scope.summary[DECORATORS]:
            last = form[1] if form and form[0] == NAME else form[2] if form and form[0] == ATTR else ""
            if last in ("staticmethod", "abstractstaticmethod"):
                return "static"
            if last in ("classmethod", "abstractclassmethod"):
                return "class"
            if last in ("setter", "deleter"):
                return last
        return ""

    def bases(self, scope: Scope) -> tuple[Any, ...]:
        """A class's direct bases: classes of the project, dotted names of others."""
        return self._ask(("bases", scope), scope.module, self._bases, scope)

    def _bases(self, scope: Scope) -> Any:
        around = scope.parent
        assert around is not None
        out = []
        for form in scope.summary[BASES]:
            if form.__class__ is list and form[0] == ITEM:  # Generic[T], list[int]
                form = form[1]
            found = self.value(form, around, None)
            classes = [
                value for value in found if value.__class__ is Scope and value.kind == CLASS and value is not scope
            ]
            if not classes:
                # A function that makes a base: what it gives.
                classes = [value[1] for value in found if value.__class__ is tuple and value[0] == CLS]
            names = [value for value in found if value.__class__ is str]
            if classes:
                out += sorted(classes, key=lambda one: one.key)[:1]
            elif names:
                out += sorted(names)[:1]
            else:
                out.append("?")
        return tuple(out)

    def mro(self, scope: Scope) -> tuple[Any, ...]:
        """The class and what it inherits from, in the order in which attributes are looked up (C3)."""
        key = ("mro", scope)
        found = self._memo.get(key)
        self._into.add(scope.rest)
        if found is None:
            found = self._ask(key, scope.module, self._mro, scope)
        return found or (scope,)

    def _mro(self, scope: Scope) -> tuple[Any, ...]:
        bases = self.bases(scope) or ()
        lists = []
        for base in bases:
            if base.__class__ is Scope:
                lists.append([value for value in self.mro(base) if value is not scope])
            else:
                lists.append([base])
        merged = _merge([*lists, list(bases)])
        return (scope, *merged)

    def is_metaclass(self, scope: Scope) -> bool:
        """Whether the class is one of classes."""
        return "builtins.type" in self.mro(scope)

    def metaclass(self, scope: Scope) -> Scope | str | None:
        """The class's metaclass, where one is named by it or by a base."""
        for one in self.mro(scope):
            if one.__class__ is Scope:
                keywords = one.summary[CLASS_KEYWORDS]
                for i in range(0, len(keywords), 2):
                    if keywords[i] == "metaclass":
                        for value in self.value(keywords[i + 1], one.parent, None):
                            if (value.__class__ is Scope and value.kind == CLASS) or value.__class__ is str:
                                return value  # it may also be a function
        return None

    def find_member(self, scope: Scope, name: str, after: Scope | None = None) -> tuple[Scope, list[Any]] | None:
        """Where the hierarchy binds a name in a class body; `after`: only behind that class, as super() looks."""
        return self._look("find", self._find_member, scope, name, after)

    def _look(self, kind: str, compute: Callable[..., Any], scope: Scope, name: str, *more: Any) -> Any:
        """What a name is in a class, in one of several ways; None where that asks itself."""
        key = (kind, scope, name, *more)
        found = self._memo.get(key)
        if found is not None:
            if self._looked is not None:
                if key in self._looked:  # what it rests on is noted
                    return found[0]
                self._looked.add(key)
        else:
            found = self._ask(key, scope.module, compute, scope, name, *more) or (None, (scope.rest,))
        self._into.update(found[1])
        return found[0]

    def _find_member(self, scope: Scope, name: str, after: Scope | None) -> tuple[Any, tuple[Rest, ...]]:
        """What is found, and what that rests on."""
        order = self.mro(scope)
        if after is not None:
            order = order[order.index(after) + 1 :] if after in order else ()
        rests: list[Rest] = [scope.rest]
        found = None
        for number, one in enumerate(order):
            if one.__class__ is Scope and (bindings := one.names.get(name)):
                found = one, bindings
                rests += [one.member_rest(name), *(() if number == 0 else (without(name),))]
                break
        else:
            rests.append(without(name))
        return found, self._looked_up(scope, name, rests)

    def _looked_up(self, scope: Scope, name: str, rests: list[Rest]) -> tuple[Rest, ...]:
        found = tuple(rests)
        if self._forgets:
            self._links.append((scope.member_rest(name), found))
        return found

    def outside_base(self, scope: Scope) -> str | None:
        """The first base outside the project that may have what the class has not."""
        for one in self.mro(scope):
            if one.__class__ is str and one not in ("builtins.object", "?"):
                return one
        return None

    def members(self, scope: Scope, name: str, after: Scope | None = None) -> Values:
        """The values that a class body binds a name to, unbound."""
        found = self.find_member(scope, name, after)
        if found is None:
            return NOTHING
        return self._ask(("member", found[0], name), found[0].module, self._member, found)

    def _member(self, found: tuple[Scope, list[Any]]) -> Values:
        return union(self._bound(value, part) for part, value in found[1])

    def instance_values(self, scope: Scope, name: str) -> Values:
        """What is assigned to an attribute of `self` in the class's methods, and in those of its bases."""
        return self._look("instance", self._instance_values, scope, name) or NOTHING

    def _instance_values(self, scope: Scope, name: str) -> tuple[Values, tuple[Rest, ...]]:
        """What is found, and what that rests on."""
        parts: list[Values] = []
        rests: list[Rest] = [scope.rest, without(name)]
        for one in self.mro(scope):
            if one.__class__ is Scope and name in self.stored(one):
                rests.append(one.member_rest(name))
                parts.append(self._ask(("stored", one, name), one.module, self._stored_values, one, name))
        return union(parts), self._looked_up(scope, name, rests)

    def stored(self, scope: Scope) -> dict[str, list[Any]]:
        """The class's assignments to attributes of self or cls: (method, expression) by name."""
        key = ("stores", scope)
        found = self._memo.get(key)
        if found is None:
            found = {}
            for fragment in scope.fragments:
                for method in fragment.children:
                    if method.kind == FUNCTION:
                        _collect_stores(method, _first_parameter(method), found)
            self._remember(key, found)
        return found

    def _stored_values(self, scope: Scope, name: str) -> Values:
        values = union(self.value(form, method, None) for method, form in self.stored(scope)[name])
        items = self._self_items(scope).get(name)
        return self._with_items(values, items, scope) if items else values

    def _self_items(self, scope: Scope) -> dict[str, list[Any]]:
        """What the class's methods assign to items of attributes of self."""
        key = ("self items", scope)
        found = self._memo.get(key)
        if found is None:
            found = {}
            for fragment in scope.fragments:
                for method in fragment.children:
                    first = _first_parameter(method) if method.kind == FUNCTION else None
                    for entry in method.body[ITEMS] if first and method.body else ():
                        holder = entry[0]
                        if holder.__class__ is list and holder[0] == ATTR and holder[1] == first:
                            found.setdefault(holder[2], []).append((entry, method))
            self._remember(key, found)
        return found

    # ---- expressions

    def value(self, form: Expression, scope: Scope, sink: Sink | None) -> Values:
        """The values of an expression of `scope`. sink: takes the calls in it."""
        cls = form.__class__
        if cls is list:
            return self._ev[form[0]](form, scope, sink)
        if cls is str:
            return self.state(scope, form)
        return NOTHING

    def exact(self, form: Expression, scope: Scope) -> bool:
        """Whether scopes and imports alone decide what a name or dotted name is."""
        if form.__class__ is not list:
            return False
        if form[0] == NAME:
            found = self.lookup(form[1], scope)
            return found is not None and (found.__class__ is str or self._defined(found[0], form[1]))
        if form[0] == ATTR and self.exact(form[1], scope):
            values = self.value(form[1], scope, None)
            return bool(values) and all(self._decides(value, form[2]) for value in values)
        return False

    def _decides(self, value: Value, name: str) -> bool:
        """Whether it is certain what an attribute of a value is."""
        if value.__class__ is Module:
            return name not in value.scope.names or self._defined(value.scope, name)
        if value.__class__ is Scope and value.kind == CLASS:
            found = self.find_member(value, name)
            return found is not None and all(one.__class__ is Scope for _, one in found[1])
        return value.__class__ is str

    def _defined(self, scope: Scope, name: str) -> bool:
        bindings = scope.names.get(name)
        if not bindings:
            return name not in scope.parameters
        return all(value.__class__ is Scope or value.__class__ is Import for _, value in bindings)

    def _const(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return _constant(form[1])

    def _type(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return _instance_of_builtin(form[1])

    def _tuple(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        name = form[2] if len(form) > 2 else "tuple"
        if any(part.__class__ is list and part[0] == STAR for part in form[1]) or len(form[1]) > 64:
            return shallow(FS(((SEQUENCE, name, union([self._element(part, scope, sink) for part in form[1]])),)))
        return shallow(FS(((FIXED, name, tuple([self.value(part, scope, sink) for part in form[1]])),)))

    def _element(self, part: Expression, scope: Scope, sink: Sink | None) -> Values:
        if part.__class__ is list and part[0] == STAR:
            return self.iterated(self.value(part[1], scope, sink), sink, -1)
        return self.value(part, scope, sink)

    def _list(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return shallow(FS(((SEQUENCE, form[1], union([self._element(part, scope, sink) for part in form[2]])),)))

    def _dict(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        found: dict[Any, Values] = {}
        pairs = form[1]
        for i in range(0, len(pairs), 2):
            key = pairs[i]
            if key.__class__ is list and key[0] == STAR:
                for value in self.expand(self.value(key[1], scope, sink)):
                    if value.__class__ is tuple and value[0] == MAPPING:
                        for inner, values in value[1]:
                            found[inner] = found.get(inner, NOTHING) | values
                continue
            values = self.value(pairs[i + 1], scope, sink)
            for constant in _constants(self.value(key, scope, sink)):
                found[constant] = found.get(constant, NOTHING) | values
        return shallow(FS((_mapping(found),)))

    def _any(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return union([self.value(part, scope, sink) for part in form[1]])

    def _prefix(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return FS(((BEGINS, form[1]),))

    def _lambda(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return FS((scope.children[form[1]],))

    def _star(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        return self.iterated(self.value(form[1], scope, sink), sink, -1)

    def _await(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.value(form[1], scope, sink)
        if any(value.__class__ is tuple and value[0] in (INSTANCE, SELF) for value in values):
            out = [FS((value,)) for value in values]
            for value in values:
                if (
                    value.__class__ is tuple
                    and value[0] in (INSTANCE, SELF)
                    and self.find_member(value[1], "__await__")
                ):
                    out.append(self.method(value, "__await__", [], sink, -1))
            return union(out)
        return values

    def _declared(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        if sink is not None:
            self.value(form[1], scope, sink)
        return self.declared(form[1], scope)

    def _narrow(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        kinds = self._classes(form[2], scope)
        values = self.expand(self.value(form[1], scope, None)) if form[1] is not None else NOTHING
        if form[3]:  # it is none of these
            if not kinds:
                return values
            return FS(
                value
                for value in values
                if not (
                    value.__class__ is tuple
                    and value[0] in (INSTANCE, SELF)
                    and any(kind in self.mro(value[1]) for kind in kinds)
                )
            )
        kept = set()
        for value in values:
            is_instance = value.__class__ is tuple and value[0] in (INSTANCE, SELF)
            if is_instance and any(kind in self.mro(value[1]) for kind in kinds):
                kept.add(value)
        if kept:
            return FS(kept)
        out: set[Value] = set()
        for kind in kinds:
            if kind.__class__ is Scope:
                out.add((INSTANCE, kind))
            elif kind.__class__ is str:
                # A container keeps what is known of it.
                same = {value for value in values if value.__class__ is tuple and value[0] in (SEQUENCE, FIXED, MAPPING)
                        and f"builtins.{_container(value)}" == kind}  # fmt: skip
                out |= same or {(OUTER, kind)}
        return limited(FS(out))

    def _classes(self, form: Expression, scope: Scope) -> set[Any]:
        """The classes that an argument of isinstance names."""
        out = set()
        for value in self.value(form, scope, None):
            if (value.__class__ is Scope and value.kind == CLASS) or value.__class__ is str:
                out.add(value)
            elif value.__class__ is tuple and value[0] == FIXED:
                for part in value[2]:
                    out |= {inner for inner in part if inner.__class__ in (Scope, str)}
        return out

    # ---- annotations

    def declared(self, form: Expression, scope: Scope) -> Values:
        """Instances of what an annotation names."""
        if form.__class__ is not list:
            return NOTHING
        kind = form[0]
        if kind == OPERATOR and form[2] == "or":
            return self.declared(form[1], scope) | self.declared(form[4], scope)
        if kind == ITEM:
            return self._subscripted(form, scope)
        if kind == TUPLE:
            return union([self.declared(part, scope) for part in form[1]])
        if kind == CONST and form[1].__class__ is str:
            return NOTHING
        return union([self._instances(value) for value in self.value(form, scope, None)])

    def _instances(self, value: Value) -> Values:
        if value.__class__ is Scope:
            return FS(((INSTANCE, value),)) if value.kind == CLASS else NOTHING
        if value.__class__ is str:
            last = value.rpartition(".")[2]
            if last in ("Any", "object", "Callable", "None"):
                return NOTHING
            if last in known.ITERABLES:
                return FS(((SEQUENCE, last, NOTHING),))
            if last in known.MAPPINGS:
                return FS(((MAPPING, ()),))
            return FS(((OUTER, value),))
        if value.__class__ is tuple and value[0] == CLS:
            return FS(((SELF, value[1]),))
        if value.__class__ is tuple and value[0] in (SEQUENCE, MAPPING, INSTANCE):
            return FS((value,))  # an alias of a subscripted type
        return NOTHING

    def _subscripted(self, form: list[Any], scope: Scope) -> Values:
        inner = form[2]
        parts = inner[1] if inner.__class__ is list and inner[0] == TUPLE else [inner]
        out: Values = NOTHING
        for value in self.value(form[1], scope, None):
            if value.__class__ is Scope and value.kind == CLASS:
                out |= FS(((INSTANCE, value),))
                continue
            name = value.rpartition(".")[2] if value.__class__ is str else ""
            if name == "Annotated" and parts:
                out |= self.declared(parts[0], scope)
            elif name in ("Coroutine",) and parts:
                out |= self.declared(parts[-1], scope)
            elif name in known.OPTIONAL:
                out |= union([self.declared(part, scope) for part in parts])
            elif name in ("tuple", "Tuple"):
                if len(parts) == 2 and parts[1] is None:
                    out |= FS(((SEQUENCE, "tuple", self.declared(parts[0], scope)),))
                else:
                    out |= FS(((FIXED, "tuple", tuple([self.declared(part, scope) for part in parts])),))
            elif name in known.ITERABLES and parts:
                out |= FS(((SEQUENCE, name, self.declared(parts[0], scope)),))
            elif name in known.MAPPINGS and parts:
                out |= FS(((MAPPING, ((None, self.declared(parts[-1], scope)),)),))
            elif name in known.TYPES and parts:
                out |= FS([(CLS, one[1]) for one in self.declared(parts[0], scope)
                           if one.__class__ is tuple and one[0] in (INSTANCE, SELF)])  # fmt: skip
            elif name in known.MANAGER_TYPES and parts:
                out |= FS(((MANAGED, self.declared(parts[0], scope)),))
            elif name:
                out |= self._instances(value)
        return shallow(out)

    # ---- attributes

    def _attribute(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        receivers = self.expand(self.value(form[1], scope, sink))
        name, place = form[2], form[3]
        if not receivers:
            return NOTHING
        if len(receivers) == 1:
            (value,) = receivers
            values = self.attribute(value, name, sink, place)
        else:
            values = union([self.attribute(value, name, sink, place) for value in receivers])
        if sink is not None and place >= 0:
            self._refer_attribute(values, form, scope, sink)
        return values

    def _refer_attribute(self, values: Values, form: list[Any], scope: Scope, sink: Sink) -> None:
        for value in values:
            target = value[1] if value.__class__ is tuple and value[0] == BOUND else value
            if target.__class__ is Scope and target.kind != LAMBDA_KIND:
                sink.edge(target, REFERENCE, EXACT if self.exact(form, scope) else INFERRED, form[3])

    def attribute(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What an attribute of a value is. sink: takes the call of a property."""
        cls = value.__class__
        if cls is Module:
            return self.member(value, name)
        if cls is Scope:
            if value.kind == CLASS:
                return self._class_attribute(value, name, value, sink, place)
            return FS((value,)) if name in ("__wrapped__",) else NOTHING
        if cls is str:
            return FS((f"{value}.{name}",))
        kind = value[0]
        if kind in (INSTANCE, SELF):
            return self._instance_attribute(value, name, sink, place)
        if kind == CLS:
            return self._class_attribute(value[1], name, value, sink, place)
        if kind == SUPER:
            return self._super_attribute(value, name, sink, place)
        if kind == OUTER:
            return FS((f"{value[1]}.{name}",))
        if kind == NAMESPACE:
            path = self.program.find(f"{value[1]}.{name}", "")
            return self._module_value(path, f"{value[1]}.{name}") if path is not None else NOTHING
        if kind in (SEQUENCE, FIXED, MAPPING):
            return FS(((BOUND, f"builtins.{_container(value)}.{name}", value),))
        if kind == BEGINS:
            return FS(((BOUND, f"builtins.str.{name}", value),))
        if kind == CONSTANT:
            return FS((f"builtins.{value[1].__class__.__name__}.{name}",))
        if kind == PROPERTY and name in ("setter", "getter", "deleter"):
            return FS((value,))
        if kind == PARTIAL and name == "func":
            return value[1]
        if kind == BOUND and name == "__func__":
            return FS((value[1],))
        if kind == BOUND and name == "__self__":
            return FS((value[2],))
        return NOTHING

    def _instance_attribute(self, receiver: Value, name: str, sink: Sink | None, place: int) -> Values:
        scope = receiver[1]
        if name == "__class__":
            return FS(((CLS, scope),))
        if name == "__dict__":
            return NOTHING
        found = self.find_member(scope, name)
        stored = self.instance_values(scope, name)
        out: Values = NOTHING
        if found is not None:
            members = self._member_values(found, name)
            for member in members:
                out |= self._get(member, receiver, sink, place)
            for below in self._overrides(members, receiver, name):
                for member in self.members(below[1], name):
                    out |= self._get(member, below, sink, place)
        if stored:
            out |= self._as_seen(stored, receiver)
        if not out and found is None and not stored:
            if receiver[0] == SELF and (below := self._below(scope, name, sink, place)):
                return below
            getattr_ = self.find_member(scope, "__getattr__") or self.find_member(scope, "__getattribute__")
            if getattr_ is not None:
                method = "__getattr__" if self.find_member(scope, "__getattr__") else "__getattribute__"
                # Whether there is an attribute after all, set in ways that are not seen, is a guess.
                return self.method(receiver, method, [], sink, place, evidence=BY_NAME)
            outside = self.outside_base(scope)
            if outside is not None:
                return FS((f"{outside}.{name}",))
        return limited(out)

    def _below(self, scope: Scope, name: str, sink: Sink | None, place: int) -> Values:
        """What `self.name` is where only subclasses have it, as with mixins."""
        found = []
        for below, members, stored in self._look("below", self._find_below, scope, name) or ():
            receiver = (SELF, below)
            for member in members:
                found.append(self._get(member, receiver, sink, place))
            found.append(self._as_seen(stored, receiver))
        return union(found)

    def _find_below(self, scope: Scope, name: str) -> tuple[Any, tuple[Rest, ...]]:
        out = []
        rests = [scope.member_rest(BELOW), without(name)]
        subclasses = self.subclasses(scope)
        for below in subclasses if subclasses and name in self._names_below(scope) else ():
            held = self.find_member(below, name)
            members = self._member_values(held, name) if held is not None else NOTHING
            stored = self.instance_values(below, name)
            if members or stored:
                out.append((below, members, stored))
                rests += [below.member_rest(name), *((held[0].member_rest(name),) if held is not None else ())]
        return tuple(out), self._looked_up(scope, name, rests)

    def _names_below(self, scope: Scope) -> Values:
        """All names that subclasses have as attributes, theirs or inherited."""
        return self._ask(("names below", scope), scope.module, self._find_names_below, scope)

    def _find_names_below(self, scope: Scope) -> Values:
        self._flowing.append(("names below", scope))  # it goes with each change: what rests on names is noted by name
        classes = {one for below in self.subclasses(scope) for one in self.mro(below) if one.__class__ is Scope}
        return NOTHING.union(*(one.names.keys() | self.stored(one).keys() for one in classes))

    def _member_values(self, found: tuple[Scope, list[Any]], name: str) -> Values:
        key = ("member", found[0], name)
        known = self._memo.get(key)
        return known if known is not None else self._ask(key, found[0].module, self._member, found)

    def _get(self, member: Value, receiver: Value, sink: Sink | None, place: int) -> Values:
        """What a class's member is as an attribute of an instance."""
        cls = member.__class__
        if cls is Scope:
            if member.kind == CLASS:
                return FS((member,))
            role = self.role(member)
            if role == "static":
                return FS((member,))
            if role == "class":
                return FS(((BOUND, member, (CLS, receiver[1])),))
            if role in ("setter", "deleter"):
                return NOTHING
            return FS(((BOUND, member, receiver),))
        if cls is tuple and member[0] == PROPERTY:
            getter = member[1]
            if getter.__class__ is not Scope:
                return NOTHING
            if self.role(getter) in ("setter", "deleter"):
                return NOTHING
            return self.call_function(getter, receiver, [], (), sink, place, IMPLICIT, INFERRED)
        if cls is tuple and member[0] in (INSTANCE, SELF) and self.find_member(member[1], "__get__"):
            return self.method(member, "__get__", [FS((receiver,))], sink, place)
        return FS((member,))

    def _as_seen(self, values: Values, receiver: Value) -> Values:
        """Values that mention `self`, for this receiver."""
        out = set()
        for value in values:
            if (
                value.__class__ is tuple
                and value[0] == SELF
                and receiver.__class__ is tuple
                and receiver[0] in (INSTANCE, SELF)
            ) and value[1] is not receiver[1] and value[1] in self.mro(receiver[1]):
                value = receiver
            out.add(value)
        return FS(out)

    def _class_attribute(self, scope: Scope, name: str, receiver: Value, sink: Sink | None, place: int) -> Values:
        if name in ("__name__", "__doc__", "__module__", "__qualname__", "__dict__", "__mro__", "__bases__"):
            return NOTHING
        found = self.find_member(scope, name)
        out: Values = NOTHING
        if found is not None:
            for member in self._member_values(found, name):
                if (
                    member.__class__ is Scope
                    and member.kind != CLASS
                    and (self.role(member) == "class" or member.name in ("__init_subclass__", "__class_getitem__"))
                ):
                    out |= FS(((BOUND, member, receiver if receiver.__class__ is tuple else (CLS, scope)),))
                elif member.__class__ is tuple and member[0] == PROPERTY:
                    out |= FS((member,))
                else:
                    out |= FS((member,))
        out |= self.instance_values(scope, name)
        if not out and found is None:
            meta = self.metaclass(scope)
            if meta.__class__ is Scope:
                return self._instance_attribute((INSTANCE, meta), name, sink, place)
            outside = self.outside_base(scope)
            if outside is not None:
                return FS((f"{outside}.{name}",))
        return limited(out)

    def _super_attribute(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        _, after, receiver = value
        start = receiver[1] if receiver[1] is not None else after
        found = self.find_member(start, name, after)
        if found is None:
            outside = self.outside_base(start)
            return FS((f"{outside or 'builtins.object'}.{name}",))
        if receiver[0] == CLS:
            out: Values = NOTHING
            for member in self._member_values(found, name):
                if member.__class__ is Scope and self.role(member) == "class":
                    out |= FS(((BOUND, member, receiver),))
                else:
                    out |= FS((member,))
            return out
        return union([self._get(member, receiver, sink, place) for member in self._member_values(found, name)])

    # ---- calls

    def _call(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        function = form[1]
        place = form[4]
        if function.__class__ is list and function[0] == NAME:
            special = self._special(function[1], form, scope, sink)
            if special is not None:
                return special
            values = self._name(function, scope, None)
        elif function.__class__ is list and function[0] == ATTR:
            receivers = self.expand(self.value(function[1], scope, sink))
            if len(receivers) == 1:
                (value,) = receivers
                values = self.attribute(value, function[2], sink, function[3])
            else:
                values = union([self.attribute(value, function[2], sink, function[3]) for value in receivers])
            if sink is not None and not receivers:
                sink.edge(f".{function[2]}", CALLED, BY_NAME, place)
        else:
            values = self.value(function, scope, sink)
        evaluate = self.value
        arguments = [
            self._starred_argument(one, scope, sink) if one.__class__ is list and one[0] == STAR
            else evaluate(one, scope, sink)
            for one in form[2]
        ]  # fmt: skip
        keywords = form[3]
        named = [(keywords[i], evaluate(keywords[i + 1], scope, sink)) for i in range(0, len(keywords), 2)]
        if not values:
            return NOTHING
        evidence = EXACT if sink is not None and self.exact(function, scope) else INFERRED
        values = self.expand(values)
        if len(values) == 1:
            (value,) = values
            return self.result(value, arguments, named, sink, place, evidence)
        return union([self.result(value, arguments, named, sink, place, evidence) for value in values])

    def _starred_argument(self, form: list[Any], scope: Scope, sink: Sink | None) -> list[Any]:
        values = self.expand(self.value(form[1], scope, sink))
        for value in values:
            if value.__class__ is tuple and value[0] == FIXED:
                return list(value[2])
        return [self.iterated(values, sink, -1), None]

    def _special(self, name: str, form: list[Any], scope: Scope, sink: Sink | None) -> Values | None:
        """Calls that are not of a function by that name: super(), and what takes names as strings."""
        if name == "super" and self.lookup(name, scope) == "builtins.super":
            return self._super(form, scope)
        if name in ("getattr", "setattr", "hasattr") and self.lookup(name, scope) == f"builtins.{name}":
            receivers = self.expand(self.value(form[2][0], scope, sink)) if form[2] else NOTHING
            rest = [self.value(argument, scope, sink) for argument in form[2][1:]]
            if name == "getattr" and rest:
                names = [
                    value[1] for value in self.expand(rest[0]) if value.__class__ is tuple and value[0] == CONSTANT
                ]
                found = [self.attribute(value, one, sink, form[4]) for value in receivers for one in names
                         if one.__class__ is str]  # fmt: skip
                begins = [value[1] for value in self.expand(rest[0]) if value.__class__ is tuple and value[0] == BEGINS]
                found += [self._beginning(value, text, sink, form[4]) for value in receivers for text in begins]
                return union(found + rest[1:2])
            return NOTHING
        return None

    def _beginning(self, receiver: Value, text: str, sink: Sink | None, place: int) -> Values:
        """All attributes whose name begins so, those of subclasses, too."""
        if receiver.__class__ is Module:
            self._into.add((receiver.path, ALL_NAMES))
            return union([self.member(receiver, name) for name in receiver.scope.names if name.startswith(text)])
        if receiver.__class__ is not tuple or receiver[0] not in (INSTANCE, SELF) or len(text) < 3:
            return NOTHING
        found = []
        above = [(receiver, one) for one in self.mro(receiver[1]) if one.__class__ is Scope]
        for seen, one in (*above, *(((SELF, below), below) for below in self.subclasses(receiver[1]))):
            self._into.add(one.member_rest(ALL_NAMES))
            found += [self.attribute(seen, name, sink, place) for name in one.names if name.startswith(text)]
        return union(found)

    def _super(self, form: list[Any], scope: Scope) -> Values:
        at: Scope | None = scope
        if form[2]:
            classes = [
                value
                for value in self.value(form[2][0], scope, None)
                if value.__class__ is Scope and value.kind == CLASS
            ]
            receivers = self.value(form[2][1], scope, None) if len(form[2]) > 1 else NOTHING
            return FS((SUPER, one, receiver) for one in classes for receiver in receivers
                      if receiver.__class__ is tuple and receiver[0] in (SELF, INSTANCE, CLS))  # fmt: skip
        while at is not None and at.class_around() is None:
            at = at.parent
        if at is None or at.kind != FUNCTION:
            return NOTHING
        owner = at.class_around()
        assert owner is not None
        kind = CLS if self.role(at) == "class" or at.name in ("__new__", "__init_subclass__") else SELF
        return FS(((SUPER, owner, (kind, owner)),))

    def result(
        self, value: Value, arguments: Sequence[Any], named: Sequence[tuple[str, Values]], sink: Sink | None,
        place: int, evidence: int = INFERRED, kind: int = CALLED,
    ) -> Values:  # fmt: skip
        """What calling a value gives."""
        cls = value.__class__
        if cls is Scope:
            if value.kind == CLASS:
                return self.instantiate(value, value, arguments, named, sink, place, evidence, kind)
            return self.call_function(value, None, arguments, named, sink, place, kind, evidence)
        if cls is str:
            return self.call_outside(value, None, arguments, named, sink, place, evidence)
        if cls is Module:
            return NOTHING
        tag = value[0]
        if tag == BOUND:
            if value[1].__class__ is Scope:
                return self.call_function(value[1], value[2], arguments, named, sink, place, kind, evidence)
            return self.call_outside(value[1], value[2], arguments, named, sink, place, evidence)
        if tag == CLS:
            return self.instantiate(value[1], value, arguments, named, sink, place, INFERRED, kind)
        if tag in (INSTANCE, SELF):
            return self.method(value, "__call__", arguments, sink, place, named)
        if tag == PARTIAL:
            return union(
                [self.result(inner, arguments, named, sink, place, INFERRED, kind) for inner in self.expand(value[1])]
            )
        if tag == OUTER and sink is not None:
            sink.edge(f"{value[1]}.__call__", kind, INFERRED, place)
        return NOTHING

    def method(
        self, receiver: Value, name: str, arguments: Sequence[Any], sink: Sink | None, place: int,
        named: Sequence[tuple[str, Values]] = (), kind: int = IMPLICIT, evidence: int = INFERRED,
    ) -> Values:  # fmt: skip
        """Call a special method of an instance, as the interpreter does."""
        found = self.find_member(receiver[1], name)
        if found is None:
            return NOTHING
        out = []
        for member in self._member_values(found, name):
            for bound in self._get(member, receiver, None, place):
                out.append(self.result(bound, arguments, named, sink, place, evidence, kind))
        return union(out)

    def instantiate(
        self, scope: Scope, receiver: Value, arguments: Sequence[Any], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int, evidence: int, kind: int,
    ) -> Values:  # fmt: skip
        """What calling a class gives, and which of its methods that calls."""
        made: Value = (SELF, scope) if receiver.__class__ is tuple and receiver[0] == CLS else (INSTANCE, scope)
        if sink is not None:
            sink.edge(scope, kind, evidence, place)
        self._into.add(scope.rest)
        meta = self.metaclass(scope)
        if meta.__class__ is Scope and self.find_member(meta, "__call__"):
            given = self.method((INSTANCE, meta), "__call__", arguments, sink, place, named, CALLED)
            if sink is not None:
                self._construct(scope, made, arguments, named, sink, place, evidence, kind)
            return given | FS((made,))
        if sink is not None:
            self._construct(scope, made, arguments, named, sink, place, evidence, kind)
        if self.find_member(scope, "__new__") is not None:
            out = {made}
            for member in self.members(scope, "__new__"):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    out |= {
                        value for value in self.returned(member) if value.__class__ is tuple and value[0] == INSTANCE
                    }
            return limited(FS(out))
        return FS((made,))

    def _construct(
        self, scope: Scope, made: Value, arguments: Sequence[Any], named: Sequence[tuple[str, Values]], sink: Sink,
        place: int, evidence: int, kind: int,
    ) -> None:  # fmt: skip
        for name in ("__new__", "__init__"):
            found = self.find_member(scope, name)
            if found is None:
                continue
            for member in self._member_values(found, name):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    first = made if name == "__init__" else (CLS, scope)
                    self.call_function(member, first, arguments, named, sink, place, kind, evidence)
        if self.find_member(scope, "__init__") is None:
            if self.find_member(scope, "__post_init__") is not None:
                self.method(made, "__post_init__", [], sink, place)
            outside = self.outside_base(scope)
            if outside is not None:
                sink.edge(outside, kind, evidence, place)

    def call_function(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int, kind: int = CALLED, evidence: int = INFERRED,
    ) -> Values:  # fmt: skip
        """What calling a function of the project gives; receiver: its first argument, if it is bound."""
        if sink is not None:
            sink.edge(function, kind, evidence, place)
            self._pass(function, receiver, arguments, named, sink)
        values = self.returned(function)
        if not values:
            return values
        return self._substitute(values, function, receiver, arguments, named)

    def _pass(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]], sink: Sink,
    ) -> None:  # fmt: skip
        """Note what is passed, as the call is written: what parameters that is for, the function's own file tells."""
        at = 0 if receiver is None else 1
        for argument in arguments:
            if argument.__class__ is list:  # a starred argument
                if argument and argument[-1] is None:
                    for values in argument[:-1]:
                        sink.flow(function, f"{at}*", values)
                    continue
                for values in argument:
                    sink.flow(function, str(at), values)
                    at += 1
                continue
            sink.flow(function, str(at), argument)
            at += 1
        for name, values in named:
            if name:
                sink.flow(function, name, values)
                continue
            for value in self.expand(values):
                if value.__class__ is tuple and value[0] == MAPPING:
                    for key, inner in value[1]:
                        if key.__class__ is str and key.isidentifier():
                            sink.flow(function, key, inner)

    def _arguments(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]],
    ) -> list[tuple[int, Values]]:  # fmt: skip
        """The values for each parameter's number; those of *args and **kwargs as containers."""
        parameters = function.summary[PARAMETERS]
        out: list[tuple[int, Values]] = []
        at = 0 if receiver is None else 1
        rest: list[Values] = []
        last = next((i for i, parameter in enumerate(parameters) if parameter[1] >= VARARGS), len(parameters))
        for argument in arguments:
            if argument.__class__ is list:  # a starred argument
                open_ended = bool(argument) and argument[-1] is None
                for values in argument[:-1] if open_ended else argument:
                    for number in range(at, last) if open_ended else ([at] if at < last else []):
                        out.append((number, values))
                    if at >= last:
                        rest.append(values)
                    at += 0 if open_ended else 1
                if open_ended:
                    rest += [values for values in argument[:-1] if values]
                continue
            if at < last:
                out.append((at, argument))
            else:
                rest.append(argument)
            at += 1
        if rest and last < len(parameters) and parameters[last][1] == VARARGS:
            out.append((last, FS(((SEQUENCE, "tuple", union(rest)),))))
        extra: dict[Any, Values] = {}
        for name, values in named:
            number = function.parameters.get(name) if name else None
            if number is not None:
                out.append((number, values))
            elif name:
                extra[name] = values
            else:
                for value in self.expand(values):
                    if value.__class__ is tuple and value[0] == MAPPING:
                        for key, inner in value[1]:
                            if key in function.parameters:
                                out.append((function.parameters[key], inner))
        if extra and parameters and parameters[-1][1] == KWARGS:
            out.append((len(parameters) - 1, shallow(FS((_mapping(extra),)))))
        return out

    def _substitute(
        self, values: Values, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]],
    ) -> Values:  # fmt: skip
        """A function's values for this call: parameters by arguments, `self` by the receiver."""
        out: set[Value] = set()
        passed: dict[int, Values] | None = None
        owner = function.class_around()
        for value in values:
            if value.__class__ is tuple:
                if value[0] == PARAMETER and value[1] is function:
                    if passed is None:
                        passed = {}
                        for number, given in self._arguments(function, receiver, arguments, named):
                            passed[number] = passed.get(number, NOTHING) | given
                    out |= passed.get(value[2], NOTHING)
                    continue
                if value[0] == SELF and receiver is not None and value[1] is owner:
                    if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                        value = receiver
                    elif receiver.__class__ is tuple and receiver[0] == CLS:
                        value = (SELF, receiver[1]) if receiver[1] is not owner else (INSTANCE, owner)
                elif value[0] == CLS and value[1] is owner and receiver.__class__ is tuple and receiver[0] == CLS:
                    value = receiver
            out.add(value)
        return limited(FS(out))

    def returned(self, function: Scope) -> Values:
        """What a function gives, in terms of its parameters."""
        self._into.add(function.rest)
        key = ("returned", function)
        found = self._memo.get(key)
        if found is not None:
            return found
        return self._ask(key, function.module, self._returned, function)

    def _returned(self, function: Scope) -> Values:
        summary = function.summary
        around = function.parent
        assert around is not None
        annotation = summary[RETURN_TYPE]
        manager = self._is_manager(function)
        if annotation is not None:
            declared = self.declared(annotation, around)
            if declared and not all(value.__class__ is tuple and value[0] == OUTER for value in declared):
                if manager:
                    return FS(((MANAGED, self.iterated(declared, None, -1)),))
                if not summary[YIELDS] and self._says_little(declared):
                    return declared | union([self.value(form, function, None) for form in summary[RETURNS]])
                if function.children and not summary[YIELDS]:  # annotations do not tell which function is returned
                    given = union([self.value(form, function, None) for form in summary[RETURNS]])
                    declared |= FS(value for value in given if value.__class__ is Scope and value.parent is function)
                return declared
            if declared and not summary[YIELDS]:
                return declared | union([self.value(form, function, None) for form in summary[RETURNS]])
        if flags(function) & GENERATOR:
            values = union([self.value(form, function, None) for form in summary[YIELDS]])
            if manager:
                return FS(((MANAGED, values),))
            kind = "AsyncGenerator" if flags(function) & ASYNC else "Generator"
            return shallow(FS(((SEQUENCE, kind, values),)))
        return shallow(union([self.value(form, function, None) for form in summary[RETURNS]]))

    def _is_manager(self, function: Scope) -> bool:
        around = function.parent
        for form in function.summary[DECORATORS]:
            if form.__class__ is list and form[0] in (NAME, ATTR):
                last = form[1] if form[0] == NAME else form[2]
                if last in ("contextmanager", "asynccontextmanager"):
                    return any(value in known.MANAGERS for value in self.value(form, around, None))
        return False

    def call_outside(
        self, name: str, receiver: Value | None, arguments: Sequence[Any], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int, evidence: int,
    ) -> Values:  # fmt: skip
        """Calling something outside the project: what it calls in turn, as far as that is known, and what it gives."""
        if sink is not None and not name.startswith("builtins."):
            sink.edge(name, CALLED, evidence, place)
        given = [self.expand(argument) if argument.__class__ is FS else NOTHING for argument in arguments]
        if receiver is not None:
            return self._container_method(name.rpartition(".")[2], receiver, given, named, sink, place)
        head, _, last = name.rpartition(".")
        if head == "builtins":
            return self._builtin(last, given, named, sink, place)
        if name in known.PARTIALS:
            return FS(((PARTIAL, given[0]),)) if given else NOTHING
        if name in ("functools.reduce",) and given:
            self._callback(given[0], [self.iterated(given[1], sink, place)] * 2 if len(given) > 1 else [], sink, place)
            return NOTHING
        if name in known.TRANSPARENT or name in ("functools.singledispatch", "functools.update_wrapper"):
            # @wraps(f) and the like: a decorator that gives what it is given.
            if name == "functools.wraps":
                return FS(("functools.wraps()",))
            return given[0] if given else FS((f"{name}()",))
        if name == "functools.wraps()":
            return given[0] if given else NOTHING
        if name in ("copy.copy", "copy.deepcopy", "asyncio.create_task", "asyncio.ensure_future", "asyncio.run",
                    "asyncio.wait_for", "asyncio.shield", "weakref.proxy"):  # fmt: skip
            return given[0] if given else NOTHING
        if name == "contextlib.closing":
            return FS(((MANAGED, given[0]),)) if given else NOTHING
        if name == "contextlib.nullcontext":
            return FS(((MANAGED, given[0]),)) if given else NOTHING
        if name == "collections.defaultdict" and given:
            return FS(((MAPPING, ((None, union([self.result(value, (), (), None, -1) for value in given[0]])),)),))
        if name == "itertools.chain":
            return FS(((SEQUENCE, "Iterator", union([self.iterated(values, sink, place) for values in given])),))
        if name == "threading.Thread":
            for key, values in named:
                if key == "target":
                    self._callback(self.expand(values), [], sink, place)
        return FS(((OUTER, name),)) if last[:1].isupper() else NOTHING

    def _callback(self, functions: Values, arguments: list[Values], sink: Sink | None, place: int) -> Values:
        """What is called by something outside the project."""
        return union([self.result(value, arguments, (), sink, place, INFERRED, IMPLICIT) for value in functions
                      if not isinstance(value, str)])  # fmt: skip

    def _builtin(
        self, name: str, given: list[Values], named: Sequence[tuple[str, Values]], sink: Sink | None, place: int
    ) -> Values:
        first = given[0] if given else NOTHING
        if name in known.METHOD_OF_FIRST and first:
            method = known.METHOD_OF_FIRST[name]
            found = []
            for values in given if name == "print" else [first]:
                for value in values:
                    if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                        found.append(self._special_method(value, name, method, sink, place))
            if name in known.GIVES_RESULT and name not in ("next", "iter", "reversed"):
                return union(found)
            if name == "next":
                elements = [self._elements(value) for value in first if value.__class__ is tuple]
                return union([*found, *elements])
            if name == "iter" and found:
                return union(found)
        if name == "type" and len(given) == 1:
            return FS([(CLS, value[1]) for value in first if value.__class__ is tuple and value[0] in (INSTANCE, SELF)])
        if name in ("property", "cached_property"):
            return FS([(PROPERTY, value) for value in first if value.__class__ is Scope])
        if name in ("staticmethod", "classmethod"):
            return first
        if name == "map":
            over = [self.iterated(values, sink, place) for values in given[1:]]
            return FS(((SEQUENCE, "Iterator", self._callback(first, over, sink, place)),))
        if name == "filter" and len(given) > 1:
            over_ = self.iterated(given[1], sink, place)
            self._callback(first, [over_], sink, place)
            return FS(((SEQUENCE, "Iterator", over_),))
        if name == "zip":
            return FS(
                (
                    (
                        SEQUENCE,
                        "Iterator",
                        FS(((FIXED, "tuple", tuple([self.iterated(one, sink, place) for one in given])),)),
                    ),
                )
            )
        if name == "enumerate":
            return FS(((SEQUENCE, "Iterator", FS(((FIXED, "tuple", (NOTHING, self.iterated(first, sink, place))),))),))
        if name == "dict":
            found_ = {key: values for key, values in named if key}
            copied = [value for value in first if value.__class__ is tuple and value[0] == MAPPING]
            return shallow(FS((_mapping(found_), *copied)))
        if name in known.ITERATE:
            elements_ = (
                self.iterated(first, sink, place) if len(given) <= 1 or name not in ("min", "max") else union(given)
            )
            for key, values in named:
                if key == "key":
                    self._callback(self.expand(values), [elements_], sink, place)
            if name in known.CONTAINERS:
                return FS(((SEQUENCE, known.CONTAINERS[name], elements_),))
            return elements_ if name in ("min", "max", "sum") else NOTHING
        if name in ("str", "int", "float", "bytes", "bool", "repr"):
            return FS(((OUTER, f"builtins.{'str' if name == 'repr' else name}"),))
        if name[:1].isupper():
            return FS(((OUTER, f"builtins.{name}"),))
        return NOTHING

    def _special_method(self, value: Value, name: str, method: str, sink: Sink | None, place: int) -> Values:
        if name in ("str", "print", "format") and self.find_member(value[1], method) is None:
            method = "__str__" if self.find_member(value[1], "__str__") else "__repr__"
        if name == "bool" and self.find_member(value[1], method) is None:
            method = "__len__"
        return self.method(value, method, [], sink, place)

    def _container_method(
        self, method: str, receiver: Value, given: list[Values], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int,
    ) -> Values:  # fmt: skip
        """What a method of a list, dict ... gives."""
        kind = receiver[0]
        if kind == BEGINS:
            text = receiver[1].lower() if method in ("lower", "casefold") else receiver[1]
            return FS(((BEGINS, text),)) if method in ("lower", "casefold", "strip", "rstrip") else NOTHING
        if method == "sort":
            for key, values in named:
                if key == "key":
                    self._callback(self.expand(values), [self._elements(receiver)], sink, place)
            return NOTHING
        if kind == MAPPING:
            values = union([inner for _, inner in receiver[1]])
            keys = FS((CONSTANT, key) for key, _ in receiver[1] if key is not None)
            if method in ("get", "pop", "setdefault", "popitem"):
                wanted = _constants(given[0]) if given else [None]
                found = union([inner for key, inner in receiver[1] if key is None or key in wanted or None in wanted])
                return found | (given[1] if len(given) > 1 else NOTHING)
            if method == "values":
                return FS(((SEQUENCE, "ValuesView", values),))
            if method == "keys":
                return FS(((SEQUENCE, "KeysView", keys),))
            if method == "items":
                return FS(((SEQUENCE, "ItemsView", FS(((FIXED, "tuple", (keys, values)),))),))
            if method == "copy":
                return FS((receiver,))
            return NOTHING
        if method in ("pop", "popleft", "__next__", "send", "__getitem__"):
            return self._elements(receiver)
        if method in ("copy", "union", "__iter__", "difference", "intersection", "__enter__", "reverse"):
            return FS((receiver,))
        return NOTHING

    # ---- what is written with signs

    def _item(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        holders = self.expand(self.value(form[1], scope, sink))
        keys = self.value(form[2], scope, sink)
        out = []
        for value in holders:
            if value.__class__ is Scope and value.kind == CLASS:
                out.append(FS((value,)))  # a generic class
            elif value.__class__ is str:
                if value.startswith(("typing.", "collections.abc.", "builtins.")):
                    out.append(self._subscripted(form, scope))
            elif value.__class__ is tuple:
                out.append(self._item_of(value, self.expand(keys), sink, form[3]))
        return union(out)

    def _item_of(self, value: Value, keys: Values, sink: Sink | None, place: int) -> Values:
        kind = value[0]
        if kind == MAPPING:
            wanted = _constants(keys)
            return union([inner for key, inner in value[1] if key is None or key in wanted or None in wanted])
        if kind == FIXED:
            numbers = [
                key[1] for key in keys if key.__class__ is tuple and key[0] == CONSTANT and key[1].__class__ is int
            ]
            if numbers and len(numbers) == len(keys):
                return union([value[2][n] for n in numbers if -len(value[2]) <= n < len(value[2])])
            cut = _slice_of(keys)
            if cut is not None and cut.count(":") == 2:
                start, stop = (int(part) if part else None for part in cut.split(":")[1:])
                return FS(((FIXED, value[1], value[2][start:stop]),))
            if cut is not None:
                return FS(((SEQUENCE, value[1], union(value[2])),))
            return union(value[2])
        if kind == SEQUENCE:
            if _slice_of(keys) is not None:
                return FS((value,))
            return value[2]
        if kind in (INSTANCE, SELF):
            return self.method(value, "__getitem__", [keys], sink, place)
        if kind == CLS:
            return FS((value,))
        return NOTHING

    def _each(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.expand(self.value(form[1], scope, sink))
        return self.iterated(values, sink, form[2], form[0] == AEACH)

    def iterated(self, values: Values, sink: Sink | None, place: int, is_async: bool = False) -> Values:
        """What iterating over values gives."""
        out = []
        first, following = ("__aiter__", "__anext__") if is_async else ("__iter__", "__next__")
        for value in self.expand(values):
            if value.__class__ is Scope and value.kind == CLASS:
                meta = self.metaclass(value)
                if meta.__class__ is Scope:
                    out.append(self._iterated_instance((INSTANCE, meta), first, following, sink, place))
                elif any(one.__class__ is str and one.startswith("enum.") for one in self.mro(value)):
                    out.append(FS(((INSTANCE, value),)))
            elif value.__class__ is tuple:
                if value[0] in (INSTANCE, SELF):
                    out.append(self._iterated_instance(value, first, following, sink, place))
                else:
                    out.append(self._elements(value))
        return union(out)

    def _iterated_instance(self, value: Value, first: str, following: str, sink: Sink | None, place: int) -> Values:
        if self.find_member(value[1], first) is None:
            if self.outside_base(value[1]) is not None:  # that iterates
                return NOTHING
            if self.find_member(value[1], "__getitem__") is not None and first == "__iter__":
                return self.method(value, "__getitem__", [], sink, place)
            if self.find_member(value[1], following) is not None:
                return self.method(value, following, [], sink, place)
            return NOTHING
        iterators = self.method(value, first, [], sink, place)
        out = []
        for iterator in self.expand(iterators):
            if iterator.__class__ is tuple:
                if iterator[0] in (INSTANCE, SELF):
                    out.append(self.method(iterator, following, [], sink, place))
                else:
                    out.append(self._elements(iterator))
        return union(out)

    def _elements(self, value: Value) -> Values:
        kind = value[0]
        if kind == SEQUENCE:
            return value[2]
        if kind == FIXED:
            return union(value[2])
        if kind == MAPPING:
            return FS((CONSTANT, key) for key, _ in value[1] if key is not None)
        return NOTHING

    def _part(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.expand(self.value(form[1], scope, sink))
        number, after = form[2], form[3]
        out = []
        for value in values:
            if value.__class__ is tuple and value[0] == FIXED:
                parts = value[2]
                if after:
                    middle = parts[number : len(parts) - after if after > 0 else None]
                    out.append(FS(((FIXED, "list", tuple(middle)),)))
                elif -len(parts) <= number < len(parts):
                    out.append(parts[number])
            elif value.__class__ is tuple and value[0] == SEQUENCE:
                out.append(FS((value,)) if after else value[2])
            elif value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                out.append(self.iterated(FS((value,)), sink, -1))
        return union(out)

    def _enter(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        values = self.expand(self.value(form[1], scope, sink))
        enter, leave = ("__aenter__", "__aexit__") if form[0] == AENTER else ("__enter__", "__exit__")
        out = []
        for value in values:
            if value.__class__ is not tuple:
                continue
            if value[0] in (INSTANCE, SELF):
                out.append(self.method(value, enter, [], sink, form[2]))
                self.method(value, leave, [], sink, form[2])
            elif value[0] == MANAGED:
                out.append(value[1])
            elif value[0] == OUTER:
                out.append(FS((value,)))
        return union(out)

    def _operator(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        _, left_form, method, place, right_form = form
        left = self.expand(self.value(left_form, scope, sink))
        right = self.expand(self.value(right_form, scope, sink)) if right_form is not None else NOTHING
        if method == "raise":
            for value in left:
                if value.__class__ is Scope and value.kind == CLASS:
                    self.result(value, (), (), sink, place, INFERRED)
            return left
        if method == "add" and left:
            texts = [value[1] for value in left if value.__class__ is tuple and value[0] in (CONSTANT, BEGINS)]
            if len(texts) == len(left) and all(text.__class__ is str for text in texts):
                return FS((BEGINS, text) for text in texts)
        out = []
        special = method[:2] == "__"
        for value in left:
            if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                out.append(self._operate(value, method, special, right, sink, place))
            elif value.__class__ is tuple and value[0] in (SEQUENCE, FIXED) and method in ("add", "iadd", "or", "ior"):
                parts = [part for part in (*left, *right) if part.__class__ is tuple]
                return shallow(FS(((SEQUENCE, value[1], union([self._elements(part) for part in parts])),)))
            elif value.__class__ is tuple and value[0] == MAPPING and method in ("or", "ior"):
                out.append(FS((value,)))
        if not special and not out:
            for value in right:
                if value.__class__ is tuple and value[0] in (INSTANCE, SELF):
                    name = method[1:] if method[0] == "i" and method[1:] in _REFLECTED else method
                    out.append(self.method(value, f"__r{name}__", [left], sink, place))
        if not out and not special:
            return FS(value for value in left if value.__class__ is tuple and value[0] in (OUTER, CONSTANT))
        return union(out)

    def _operate(
        self, value: Value, method: str, special: bool, right: Values, sink: Sink | None, place: int
    ) -> Values:
        if special:
            found = self.find_member(value[1], method)
            if found is None and method == "__contains__":
                outside = self.outside_base(value[1])
                if outside is None:
                    self.iterated(FS((value,)), sink, place)
                elif outside.rpartition(".")[2] in ("Mapping", "MutableMapping"):
                    self.method(value, "__getitem__", [right], sink, place)
                return NOTHING
            if found is None and method == "__ne__":
                method = "__eq__"
            if found is None and method in ("__str__", "__format__"):
                method = next((one for one in ("__str__", "__repr__") if self.find_member(value[1], one)), method)
            return self.method(value, method, [right], sink, place)
        name = method
        if method[0] == "i" and method[1:] in _REFLECTED:
            if self.find_member(value[1], f"__{method}__") is not None:
                return self.method(value, f"__{method}__", [right], sink, place)
            name = method[1:]
        if self.find_member(value[1], f"__{name}__") is not None:
            return self.method(value, f"__{name}__", [right], sink, place)
        out = []
        for other in right:
            if other.__class__ is tuple and other[0] in (INSTANCE, SELF):
                out.append(self.method(other, f"__r{name}__", [FS((value,))], sink, place))
        return union(out)


def _for_parameter(function: Scope, number: int, given: Mapping[str, Values]) -> Values:
    """What is passed for a parameter, of all that is passed to its function."""
    if number == SUBCLASSES:
        return given.get(str(SUBCLASSES), NOTHING)
    parameters = function.summary[PARAMETERS]
    name, kind = parameters[number][:2]
    last = next((i for i, parameter in enumerate(parameters) if parameter[1] >= VARARGS), len(parameters))
    found = []
    for key, values in given.items():
        if key[0].isdigit():
            at, open_ended = int(key.rstrip("*")), key[-1] == "*"
            own = at == number or (open_ended and at <= number)
            if own if number < last else kind == VARARGS and number == last and (at >= last or open_ended):
                found.append(values)
        elif key == name and kind in (EITHER, KEYWORD):
            found.append(values)
    if kind == VARARGS:
        return shallow(FS(((SEQUENCE, "tuple", union(found)),))) if found else NOTHING
    if kind == KWARGS:
        extra = {key: values for key, values in given.items()
                 if key.isidentifier() and key not in function.parameters}  # fmt: skip
        return shallow(FS((_mapping(extra),))) if extra else NOTHING
    return union(found)


_REFLECTED = frozenset((
    "add", "sub", "mul", "matmul", "truediv", "mod", "pow", "lshift", "rshift", "or", "xor", "and", "floordiv",
))  # fmt: skip


def _merge(lists: list[list[Any]]) -> list[Any]:
    """C3; where there is no consistent order, the first that is left."""
    lists = [list(one) for one in lists if one]
    out: list[Any] = []
    while lists:
        for candidates in lists:
            head = candidates[0]
            if not any(head in other[1:] for other in lists):
                break
        else:
            head = lists[0][0]
        out.append(head)
        for one in lists:
            while head in one:
                one.remove(head)
        lists = [one for one in lists if one]
    return out


def is_fixture(scope: Scope) -> bool:
    """Whether a function is decorated as a pytest fixture."""
    if scope.kind != FUNCTION:
        return False
    for form in scope.summary[DECORATORS]:
        if form.__class__ is list and form[0] == CALL:
            form = form[1]
        if form.__class__ is list and (form[1] if form[0] == NAME else form[2] if form[0] == ATTR else "") == "fixture":
            return True
    return False


def _first_parameter(method: Scope) -> str | None:
    parameters = method.summary[PARAMETERS]
    return parameters[0][0] if parameters and parameters[0][1] < VARARGS else None


def _collect_stores(method: Scope, first: str | None, found: dict[str, list[Any]]) -> None:
    """Assignments to attributes of the first parameter, in the method and the functions in it."""
    if first is None:
        return
    for entry in method.body[STORES] if method.body else ():
        holder = entry[0]
        if holder == first or (holder.__class__ is list and holder[0] == NAME and holder[1] == first):
            found.setdefault(entry[1], []).append((method, entry[2]))
    for inner in method.children:
        if inner.kind == FUNCTION and first not in inner.parameters:
            _collect_stores(inner, first, found)


def _slice_of(keys: Values) -> str | None:
    """`builtins.slice`, with `:start:stop` where they are known; None where no key is a slice."""
    for key in keys:
        if key.__class__ is tuple and key[0] == OUTER and key[1].startswith("builtins.slice"):
            return key[1]
    return None


@lru_cache(maxsize=4096)
def _constant(value: str | int) -> Values:
    return FS(((CONSTANT, value),))


@lru_cache(maxsize=256)
def _instance_of_builtin(name: str) -> Values:
    return FS(((OUTER, f"builtins.{name}"),))


def _constants(values: Values) -> list[Any]:
    """The constants among keys; None where there are others or none."""
    found: list[Any] = [value[1] for value in values if value.__class__ is tuple and value[0] == CONSTANT]
    if len(found) != len(values) or not found:
        found.append(None)
    return found


def _mapping(found: dict[Any, Values]) -> Value:
    if len(found) > 64:
        return (MAPPING, ((None, union(found.values())),))
    return (MAPPING, tuple(sorted(found.items(), key=lambda item: (str(type(item[0])), str(item[0])))))


def _container(value: Value) -> str:
    return "dict" if value[0] == MAPPING else str(value[1])


def _with_item(value: Value, keys: Values, assigned: Values) -> Value:
    """A container after an assignment to one of its items."""
    if value.__class__ is not tuple:
        return value
    if value[0] == MAPPING:
        found = dict(value[1])
        for key in _constants(keys):
            found[key] = found.get(key, NOTHING) | assigned
        return _mapping(found)
    if value[0] == FIXED:
        numbers = [key for key in _constants(keys) if key.__class__ is int and -len(value[2]) <= key < len(value[2])]
        if not numbers:
            return (SEQUENCE, value[1], union([*value[2], assigned]))
        parts = list(value[2])
        for number in numbers:
            parts[number] |= assigned
        return (FIXED, value[1], tuple(parts))
    if value[0] == SEQUENCE:
        return (SEQUENCE, value[1], value[2] | assigned)
    return value
