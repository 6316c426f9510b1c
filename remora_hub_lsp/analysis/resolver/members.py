"""Names of a class -> where its hierarchy binds them, and their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..program import Binding, Rest, Scope
from ..values import NOTHING, Values, union
from .part import Part
from .rests import absent

# The class whose body binds a name, and what it binds it to.
Found = tuple[Scope, list[Binding]]


class Members(Part):
    def find(self, scope: Scope, name: str, after: Scope | None = None) -> Found | None:
        """Where the hierarchy binds a name in a class body; `after`: only behind that class, as super() looks."""
        found: Found | None = self.look("find", self._find, scope, name, after)
        return found

    def look(self, kind: str, compute: Callable[..., Any], scope: Scope, name: str, *more: Any) -> Any:
        """What a name is in a class, in one of several ways; None where that asks itself."""
        key = (kind, scope, name, *more)
        found = self.memo.get(key)
        rests = self.rests
        if found is not None:
            looked = rests.looked
            if looked is not None:
                if key in looked:  # what it rests on is noted
                    return found[0]
                looked.add(key)
        else:
            found = self.ask(key, compute, scope, name, *more) or (None, (scope.rest,))
        rests.into.update(found[1])
        return found[0]

    def _find(self, scope: Scope, name: str, after: Scope | None) -> tuple[Any, tuple[Rest, ...]]:
        """What is found, and what that rests on."""
        order = self.world.classes.mro(scope)
        if after is not None:
            order = order[order.index(after) + 1 :] if after in order else ()
        rests: list[Rest] = [scope.rest]
        found = None
        for number, one in enumerate(order):
            if one.__class__ is Scope and (bindings := one.names.get(name)):
                found = one, bindings
                rests += [one.member_rest(name), *(() if number == 0 else (absent(scope, name),))]
                break
        else:
            rests.append(absent(scope, name))
        return found, self.looked_up(scope, name, rests)

    def looked_up(self, scope: Scope, name: str, rests: list[Rest]) -> tuple[Rest, ...]:
        """Note that a name was looked up in a class, and that what came of it rests on these."""
        found = tuple(rests)
        self.rests.link(scope.member_rest(name), found)
        return found

    def values(self, scope: Scope, name: str, after: Scope | None = None) -> Values:
        """The values that a class body binds a name to, unbound."""
        found = self.find(scope, name, after)
        return NOTHING if found is None else self.values_of(found, name)

    def _member(self, found: Found) -> Values:
        return union(self.world.names.bound(value, part) for part, value in found[1])

    def values_of(self, found: Found, name: str) -> Values:
        """The values that are bound there, unbound."""
        key = ("member", found[0], name)
        known: Values | None = self.memo.get(key)
        return known if known is not None else self.ask(key, self._member, found)
