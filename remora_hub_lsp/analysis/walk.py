"""Code -> what its sink gets: the edges of all that it evaluates, and what it passes."""

from __future__ import annotations

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
    NAME,
    PARAMETERS,
    RETURN_TYPE,
    RETURNS,
    STORES,
    YIELDS,
    Expression,
)  # fmt: skip
from .program import SUBCLASSES, Scope, is_function
from .resolver.call import Call
from .resolver.sink import CALLED, EXACT, IMPLICIT, INFERRED, Sink
from .resolver.world import World
from .values import INSTANCE, NOTHING, PROPERTY, SELF, Value, Values


def walk(world: World, scope: Scope, sink: Sink) -> None:
    """Evaluate all that stands in a scope, and what its definitions evaluate in it."""
    body = scope.body
    assert body is not None
    value = world.value
    binds = body[BINDS]
    for i in range(1, len(binds), 2):
        if binds[i].__class__ is list:
            value(binds[i], scope, sink)
    for form in body[EFFECTS]:
        value(form, scope, sink)
    _stores(world, scope, body[STORES], sink)
    _items(world, scope, body[ITEMS], sink)
    if is_function(scope):
        for form in (*scope.summary[RETURNS], *scope.summary[YIELDS]):
            if form.__class__ is list:
                value(form, scope, sink)
    for child in scope.children:
        _define(world, child, scope, sink)


def _stores(world: World, scope: Scope, stores: list[Expression], sink: Sink) -> None:
    for holder, attribute, form, place in stores:
        receivers = world.expanded(holder, scope, sink)
        assigned = world.value(form, scope, sink)
        for receiver in receivers:
            if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                _store(world, receiver, attribute, Call([assigned], sink, place, kind=IMPLICIT))


def _store(world: World, receiver: Value, attribute: str, call: Call) -> None:
    """An attribute assignment that a property's setter, a descriptor or __setattr__ takes."""
    found = world.members.find(receiver[1], attribute)
    if found is None:
        world.calls.method(receiver, "__setattr__", [NOTHING, *call.arguments], call.sink, call.place)
        return
    for _, member in found[1]:
        if member.__class__ is Scope and world.decorators.role(member) == "setter":
            world.calls.function(member, receiver, call)


def _items(world: World, scope: Scope, items: list[Expression], sink: Sink) -> None:
    for holder, key, form, place in items:
        if place < 0:
            continue  # an argument of a call, which is among the effects
        receivers = world.expanded(holder, scope, sink)
        keys, assigned = world.value(key, scope, sink), world.value(form, scope, sink)
        for receiver in receivers:
            if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                world.calls.method(receiver, "__setitem__", [keys, assigned], sink, place)


def _define(world: World, child: Scope, scope: Scope, sink: Sink) -> None:
    """What defining something evaluates: decorators, defaults, annotations, bases."""
    _decorate(world, child, scope, sink)
    if child.kind == CLASS:
        _define_class(world, child, scope, sink)
        return
    for _, _, annotation, default in child.summary[PARAMETERS]:
        world.value(annotation, scope, sink)
        world.value(default, scope, sink)
    world.value(child.summary[RETURN_TYPE], scope, sink)


def _decorate(world: World, child: Scope, scope: Scope, sink: Sink) -> None:
    values: Values = frozenset((child,))
    for form in reversed(child.summary[DECORATORS]):
        decorators = world.value(form, scope, None if form.__class__ is list and form[0] in (NAME, ATTR) else sink)
        if any(one.__class__ is Scope and one.kind != CLASS for one in decorators):
            # What gives a decorator or, called in another way, the decorated: here it is the decorator.
            decorators = frozenset([one for one in decorators if one.__class__ is Scope or one.__class__ is str])
        evidence = EXACT if world.exactness.is_exact(form, scope) else INFERRED
        call = Call([values], sink, _place(form), evidence=evidence)
        for decorator in decorators:
            if decorator.__class__ is Scope or (decorator.__class__ is tuple and decorator[0] != PROPERTY):
                world.calls.result(decorator, call)
            elif decorator.__class__ is str:
                sink.edge(decorator, CALLED, evidence, call.place)
        values = world.decorators.apply(decorators, values, child)


def _define_class(world: World, child: Scope, scope: Scope, sink: Sink) -> None:
    """Defining a class calls its metaclass, and its bases' __init_subclass__."""
    summary = child.summary
    for form in (*summary[BASES], *summary[CLASS_KEYWORDS][1::2]):
        world.value(form, scope, sink)
    for base in world.classes.bases(child) or ():
        if base.__class__ is Scope:
            sink.flow(base, str(SUBCLASSES), frozenset((child,)))
    for member in _called_by_class(world, child):
        if member.__class__ is Scope and member.kind == FUNCTION:
            sink.edge(member, IMPLICIT, INFERRED, -1)


def _called_by_class(world: World, child: Scope) -> list[Value]:
    meta = world.classes.metaclass(child)
    called = [world.members.values(meta, name) for name in ("__new__", "__init__")] if isinstance(meta, Scope) else []
    found = world.members.find(child, "__init_subclass__", child) if child.summary[BASES] else None
    return [*NOTHING.union(*called), *(member for _, member in (found[1] if found is not None else ()))]


def _place(form: Expression) -> int:
    """The number of the place where a decorator is named."""
    at = {NAME: 2, ATTR: 3, CALL: 4}.get(form[0]) if form.__class__ is list else None
    return -1 if at is None else int(form[at])
