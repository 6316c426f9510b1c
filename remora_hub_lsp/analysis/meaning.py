"""What other code can see of a name that it rests on (see `program.Rest`), as text: equal texts, equal answers."""

from __future__ import annotations

from typing import Any

from .encoding import encode
from .forms import CLASS, DECORATORS, LAMBDA_KIND, PARAMETERS
from .program import Import, Module, Scope, flags, is_function
from .resolver.fixtures import is_fixture
from .resolver.rests import ALL_NAMES, BELOW
from .resolver.world import World
from .values import PARAMETER, Values


def meanings(world: World, module: Module, name: str) -> dict[str, str]:
    """The meaning of a name of the module, or of `Class.member`; and, as `(function)`, for what the things are passed
    that are passed to functions which it names. Nothing is said of what bodies do but for what they give."""
    teller = _Teller(world)
    owner, _, member = name.partition(".")
    if name == ALL_NAMES:
        return {name: repr(sorted(module.scope.names))}
    if not member:
        found = teller.of_module(module, owner)
    else:
        classes = [value for _, value in module.scope.names.get(owner, ()) if _is_class(value)]
        found = [teller.of_class(scope, member) for scope in classes]
    return {name: repr(found)} | {f"({unique})": repr(parameters) for unique, parameters in teller.parameters.items()}


def _is_class(value: Any) -> bool:
    return value.__class__ is Scope and value.kind == CLASS


class _Teller:
    def __init__(self, world: World) -> None:
        self.world = world
        self.parameters: dict[str, list[Any]] = {}  # of functions, by unique name
        self._mentioned: set[Scope] = set()  # functions in whose terms something is given

    def of_module(self, module: Module, name: str) -> list[Any]:
        """A name of the top level."""
        scope = module.scope
        bindings = scope.names.get(name, ())
        exported = scope.exports is None or name in scope.exports
        parts: list[Any] = [_kinds(bindings), exported, self._plain(self.world.names.variable(scope, name))]
        if name == "<lambda>":
            parts += self._lambdas(scope)
        parts += [self._definition(value) for _, value in bindings if value.__class__ is Scope]
        return parts

    def of_class(self, scope: Scope, name: str) -> list[Any]:
        """A member of a class, and what its methods store by that name."""
        if name == ALL_NAMES:
            return sorted(scope.names)
        if name[0] == "?":  # see PRESENCE
            return [name[1:] in scope.names, name[1:] in self.world.stored.stores(scope)]
        if name == "<lambda>":
            return self._lambdas(scope)
        if name == BELOW:
            return sorted(below.key for below in self.world.subclasses.below(scope))
        world = self.world
        bindings = scope.names.get(name, ())
        parts: list[Any] = [_kinds(bindings), self._plain(world.members.values(scope, name)) if bindings else None]
        if name in world.stored.stores(scope):
            parts.append(self._plain(world.stored.values(scope, name)))
        parts += [self._definition(value) for _, value in bindings if value.__class__ is Scope]
        return parts

    def _definition(self, scope: Scope) -> list[Any]:
        if not is_function(scope):
            return self._class(scope)
        world, summary = self.world, scope.summary
        found = [
            scope.unique, flags(scope), world.decorators.role(scope), is_fixture(scope),
            self._plain(world.decorators.decorated(scope)), len(summary[DECORATORS]),
            self._plain(world.returns.values(scope)), self._inside(scope),
        ]  # fmt: skip
        parameters = [(name, kind, default is not None) for name, kind, _, default in summary[PARAMETERS]]
        self.parameters[scope.unique] = parameters
        # For what a call gives, parameters count only where that is told in terms of them.
        return [*found, parameters] if scope in self._mentioned else found

    def _class(self, scope: Scope) -> list[Any]:
        world = self.world
        bases = [base.key if base.__class__ is Scope else base for base in world.classes.mro(scope)]
        meta = world.classes.metaclass(scope)
        found: list[Any] = [
            scope.unique, bases, meta.key if meta.__class__ is Scope else meta, len(scope.summary[DECORATORS]),
            self._plain(world.decorators.decorated(scope)),
        ]  # fmt: skip
        if scope.rest[1] != scope.qualname:  # its members are not rested on one by one
            names = sorted({*scope.names, *world.stored.stores(scope)})
            found += [(name, self.of_class(scope, name)) for name in names]
            found += self._lambdas(scope)
        return found

    def _lambdas(self, scope: Scope) -> list[Any]:
        inside = [child for fragment in scope.fragments for child in fragment.children if child.kind == LAMBDA_KIND]
        return [self._definition(child) for child in inside]

    def _inside(self, scope: Scope) -> list[Any]:
        return [self._definition(child) for child in scope.children]

    def _plain(self, values: Values) -> list[str]:
        self._mention(values)
        return sorted(repr(encode(value) if encode(value) is not None else value[:2]) for value in values)

    def _mention(self, value: Any) -> None:
        if value.__class__ in (tuple, frozenset):
            if value.__class__ is tuple and value and value[0] == PARAMETER:
                self._mentioned.add(value[1])
            for part in value:
                self._mention(part)


def _kinds(bindings: Any) -> list[str]:
    return [value.__class__.__name__ if value.__class__ in (Scope, Import) else "" for _, value in bindings]
