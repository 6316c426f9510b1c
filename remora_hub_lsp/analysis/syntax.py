"""Text -> syntax tree, for one thread at a time, and without a word about what Python would warn of.

In Python 3.11, when the garbage collector runs a finalizer amid the making of a tree and another thread makes one
meanwhile, one of the two fails with `SystemError: AST constructor recursion depth mismatch`: they share a counter.
The filters of warnings are one for all threads, too. The interpreter's lock lets only one thread go on anyway.
"""

from __future__ import annotations

import ast
import threading
import warnings

UNPARSEABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python says of text that it cannot parse: wrong, not text (NUL, halves of characters), or nested too deeply."""

_MAKING = threading.Lock()


def module(source: str | bytes, name: str = "<unknown>") -> ast.Module:
    """As ast.parse; raises what is UNPARSEABLE."""
    with _MAKING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, name)


def expression(source: str) -> ast.expr:
    """Of a text that is one expression; raises what is UNPARSEABLE."""
    with _MAKING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source, mode="eval").body
