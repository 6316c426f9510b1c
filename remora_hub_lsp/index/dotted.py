"""`pkg.mod.Class.method` -> where that is defined, as Python would find it: re-exports and bases included."""

from __future__ import annotations

from collections.abc import Iterator

from ..analysis.facts import MODULE
from ..analysis.testing import bases_of
from .view import IndexView

Parts = tuple[str, ...]
Name = tuple[str, str]
"""Path and qualname."""

# What follows a module's name in its file's.
_SUFFIXES = (".py", "/__init__.py", ".pyi", "/__init__.pyi")
# Where a project's packages lie.
_ROOTS = ("", "src/")
# So many names are looked at for one: circles of imports may make ever longer ones.
_MOST = 300


def locate(view: IndexView, parts: Parts) -> Name | None:
    """(path, qualname) of a dotted name: the longest module that exists and defines the rest, or the longest one that
    exists, where it imports the rest or inherits it; from the root or `src` on if there is one, else anywhere, for
    which all paths have to be looked at. Where nothing defines it, the module that should; None where there is none."""
    search = _Search(view)
    if found := search.find(parts):
        return found
    fallback: Name | None = None
    for suffix, qualname in _modules(parts):
        for path in view.paths(suffix):
            search.roots = path.removesuffix(suffix), *_ROOTS
            if found := search.in_module(path, qualname):
                return found
            fallback = fallback or (path, qualname)
    return fallback


def module_paths(parts: Parts) -> Iterator[str]:
    """Files that may define a dotted name, by the usual layouts: the longest module first."""
    for suffix, _ in _modules(parts):
        yield from (root + suffix for root in _ROOTS)


def _modules(parts: Parts) -> Iterator[Name]:
    """What may be the module's path, with the rest of the name: the longest first."""
    for length in range(len(parts), 0, -1):
        stem, qualname = "/".join(parts[:length]), ".".join(parts[length:]) or MODULE
        yield from ((stem + suffix, qualname) for suffix in _SUFFIXES)


class _Search:
    """One search for a name. Each name is looked for once, and so a circle of imports ends."""

    def __init__(self, view: IndexView) -> None:
        self._view = view
        self._seen: set[Parts | Name] = set()
        self.roots: Parts = _ROOTS

    def find(self, parts: Parts) -> Name | None:
        """What a dotted name stands for, from one of the roots."""
        if not self._is_new(parts):
            return None
        modules = [
            (root + suffix, qualname)
            for suffix, qualname in _modules(parts)
            for root in self.roots
            if self._view.file(root + suffix) is not None
        ]
        for path, qualname in modules:
            if qualname == MODULE or self._view.has(path, qualname):
                return path, qualname
        return self.in_module(*modules[0]) if modules else None  # the longest

    def in_module(self, path: str, qualname: str) -> Name | None:
        """What a name in the scope of a module stands for."""
        if not self._is_new((path, qualname)):
            return None
        if qualname == MODULE or self._view.has(path, qualname):
            return path, qualname
        return self._imported(path, qualname) or self._inherited(path, qualname)

    def _is_new(self, name: Parts | Name) -> bool:
        new = name not in self._seen and len(self._seen) < _MOST
        self._seen.add(name)
        return new

    def _imported(self, path: str, qualname: str) -> Name | None:
        """What it has from another module."""
        first, *rest = qualname.split(".")
        for name, target in reversed(self._view.bindings(path)):  # the last import counts
            found = None
            if name == first:
                found = self.find((*target.split("."), *rest))
            elif name == "*" and (module := self._module(target)) is not None:
                found = self.in_module(module, qualname)
            if found is not None:
                return found
        return None

    def _module(self, dotted: str) -> str | None:
        stem = dotted.replace(".", "/")
        paths = (root + stem + suffix for suffix in _SUFFIXES for root in self.roots)
        return next((path for path in paths if self._view.file(path) is not None), None)

    def _inherited(self, path: str, qualname: str) -> Name | None:
        """What one of its classes has from a base, depth first."""
        owner, _, member = qualname.rpartition(".")
        if not owner:
            return None
        state = self._view.nodes([(path, owner)], joined=False).get((path, owner))
        bases = bases_of(state["signature"]) if state and state["kind"] == "class" else ()
        found = (self.in_module(path, f"{base}.{member}") for base in bases)
        return next(filter(None, found), None)
