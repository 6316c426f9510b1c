"""Arguments -> parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..forms import KWARGS, PARAMETERS, VARARGS
from ..program import Scope
from ..values import CLS, INSTANCE, MAPPING, NOTHING, PARAMETER, SELF, SEQUENCE, Value, Values, limited, shallow, union
from .contents import mapping
from .part import Part
from .sink import Sink


class Arguments(Part):
    def note(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]], sink: Sink,
    ) -> None:  # fmt: skip
        """Note what is passed, as the call is written: what parameters that is for, the function's own file tells."""
        at = 0 if receiver is None else 1
        for argument in arguments:
            if argument.__class__ is list:  # a starred argument
                if argument and argument[-1] is None:
                    for values in argument[:-1]:
                        sink.flow(function, f"{at}*", values)
                    continue
                for values in argument:
                    sink.flow(function, str(at), values)
                    at += 1
                continue
            sink.flow(function, str(at), argument)
            at += 1
        for name, values in named:
            if name:
                sink.flow(function, name, values)
                continue
            for value in self.world.passed.expand(values):
                if value.__class__ is tuple and value[0] == MAPPING:
                    for key, inner in value[1]:
                        if key.__class__ is str and key.isidentifier():
                            sink.flow(function, key, inner)

    def _by_parameter(
        self, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]],
    ) -> list[tuple[int, Values]]:  # fmt: skip
        """The values for each parameter's number; those of *args and **kwargs as containers."""
        parameters = function.summary[PARAMETERS]
        out: list[tuple[int, Values]] = []
        at = 0 if receiver is None else 1
        rest: list[Values] = []
        last = next((i for i, parameter in enumerate(parameters) if parameter[1] >= VARARGS), len(parameters))
        for argument in arguments:
            if argument.__class__ is list:  # a starred argument
                open_ended = bool(argument) and argument[-1] is None
                for values in argument[:-1] if open_ended else argument:
                    for number in range(at, last) if open_ended else ([at] if at < last else []):
                        out.append((number, values))
                    if at >= last:
                        rest.append(values)
                    at += 0 if open_ended else 1
                if open_ended:
                    rest += [values for values in argument[:-1] if values]
                continue
            if at < last:
                out.append((at, argument))
            else:
                rest.append(argument)
            at += 1
        if rest and last < len(parameters) and parameters[last][1] == VARARGS:
            out.append((last, frozenset(((SEQUENCE, "tuple", union(rest)),))))
        extra: dict[Any, Values] = {}
        for name, values in named:
            at_name = function.parameters.get(name) if name else None
            if at_name is not None:
                out.append((at_name, values))
            elif name:
                extra[name] = values
            else:
                for value in self.world.passed.expand(values):
                    if value.__class__ is tuple and value[0] == MAPPING:
                        for key, inner in value[1]:
                            if key in function.parameters:
                                out.append((function.parameters[key], inner))
        if extra and parameters and parameters[-1][1] == KWARGS:
            out.append((len(parameters) - 1, shallow(frozenset((mapping(extra),)))))
        return out

    def substitute(
        self, values: Values, function: Scope, receiver: Value | None, arguments: Sequence[Any],
        named: Sequence[tuple[str, Values]],
    ) -> Values:  # fmt: skip
        """A function's values for this call: parameters by arguments, `self` by the receiver."""
        out: set[Value] = set()
        passed: dict[int, Values] | None = None
        owner = function.class_around()
        for value in values:
            if value.__class__ is tuple:
                if value[0] == PARAMETER and value[1] is function:
                    if passed is None:
                        passed = {}
                        for number, given in self._by_parameter(function, receiver, arguments, named):
                            passed[number] = passed.get(number, NOTHING) | given
                    out |= passed.get(value[2], NOTHING)
                    continue
                if value[0] == SELF and receiver is not None and value[1] is owner:
                    if receiver.__class__ is tuple and receiver[0] in (INSTANCE, SELF):
                        value = receiver
                    elif receiver.__class__ is tuple and receiver[0] == CLS:
                        value = (SELF, receiver[1]) if receiver[1] is not owner else (INSTANCE, owner)
                elif value[0] == CLS and value[1] is owner and receiver.__class__ is tuple and receiver[0] == CLS:
                    value = receiver
            out.add(value)
        return limited(frozenset(out))
