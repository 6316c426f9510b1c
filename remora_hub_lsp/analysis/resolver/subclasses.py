"""Classes -> those below them, and what these have that they have not."""

from __future__ import annotations

from typing import Any

from ..forms import ABSTRACT, FUNCTION, TRIVIAL
from ..program import SUBCLASSES, Rest, Scope, flags
from ..values import NOTHING, PROPERTY, SELF, Value, Values, union
from .part import Part
from .rests import BELOW, absent
from .sink import Sink


class Subclasses(Part):
    def below(self, scope: Scope) -> tuple[Scope, ...]:
        """All classes below a class, as far as the program has them."""
        self.rests.into.add(scope.member_rest(BELOW))
        return self.ask(("subclasses", scope), self._find_subclasses, scope) or ()

    def _find_subclasses(self, scope: Scope) -> tuple[Scope, ...]:
        found: dict[Scope, None] = {}
        todo = [scope]
        while todo:
            for below in sorted(self.world.passed.values(todo.pop(), SUBCLASSES), key=lambda one: one.key):
                if below not in found and below is not scope:
                    self.rests.into.add(below.rest)
                    found[below] = None
                    todo.append(below)
        return tuple(found)

    def overrides(self, members: Values, receiver: Value, name: str) -> list[Value]:
        """Receivers of the subclasses that define a method anew which a class leaves to them."""
        open_ = ABSTRACT | TRIVIAL if receiver[0] == SELF else ABSTRACT
        for member in members:
            function = member[1] if member.__class__ is tuple and member[0] == PROPERTY else member
            if function.__class__ is not Scope or function.kind != FUNCTION or not flags(function) & open_:
                return []
        return [(SELF, below) for below in self._overriding(receiver[1], name)] if members else []

    def _overriding(self, scope: Scope, name: str) -> tuple[Scope, ...]:
        """The subclasses that bind a name in their own body."""
        return self.world.members.look("overriding", self._find_overriding, scope, name) or ()

    def _find_overriding(self, scope: Scope, name: str) -> tuple[Any, tuple[Rest, ...]]:
        found = tuple([below for below in self.below(scope) if name in below.names])
        rests = [scope.member_rest(BELOW), absent(scope, name, BELOW), *(below.member_rest(name) for below in found)]
        return found, self.world.members.looked_up(scope, name, rests)

    def attribute(self, scope: Scope, name: str, sink: Sink | None, place: int) -> Values:
        """What `self.name` is where only subclasses have it, as with mixins."""
        found = []
        instances = self.world.instances
        for below, members, stored in self.world.members.look("below", self._find_below, scope, name) or ():
            receiver = (SELF, below)
            found += [instances.bound(member, receiver, sink, place) for member in members]
            found.append(instances.as_seen(stored, receiver))
        return union(found)

    def _find_below(self, scope: Scope, name: str) -> tuple[Any, tuple[Rest, ...]]:
        out = []
        rests = [scope.member_rest(BELOW), absent(scope, name, BELOW)]
        subclasses = self.below(scope)
        for below in subclasses if subclasses and name in self._names_below(scope) else ():
            held = self.world.members.find(below, name)
            members = self.world.members.values_of(held, name) if held is not None else NOTHING
            stored = self.world.stored.values(below, name)
            if members or stored:
                out.append((below, members, stored))
                rests += [below.member_rest(name), *((held[0].member_rest(name),) if held is not None else ())]
        return tuple(out), self.world.members.looked_up(scope, name, rests)

    def _names_below(self, scope: Scope) -> Values:
        """All names that subclasses have as attributes, theirs or inherited."""
        return self.ask(("names below", scope), self._find_names_below, scope)

    def _find_names_below(self, scope: Scope) -> Values:
        self.world.memory.flows(("names below", scope))  # what rests on names is noted by name
        mros = [self.world.classes.mro(below) for below in self.below(scope)]
        classes = {one for mro in mros for one in mro if one.__class__ is Scope}
        return NOTHING.union(*(one.names.keys() | self.world.stored.stores(one).keys() for one in classes))
