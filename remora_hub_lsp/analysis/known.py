"""What is known of the standard library, as far as calls go through it to the project's own functions."""

from __future__ import annotations

import builtins
import sys

BUILTINS = frozenset(dir(builtins))
STANDARD_LIBRARY = sys.stdlib_module_names

# Calling one of these calls a method of its first argument: implicitly.
METHOD_OF_FIRST = {
    "len": "__len__", "str": "__str__", "repr": "__repr__", "bytes": "__bytes__", "int": "__int__",
    "float": "__float__", "complex": "__complex__", "bool": "__bool__", "abs": "__abs__", "hash": "__hash__",
    "round": "__round__", "format": "__format__", "dir": "__dir__", "reversed": "__reversed__", "divmod": "__divmod__",
    "next": "__next__", "iter": "__iter__", "print": "__str__", "pow": "__pow__", "aiter": "__aiter__",
    "anext": "__anext__",
}  # fmt: skip
# Their result is what that method gives.
GIVES_RESULT = frozenset(("abs", "round", "divmod", "pow", "aiter", "anext"))
# These iterate over their first argument; what they give iterates over the same.
ITERATE = frozenset((
    "list", "tuple", "set", "frozenset", "sorted", "iter", "reversed", "enumerate", "sum", "min", "max", "any", "all",
    "zip", "filter", "map", "dict",
))  # fmt: skip
CONTAINERS = {
    "list": "list", "tuple": "tuple", "set": "set", "frozenset": "frozenset", "sorted": "list", "reversed": "list",
    "iter": "Iterator",
}  # fmt: skip

# Decorators that leave what they decorate callable as it was.
TRANSPARENT = frozenset((
    "functools.wraps", "functools.lru_cache", "functools.cache", "functools.total_ordering", "abc.abstractmethod",
    "typing.overload", "typing.final", "typing.override", "typing.no_type_check", "typing.runtime_checkable",
    "types.coroutine", "contextlib.contextmanager", "contextlib.asynccontextmanager", "functools.singledispatch",
    "functools.update_wrapper",
))  # fmt: skip
# These give their first argument, or what it gives.
GIVE_FIRST = frozenset((
    "copy.copy", "copy.deepcopy", "asyncio.create_task", "asyncio.ensure_future", "asyncio.run", "asyncio.wait_for",
    "asyncio.shield", "weakref.proxy",
))  # fmt: skip
# Context managers that give their first argument.
MANAGED = frozenset(("contextlib.closing", "contextlib.nullcontext"))
STATIC = frozenset(("builtins.staticmethod", "abc.abstractstaticmethod"))
CLASS_METHOD = frozenset(("builtins.classmethod", "abc.abstractclassmethod"))
PROPERTIES = frozenset((
    "builtins.property", "functools.cached_property", "abc.abstractproperty", "types.DynamicClassAttribute",
    "enum.property",
))  # fmt: skip
# By the last part of the name: libraries and projects have many of their own.
PROPERTY_NAMES = frozenset(("cached_property", "property", "lazy_property", "reify", "hybrid_property"))
MANAGERS = frozenset(("contextlib.contextmanager", "contextlib.asynccontextmanager"))
PARTIALS = frozenset(("functools.partial", "functools.partialmethod"))
DATACLASSES = frozenset(
    ("dataclasses.dataclass", "attr.s", "attr.define", "attrs.define", "attr.dataclass", "attrs.frozen")
)

# Annotations that stand for what is in their brackets.
OPTIONAL = frozenset(("Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Awaitable",
                      "Coroutine", "Union", "Self", "InitVar"))  # fmt: skip
ITERABLES = frozenset((
    "list", "List", "set", "Set", "frozenset", "FrozenSet", "Iterable", "Iterator", "Sequence", "MutableSequence",
    "Collection", "AbstractSet", "MutableSet", "deque", "Deque", "Generator", "AsyncIterator", "AsyncIterable",
    "AsyncGenerator", "KeysView", "ValuesView", "Container", "Reversible",
))  # fmt: skip
MAPPINGS = frozenset((
    "dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "Counter", "ChainMap",
    "ItemsView",
))  # fmt: skip
TYPES = frozenset(("type", "Type"))
MANAGER_TYPES = frozenset(("ContextManager", "AsyncContextManager", "AbstractContextManager",
                           "AbstractAsyncContextManager"))  # fmt: skip
# What an instance of these does not have is nothing of the project's.
