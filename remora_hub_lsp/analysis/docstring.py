"""Docstring -> what it documents, and on which line: Google, NumPy, Sphinx and epytext, also mixed.

The docstrings' own libraries tell no lines, which diagnostics and edits need, and read all styles in turn; this
reads each line once. Lines are those of the cleaned docstring (inspect.cleandoc), 0-based.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple

Style = Literal["google", "numpy", "sphinx", "epytext"]
SectionKind = Literal["parameters", "returns", "yields", "raises", "other"]


class Entry(NamedTuple):
    """One documented thing: parameters, an exception, or what is returned (no names).

    names: without stars. line .. end: its lines, the end excluded. type: as written, empty without.
    text: the description, its lines joined by blanks.header: whether `line` is a line of its own (NumPy).
    """

    names: tuple[str, ...]
    line: int
    end: int
    type: str
    text: str


class Section(NamedTuple):
    """A section, or in the styles with fields one field. line: its title, or the field; indent: of its entries."""

    kind: SectionKind
    style: Style
    title: str
    line: int
    end: int
    indent: str
    entries: tuple[Entry, ...]


class Docstring(NamedTuple):
    """lines: of the cleaned docstring."""

    lines: tuple[str, ...]
    sections: tuple[Section, ...]

    def of(self, kind: SectionKind) -> list[Section]:
        """The sections of a kind."""
        return [section for section in self.sections if section.kind == kind]

    @property
    def parameters(self) -> dict[str, Entry]:
        """Documented parameters: the first entry of each name."""
        found: dict[str, Entry] = {}
        for section in self.sections:
            if section.kind == "parameters":
                for entry in section.entries:
                    for name in entry.names:
                        found.setdefault(name, entry)
        return found

    @property
    def raises(self) -> dict[str, Entry]:
        """Documented exceptions: the first entry of each name."""
        found: dict[str, Entry] = {}
        for section in self.of("raises"):
            for entry in section.entries:
                for name in entry.names:
                    found.setdefault(name, entry)
        return found

    @property
    def prose(self) -> str:
        """All text outside of the sections that were read."""
        inside = {line for section in self.sections if section.kind != "other"
                  for line in range(section.line, section.end)}  # fmt: skip
        return "\n".join(text for number, text in enumerate(self.lines) if number not in inside)


_GOOGLE: dict[str, SectionKind] = {
    **dict.fromkeys(("args", "arguments", "parameters", "params", "parameter", "keyword args", "keyword arguments",
                     "other parameters", "kwargs", "inputs"), "parameters"),
    **dict.fromkeys(("returns", "return"), "returns"),
    **dict.fromkeys(("yields", "yield"), "yields"),
    **dict.fromkeys(("raises", "raise", "exceptions", "except"), "raises"),
    **dict.fromkeys(("attributes", "example", "examples", "note", "notes", "warning", "warnings", "warns", "see also",
                     "references", "todo", "usage", "methods", "references", "receives", "tip", "important"), "other"),
}  # fmt: skip
_NUMPY: dict[str, SectionKind] = {
    **dict.fromkeys(("parameters", "other parameters", "keyword arguments", "keyword parameters", "arguments", "args",
                     "optional parameters"), "parameters"),
    **dict.fromkeys(("returns", "return"), "returns"),
    **dict.fromkeys(("yields", "yield"), "yields"),
    **dict.fromkeys(("raises", "raise"), "raises"),
}  # fmt: skip
_FIELDS: dict[str, SectionKind] = {
    **dict.fromkeys(("param", "parameter", "arg", "argument", "key", "keyword", "kwarg", "kwparam"), "parameters"),
    **dict.fromkeys(("return", "returns", "rtype", "returntype"), "returns"),
    **dict.fromkeys(("yield", "yields", "ytype"), "yields"),
    **dict.fromkeys(("raise", "raises", "except", "exception", "throws"), "raises"),
    "type": "other",
}

_UNDERLINE = re.compile(r"\s*(?:-{3,}|={3,}|~{3,})\s*\Z")
_GOOGLE_TITLE = re.compile(r"(\s*)([A-Za-z][A-Za-z ]*?)\s*:\s*\Z")
_FIELD = re.compile(r"\s*(:|@)([a-z]+)(?:[ \t]+([^:]*?))?:(?:\s+(.*)|\s*)\Z", re.DOTALL)
_GOOGLE_ENTRY = re.compile(
    r"(?:[-*+]\s+)?(`{0,2}(?:\\?\*){0,2}\w[\w.]*`{0,2}(?:\s*,\s*`{0,2}(?:\\?\*){0,2}\w+`{0,2})*)\s*(?:\((.*?)\))?\s*:(?:\s+(.*)|)\Z",
    re.DOTALL,
)
_DASH_ENTRY = re.compile(r"(`*\*{0,2}\w+`*)\s+(?:-{1,2}|–)\s+(.*)\Z", re.DOTALL)
_NUMPY_ENTRY = re.compile(r"([^:]+?)\s*(?::(?!\w+:)\s*(.*))?\Z")
_NAME = re.compile(r"[`\\*]*([A-Za-z_]\w*)[`]*\Z")
_DOTTED = re.compile(r"[`~:!]*(?:\w+:`[~!]?)?([A-Za-z_][\w.]*)`*\Z")
# What starts a remark within a section and is no parameter.
_REMARKS = frozenset(("Note", "Notes", "Example", "Examples", "Warning", "Default", "Defaults", "None", "TODO", "See"))
# Without one of these there is nothing structured to be found.
_MARKS = re.compile(r"^\s*(?:-{3,}|={3,}|~{3,}|[:@][a-z]+[ :]|[A-Z][A-Za-z ]*:\s*$|[a-z]+:\s*$)", re.MULTILINE)


@lru_cache(maxsize=512)
def read(text: str) -> Docstring:
    """What a cleaned docstring documents."""
    lines = tuple(text.split("\n"))
    if _MARKS.search(text) is None:
        return Docstring(lines, ())
    return Docstring(lines, tuple(_Reader(lines).sections()))


# What an entry's first line says: names, type, text. None where it is no entry.
_Head = tuple[tuple[str, ...], str, str]
_HeadReader = Callable[[str], _Head | None]


class _Reader:
    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines

    def sections(self) -> list[Section]:
        found: list[Section] = []
        number = 0
        while number < len(self.lines):
            section = self._section(number)
            if section is None:
                number += 1
            else:
                found.append(section)
                number = max(section.end, number + 1)
        return found

    def _section(self, at: int) -> Section | None:
        line = self.lines[at]
        stripped = line.strip()
        if not stripped:
            return None
        if stripped[0] in ":@" and (field := _FIELD.match(line)):
            return self._field(at, field)
        if at + 1 < len(self.lines) and _UNDERLINE.match(self.lines[at + 1]):
            return self._numpy(at, stripped)
        if stripped[-1] == ":" and (title := _GOOGLE_TITLE.match(line)):
            return self._google(at, title)
        return None

    # ---- sections with a title

    def _numpy(self, at: int, title: str) -> Section:
        kind = _NUMPY.get(title.lower().rstrip(":"), "other")
        start = at + 2
        while start < len(self.lines) and not self.lines[start].strip():
            start += 1
        end = start
        while end < len(self.lines) and not self._is_title(end):
            end += 1
        base = _indent(self.lines[start]) if start < end else _indent(self.lines[at])
        heads = [n for n in range(start, end) if self.lines[n].strip() and len(_indent(self.lines[n])) <= len(base)]
        entries = self._entries(heads, end, lambda text: _numpy_entry(text, kind)) if kind != "other" else ()
        return Section(kind, "numpy", title, at, self._trimmed(end), base, entries)

    def _is_title(self, at: int) -> bool:
        return bool(self.lines[at].strip()) and at + 1 < len(self.lines) and bool(_UNDERLINE.match(self.lines[at + 1]))

    def _google(self, at: int, title: re.Match[str]) -> Section | None:
        kind = _GOOGLE.get(title[2].lower())
        if kind is None:
            return None
        outer = len(title[1])
        start = at + 1
        while start < len(self.lines) and not self.lines[start].strip():
            start += 1
        end = start
        while end < len(self.lines) and (not self.lines[end].strip() or len(_indent(self.lines[end])) > outer):
            end += 1
        if start >= end:  # nothing that is indented: a title all the same, where it has a parameters' name
            return None
        base = _indent(self.lines[start])
        heads = [n for n in range(start, end) if self.lines[n].strip() and len(_indent(self.lines[n])) <= len(base)]
        if kind in ("returns", "yields"):
            heads = heads[:1]
        entries = self._entries(heads, end, lambda text: _google_entry(text, kind)) if kind != "other" else ()
        return Section(kind, "google", title[2], at, self._trimmed(end), base, entries)

    def _entries(self, heads: list[int], end: int, read_head: _HeadReader) -> tuple[Entry, ...]:
        out = []
        for at, stop in zip(heads, [*heads[1:], end], strict=False):  # there may be none
            head = read_head(self.lines[at].strip())
            if head is not None:
                names, type_, first = head
                text = " ".join(part for part in (first, *(line.strip() for line in self.lines[at + 1 : stop])) if part)
                out.append(Entry(names, at, self._trimmed(stop), type_, text))
        return tuple(out)

    # ---- fields

    def _field(self, at: int, field: re.Match[str]) -> Section | None:
        kind = _FIELDS.get(field[2])
        if kind is None:
            return None
        indent = _indent(self.lines[at])
        end = at + 1
        while end < len(self.lines) and self.lines[end].strip() and not self._ends_field(end, indent):
            end += 1
        said, first = (field[3] or "").strip(), field[4] or ""
        names, type_ = _field_names(said, kind)
        text = " ".join(part for part in (first.strip(), *(line.strip() for line in self.lines[at + 1 : end])) if part)
        entry = Entry(names, at, end, type_, text)
        wanted = names or kind in ("returns", "yields")
        style: Style = "sphinx" if field[1] == ":" else "epytext"
        return Section(kind, style, field[2], at, end, indent, (entry,) if wanted else ())

    def _ends_field(self, at: int, indent: str) -> bool:
        line = self.lines[at]
        return len(_indent(line)) <= len(indent) and line.lstrip()[:1] in (":", "@") and bool(_FIELD.match(line))

    def _trimmed(self, end: int) -> int:
        """`end` without the blank lines before it."""
        while end > 0 and not self.lines[end - 1].strip():
            end -= 1
        return end


def _google_entry(text: str, kind: SectionKind) -> _Head | None:
    if kind in ("returns", "yields"):
        type_, colon, rest = text.partition(":")
        return ((), type_.strip(), rest.strip()) if colon and " " not in type_.strip() else ((), "", text)
    found = _GOOGLE_ENTRY.match(text)
    if kind == "raises":
        head, _, rest = text.partition(":")
        names = _names(head, _DOTTED)
        return (names, "", rest.strip()) if names else None
    if found is None:
        return None
    names = _names(found[1], _NAME)
    if not names or names[0] in _REMARKS:
        return None
    return names, (found[2] or "").strip(), (found[3] or "").strip()


def _numpy_entry(text: str, kind: SectionKind) -> _Head | None:
    found = _NUMPY_ENTRY.match(text)
    if kind == "parameters" and (dash := _DASH_ENTRY.match(text)):
        return _names(dash[1], _NAME), "", dash[2].strip()
    if kind in ("returns", "yields"):
        return (), (found[2] or found[1]) if found else text, ""
    if found is None:
        return None
    names = _names(found[1], _DOTTED if kind == "raises" else _NAME)
    return (names, (found[2] or "").strip(), "") if names and names[0] not in _REMARKS else None


def _field_names(said: str, kind: SectionKind) -> tuple[tuple[str, ...], str]:
    """Names and type of what stands between a field's colons: `int name`, `name`, `ValueError, KeyError`."""
    if not said or kind in ("returns", "yields"):
        return (), ""
    if kind == "raises":
        return _names(said, _DOTTED), ""
    type_, _, name = said.rpartition(" ")
    return _names(name, _NAME), type_.strip()


def _names(text: str, form: re.Pattern[str]) -> tuple[str, ...]:
    """The names in a list with commas; none where something else stands in it (`shape1, shape2, ...`)."""
    found = [form.match(part.strip()) for part in text.split(",")]
    return tuple(match[1] for match in found if match) if all(found) else ()


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
