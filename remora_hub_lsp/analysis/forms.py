"""The forms of a summary: what a statement does with names, small enough to be kept for every statement.

A summary is what the call graph needs of a statement, as nested lists that JSON can hold. Nothing in it tells where
something stands: what has a place has a number instead, counted from 0 through the statement, and the places are kept
beside it. So a summary changes only when what is written does, not when it moves.

An expression is None (nothing is known of it), a string (a local variable or parameter), or a list that begins with
one of these numbers; `n` is the number of a place:

    NAME name n              ATTR value name n           CALL function arguments keywords n
    ITEM value key n         CONST value                 TYPE builtin               (a literal of that type)
    TUPLE [values]           LIST builtin [values]       DICT [key, value, ...]
    ANY [values]             EACH value n                (what iterating gives; asynchronously: AEACH)
    PART value number stars  (an element of an unpacked value)
    ENTER value n            (what `with value as` binds; asynchronously: AENTER)
    OPERATOR value method n other
    LAMBDA child             NARROW value type negated   STAR value
    AWAIT value              DECLARED annotation     (a value of that type)
    PREFIX text                                      (a string that begins so)

Arguments are a list of expressions; keywords a flat list name, value, ... ("" for **value).
"""

from __future__ import annotations

from typing import Any

(
    NAME, ATTR, CALL, ITEM, CONST, TYPE, TUPLE, LIST, DICT, ANY, EACH, AEACH, PART, ENTER, AENTER, OPERATOR, LAMBDA,
    NARROW, STAR, AWAIT, DECLARED, PREFIX,
) = range(22)  # fmt: skip

Expression = Any
# The places of a segment: line (from the segment's first), start and end column (UTF-16) of each number, flat.
Places = list[int]

# A statement's summary is [class that it is a member of or "", fragment].
# A fragment of a scope, which is also the body of a function or class:
# [binds, effects, stores, items, imports, children, globals, exports]
#   binds    [name, expression, ...] flat: assignments of variables; `name%2` is a later state of `name`
#   effects  expressions whose value is not kept
#   stores   [object, attribute, value] of attribute assignments (value None for `del` and augmented targets)
#   items    [object, key, value] of subscript assignments
#   imports  [name as bound, dotted target, ...] flat; ("*", module) for a star import
#   children functions, classes and lambdas, in source order
#   globals  [names declared global], [names declared nonlocal]
#   exports  names in __all__, or None
BINDS, EFFECTS, STORES, ITEMS, IMPORTS, CHILDREN, GLOBALS, NONLOCALS, EXPORTS = range(9)

# A child: [kind, name, body, decorators, ...]
#   function, lambda: parameters, returns annotation, returned expressions, yielded expressions, flags
#   class: bases, keywords
FUNCTION, CLASS, LAMBDA_KIND = range(3)
KIND, CHILD_NAME, BODY, DECORATORS, PARAMETERS, RETURN_TYPE, RETURNS, YIELDS, FLAGS = range(9)
BASES, CLASS_KEYWORDS = 4, 5
# Parameters: [name, kind, annotation, default] each. The kinds:
POSITIONAL, EITHER, VARARGS, KEYWORD, KWARGS = range(5)
# ABSTRACT: the body does nothing (a docstring, pass, ..., raise NotImplementedError), or it is marked as abstract.
# TRIVIAL: it only gives a name or constant, or raises.
ASYNC, GENERATOR, ABSTRACT, TRIVIAL = 1, 2, 4, 8


def last_name(form: Expression) -> str:
    """The last part of a name or dotted name; "" of all else."""
    if form.__class__ is not list:
        return ""
    return str(form[1]) if form[0] == NAME else str(form[2]) if form[0] == ATTR else ""
