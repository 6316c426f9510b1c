"""Reasons -> docstrings that fit again: entries added, removed or renamed, defaults corrected, in their own style.

All work on the lines of one definition (decorators included) and give new lines; nothing but the docstring differs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .defaults import same_value, statements
from .docstring import Docstring, Entry, Section, read
from .drift import Reason
from .places import Definition, DocstringPlace, locate
from .text import split_lines

TODO = "TODO: describe."
Lines = list[str]


def fixed(lines: Sequence[str], reason: Reason, *, remove: bool = False) -> Lines | None:
    """The definition without the reason; None where that cannot be done.

    remove: take the entry out, also where it could be renamed.
    """
    fix = _begin(lines)
    found = _fixed(fix, reason, remove) if fix is not None else None
    return split_lines("".join(found)) if found is not None else None


def _fixed(fix: _Fix, reason: Reason, remove: bool) -> Lines | None:
    match reason.code:
        case "parameter-renamed" | "unknown-parameter" if reason.new and not remove and reason.parameter:
            return fix.rename(reason.parameter, reason.new)
        case "parameter-removed" | "parameter-renamed" | "unknown-parameter" if reason.parameter:
            return fix.remove(reason.parameter)
        case "parameter-added" if reason.parameter:
            return fix.add(reason.parameter)
        case "default-changed" if reason.parameter and reason.old and reason.new:
            return fix.default(reason.parameter, reason.old, reason.new)
    return None


def _begin(lines: Sequence[str]) -> _Fix | None:
    definition = locate(lines)
    if definition is None or definition.docstring is None or len(definition.docstring.quotes) != 3:
        return None
    return _Fix(lines, definition, definition.docstring)


class _Fix:
    def __init__(self, lines: Sequence[str], definition: Definition, place: DocstringPlace) -> None:
        self.lines = list(lines)
        self.definition = definition
        self.place = place
        self.doc: Docstring = read(place.text)
        first = lines[0]
        self.eol = first[len(first.rstrip("\r\n")) :] or "\n"

    # ---- entries

    def rename(self, old: str, new: str) -> Lines | None:
        """The entries of `old` are those of `new`."""
        found = [(section, entry) for section, entry in self._entries() if old in entry.names]
        if not found:
            return None
        for section, entry in found:
            self._replace_name(section, entry, old, new)
        return self.lines

    def _replace_name(self, section: Section, entry: Entry, old: str, new: str) -> None:
        line = self._line(entry.line)
        text = self.lines[line]
        places = list(re.finditer(rf"(?<!\w){re.escape(old)}(?!\w)", text))
        if section.style in ("sphinx", "epytext"):  # the type stands before the name
            stop = text.find(":", text.index(section.title) + len(section.title))
            places = [place for place in places if place.start() < stop][-1:]
        if places:
            start, end = places[0].span()
            self.lines[line] = text[:start] + new + text[end:]

    def remove(self, name: str) -> Lines | None:
        """No entry of `name` any more; sections and lists of names shrink with it."""
        found = [(section, entry) for section, entry in self._entries() if name in entry.names]
        if not found:
            return None
        section, entry = found[-1]
        if len(entry.names) > 1:
            self._drop_name(entry, name)
        elif len(section.entries) == 1:
            self._cut(section.line, section.end)
        else:
            self._cut(entry.line, entry.end)
        again = _begin(self.lines) if len(found) > 1 else None
        return again.remove(name) if again else self.lines

    def _drop_name(self, entry: Entry, name: str) -> None:
        line = self._line(entry.line)
        word = rf"[`*\\]*(?<!\w){re.escape(name)}(?!\w)`*"
        for form in (rf"{word}\s*,\s*", rf"\s*,\s*{word}"):
            text, count = re.subn(form, "", self.lines[line], count=1)
            if count:
                self.lines[line] = text
                return

    def _cut(self, first: int, end: int) -> None:
        """Take out the docstring's lines, and what stands blank before them if they end it or a blank line follows."""
        lines = self.doc.lines
        stop = self._content_end(self._line(end - 1))
        follows_blank = end >= len(lines) or not lines[end].strip()
        while first > 0 and follows_blank and not lines[first - 1].strip():
            first -= 1
        if first > 0:
            start = (self._line(first - 1), self._content_end(self._line(first - 1)))
        else:
            start = (self.place.first, self.place.start) if self.place.lead == self.place.first else (
                self.place.lead - 1, self._content_end(self.place.lead - 1))  # fmt: skip
        last = self._line(end - 1)
        self.lines[start[0] : last + 1] = [self.lines[start[0]][: start[1]] + self.lines[last][stop:]]

    def add(self, name: str) -> Lines | None:
        """An entry for `name`, behind that of the parameter before it."""
        sections = [section for section in self.doc.of("parameters") if section.entries]
        if not sections or name not in self.definition.parameters:
            return None
        order = list(self.definition.parameters)
        before = order[: order.index(name)][::-1]
        by_name = {entry_name: (section, entry) for section, entry in self._entries() if section.kind == "parameters"
                   for entry_name in entry.names}  # fmt: skip
        neighbour = next((by_name[other] for other in before if other in by_name), None)
        if neighbour is not None:
            section, entry = neighbour
            end = max([entry.end, *(other.end for other in self._types_of(entry.names))])
            self._insert_behind(end - 1, self._new_entry(section, name, between=True))
        elif sections[0].style in ("google", "numpy"):
            head = sections[0].line + (1 if sections[0].style == "numpy" else 0)
            self._insert_behind(head, self._new_entry(sections[0], name, between=False))
        else:
            self._insert_before(sections[0].line, self._new_entry(sections[0], name, between=False))
        return self.lines

    def _types_of(self, names: Sequence[str]) -> list[Section]:
        """The fields that tell the types of parameters."""
        return [
            section for section, entry in self._entries() if section.kind == "other" and set(entry.names) & set(names)
        ]

    def _new_entry(self, section: Section, name: str, *, between: bool) -> Lines:
        """The lines of an entry, without indentation of the docstring itself and without line ends."""
        type_ = self._type_like(section, name)
        indent = section.indent
        match section.style:
            case "numpy":
                lines = [f"{indent}{name} : {type_}" if type_ else f"{indent}{name}", f"{indent}    {TODO}"]
            case "google":
                lines = [f"{indent}{name} ({type_}): {TODO}" if type_ else f"{indent}{name}: {TODO}"]
            case _:
                mark = ":" if section.style == "sphinx" else "@"
                apart = any(one.kind == "other" and one.title == "type" for one, _ in self._entries())
                inline = type_ if type_ and not apart and section.style == "sphinx" else ""
                lines = [f"{indent}{mark}{section.title} {inline + ' ' if inline else ''}{name}: {TODO}"]
                if apart and type_:
                    lines.append(f"{indent}{mark}type {name}: {type_}")
        entries = section.entries
        apart_by_blank = len(entries) > 1 and entries[1].line > entries[0].end
        return ["", *lines] if apart_by_blank and between else lines

    def _type_like(self, section: Section, name: str) -> str:
        """The type as the others have theirs; empty where they have none, or it is not known or cannot be written."""
        others = [entry.type for one, entry in self._entries() if one.kind == "parameters"]
        typed = any(others) or any(one.kind == "other" and one.title == "type" for one, _ in self._entries())
        type_ = self.definition.annotations.get(name, "")
        if not typed or not type_ or "\\" in type_ or self.place.quotes in type_:
            return ""
        optional = name in self.definition.defaults and any("optional" in other for other in others)
        return f"{type_}, optional" if optional else type_

    # ---- defaults

    def default(self, name: str, old: str, new: str) -> Lines | None:
        """The entry states the new default."""
        entry = self.doc.parameters.get(name)
        if entry is None or "\\" in new or self.place.quotes in new:
            return None
        for number in range(entry.line, entry.end):
            line = self._line(number)
            for start, end in statements(self.lines[line][: self._content_end(line)]):
                written = self.lines[line][start:end]
                if same_value(written, old):
                    self.lines[line] = self.lines[line][:start] + _in_place_of(written, new) + self.lines[line][end:]
                    return self.lines
        return None

    # ---- lines

    def _entries(self) -> list[tuple[Section, Entry]]:
        return [(section, entry) for section in self.doc.sections for entry in section.entries]

    def _line(self, number: int) -> int:
        """The definition's line that has this line of the docstring."""
        return self.place.lead + number

    def _content_end(self, line: int) -> int:
        """Where the docstring's text ends on a line: at its end, or at the closing quotes."""
        if line == self.place.last:
            return len(self.lines[line][: self.place.end].rstrip())
        return len(self.lines[line].rstrip("\r\n"))

    def _insert_behind(self, number: int, entry: Lines) -> None:
        line = self._line(number)
        at = self._content_end(line)
        text = "".join(self.eol + self._indented(one) for one in entry)
        self.lines[line] = self.lines[line][:at].rstrip() + text + self.lines[line][at:]

    def _insert_before(self, number: int, entry: Lines) -> None:
        line = self._line(number)
        text = self.lines[line]
        at = self.place.start if line == self.place.first else len(text) - len(text.lstrip())
        self.lines[line] = text[:at] + "".join(
            (self._indented(one) if index else one.strip()) + self.eol for index, one in enumerate(entry)
        ) + self._margin() + text[at:]  # fmt: skip

    def _indented(self, text: str) -> str:
        return self._margin() + text if text else ""

    def _margin(self) -> str:
        """The indentation that the docstring's lines have in the source."""
        for number, text in enumerate(self.doc.lines):
            line = self.lines[self._line(number)]
            if text.strip() and self._line(number) != self.place.first:
                own = len(text) - len(text.lstrip())
                blank = line[: len(line) - len(line.lstrip())]
                return blank[: max(len(blank) - own, 0)] if " " in blank or not own else blank
        first = self.lines[self.place.first]
        return first[: len(first) - len(first.lstrip())]


def _in_place_of(written: str, new: str) -> str:
    """The new value, marked up as the old one is."""
    ticks = re.match(r"`*", written)[0]  # type: ignore[index]
    return f"{ticks}{new}{ticks}"
