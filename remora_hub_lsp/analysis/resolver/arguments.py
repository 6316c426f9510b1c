"""Arguments of a call -> the parameters that they are for."""

from __future__ import annotations

from ..forms import KWARGS, PARAMETERS, VARARGS
from ..program import Scope
from ..values import (
    CLS,
    INSTANCE,
    MAPPING,
    NOTHING,
    PARAMETER,
    SELF,
    SEQUENCE,
    Value,
    Values,
    limited,
    shallow,
    union,
)  # fmt: skip
from .call import Call
from .contents import mapping
from .part import Part
from .sink import Sink


class Arguments(Part):
    def note(self, function: Scope, receiver: Value | None, call: Call, sink: Sink) -> None:
        """Note what is passed, as the call is written: what parameters that is for, the function's own file tells."""
        for at, open_ended, values in call.positions(0 if receiver is None else 1):
            if values:
                sink.flow(function, f"{at}*" if open_ended else str(at), values)
        for name, values in call.named:
            if name:
                sink.flow(function, name, values)
            else:
                for key, inner in self._items(values):
                    if key.isidentifier():
                        sink.flow(function, key, inner)

    def _items(self, values: Values) -> list[tuple[str, Values]]:
        """What is known to be passed by `**values`."""
        mappings = [one for one in self.world.passed.expand(values) if one.__class__ is tuple and one[0] == MAPPING]
        return [(key, inner) for value in mappings for key, inner in value[1] if key.__class__ is str]

    def substitute(self, values: Values, function: Scope, receiver: Value | None, call: Call) -> Values:
        """A function's values for this call: parameters by arguments, `self` by the receiver."""
        out: set[Value] = set()
        passed: dict[int, Values] | None = None
        owner = function.class_around()
        for value in values:
            if value.__class__ is tuple:
                if value[0] == PARAMETER and value[1] is function:
                    if passed is None:
                        passed = self._by_parameter(function, receiver, call)
                    out |= passed.get(value[2], NOTHING)
                    continue
                if value[0] in (SELF, CLS) and value[1] is owner and receiver.__class__ is tuple:
                    value = _received(value, receiver)
            out.add(value)
        return limited(frozenset(out))

    def _by_parameter(self, function: Scope, receiver: Value | None, call: Call) -> dict[int, Values]:
        """The values for each parameter's number; those of *args and **kwargs as containers."""
        parameters = function.summary[PARAMETERS]
        last = next((i for i, parameter in enumerate(parameters) if parameter[1] >= VARARGS), len(parameters))
        out: dict[int, Values] = {}
        more: list[Values] = []
        for at, open_ended, values in call.positions(0 if receiver is None else 1):
            for number in range(at, last if open_ended else min(at + 1, last)):
                out[number] = out.get(number, NOTHING) | values
            if at >= last or (open_ended and values):
                more.append(values)
        if more and last < len(parameters) and parameters[last][1] == VARARGS:
            out[last] = frozenset(((SEQUENCE, "tuple", union(more)),))
        self._add_named(out, function, call)
        return out

    def _add_named(self, out: dict[int, Values], function: Scope, call: Call) -> None:
        extra: dict[str, Values] = {}
        own, parameters = function.parameters, function.summary[PARAMETERS]
        found: list[tuple[int, Values]] = []
        for name, values in call.named:
            if name in own:
                found.append((own[name], values))
            elif name:
                extra[name] = values
            else:
                found += [(own[key], inner) for key, inner in self._items(values) if key in own]
        if extra and parameters and parameters[-1][1] == KWARGS:
            found.append((len(parameters) - 1, shallow(frozenset((mapping(extra),)))))
        for number, values in found:
            out[number] = out.get(number, NOTHING) | values


def _received(value: Value, receiver: Value) -> Value:
    """What `self` or `cls` is for a receiver."""
    owner = value[1]
    if value[0] == CLS:
        return receiver if receiver[0] == CLS else value
    if receiver[0] in (INSTANCE, SELF):
        return receiver
    if receiver[0] == CLS:
        return (SELF, receiver[1]) if receiver[1] is not owner else (INSTANCE, owner)
    return value
