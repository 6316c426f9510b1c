"""Calls as they are written -> what they give."""

from __future__ import annotations

from typing import Any

from ..forms import ATTR, CLASS, FUNCTION, NAME, STAR
from ..program import Module, Scope
from ..values import BEGINS, CLS, CONSTANT, FIXED, INSTANCE, NOTHING, SELF, SUPER, Value, Values, union
from .part import Part
from .rests import ALL_NAMES
from .sink import BY_NAME, CALLED, EXACT, INFERRED, Sink


class CallForms(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        function = form[1]
        place = form[4]
        if function.__class__ is list and function[0] == NAME:
            special = self._special(function[1], form, scope, sink)
            if special is not None:
                return special
            values = self.world.names.evaluate(function, scope, None)
        elif function.__class__ is list and function[0] == ATTR:
            receivers = self.world.expanded(function[1], scope, sink)
            if len(receivers) == 1:
                (value,) = receivers
                values = self.world.attributes.values(value, function[2], sink, function[3])
            else:
                values = union(
                    [self.world.attributes.values(value, function[2], sink, function[3]) for value in receivers]
                )
            if sink is not None and not receivers:
                sink.edge(f".{function[2]}", CALLED, BY_NAME, place)
        else:
            values = self.world.value(function, scope, sink)
        evaluate = self.world.value
        arguments = [
            self._starred_argument(one, scope, sink) if one.__class__ is list and one[0] == STAR
            else evaluate(one, scope, sink)
            for one in form[2]
        ]  # fmt: skip
        keywords = form[3]
        named = [(keywords[i], evaluate(keywords[i + 1], scope, sink)) for i in range(0, len(keywords), 2)]
        if not values:
            return NOTHING
        evidence = EXACT if sink is not None and self.world.exactness.is_exact(function, scope) else INFERRED
        values = self.world.passed.expand(values)
        if len(values) == 1:
            (value,) = values
            return self.world.calls.result(value, arguments, named, sink, place, evidence)
        return union([self.world.calls.result(value, arguments, named, sink, place, evidence) for value in values])

    def _starred_argument(self, form: list[Any], scope: Scope, sink: Sink | None) -> list[Any]:
        values = self.world.expanded(form[1], scope, sink)
        for value in values:
            if value.__class__ is tuple and value[0] == FIXED:
                return list(value[2])
        return [self.world.iteration.iterated(values, sink, -1), None]

    def _special(self, name: str, form: list[Any], scope: Scope, sink: Sink | None) -> Values | None:
        """Calls that are not of a function by that name: super(), and what takes names as strings."""
        if name == "super" and self.world.names.lookup(name, scope) == "builtins.super":
            return self._super(form, scope)
        if name in ("getattr", "setattr", "hasattr") and self.world.names.lookup(name, scope) == f"builtins.{name}":
            receivers = self.world.expanded(form[2][0], scope, sink) if form[2] else NOTHING
            rest = [self.world.value(argument, scope, sink) for argument in form[2][1:]]
            if name == "getattr" and rest:
                names = [
                    value[1]
                    for value in self.world.passed.expand(rest[0])
                    if value.__class__ is tuple and value[0] == CONSTANT
                ]
                found = [self.world.attributes.values(value, one, sink, form[4]) for value in receivers for one in names
                         if one.__class__ is str]  # fmt: skip
                begins = [
                    value[1]
                    for value in self.world.passed.expand(rest[0])
                    if value.__class__ is tuple and value[0] == BEGINS
                ]
                found += [self._beginning(value, text, sink, form[4]) for value in receivers for text in begins]
                return union(found + rest[1:2])
            return NOTHING
        return None

    def _beginning(self, receiver: Value, text: str, sink: Sink | None, place: int) -> Values:
        """All attributes whose name begins so, those of subclasses, too."""
        if receiver.__class__ is Module:
            self.rests.into.add((receiver.path, ALL_NAMES))
            return union(
                [self.world.imports.member(receiver, name) for name in receiver.scope.names if name.startswith(text)]
            )
        if receiver.__class__ is not tuple or receiver[0] not in (INSTANCE, SELF) or len(text) < 3:
            return NOTHING
        found = []
        above = [(receiver, one) for one in self.world.classes.mro(receiver[1]) if one.__class__ is Scope]
        for seen, one in (*above, *(((SELF, below), below) for below in self.world.subclasses.below(receiver[1]))):
            self.rests.into.add(one.member_rest(ALL_NAMES))
            found += [
                self.world.attributes.values(seen, name, sink, place) for name in one.names if name.startswith(text)
            ]
        return union(found)

    def _super(self, form: list[Any], scope: Scope) -> Values:
        at: Scope | None = scope
        if form[2]:
            classes = [
                value
                for value in self.world.value(form[2][0], scope, None)
                if value.__class__ is Scope and value.kind == CLASS
            ]
            receivers = self.world.value(form[2][1], scope, None) if len(form[2]) > 1 else NOTHING
            return frozenset((SUPER, one, receiver) for one in classes for receiver in receivers
                      if receiver.__class__ is tuple and receiver[0] in (SELF, INSTANCE, CLS))  # fmt: skip
        while at is not None and at.class_around() is None:
            at = at.parent
        if at is None or at.kind != FUNCTION:
            return NOTHING
        owner = at.class_around()
        assert owner is not None
        kind = CLS if self.world.decorators.role(at) == "class" or at.name in ("__new__", "__init_subclass__") else SELF
        return frozenset(((SUPER, owner, (kind, owner)),))
