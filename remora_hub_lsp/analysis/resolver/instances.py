"""Attributes of instances of the project's classes -> values."""

from __future__ import annotations

from ..forms import CLASS
from ..program import Scope
from ..values import BOUND, CLS, INSTANCE, NOTHING, PROPERTY, SELF, Value, Values, limited
from .call import Call
from .members import Found
from .part import Part
from .sink import BY_NAME, IMPLICIT, Sink


class Instances(Part):
    def attribute(self, receiver: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What an attribute of an instance is. sink: takes the call of a property."""
        scope = receiver[1]
        if name == "__class__":
            return frozenset(((CLS, scope),))
        if name == "__dict__":
            return NOTHING
        found = self.world.members.find(scope, name)
        stored = self.world.stored.values(scope, name)
        out = self._of_members(found, receiver, name, sink, place) if found is not None else NOTHING
        if stored:
            out |= self.as_seen(stored, receiver)
        if not out and found is None and not stored:
            return self._missing(receiver, name, sink, place)
        return limited(out)

    def _of_members(self, found: Found, receiver: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What the class has, and what subclasses have in its place."""
        out: Values = NOTHING
        members = self.world.members.values_of(found, name)
        for member in members:
            out |= self.bound(member, receiver, sink, place)
        for below in self.world.subclasses.overrides(members, receiver, name):
            for member in self.world.members.values(below[1], name):
                out |= self.bound(member, below, sink, place)
        return out

    def _missing(self, receiver: Value, name: str, sink: Sink | None, place: int) -> Values:
        """What neither the class has nor its methods store."""
        scope = receiver[1]
        if receiver[0] == SELF and (below := self.world.subclasses.attribute(scope, name, sink, place)):
            return below
        for method in ("__getattr__", "__getattribute__"):
            if self.world.members.find(scope, method):
                # Whether there is an attribute after all, set in ways that are not seen, is a guess.
                return self.world.calls.method(receiver, method, [], sink, place, evidence=BY_NAME)
        outside = self.world.classes.outside_base(scope)
        return NOTHING if outside is None else frozenset((f"{outside}.{name}",))

    def bound(self, member: Value, receiver: Value, sink: Sink | None, place: int) -> Values:
        """What a class's member is as an attribute of an instance."""
        cls = member.__class__
        if cls is Scope:
            return frozenset((member,)) if member.kind == CLASS else self._method(member, receiver)
        if cls is tuple:
            if member[0] == PROPERTY:
                return self._property(member[1], receiver, sink, place)
            if member[0] in (INSTANCE, SELF) and self.world.members.find(member[1], "__get__"):
                return self.world.calls.method(member, "__get__", [frozenset((receiver,))], sink, place)
        return frozenset((member,))

    def _method(self, member: Scope, receiver: Value) -> Values:
        role = self.world.decorators.role(member)
        if not role:
            return frozenset(((BOUND, member, receiver),))
        if role == "static":
            return frozenset((member,))
        if role == "class":
            return frozenset(((BOUND, member, (CLS, receiver[1])),))
        return NOTHING  # a setter or deleter

    def _property(self, getter: Value, receiver: Value, sink: Sink | None, place: int) -> Values:
        if getter.__class__ is not Scope or self.world.decorators.role(getter) in ("setter", "deleter"):
            return NOTHING
        return self.world.calls.function(getter, receiver, Call((), sink, place, kind=IMPLICIT))

    def as_seen(self, values: Values, receiver: Value) -> Values:
        """Values that mention `self`, for this receiver."""
        if receiver.__class__ is not tuple or receiver[0] not in (INSTANCE, SELF):
            return values
        return frozenset([receiver if self._is_self(value, receiver[1]) else value for value in values])

    def _is_self(self, value: Value, scope: Scope) -> bool:
        if value.__class__ is not tuple or value[0] != SELF or value[1] is scope:
            return False
        return value[1] in self.world.classes.mro(scope)
