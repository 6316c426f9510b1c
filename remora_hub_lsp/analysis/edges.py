"""A file's part of the call graph: the edges of its code, what it passes to parameters, and what it rests on."""

# mypy: disable-error-code="attr-defined, union-attr, arg-type, assignment, index, no-any-return"
# Values are told apart by `__class__ is`, which is faster than isinstance and tells mypy nothing.
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .forms import (
    ATTR,
    BASES,
    BINDS,
    CALL,
    CLASS,
    CLASS_KEYWORDS,
    DECORATORS,
    EFFECTS,
    FUNCTION,
    ITEMS,
    LAMBDA_KIND,
    NAME,
    PARAMETERS,
    RETURN_TYPE,
    RETURNS,
    STORES,
    YIELDS,
    Expression,
)  # fmt: skip
from .program import FRAGMENT, SUBCLASSES, Module, Rest, Scope
from .resolver.call import Call
from .resolver.rests import Question
from .resolver.sink import BY_NAME, CALLED, EXACT, IMPLICIT, INFERRED, REFERENCE
from .resolver.world import World
from .values import (
    BOUND,
    CLS,
    CONSTANT,
    FIXED,
    INSTANCE,
    MANAGED,
    MAPPING,
    NOTHING,
    PARAMETER,
    PARTIAL,
    PROPERTY,
    SELF,
    SEQUENCE,
    Value,
    Values,
)  # fmt: skip

__all__ = [
    "BY_NAME", "CALLED", "EXACT", "IMPLICIT", "INFERRED", "REFERENCE", "CallerEdges", "Draft", "FileGraph", "Walked",
    "draft", "file_graph", "finished",
]  # fmt: skip

# [target, kind, evidence, [numbers of places]]; the target is a node's key, a dotted name outside the project, or
# `.name` of a method called on something unknown.
EdgeRow = tuple[str, int, int, list[int]]


class CallerEdges(NamedTuple):
    """The edges of one caller within a segment. slot: its node's number there, or AROUND."""

    segment: int
    slot: int
    caller: str
    edges: list[EdgeRow]


# What is passed: by file, by function's unique name, by position ("0"), by positions from one on ("2*") or by keyword;
# encoded values. SUBCLASSES of a class travel in the same way.
Flows = dict[str, dict[str, dict[str, list[Any]]]]
# The same before it is encoded.
_Passed = dict[tuple[Scope, str], Values]


class FileGraph(NamedTuple):
    """What one file adds. bases: of each class, keys or dotted names."""

    path: str
    callers: list[CallerEdges]
    flows: Flows
    bases: dict[str, tuple[str, ...]]


class Walked:
    """What was found out of each code of a file, to be kept as long as it stands. shape: which names there are."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape
        self.codes: dict[tuple[int, int], _Done] = {}

    def forget(self, gone: set[Rest], on: Rest | None = None) -> None:
        """These names may mean something else. on: for what rests on that, too."""
        for done in self.codes.values():
            if (on is None or on in done.rests) and not done.rests.isdisjoint(gone):
                done.data = None


class _Done:
    """data: the summary of its segment; None: it has to be looked at anew."""

    __slots__ = ("bases", "data", "edges", "passed", "rests")

    def __init__(
        self, data: bytes, edges: list[CallerEdges], passed: _Passed, bases: dict[str, tuple[str, ...]],
        rests: set[Rest],
    ) -> None:  # fmt: skip
        self.data: bytes | None = data
        self.edges, self.passed, self.bases, self.rests = edges, passed, bases, rests


def file_graph(world: World, module: Module, data: Mapping[int, bytes], before: Walked | None) -> FileGraph:
    """The edges of a module's code as `world` knows it, and what it passes; only that is looked at which may have
    changed since `before`.

    data: the summary of each segment. `world.walked` has what to begin with the next time.
    """
    # What a name means in a scope depends on which names there are.
    shape = (list(module.by_unique), list(module.scope.names), module.scope.stars, module.scope.exports)
    known = before.codes if before is not None and before.shape == shape else {}
    walked = world.walked[module.path] = Walked(shape)
    for code in _codes(module):
        done = known.get((code.segment, code.slot))
        if done is None or done.data != data[code.segment]:
            sink = _Sink(passes=True)
            rests = world.rests.begin(module.path, apart=True)
            bases: dict[str, tuple[str, ...]] = {}
            edges = _edges(world, code, sink, bases)
            done = _Done(data[code.segment], edges, sink.passed, bases, rests)
        walked.codes[code.segment, code.slot] = done
    every = walked.codes.values()
    world.rests.note((module.path, ""), *(done.rests for done in every))
    sink = _Sink(passes=True)
    for done in every:
        for (function, key), values in done.passed.items():
            sink.flow(function, key, values)
    callers = [edges for done in every for edges in done.edges]
    return FileGraph(module.path, callers, sink.flows(), {k: v for done in every for k, v in done.bases.items()})


class Draft(NamedTuple):
    """A file's graph before it is known what callers pass, and the code of which the edges may be others then."""

    graph: FileGraph
    unsure: list[_Unsure]


