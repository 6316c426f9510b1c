"""Values that are called -> what that gives, and the edges and arguments of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..forms import CLASS, FUNCTION
from ..program import Scope
from ..values import BOUND, CLS, INSTANCE, NOTHING, OUTER, PARTIAL, SELF, Value, Values, limited, union
from .call import Call, Named
from .part import Part
from .sink import CALLED, IMPLICIT, INFERRED, Sink


class Calls(Part):
    def result(self, value: Value, call: Call) -> Values:
        """What calling a value gives."""
        cls = value.__class__
        if cls is Scope:
            if value.kind == CLASS:
                return self._instantiate(value, (INSTANCE, value), call)
            return self.function(value, None, call)
        if cls is str:
            return self.world.outside.call(value, None, call)
        if cls is tuple:
            if value[0] == BOUND and value[1].__class__ is Scope:
                return self.function(value[1], value[2], call)
            return self._of_tuple(value, call)
        return NOTHING

    def results(self, values: Values, call: Call) -> Values:
        """What calling any of these gives."""
        if len(values) == 1:
            (value,) = values
            return self.result(value, call)
        return union([self.result(value, call) for value in values])

    def _of_tuple(self, value: Value, call: Call) -> Values:
        kind = value[0]
        if kind == BOUND:
            return self.world.outside.call(value[1], value[2], call)
        if kind == CLS:
            return self._instantiate(value[1], (SELF, value[1]), call.inferred())
        if kind in (INSTANCE, SELF):
            return self.method(value, "__call__", call.arguments, call.sink, call.place, call.named)
        if kind == PARTIAL:
            return self.results(self.world.passed.expand(value[1]), call.inferred())
        if kind == OUTER:
            call.inferred().edge(f"{value[1]}.__call__")
        return NOTHING

    def method(
        self, receiver: Value, name: str, arguments: Sequence[Any], sink: Sink | None, place: int, named: Named = (),
        kind: int = IMPLICIT, evidence: int = INFERRED,
    ) -> Values:  # fmt: skip
        """Call a special method of an instance, as the interpreter does."""
        found = self.world.members.find(receiver[1], name)
        if found is None:
            return NOTHING
        call = Call(arguments, sink, place, named, kind, evidence)
        out = []
        for member in self.world.members.values_of(found, name):
            for bound in self.world.instances.bound(member, receiver, None, place):
                out.append(self.result(bound, call))
        return union(out)

    def function(self, function: Scope, receiver: Value | None, call: Call) -> Values:
        """What calling a function of the project gives; receiver: its first argument, if it is bound."""
        if call.sink is not None:
            call.sink.edge(function, call.kind, call.evidence, call.place)
            self.world.arguments.note(function, receiver, call, call.sink)
        values = self.world.returns.values(function)
        return self.world.arguments.substitute(values, function, receiver, call) if values else values

    def _instantiate(self, scope: Scope, made: Value, call: Call) -> Values:
        """What calling a class gives, and which of its methods that calls. made: its instance."""
        call.edge(scope)
        self.rests.into.add(scope.rest)
        given: Values = frozenset((made,))
        by_metaclass = self._by_metaclass(scope, call)
        if call.sink is not None:
            self._construct(scope, made, call)
        if by_metaclass is not None:
            return given | by_metaclass
        if self.world.members.find(scope, "__new__") is None:
            return given
        return limited(given | self._by_new(scope))

    def _by_metaclass(self, scope: Scope, call: Call) -> Values | None:
        """What the metaclass makes of a call; None where it leaves that to `type`."""
        meta = self.world.classes.metaclass(scope)
        if not isinstance(meta, Scope) or self.world.members.find(meta, "__call__") is None:
            return None
        receiver = (INSTANCE, meta)
        return self.method(receiver, "__call__", call.arguments, call.sink, call.place, call.named, CALLED)

    def _by_new(self, scope: Scope) -> Values:
        out: set[Value] = set()
        for member in self.world.members.values(scope, "__new__"):
            if member.__class__ is Scope and member.kind == FUNCTION:
                found = self.world.returns.values(member)
                out |= {value for value in found if value.__class__ is tuple and value[0] == INSTANCE}
        return frozenset(out)

    def _construct(self, scope: Scope, made: Value, call: Call) -> None:
        for name, first in (("__new__", (CLS, scope)), ("__init__", made)):
            for member in self.world.members.values(scope, name):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    self.function(member, first, call)
        if self.world.members.find(scope, "__init__") is None:
            self.method(made, "__post_init__", [], call.sink, call.place)
            outside = self.world.classes.outside_base(scope)
            if outside is not None:
                call.edge(outside)
