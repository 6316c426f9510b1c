"""Attributes of values -> values."""

from __future__ import annotations

from typing import Any

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
)
from .contents import type_of
from .part import Part
from .sink import BY_NAME, EXACT, IMPLICIT, INFERRED, REFERENCE, Sink


class Attributes(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        receivers = self.world.expanded(form[1], scope, sink)
        name, place = form[2], form[3]
        if not receivers:
            return NOTHING
        if len(receivers) == 1:
            (value,) = receivers
            values = self.values(value, name, sink, place)
        else:
            values = union([self.values(value, name, sink, place) for value in receivers])
        if sink is not None and place >= 0:
            self._refer(values, form, scope, sink)
        return values

    def _refer(self, values: Values, form: list[Any], scope: Scope, sink: Sink) -> None:
        for value in values:
            target = value[1] if value.__class__ is tuple and value[0] == BOUND else value
            if target.__class__ is Scope and target.kind != LAMBDA_KIND:
                sink.edge(target, REFERENCE, EXACT if self.world.exactness.is_exact(form, scope) else INFERRED, form[3])

    def values(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What an attribute of a value is. sink: takes the call of a property."""
        cls = value.__class__
        if cls is Module:
            return self.world.imports.member(value, name)
        if cls is Scope:
            if value.kind == CLASS:
                return self._class_attribute(value, name, value, sink, place)
            return frozenset((value,)) if name in ("__wrapped__",) else NOTHING
        if cls is str:
            return frozenset((f"{value}.{name}",))
        kind = value[0]
        if kind in (INSTANCE, SELF):
            return self.of_instance(value, name, sink, place)
        if kind == CLS:
            return self._class_attribute(value[1], name, value, sink, place)
        if kind == SUPER:
            return self._super_attribute(value, name, sink, place)
        if kind == OUTER:
            return frozenset((f"{value[1]}.{name}",))
        if kind == NAMESPACE:
            path = self.world.program.find(f"{value[1]}.{name}", "")
            return self.world.imports.module_value(path, f"{value[1]}.{name}") if path is not None else NOTHING
        if kind in (SEQUENCE, FIXED, MAPPING):
            return frozenset(((BOUND, f"builtins.{type_of(value)}.{name}", value),))
        if kind == BEGINS:
            return frozenset(((BOUND, f"builtins.str.{name}", value),))
        if kind == CONSTANT:
            return frozenset((f"builtins.{value[1].__class__.__name__}.{name}",))
        if kind == PROPERTY and name in ("setter", "getter", "deleter"):
            return frozenset((value,))
        if kind == PARTIAL and name == "func":
            parts: Values = value[1]
            return parts
        if kind == BOUND and name == "__func__":
            return frozenset((value[1],))
        if kind == BOUND and name == "__self__":
            return frozenset((value[2],))
        return NOTHING

    def of_instance(self, receiver: Value, name: str, sink: Sink | None, place: int) -> Values:
        scope = receiver[1]
        if name == "__class__":
            return frozenset(((CLS, scope),))
        if name == "__dict__":
            return NOTHING
        found = self.world.members.find(scope, name)
        stored = self.world.stored.values(scope, name)
        out: Values = NOTHING
        if found is not None:
            members = self.world.members.values_of(found, name)
            for member in members:
                out |= self.bound(member, receiver, sink, place)
            for below in self.world.subclasses.overrides(members, receiver, name):
                for member in self.world.members.values(below[1], name):
                    out |= self.bound(member, below, sink, place)
        if stored:
            out |= self.as_seen(stored, receiver)
        if not out and found is None and not stored:
            if receiver[0] == SELF and (below := self.world.subclasses.attribute(scope, name, sink, place)):
                return below
            getattr_ = self.world.members.find(scope, "__getattr__") or self.world.members.find(
                scope, "__getattribute__"
            )
            if getattr_ is not None:
                method = "__getattr__" if self.world.members.find(scope, "__getattr__") else "__getattribute__"
                # Whether there is an attribute after all, set in ways that are not seen, is a guess.
                return self.world.calls.method(receiver, method, [], sink, place, evidence=BY_NAME)
            outside = self.world.classes.outside_base(scope)
            if outside is not None:
                return frozenset((f"{outside}.{name}",))
        return limited(out)

    def bound(self, member: Value, receiver: Value, sink: Sink | None, place: int) -> Values:
        """What a class's member is as an attribute of an instance."""
        cls = member.__class__
        if cls is Scope:
            if member.kind == CLASS:
                return frozenset((member,))
            role = self.world.decorators.role(member)
            if role == "static":
                return frozenset((member,))
            if role == "class":
                return frozenset(((BOUND, member, (CLS, receiver[1])),))
            if role in ("setter", "deleter"):
                return NOTHING
            return frozenset(((BOUND, member, receiver),))
        if cls is tuple and member[0] == PROPERTY:
            getter = member[1]
            if getter.__class__ is not Scope:
                return NOTHING
            if self.world.decorators.role(getter) in ("setter", "deleter"):
                return NOTHING
            return self.world.calls.function(getter, receiver, [], (), sink, place, IMPLICIT, INFERRED)
        if cls is tuple and member[0] in (INSTANCE, SELF) and self.world.members.find(member[1], "__get__"):
            return self.world.calls.method(member, "__get__", [frozenset((receiver,))], sink, place)
        return frozenset((member,))

    def as_seen(self, values: Values, receiver: Value) -> Values:
        """Values that mention `self`, for this receiver."""
        out = set()
        for value in values:
            if (
                (
                    value.__class__ is tuple
                    and value[0] == SELF
                    and receiver.__class__ is tuple
                    and receiver[0] in (INSTANCE, SELF)
                )
                and value[1] is not receiver[1]
                and value[1] in self.world.classes.mro(receiver[1])
            ):
                value = receiver
            out.add(value)
        return frozenset(out)

    def _class_attribute(self, scope: Scope, name: str, receiver: Value, sink: Sink | None, place: int) -> Values:
        if name in ("__name__", "__doc__", "__module__", "__qualname__", "__dict__", "__mro__", "__bases__"):
            return NOTHING
        found = self.world.members.find(scope, name)
        out: Values = NOTHING
        if found is not None:
            for member in self.world.members.values_of(found, name):
                if (
                    member.__class__ is Scope
                    and member.kind != CLASS
                    and (
                        self.world.decorators.role(member) == "class"
                        or member.name in ("__init_subclass__", "__class_getitem__")
                    )
                ):
                    out |= frozenset(((BOUND, member, receiver if receiver.__class__ is tuple else (CLS, scope)),))
                elif member.__class__ is tuple and member[0] == PROPERTY:
                    out |= frozenset((member,))
                else:
                    out |= frozenset((member,))
        out |= self.world.stored.values(scope, name)
        if not out and found is None:
            meta = self.world.classes.metaclass(scope)
            if meta.__class__ is Scope:
                return self.of_instance((INSTANCE, meta), name, sink, place)
            outside = self.world.classes.outside_base(scope)
            if outside is not None:
                return frozenset((f"{outside}.{name}",))
        return limited(out)

    def _super_attribute(self, value: Value, name: str, sink: Sink | None, place: int) -> Values:
        _, after, receiver = value
        start = receiver[1] if receiver[1] is not None else after
        found = self.world.members.find(start, name, after)
        if found is None:
            outside = self.world.classes.outside_base(start)
            return frozenset((f"{outside or 'builtins.object'}.{name}",))
        if receiver[0] == CLS:
            out: Values = NOTHING
            for member in self.world.members.values_of(found, name):
                if member.__class__ is Scope and self.world.decorators.role(member) == "class":
                    out |= frozenset(((BOUND, member, receiver),))
                else:
                    out |= frozenset((member,))
            return out
        return union(
            [self.bound(member, receiver, sink, place) for member in self.world.members.values_of(found, name)]
        )
