"""What nothing seems to use: definitions that no edge of the graph ends at and no test reaches.

Careful rather than complete: what a framework, a decorator, a base class outside or the interpreter may call counts as
used, and so does what is exported or named by the project's entry points.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from ..analysis.facts import MODULE
from ..analysis.testing import name_of, owner_of
from .graph import bases, number_of
from .keys import node_key, split_key
from .named import kinds
from .rows import FACT_FIELDS
from .selection import catalogue_of
from .setup import setup_of

if TYPE_CHECKING:
    from .view import IndexView, Json

_DECORATORS = FACT_FIELDS.index("decorators")
_NAMES = re.compile(rb'"((?:[^\W\d]\w*\.)*)([^\W\d]\w*)')
# Decorators that hand nothing over to anybody else.
_PLAIN = frozenset({
    "staticmethod", "classmethod", "property", "setter", "getter", "deleter", "cached_property", "abstractmethod",
    "abstractproperty", "overload", "override", "final", "cache", "lru_cache", "wraps", "total_ordering", "dataclass",
    "contextmanager", "asynccontextmanager", "singledispatchmethod", "no_type_check", "deprecated", "unique",
    "runtime_checkable", "define", "frozen", "attrs",
})  # fmt: skip
# Bases outside that call nothing of what is added to them.
_QUIET_BASES = frozenset({
    "object", "Exception", "BaseException", "ValueError", "TypeError", "RuntimeError", "KeyError", "LookupError",
    "OSError",
    "typing.NamedTuple", "typing.Generic", "typing.Protocol", "abc.ABC", "enum.Enum", "enum.IntEnum", "enum.StrEnum",
    "typing.TypedDict", "dict", "list", "tuple", "set", "str", "int",
})  # fmt: skip
# What frameworks look for by name, whoever defines it.
_HOOKS = re.compile(
    r"pytest_\w+|visit_\w+|depart_\w+|generic_visit|do_[A-Z]+|load_tests|setup|main|application|handler|Migration|Meta|urlpatterns"
)


def unused(view: IndexView, public: bool = False, under: str = "") -> list[Json]:
    """protocol.Unused of each, in the order of the files. public: names without leading underscore count as used."""
    candidates = dict(_candidates(view, public, under))
    for key in _used(view, candidates):
        del candidates[key]
    mentioned = _mentions(view)
    found = []
    for (path, qualname), state in view.nodes(split_key(key) for key in candidates).items():
        # Of what is unused as a whole its parts are not told one by one.
        if not _inside_another(path, qualname, candidates):
            found.append({
                "key": state["key"], "kind": state["kind"], "path": path, "range": state["range"],
                "sure": mentioned[name_of(qualname)] == 0,
            })  # fmt: skip
    return sorted(found, key=lambda one: (one["path"], one["range"]["start"]["line"]))


def _candidates(view: IndexView, public: bool, under: str) -> Iterator[tuple[str, str]]:
    """(key, kind) of the definitions that may be unused, by themselves."""
    setup = setup_of(view)
    prefix = under.strip("/")
    for path, qualname, kind, data in view.rows(_NODES, (MODULE,)):
        name = name_of(qualname)
        if prefix and path != prefix and not path.startswith(prefix + "/"):
            continue
        if path.endswith(".pyi") or setup.rules.is_unittest_file(path) or path.rpartition("/")[2] == "conftest.py":
            continue
        if "#" in qualname or (name.startswith("__") and name.endswith("__")) or _HOOKS.fullmatch(name):
            continue
        if public and not any(part.startswith("_") for part in qualname.split(".")):
            continue
        if name not in setup.entries and all(map(_is_plain, orjson.loads(data)[_DECORATORS])):
            yield node_key(path, qualname), kind


_NODES = (
    "SELECT path, qualname, kind, facts FROM nodes JOIN files ON files.id = file"
    " WHERE kind != 'module' AND qualname != ? ORDER BY path, nodes.id"
)


def _is_plain(decorator: str) -> bool:
    return decorator.partition("(")[0].rpartition(".")[2] in _PLAIN


def _used(view: IndexView, candidates: dict[str, str]) -> set[str]:
    """Those that something calls, names, runs before tests, or may call unseen."""
    catalogue = catalogue_of(view)
    used = {key for key in candidates if key in catalogue.by_key or key in catalogue.before}
    by_number = {number_of(key): key for key in candidates}
    for target, path, owner in view.rows(_CALLED, (orjson.dumps(list(by_number)).decode(),)):
        key, caller = by_number[target], node_key(path, owner)
        if caller != key and not caller.startswith(f"{key}."):  # by itself or what is in it is by nobody
            used.add(key)
    for key, kind in candidates.items():
        if key not in used and kind != "class" and owner_of(split_key(key)[1]) and _overrides(view, key):
            used.add(key)
    exported = _exported(view, {split_key(key)[0] for key in candidates})
    used |= {key for key in candidates if split_key(key)[1] in exported.get(split_key(key)[0], ())}
    # A class is used where its members are.
    for key in list(used):
        path, qualname = split_key(key)
        while qualname := owner_of(qualname):
            used.add(node_key(path, qualname))
    return used & candidates.keys()


_CALLED = (
    "SELECT called.target, files.path, edges.owner FROM called JOIN edges ON edges.id = called.caller"
    " JOIN files ON files.id = called.caller >> 40 WHERE called.target IN (SELECT value FROM json_each(?))"
)


def _overrides(view: IndexView, key: str) -> bool:
    """Whether a method takes the place of another one, or may take that of one outside the project."""
    path, qualname = split_key(key)
    name, todo = name_of(qualname), [node_key(path, owner_of(qualname))]
    for one in todo:
        for base in bases(view, one):
            if not base.startswith("node:"):
                if base.removeprefix("builtins.") not in _QUIET_BASES:
                    return True
            elif kinds(view, [f"{base}.{name}"]):
                return True
            elif base not in todo:
                todo.append(base)
    return False


def _exported(view: IndexView, paths: set[str]) -> dict[str, set[str]]:
    """The names in `__all__`, by file."""
    found: dict[str, set[str]] = {}
    for path, data in view.rows(_EXPORTS):
        if path in paths:
            exports = orjson.loads(data)[1][8]
            found.setdefault(path, set()).update(exports or ())
    return found


_EXPORTS = (
    "SELECT path, data FROM summaries JOIN files ON files.id = summaries.id >> 40"
    " WHERE instr(data, CAST('\"__all__\"' AS BLOB))"
)


def _mentions(view: IndexView) -> Counter[str]:
    """How often each name stands in the project's code, its own definitions aside."""
    found: Counter[bytes] = Counter()
    for (data,) in view.rows("SELECT data FROM summaries"):
        found.update(name for _, name in _NAMES.findall(data))
    found.subtract(name.encode() for (name,) in view.rows("SELECT name FROM nodes"))
    return Counter({name.decode("utf-8", "replace"): count for name, count in found.items() if count > 0})


def _inside_another(path: str, qualname: str, unused: dict[str, str]) -> bool:
    while qualname := owner_of(qualname):
        if node_key(path, qualname) in unused:
            return True
    return False
