"""What a docstring says of parameters in its prose, that is outside of entries of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Docstrings that are filled in by a decorator or by formatting.
_TEMPLATE = re.compile(r"%\(\w+\)s|%s|(?<![\w{}\\$^_])\{(?:[a-z]\w{2,})?\}(?![}:,\]])")
_DOCTEST = ">>>"
# What tells of the past.
_CHANGES = re.compile(r"(\s*)\.\. (?:versionchanged|versionadded|deprecated|deprecated-removed)::")
_BYGONE = re.compile(
    r"\b(?:deprecat\w*|removed|replace[sd]?|renamed|no longer|instead|previous\w*|obsolete)\b", re.IGNORECASE
)


def mentions(text: str, name: str) -> bool:
    """Whether the name stands in the text as a word, and could be meant."""
    return re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) is not None


def line_that_names(docstring: str, name: str) -> int | None:
    """The first line (0-based) that names a parameter as one that is there, so that nothing else can be meant: marked
    up, or a word that is none. Examples do not count.
    """
    word = re.escape(name)
    form = rf"(?<![`*])(?:`{{1,2}}|\*){word}(?:`{{1,2}}|\*)(?![`*])"
    if "_" in name.strip("_") or any(c.isdigit() for c in name):
        form += rf"|(?<![\w.\"'`]){word}(?![\w.\"'`(])"
    clear = re.compile(form)
    for number, line in _present(docstring):
        if clear.search(line) and not _BYGONE.search(line):
            return number
    return None


def is_template(docstring: str) -> bool:
    """Whether there is something to fill in; a doctest's line has formats of its own."""
    return any(_TEMPLATE.search(line) for _, line in _present(docstring))


def _present(docstring: str) -> Iterator[tuple[int, str]]:
    """The lines that tell how things are: no doctests with their output, and nothing of how they came to be so."""
    changes: int | None = None  # indent of the directive that we are in
    example = False
    for number, line in enumerate(docstring.split("\n")):
        indent = len(line) - len(line.lstrip())
        if changes is not None and line.strip() and indent <= changes:
            changes = None
        if found := _CHANGES.match(line):
            changes = len(found[1])
        example = line.lstrip().startswith(_DOCTEST) or (example and bool(line.strip()))
        if changes is None and not example:
            yield number, line
