"""Calls as they are written -> what they give."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from ..forms import ATTR, CLASS, FUNCTION, NAME, STAR, Expression
from ..program import Module, Scope
from ..values import BEGINS, CLS, CONSTANT, FIXED, INSTANCE, NOTHING, SELF, SUPER, Value, Values, union
from .call import Call, Named
from .part import Part
from .rests import ALL_NAMES
from .sink import BY_NAME, CALLED, EXACT, INFERRED, Sink

_BY_NAME = frozenset(("getattr", "setattr", "hasattr"))
# Methods of which the first parameter is the class.
_GET_CLASS = frozenset(("__new__", "__init_subclass__"))
# Names that begin with less than that are not looked for.
_SHORTEST_BEGINNING = 3


class CallForms(Part):
    def evaluate(self, form: list[Any], scope: Scope, sink: Sink | None) -> Values:
        """What a call gives."""
        function = form[1]
        if function.__class__ is list and function[0] == NAME:
            if (special := self._special(function[1], form, scope, sink)) is not None:
                return special
            values = self.world.names.evaluate(function, scope, None)
        elif function.__class__ is list and function[0] == ATTR:
            values = self._attribute(function, form[4], scope, sink)
        else:
            values = self.world.value(function, scope, sink)
        arguments, named = self._arguments(form, scope, sink)
        if not values:
            return NOTHING
        evidence = EXACT if sink is not None and self.world.exactness.is_exact(function, scope) else INFERRED
        call = Call(arguments, sink, form[4], named, CALLED, evidence)
        return self.world.calls.results(self.world.passed.expand(values), call)

    def _attribute(self, function: list[Any], place: int, scope: Scope, sink: Sink | None) -> Values:
        receivers = self.world.expanded(function[1], scope, sink)
        if sink is not None and not receivers:
            sink.edge(f".{function[2]}", CALLED, BY_NAME, place)
        return self.world.attributes.of_all(receivers, function[2], sink, function[3])

    def _arguments(self, form: list[Any], scope: Scope, sink: Sink | None) -> tuple[list[Any], Named]:
        value = self.world.value
        arguments = [
            self._starred(one, scope, sink) if one.__class__ is list and one[0] == STAR else value(one, scope, sink)
            for one in form[2]
        ]  # fmt: skip
        keywords = form[3]
        return arguments, [(keywords[i], value(keywords[i + 1], scope, sink)) for i in range(0, len(keywords), 2)]

    def _starred(self, form: list[Any], scope: Scope, sink: Sink | None) -> list[Any]:
        """See `Call`."""
        values = self.world.expanded(form[1], scope, sink)
        known = [value[2] for value in values if value.__class__ is tuple and value[0] == FIXED]
        if known:
            return [union(parts) for parts in zip_longest(*known, fillvalue=NOTHING)]
        return [self.world.iteration.iterated(values, sink, -1), None]

    def _special(self, name: str, form: list[Any], scope: Scope, sink: Sink | None) -> Values | None:
        """Calls that are not of a function by that name: super(), and what takes names as strings."""
        if (name != "super" and name not in _BY_NAME) or self.world.names.lookup(name, scope) != f"builtins.{name}":
            return None
        if name == "super":
            return self._super_of(form[2], scope) if form[2] else self._super(scope)
        receivers = self.world.expanded(form[2][0], scope, sink) if form[2] else NOTHING
        more = [self.world.value(argument, scope, sink) for argument in form[2][1:]]
        if name != "getattr" or not more:
            return NOTHING
        return union([*self._named(receivers, self.world.passed.expand(more[0]), sink, form[4]), *more[1:2]])

    def _super(self, scope: Scope) -> Values:
        """super()"""
        at: Scope | None = scope
        while at is not None and (owner := at.class_around()) is None:
            at = at.parent
        if at is None or at.kind != FUNCTION:
            return NOTHING
        of_class = at.name in _GET_CLASS or self.world.decorators.role(at) == "class"
        return frozenset(((SUPER, owner, (CLS if of_class else SELF, owner)),))

    def _super_of(self, arguments: list[Expression], scope: Scope) -> Values:
        """super(class, object)"""
        classes = [
            one for one in self.world.value(arguments[0], scope, None) if one.__class__ is Scope and one.kind == CLASS
        ]
        receivers = self.world.value(arguments[1], scope, None) if len(arguments) > 1 else NOTHING
        known = [one for one in receivers if one.__class__ is tuple and one[0] in (SELF, INSTANCE, CLS)]
        return frozenset((SUPER, one, receiver) for one in classes for receiver in known)

    def _named(self, receivers: Values, names: Values, sink: Sink | None, place: int) -> list[Values]:
        """What getattr gives for each of the names."""
        texts = [one[1] for one in names if one.__class__ is tuple and one[0] == CONSTANT and one[1].__class__ is str]
        found = [self.world.attributes.values(one, text, sink, place) for one in receivers for text in texts]
        beginnings = [one[1] for one in names if one.__class__ is tuple and one[0] == BEGINS]
        return found + [self._beginning(one, text, sink, place) for one in receivers for text in beginnings]

    def _beginning(self, receiver: Value, text: str, sink: Sink | None, place: int) -> Values:
        """All attributes whose name begins so, those of subclasses, too."""
        if receiver.__class__ is Module:
            self.rests.on_name(receiver, ALL_NAMES)
            names = [name for name in receiver.scope.names if name.startswith(text)]
            return union([self.world.imports.member(receiver, name) for name in names])
        if receiver.__class__ is not tuple or receiver[0] not in (INSTANCE, SELF) or len(text) < _SHORTEST_BEGINNING:
            return NOTHING
        found = []
        for seen, one in self._seen(receiver):
            self.rests.into.add(one.member_rest(ALL_NAMES))
            names = [name for name in one.names if name.startswith(text)]
            found += [self.world.attributes.values(seen, name, sink, place) for name in names]
        return union(found)

    def _seen(self, receiver: Value) -> list[tuple[Value, Scope]]:
        """The classes that an instance may have attributes of, and as what it is seen there."""
        scope = receiver[1]
        above = [(receiver, one) for one in self.world.classes.mro(scope) if one.__class__ is Scope]
        return above + [((SELF, below), below) for below in self.world.subclasses.below(scope)]
