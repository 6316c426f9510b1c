"""What other code can see of a name of a module's top level, as text: equal texts, equal answers elsewhere."""

from __future__ import annotations

from typing import Any

from .edges import encode
from .forms import DECORATORS, PARAMETERS
from .program import Import, Module, Scope, flags, is_function
from .resolver import World
from .values import Values


def meaning(world: World, module: Module, name: str) -> str:
    """The meaning of a name of the module; it says nothing of what function bodies do but for what they give."""
    scope = module.scope
    bindings = scope.names.get(name, ())
    kinds = [value.__class__.__name__ if value.__class__ in (Scope, Import) else "" for _, value in bindings]
    parts: list[Any] = [kinds, scope.exports is None or name in scope.exports, _plain(world.variable(scope, name))]
    parts += [_definition(world, value) for _, value in bindings if value.__class__ is Scope]
    return repr(parts)


def _plain(values: Values) -> list[str]:
    return sorted(repr(encode(value) if encode(value) is not None else value[:2]) for value in values)


def _definition(world: World, scope: Scope) -> list[Any]:
    if is_function(scope):
        parameters = [(name, kind, default is not None) for name, kind, _, default in scope.summary[PARAMETERS]]
        return [
            scope.unique, flags(scope), world.role(scope), parameters, _plain(world.decorated(scope)),
            len(scope.summary[DECORATORS]), _plain(world.returned(scope)), _inside(world, scope),
        ]  # fmt: skip
    bases = [base.key if base.__class__ is Scope else base for base in world.mro(scope)]
    meta = world.metaclass(scope)
    members = [
        (name, [value.__class__ is Scope for _, value in bindings], _plain(world.members(scope, name)))
        for name, bindings in sorted(scope.names.items())
    ]
    stored = [(name, _plain(world.instance_values(scope, name))) for name in sorted(world.stored(scope))]
    inside = [_inside(world, fragment) for fragment in scope.fragments]
    return [scope.unique, bases, meta.key if meta.__class__ is Scope else meta, members, stored, inside]


def _inside(world: World, scope: Scope) -> list[Any]:
    return [_definition(world, child) for child in scope.children]