def draft(world: World, module: Module) -> Draft:
    """The edges of a module's code as far as they are known without what callers pass; and what it passes itself."""
    sink = _Sink(passes=True)
    world.rests.begin(module.path)
    bases: dict[str, tuple[str, ...]] = {}
    sure: list[CallerEdges] = []
    unsure: list[_Unsure] = []
    for code in _codes(module):
        world.questions.reads = None
        edges = _edges(world, code, sink, bases)
        if world.questions.reads is None:
            sure += edges
        else:
            unsure.append(_Unsure(code, edges, world.questions.reads))
    return Draft(FileGraph(module.path, sure, sink.flows(), bases), unsure)


def finished(world: World, draft: Draft) -> FileGraph:
    """The edges of the module's code, now that `world` knows what callers pass."""
    graph = draft.graph
    world.rests.begin(graph.path)
    sink = _Sink(passes=False)
    callers = list(graph.callers)
    for code, edges, reads in draft.unsure:
        callers += _edges(world, code, sink, graph.bases) if world.is_unlike(reads) else edges
    return graph._replace(callers=callers)


class _Code(NamedTuple):
    """The code of one caller within a segment."""

    segment: int
    slot: int
    caller: str
    scopes: list[Scope]


class _Unsure(NamedTuple):
    """Code, its edges, and what they rest on that may have another answer."""

    code: _Code
    edges: list[CallerEdges]
    reads: set[Question]


def _codes(module: Module) -> list[_Code]:
    found: dict[tuple[int, int], _Code] = {}
    for scope in module.scopes:
        at = scope
        while at.kind == LAMBDA_KIND and at.parent is not None:
            at = at.parent
        code = found.get((at.segment, at.slot))
        if code is None:
            code = found[at.segment, at.slot] = _Code(at.segment, at.slot, at.unique, [])
        code.scopes.append(scope)
    return list(found.values())


def _edges(world: World, code: _Code, sink: _Sink, bases: dict[str, tuple[str, ...]]) -> list[CallerEdges]:
    edges = sink.edges = {}
    for scope in code.scopes:
        _walk(world, scope, sink)
        if scope.kind == FRAGMENT and scope.parent is not None and scope.parent.kind == CLASS:
            around = scope.parent
            if scope is around.fragments[0]:
                bases[around.unique] = tuple(
                    base.key if base.__class__ is Scope else base.removeprefix("builtins.")
                    for base in world.classes.bases(around) or () if base != "?"
                )  # fmt: skip
    if not edges:
        return []
    rows = [
        (target if target.__class__ is str else target.key, kind, evidence, sorted(places))
        for (target, kind), (evidence, places) in edges.items()
    ]
    rows.sort()
    return [CallerEdges(code.segment, code.slot, code.caller, rows)]


