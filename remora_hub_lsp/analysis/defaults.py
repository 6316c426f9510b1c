"""What a docstring says a default is, and whether that is the default that the signature has."""

from __future__ import annotations

import ast
import re

from .docstring import Entry

_VALUE = r"(`+[^`]+`+|'[^']*'|\"[^\"]*\"|\(\)|\[\]|\{\}|[-+]?[\w.]+(?:\([^()]*\))?)"
_STATEMENTS = (
    re.compile(rf"\bdefaults?\b(?:\s+(?:value|is|are|to|of|being))*\s*[:=]?\s*(?:to\s+)?{_VALUE}", re.IGNORECASE),
    re.compile(rf"{_VALUE}\s*,?\s*\(?(?:by|is the|as the) default\b", re.IGNORECASE),
    re.compile(rf"{_VALUE}\s*\(default\)", re.IGNORECASE),
    re.compile(rf"\bdefault \w+ is {_VALUE}", re.IGNORECASE),
)
_CHOICE = re.compile(r"\{(?:(?:int|float|str|bool)\s*,)?\s*([^,{}]+?)\s*(?:,[^{}]*)?\}")
_OPTIONAL = re.compile(
    r"\b(?:optional\w*|defaults?|None|if (?:not )?(?:given|specified|provided|set))\b", re.IGNORECASE
)
_SENTINEL = re.compile(
    r"(?:\w+\.)*_?(?:[A-Z][A-Z0-9_]{2,}|NoValue|NoDefault|no_default|_?missing|_?unset|_?sentinel)\Z"
)


def stated_defaults(entry: Entry) -> list[str]:
    """The values that a parameter's entry calls its default, as written."""
    text = f"{entry.type}. {entry.text}"
    stated = [found[1] for form in _STATEMENTS for found in form.finditer(text)]
    choice = _CHOICE.match(entry.type)  # numpydoc: the default stands first
    return [*stated, choice[1]] if choice else stated


def says_optional(entry: Entry) -> bool:
    """Whether an entry says that its parameter can be left out."""
    return _OPTIONAL.search(f"{entry.type} {entry.text}") is not None or _CHOICE.match(entry.type) is not None


def statements(text: str) -> list[tuple[int, int]]:
    """Where in the text those values stand, without the full stop of a sentence."""
    spans = (found.span(1) for form in _STATEMENTS for found in form.finditer(text))
    return [(start, start + len(text[start:end].rstrip("."))) for start, end in spans]


def same_value(written: str, default: str) -> bool:
    """Whether a docstring's words for a value mean the default of a signature."""
    return _normal(written) == _normal(default)


def is_sentinel(default: str) -> bool:
    """Whether a default only says that nothing was given."""
    return default in ("...", "object()") or _SENTINEL.match(default) is not None


def _normal(text: str) -> str:
    text = text.strip().strip("`").strip().rstrip(".,;:")
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text.rpartition(".")[2].lower()
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(float(value))
    return value.strip().lower() if isinstance(value, str) else repr(value)
