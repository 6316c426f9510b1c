"""Dotted names and imports -> modules and what is in them."""

from __future__ import annotations

from ..program import Import, Module
from ..values import NAMESPACE, NOTHING, Values
from .call import Call
from .part import Part


class Imports(Part):
    def dotted(self, dotted: str, importer: Module) -> Values:
        """What an absolute dotted name is: a module, or something in one."""
        head, _, last = dotted.rpartition(".")
        around = self.world.program.find(head, importer.path) if head else None
        package = self.world.program.module(around) if around else None
        if package is not None and (last in package.scope.names or self.starred(package, last)):
            values = self.member(package, last)
            # In `from . import name` of the package itself the name is the module below.
            if values or importer is not package:
                return values
        path = self.world.program.find(dotted, importer.path)
        if path is not None:
            return self.module_value(path, dotted)
        if around:
            return self.member(package, last) if package is not None else NOTHING
        self.rests.on_absent(dotted)
        if around is None and head:
            return self._outside(dotted, importer)
        return NOTHING if head else frozenset((dotted,))

    def member(self, module: Module, name: str) -> Values:
        """What a module has by that name: a variable, or a module below it."""
        scope = module.scope
        if name in scope.names or self.starred(module, name):
            return self.world.names.variable(scope, name)
        self.rests.on_name(module, name)
        if module.is_package:
            dotted = ".".join((*module.package, name))
            path = self.world.program.find(dotted, module.path)
            if path is not None:
                return self.module_value(path, dotted)
        if "__getattr__" in scope.names:
            functions = self.world.names.variable(scope, "__getattr__")
            return self.world.calls.results(functions, Call((), None, -1))
        return NOTHING

    def starred(self, module: Module, name: str) -> bool:
        """Whether a star import of the module brings the name."""
        stars = module.scope.stars
        return bool(stars) and bool(self.ask(("starred", module.scope, name), self._is_starred, module, name))

    def _is_starred(self, module: Module, name: str) -> Values:
        """Something if it does."""
        for star in module.scope.stars:
            target = self.resolve(star, module)
            if isinstance(target, Module) and target is not module and self.exports(target, name):
                return frozenset((1,))
        return NOTHING

    def exports(self, module: Module, name: str) -> bool:
        """Whether `from module import *` brings the name."""
        self.rests.on_name(module, name)
        scope = module.scope
        if scope.exports is not None:
            return name in scope.exports
        return not name.startswith("_") and (name in scope.names or self.starred(module, name))

    def resolve(self, target: str, module: Module) -> Module | str | None:
        """A dotted module name as `module` imports it."""
        dotted = _absolute(target, module)
        path = self.world.program.find(dotted, module.path)
        if not path:
            self.rests.on_absent(dotted)
        if path is None:
            return dotted or None
        return self.world.program.module(path) if path else None

    def module_value(self, path: str, dotted: str) -> Values:
        """A module as a value. path: its file; "" for a folder without an `__init__`."""
        if not path:
            self.rests.on_absent(dotted)  # a folder may become a package
            return frozenset(((NAMESPACE, dotted),))
        module = self.world.program.module(path)
        return frozenset((module,)) if module is not None else NOTHING

    def imported(self, binding: Import, module: Module) -> Values:
        """What an import binds."""
        dotted = _absolute(binding.target, module)
        if binding.whole:
            dotted = dotted.partition(".")[0]
        return self.dotted(dotted, module)

    def _outside(self, dotted: str, importer: Module) -> Values:
        """A name whose module is not the project's, unless something above it is."""
        parts = dotted.split(".")
        for length in range(len(parts) - 2, 0, -1):
            path = self.world.program.find(".".join(parts[:length]), importer.path)
            if path:
                module = self.world.program.module(path)
                values = frozenset((module,)) if module is not None else NOTHING
                for name in parts[length:]:
                    values = self.world.attributes.of_all(values, name, None, -1)
                return values
        return frozenset((dotted,))


def _absolute(target: str, module: Module) -> str:
    if target[:1] != ".":
        return target
    rest = target.lstrip(".")
    level = len(target) - len(rest) - 1
    package = module.package
    kept = package[: len(package) - level] if level <= len(package) else ()
    return ".".join((*kept, rest) if rest else kept)