def _walk(world: World, scope: Scope, sink: _Sink) -> None:
    body = scope.body
    assert body is not None
    value = world.value
    binds = body[BINDS]
    for i in range(1, len(binds), 2):
        if binds[i].__class__ is list:
            value(binds[i], scope, sink)
    for form in body[EFFECTS]:
        value(form, scope, sink)
    for holder, attribute, form, place in body[STORES]:
        receivers = world.expanded(holder, scope, sink)
        assigned = value(form, scope, sink)
        for receiver in receivers:
            if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                _store(world, receiver, attribute, assigned, sink, place)
    for holder, key, form, place in body[ITEMS]:
        if place < 0:
            continue  # an argument of a call, which is among the effects
        receivers = world.expanded(holder, scope, sink)
        keys, assigned = value(key, scope, sink), value(form, scope, sink)
        for receiver in receivers:
            if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                world.calls.method(receiver, "__setitem__", [keys, assigned], sink, place)
    if scope.kind in (FUNCTION, LAMBDA_KIND):
        for part in (RETURNS, YIELDS):
            for form in scope.summary[part]:
                if form.__class__ is list:
                    value(form, scope, sink)
    for child in scope.children:
        _definition(world, child, scope, sink)


def _store(world: World, receiver: Value, attribute: str, assigned: Values, sink: _Sink, place: int) -> None:
    """An attribute assignment that a property's setter, a descriptor or __setattr__ takes."""
    found = world.members.find(receiver[1], attribute)
    if found is not None:
        for _, member in found[1]:
            if member.__class__ is Scope and world.decorators.role(member) == "setter":
                world.calls.function(member, receiver, Call([assigned], sink, place, kind=IMPLICIT))
        return
    if world.members.find(receiver[1], "__setattr__"):
        world.calls.method(receiver, "__setattr__", [NOTHING, assigned], sink, place)


def _definition(world: World, child: Scope, scope: Scope, sink: _Sink) -> None:
    """What defining something evaluates: decorators, defaults, annotations, bases."""
    summary = child.summary
    value = world.value
    values: Values = frozenset((child,))
    for form in reversed(summary[DECORATORS]):
        decorators = value(form, scope, None if form.__class__ is list and form[0] in (NAME, ATTR) else sink)
        place = _place(form)
        evidence = EXACT if world.exactness.is_exact(form, scope) else INFERRED
        if any(one.__class__ is Scope and one.kind != CLASS for one in decorators):
            # What gives a decorator or, called in another way, the decorated: here it is the decorator.
            decorators = frozenset(one for one in decorators if one.__class__ is Scope or one.__class__ is str)
        for decorator in decorators:
            if decorator.__class__ is Scope or (decorator.__class__ is tuple and decorator[0] != PROPERTY):
                world.calls.result(decorator, Call([values], sink, place, evidence=evidence))
            elif decorator.__class__ is str:
                sink.edge(decorator, CALLED, evidence, place)
        values = world.decorators.apply(decorators, values, child)
    if child.kind == CLASS:
        for form in summary[BASES]:
            value(form, scope, sink)
        for i in range(1, len(summary[CLASS_KEYWORDS]), 2):
            value(summary[CLASS_KEYWORDS][i], scope, sink)
        for base in world.classes.bases(child) or ():
            if base.__class__ is Scope:
                sink.flow(base, str(SUBCLASSES), frozenset((child,)))
        _subclass(world, child, sink)
        return
    for _, _, annotation, default in summary[PARAMETERS]:
        if annotation is not None:
            value(annotation, scope, sink)
        if default is not None:
            value(default, scope, sink)
    if summary[RETURN_TYPE] is not None:
        value(summary[RETURN_TYPE], scope, sink)


def _subclass(world: World, child: Scope, sink: _Sink) -> None:
    """Defining a class calls its metaclass, and its bases' __init_subclass__."""
    meta = world.classes.metaclass(child)
    if meta.__class__ is Scope:
        for name in ("__new__", "__init__"):
            for member in world.members.values(meta, name):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    sink.edge(member, IMPLICIT, INFERRED, -1)
    if child.summary[BASES]:
        found = world.members.find(child, "__init_subclass__", child)
        if found is not None:
            for _, member in found[1]:
                if member.__class__ is Scope and member.kind == FUNCTION:
                    sink.edge(member, IMPLICIT, INFERRED, -1)


def _place(form: Expression) -> int:
    if form.__class__ is list:
        if form[0] == NAME:
            return int(form[2])
        if form[0] == ATTR:
            return int(form[3])
        if form[0] == CALL:
            return int(form[4])
    return -1


