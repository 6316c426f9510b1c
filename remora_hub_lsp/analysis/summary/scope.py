"""A scope while its statements are read: which state each variable has at the place that is read."""

from __future__ import annotations

from typing import Any

from ..forms import ANY, CONST, TYPE, Expression

# None: not known by assignments alone (a definition or import came between): all that the name is bound to.
Env = dict[str, str | None]


class Scope:
    """A scope while its statements are read."""

    __slots__ = (
        "binds", "children", "effects", "env", "exports", "flags", "globals", "imports", "items", "local", "loops",
        "nonlocals", "returns", "stores", "taken", "versions", "yields",
    )  # fmt: skip

    def __init__(self, local: bool) -> None:
        self.local = local  # a function's or lambda's
        self.binds: list[Any] = []
        self.effects: list[Expression] = []
        self.stores: list[Any] = []
        self.items: list[Any] = []
        self.imports: list[str] = []
        self.children: list[Any] = []
        self.globals: list[str] = []
        self.nonlocals: list[str] = []
        self.exports: list[str] | None = None
        self.returns: list[Expression] = []
        self.yields: list[Expression] = []
        self.flags = 0
        self.env: Env = {}  # variable -> its state here; a comprehension's variable -> its own name
        self.versions = 0
        self.taken: set[str] = set()  # the states that there are
        self.loops: list[tuple[list[Env], list[Env]]] = []  # where `break` and `continue` leave from

    def fragment(self) -> list[Any]:
        """As `forms` describes it."""
        return [
            self.binds, self.effects, self.stores, self.items, self.imports, self.children, self.globals,
            self.nonlocals, self.exports,
        ]  # fmt: skip

    def bind(self, name: str, value: Expression, own: bool = False) -> str | None:
        """Note an assignment; gives the variable's new state, None where it is no local variable."""
        if own:
            state = self.fresh(name)
        elif not self.local or name in self.globals or name in self.nonlocals:
            self.binds += (name, value)
            return None
        else:
            state = self.fresh(name) if name in self.env or name in self.taken else name
        self.taken.add(state)
        self.binds += (state, value)
        self.env[name] = state
        return state

    def fresh(self, name: str) -> str:
        """A new state of a variable."""
        self.versions += 1
        return f"{name}%{self.versions}"

    def either(self, name: str, states: set[str | None]) -> str | None:
        """The state that is one of these."""
        if len(states) == 1 or None in states:
            return None if None in states else states.pop()
        state = self.fresh(name)
        self.binds += (state, [ANY, sorted(states)])
        return state

    def join(self, branches: list[Env], before: Env) -> None:
        """Go on with what the branches that end here have in common."""
        if not branches:
            self.env = dict(before)
        elif len(branches) == 1:
            self.env = branches[0]
        else:
            env = {}
            for name in sorted(set().union(*branches)):
                env[name] = self.either(name, {branch[name] for branch in branches if name in branch})
            self.env = env

    def hides(self, name: str) -> None:
        """A definition or import takes a name over: its states from before are gone."""
        if self.local:
            self.env[name] = None

    def keep(self, form: Expression) -> None:
        """Note an expression of which the value is not used."""
        if form.__class__ is list and form[0] not in (CONST, TYPE):
            self.effects.append(form)
