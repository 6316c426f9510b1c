"""Calls of what is not the project's -> what that gives, and what it calls in turn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import known
from ..values import MANAGED, MAPPING, NOTHING, OUTER, PARTIAL, SEQUENCE, Value, Values, union
from .part import Part
from .sink import CALLED, IMPLICIT, INFERRED, Sink


class Outside(Part):
    def call(
        self, name: str, receiver: Value | None, arguments: Sequence[Any], named: Sequence[tuple[str, Values]],
        sink: Sink | None, place: int, evidence: int,
    ) -> Values:  # fmt: skip
        """Calling something outside the project: what it calls in turn, as far as that is known, and what it gives."""
        if sink is not None and not name.startswith("builtins."):
            sink.edge(name, CALLED, evidence, place)
        given = [
            self.world.passed.expand(argument) if argument.__class__ is frozenset else NOTHING for argument in arguments
        ]
        if receiver is not None:
            return self.world.containers.method(name.rpartition(".")[2], receiver, given, named, sink, place)
        head, _, last = name.rpartition(".")
        if head == "builtins":
            return self.world.builtin.call(last, given, named, sink, place)
        if name in known.PARTIALS:
            return frozenset(((PARTIAL, given[0]),)) if given else NOTHING
        if name in ("functools.reduce",) and given:
            self.callback(
                given[0],
                [self.world.iteration.iterated(given[1], sink, place)] * 2 if len(given) > 1 else [],
                sink,
                place,
            )
            return NOTHING
        if name in known.TRANSPARENT or name in ("functools.singledispatch", "functools.update_wrapper"):
            # @wraps(f) and the like: a decorator that gives what it is given.
            if name == "functools.wraps":
                return frozenset(("functools.wraps()",))
            return given[0] if given else frozenset((f"{name}()",))
        if name == "functools.wraps()":
            return given[0] if given else NOTHING
        if name in ("copy.copy", "copy.deepcopy", "asyncio.create_task", "asyncio.ensure_future", "asyncio.run",
                    "asyncio.wait_for", "asyncio.shield", "weakref.proxy"):  # fmt: skip
            return given[0] if given else NOTHING
        if name == "contextlib.closing":
            return frozenset(((MANAGED, given[0]),)) if given else NOTHING
        if name == "contextlib.nullcontext":
            return frozenset(((MANAGED, given[0]),)) if given else NOTHING
        if name == "collections.defaultdict" and given:
            return frozenset(
                ((MAPPING, ((None, union([self.world.calls.result(value, (), (), None, -1) for value in given[0]])),)),)
            )
        if name == "itertools.chain":
            return frozenset(
                (
                    (
                        SEQUENCE,
                        "Iterator",
                        union([self.world.iteration.iterated(values, sink, place) for values in given]),
                    ),
                )
            )
        if name == "threading.Thread":
            for key, values in named:
                if key == "target":
                    self.callback(self.world.passed.expand(values), [], sink, place)
        return frozenset(((OUTER, name),)) if last[:1].isupper() else NOTHING

    def callback(self, functions: Values, arguments: list[Values], sink: Sink | None, place: int) -> Values:
        """What is called by something outside the project."""
        own = [value for value in functions if not isinstance(value, str)]
        return union([self.world.calls.result(value, arguments, (), sink, place, INFERRED, IMPLICIT) for value in own])