class _Sink:
    """Collects edges and, if wanted, what is passed."""

    def __init__(self, passes: bool) -> None:
        self.passes = passes
        self.edges: dict[tuple[Scope | str, int], tuple[int, set[int]]] = {}  # of the code that is walked
        self.passed: _Passed = {}

    def edge(self, target: Scope | str, kind: int, evidence: int, place: int) -> None:
        key = target, kind
        entry = self.edges.get(key)
        if entry is None:
            if target.kind == LAMBDA_KIND if target.__class__ is Scope else target.startswith("builtins."):
                return
            self.edges[key] = evidence, {place} if place >= 0 else set()
            return
        if evidence < entry[0]:
            self.edges[key] = entry = evidence, entry[1]
        if place >= 0:
            entry[1].add(place)

    def flow(self, function: Scope, key: str, values: Values) -> None:
        if values and self.passes:
            known = self.passed.get((function, key))
            self.passed[function, key] = values if known is None else known | values

    def flows(self) -> Flows:
        """What was passed."""
        out: Flows = {}
        for (function, key), values in self.passed.items():
            codes = _encoded(values)
            if len(codes) > 1:  # other values may have the same code
                codes = [code for number, code in enumerate(codes) if code not in codes[:number]]
            if codes:
                out.setdefault(function.module.path, {}).setdefault(function.unique, {})[key] = codes
        return out


_WITH_CLASS = (INSTANCE, SELF, CLS, PROPERTY)


def encode(value: Value) -> Any:
    """A value as JSON; None where it is not worth passing on."""
    if value.__class__ is Scope:
        return [value.module.path, value.unique]
    if value.__class__ is Module:
        return [value.path, ""]
    if value.__class__ is str:
        return value
    kind = value[0]
    if kind in _WITH_CLASS:
        return [kind, encode(value[1])]
    if kind == PARAMETER:
        return [kind, encode(value[1]), value[2]]
    if kind == BOUND:
        if value[1].__class__ is str:
            return None
        function, receiver = encode(value[1]), encode(value[2])
        return [kind, function, receiver] if receiver is not None else None
    if kind == CONSTANT:
        small = value[1].__class__ is int and -9 < value[1] < 9
        return [kind, value[1]] if small or (value[1].__class__ is str and len(value[1]) <= 24) else None
    if kind == SEQUENCE:
        return [kind, value[1], _encoded(value[2])]
    if kind == FIXED:
        return [kind, value[1], [_encoded(part) for part in value[2]]]
    if kind == MAPPING:
        return [kind, [[key, _encoded(part)] for key, part in value[1]]]
    if kind in (PARTIAL, MANAGED):
        return [kind, _encoded(value[1])]
    return None


def _encoded(values: Values) -> list[Any]:
    codes = [code for value in values if (code := encode(value)) is not None]
    if len(codes) > 1:
        codes.sort(key=repr)
    return codes


def decode(code: Any, find: Any) -> Value | None:
    """The value that `encode` made this of; None where what it names is gone. find: a module by its path."""
    if code.__class__ is str:
        return code
    kind = code[0]
    if kind.__class__ is str:
        module = find(kind)
        if module is None:
            return None
        return module if not code[1] else module.by_unique.get(code[1])
    if kind in _WITH_CLASS:
        inner = decode(code[1], find)
        return None if inner is None else (kind, inner)
    if kind == PARAMETER:
        inner = decode(code[1], find)
        return None if inner is None else (kind, inner, code[2])
    if kind == BOUND:
        function, receiver = decode(code[1], find), decode(code[2], find)
        return None if function is None or receiver is None else (kind, function, receiver)
    if kind == CONSTANT:
        return (kind, code[1])
    if kind == SEQUENCE:
        return (kind, code[1], decoded(code[2], find))
    if kind == FIXED:
        return (kind, code[1], tuple(decoded(part, find) for part in code[2]))
    if kind == MAPPING:
        return (kind, tuple((key, decoded(part, find)) for key, part in code[1]))
    return (kind, decoded(code[1], find))


def decoded(codes: Iterable[Any], find: Any) -> Values:
    """The values that are still there."""
    return frozenset(value for code in codes if (value := decode(code, find)) is not None)
