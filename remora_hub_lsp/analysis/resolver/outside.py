"""Calls of what is not the project's -> what they give, and what they call in turn, as far as that is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import known
from ..values import MANAGED, MAPPING, NOTHING, OUTER, PARTIAL, Value, Values, union
from .call import Call
from .contents import sequence
from .part import Part
from .sink import CALLED, IMPLICIT

_WRAPS = "functools.wraps"


class Outside(Part):
    def call(self, name: str, receiver: Value | None, call: Call) -> Values:
        """What calling that gives. receiver: of a method of a container."""
        if call.sink is not None and not name.startswith("builtins."):
            call.sink.edge(name, CALLED, call.evidence, call.place)
        expand = self.world.passed.expand
        given = [expand(argument) if argument.__class__ is frozenset else NOTHING for argument in call.arguments]
        head, _, last = name.rpartition(".")
        if receiver is not None:
            return self.world.containers.method(last, receiver, given, call)
        if head == "builtins":
            return self.world.builtin.call(last, given, call)
        result = _RESULTS.get(name)
        if result is not None:
            return result(self, name, given, call)
        return frozenset(((OUTER, name),)) if last[:1].isupper() else NOTHING

    def callback(self, functions: Values, arguments: Sequence[Values], call: Call) -> Values:
        """What functions give that it calls."""
        own = [value for value in functions if value.__class__ is not str]
        calling = Call(arguments, call.sink, call.place, kind=IMPLICIT)
        return union([self.world.calls.result(value, calling) for value in own])

    def call_keyword(self, keyword: str, arguments: Sequence[Values], call: Call) -> None:
        """It calls what is passed by that keyword."""
        for name, values in call.named:
            if name == keyword:
                self.callback(self.world.passed.expand(values), arguments, call)

    def _first(self, name: str, given: list[Values], call: Call) -> Values:
        return given[0] if given else NOTHING

    def _decorator(self, name: str, given: list[Values], call: Call) -> Values:
        """A decorator that gives what it is given, or what gives such a decorator."""
        return given[0] if given else frozenset((f"{name}()",))

    def _wraps(self, name: str, given: list[Values], call: Call) -> Values:
        return frozenset((f"{_WRAPS}()",))

    def _partial(self, name: str, given: list[Values], call: Call) -> Values:
        return frozenset(((PARTIAL, given[0]),)) if given else NOTHING

    def _managed(self, name: str, given: list[Values], call: Call) -> Values:
        return frozenset(((MANAGED, given[0]),)) if given else NOTHING

    def _reduce(self, name: str, given: list[Values], call: Call) -> Values:
        if given:
            over = [self.world.iteration.iterated(given[1], call.sink, call.place)] * 2 if len(given) > 1 else []
            self.callback(given[0], over, call)
        return NOTHING

    def _default_dict(self, name: str, given: list[Values], call: Call) -> Values:
        if not given:
            return NOTHING
        unseen = Call((), None, -1)
        made = union([self.world.calls.result(value, unseen) for value in given[0]])
        return frozenset(((MAPPING, ((None, made),)),))

    def _chain(self, name: str, given: list[Values], call: Call) -> Values:
        iterated = self.world.iteration.iterated
        return sequence("Iterator", union([iterated(values, call.sink, call.place) for values in given]))

    def _thread(self, name: str, given: list[Values], call: Call) -> Values:
        self.call_keyword("target", [], call)
        return frozenset(((OUTER, name),))


_RESULTS: dict[str, Callable[[Outside, str, list[Values], Call], Values]] = {
    **dict.fromkeys(known.GIVE_FIRST, Outside._first),
    **dict.fromkeys(known.TRANSPARENT, Outside._decorator),
    **dict.fromkeys(known.PARTIALS, Outside._partial),
    **dict.fromkeys(known.MANAGED, Outside._managed),
    _WRAPS: Outside._wraps,
    f"{_WRAPS}()": Outside._first,
    "functools.reduce": Outside._reduce,
    "collections.defaultdict": Outside._default_dict,
    "itertools.chain": Outside._chain,
    "threading.Thread": Outside._thread,
}
