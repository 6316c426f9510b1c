"""Attributes of values -> values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..forms import CLASS, LAMBDA_KIND
from ..program import Module, Scope
from ..values import (
    BEGINS,
    BOUND,
    CLS,
    CONSTANT,
    FIXED,
    INSTANCE,
    MAPPING,
    NAMESPACE,
    NOTHING,
    OUTER,
    PARTIAL,
    PROPERTY,
    SELF,
    SEQUENCE,
    SUPER,
    Value,
    Values,
    limited,
    union,
)  # fmt: skip
from .contents import type_of
from .part import Part
from .sink import EXACT, INFERRED, REFERENCE, Sink

if TYPE_CHECKING:
    from .world import World

# What a class has of `type`.
_OF_TYPE = frozenset(("__name__", "__doc__", "__module__", "__qualname__", "__dict__", "__mro__", "__bases__"))
_CLASS_METHODS = frozenset(("__init_subclass__", "__class_getitem__"))


class Attributes(Part):
    __slots__ = ("_of",)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._of: dict[int, Callable[[Value, str, Sink | None, int], Values]] = dict.fromkeys(range(16), _of_others)
        self._of |= {INSTANCE: world.instances.attribute, SELF: world.instances.attribute}
        self._of |= {CLS: self._of_cls, SUPER: self._of_super, NAMESPACE: self._of_namespace}

    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """The form's values."""
        receivers = self.world.expanded(form[1], scope, sink)
        if not receivers:
            return NOTHING
        place = form[3]
        values = self.of_all(receivers, form[2], sink, place)
        if sink is not None and place >= 0:
            self._refer(values, form, scope, sink)
        return values

    def _refer(self, values: Values, form: list[Any], scope: Scope, sink: Sink) -> None:
        """A definition's name is used without calling it."""
        for value in values:
            target = value[1] if value.__class__ is tuple and value[0] == BOUND else value
            if target.__class__ is Scope and target.kind != LAMBDA_KIND:
                sink.edge(target, REFERENCE, EXACT if self.world.exactness.is_exact(form, scope) else INFERRED, form[3])

    def of_all(self, receivers: Values, name: str, sink: Sink | None, place: int) -> Values:
        """What an attribute of several values is."""
        if len(receivers) == 1:
            (value,) = receivers
            return self.values(value, name, sink, place)
        return union([self.values(value, name, sink, place) for value in receivers])

    def values(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What an attribute of a value is. sink: takes the call of a property."""
        cls = value.__class__
        if cls is tuple:
            kind: int = value[0]
            return self._of[kind](value, name, sink, place)
        if cls is Module:
            return self.world.imports.member(value, name)
        if cls is str:
            return frozenset((f"{value}.{name}",))
        if value.kind == CLASS:
            return self._of_class(value, name, value, sink, place)
        return frozenset((value,)) if name == "__wrapped__" else NOTHING

    def _of_cls(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        return self._of_class(value[1], name, value, sink, place)

    def _of_class(self, scope: Scope, name: str, receiver: Value, sink: Sink | None, place: int) -> Values:
        """receiver: the class itself, or what stands for it and its subclasses."""
        if name in _OF_TYPE:
            return NOTHING
        found = self.world.members.find(scope, name)
        out: Values = NOTHING
        if found is not None:
            cls = receiver if receiver.__class__ is tuple else (CLS, scope)
            for member in self.world.members.values_of(found, name):
                out |= frozenset(((BOUND, member, cls) if self._is_class_method(member) else member,))
        out |= self.world.stored.values(scope, name)
        return limited(out) if out or found is not None else self._missing(scope, name, sink, place)

    def _is_class_method(self, member: Value) -> bool:
        if member.__class__ is not Scope or member.kind == CLASS:
            return False
        return self.world.decorators.role(member) == "class" or member.name in _CLASS_METHODS

    def _missing(self, scope: Scope, name: str, sink: Sink | None, place: int) -> Values:
        """What a class has not itself."""
        meta = self.world.classes.metaclass(scope)
        if meta.__class__ is Scope:
            return self.world.instances.attribute((INSTANCE, meta), name, sink, place)
        outside = self.world.classes.outside_base(scope)
        return NOTHING if outside is None else frozenset((f"{outside}.{name}",))

    def _of_super(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        _, after, receiver = value
        start = receiver[1] if receiver[1] is not None else after
        found = self.world.members.find(start, name, after)
        if found is None:
            outside = self.world.classes.outside_base(start)
            return frozenset((f"{outside or 'builtins.object'}.{name}",))
        members = self.world.members.values_of(found, name)
        if receiver[0] != CLS:
            return union([self.world.instances.bound(member, receiver, sink, place) for member in members])
        return frozenset([self._of_super_class(member, receiver) for member in members])

    def _of_super_class(self, member: Value, receiver: Value) -> Value:
        is_class_method = member.__class__ is Scope and self.world.decorators.role(member) == "class"
        return (BOUND, member, receiver) if is_class_method else member

    def _of_namespace(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        dotted = f"{value[1]}.{name}"
        path = self.world.program.find(dotted, "")
        return self.world.imports.module_value(path, dotted) if path is not None else NOTHING


def _of_others(value: Value, name: str, sink: Sink | None, place: int) -> Values:
    """Of what is not the project's."""
    kind = value[0]
    if kind == OUTER:
        return frozenset((f"{value[1]}.{name}",))
    if kind in (SEQUENCE, FIXED, MAPPING):
        return frozenset(((BOUND, f"builtins.{type_of(value)}.{name}", value),))
    if kind == BEGINS:
        return frozenset(((BOUND, f"builtins.str.{name}", value),))
    if kind == CONSTANT:
        return frozenset((f"builtins.{value[1].__class__.__name__}.{name}",))
    if kind == PROPERTY and name in ("setter", "getter", "deleter"):
        return frozenset((value,))
    if kind == PARTIAL and name == "func":
        return frozenset(value[1])
    if kind == BOUND and name in ("__func__", "__self__"):
        return frozenset((value[1 if name == "__func__" else 2],))
    return NOTHING
