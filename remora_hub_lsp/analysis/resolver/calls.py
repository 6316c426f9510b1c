"""Values that are called -> what that gives, and the edges and arguments of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..forms import CLASS, FUNCTION
from ..program import Module, Scope
from ..values import BOUND, CLS, INSTANCE, NOTHING, OUTER, PARTIAL, SELF, Value, Values, limited, union
from .part import Part
from .sink import CALLED, IMPLICIT, INFERRED, Sink


class Calls(Part):
    def result(
        self, value: Value, arguments: Sequence[Any], named: Sequence[tuple[str, Values]], sink: Sink | None,
        place: int, evidence: int = INFERRED, kind: int = CALLED,
    ) -> Values:  # fmt: skip
        """What calling a value gives."""
        cls = value.__class__
        if cls is Scope:
            if value.kind == CLASS:
                return self.instantiate(value, value, arguments, named, sink, place, evidence, kind)
            return self.function(value, None, arguments, named, sink, place, kind, evidence)
        if cls is str:
            return self.world.outside.call(value, None, arguments, named, sink, place, evidence)
        if cls is Module:
            return NOTHING
        tag = value[0]
        if tag == BOUND:
            if value[1].__class__ is Scope:
                return self.function(value[1], value[2], arguments, named, sink, place, kind, evidence)
            return self.world.outside.call(value[1], value[2], arguments, named, sink, place, evidence)
        if tag == CLS:
            return self.instantiate(value[1], value, arguments, named, sink, place, INFERRED, kind)
        if tag in (INSTANCE, SELF):
            return self.method(value, "__call__", arguments, sink, place, named)
        if tag == PARTIAL:
            return union(
                [
                    self.result(inner, arguments, named, sink, place, INFERRED, kind)
                    for inner in self.world.passed.expand(value[1])
                ]
            )
        if tag == OUTER and sink is not None:
            sink.edge(f"{value[1]}.__call__", kind, INFERRED, place)
        return NOTHING

    def method(
        self, receiver: Value, name: str, arguments: Sequence[Any], sink: Sink | None, place: int,
        named: Sequence[tuple[str, Values]] = (), kind: int = IMPLICIT, evidence: int = INFERRED,
    ) -> Values:  # fmt: skip
        """Call a special method of an instance, as the interpreter does."""
        found = self.world.members.find(receiver[1], name)
        if found is None:
            return NOTHING
        out = []
        for member in self.world.members.values_of(found, name):
            for bound in self.world.attributes.bound(member, receiver, None, place):
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
        self.rests.into.add(scope.rest)
        meta = self.world.classes.metaclass(scope)
        if meta.__class__ is Scope and self.world.members.find(meta, "__call__"):
            given = self.method((INSTANCE, meta), "__call__", arguments, sink, place, named, CALLED)
            if sink is not None:
                self._construct(scope, made, arguments, named, sink, place, evidence, kind)
            return given | frozenset((made,))
        if sink is not None:
            self._construct(scope, made, arguments, named, sink, place, evidence, kind)
        if self.world.members.find(scope, "__new__") is not None:
            out = {made}
            for member in self.world.members.values(scope, "__new__"):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    out |= {
                        value
                        for value in self.world.returns.values(member)
                        if value.__class__ is tuple and value[0] == INSTANCE
                    }
            return limited(frozenset(out))
        return frozenset((made,))

    def _construct(
        self, scope: Scope, made: Value, arguments: Sequence[Any], named: Sequence[tuple[str, Values]], sink: Sink,
        place: int, evidence: int, kind: int,
    ) -> None:  # fmt: skip
        for name in ("__new__", "__init__"):
            found = self.world.members.find(scope, name)
            if found is None:
                continue
            for member in self.world.members.values_of(found, name):
                if member.__class__ is Scope and member.kind == FUNCTION:
                    first = made if name == "__init__" else (CLS, scope)
                    self.function(member, first, arguments, named, sink, place, kind, evidence)
        if self.world.members.find(scope, "__init__") is None:
            if self.world.members.find(scope, "__post_init__") is not None:
                self.method(made, "__post_init__", [], sink, place)
            outside = self.world.classes.outside_base(scope)
            if outside is not None:
                sink.edge(outside, kind, evidence, place)

    def function(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int, kind: int = CALLED, evidence: int = INFERRED,
    ) -> Values:  # fmt: skip
        """What calling a function of the project gives; receiver: its first argument, if it is bound."""
        if sink is not None:
            sink.edge(function, kind, evidence, place)
            self.world.arguments.note(function, receiver, arguments, named, sink)
        values = self.world.returns.values(function)
        if not values:
            return values
        return self.world.arguments.substitute(values, function, receiver, arguments, named)
