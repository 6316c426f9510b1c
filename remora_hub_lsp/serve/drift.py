"""Docstrings that no longer fit, as diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..analysis.drift import Reason
from ..analysis.places import Definition, Span, locate
from ..analysis.text import character_of
from ..index import drift
from .convert import Json
from .diagnostics import SOURCE, changed_paths
from .documents import lines_in

if TYPE_CHECKING:
    from ..hub.hub import Hub
    from ..index.view import IndexView

OUTDATED, MISMATCH = "outdated-docstring", "docstring-mismatch"
HELP = (Path(__file__).parents[1] / "help" / "outdated-docstrings.md").as_uri()
_SEVERITIES = {"error": 1, "warning": 2, "information": 3, "hint": 4}
_UNNECESSARY = 1
# What the docstring has too much of; editors fade it.
_STALE = frozenset(("parameter-removed", "unknown-parameter", "exception-gone"))


class Drift:
    """The provider."""

    everywhere = False

    def watch(self, hub: Hub, changed: Callable[[Collection[str]], None]) -> Callable[[], None]:
        return hub.on_change(lambda change: changed(changed_paths((*change.changed, *change.deleted))))

    def of_file(self, hub: Hub, view: IndexView, path: str) -> list[Json]:
        ids = drift.of_file(view, path)
        if not ids:
            return []
        nodes = sorted(view.by_ids(ids).values(), key=lambda node: int(node["range"]["start"]["line"]))
        lines, severity = lines_of(hub, path), _SEVERITIES[hub.config.drift_severity]
        return [finding.diagnostic(severity) for finding in findings(nodes, lines)]

    def files(self, hub: Hub, view: IndexView) -> Collection[str]:
        return drift.files(view)


class Finding(NamedTuple):
    """One reason of one node; definition: where its parts are, as far as its text parses."""

    node: Json
    reason: Reason
    definition: Definition | None
    lines: Sequence[str]

    @property
    def first(self) -> int:
        """The definition's first line."""
        return int(self.node["range"]["start"]["line"])

    def diagnostic(self, severity: int) -> Json:
        """As LSP has it, columns in UTF-16."""
        reason, name = self.reason, self.node["node_name"]
        since = _since(self.node["drift"]) if not reason.static else ""
        return {
            "range": self.range,
            "severity": severity,
            "code": MISMATCH if reason.static else OUTDATED,
            "codeDescription": {"href": HELP},
            "source": SOURCE,
            "message": f"The docstring of `{name}` {reason.message}{since}.",
            **({"tags": [_UNNECESSARY]} if reason.code in _STALE else {}),
            "relatedInformation": self._related(),
            "data": {"key": self.node["key"], "reason": reason.code, "parameter": reason.parameter},
        }

    @property
    def range(self) -> Json:
        """What is wrong: the docstring's line, or the parameter that it does not tell of."""
        found: Json = self.node["name_range"]
        if self.reason.code == "parameter-added":
            span = self._parameter(self.reason.parameter)
        else:
            span = self._docstring_line()
        return self._as_range(span) if span else found

    def _related(self) -> list[Json]:
        """The parameter that it is about, and the docstring's line."""
        path, related = self.node["file_path"], []
        parameter, line = (
            self._parameter(self.reason.new) or self._parameter(self.reason.parameter),
            self._docstring_line(),
        )
        where = self._as_range(parameter) if parameter else self.node["name_range"]
        old = self.node["drift"]["signature"]
        told = f"the signature was `{old}`" if old and not self.reason.static else "the signature"
        for range_, message in ((where, told), (self._as_range(line) if line else None, "the docstring")):
            if range_ is not None:
                related.append({"location": {"path": path, "range": range_}, "message": message})
        return related

    def _parameter(self, name: str | None) -> Span | None:
        return self.definition.parameters.get(name) if self.definition and name else None

    def _docstring_line(self) -> Span | None:
        """The reason's line, or of it the name that it is about."""
        place = self.definition.docstring if self.definition else None
        if place is None or self.reason.line is None:
            return None
        line = place.lead + self.reason.line
        if line > place.last:
            return None
        text = self.lines[self.first + line]
        start = place.start if line == place.first else len(text) - len(text.lstrip())
        end = place.end if line == place.last else len(text.rstrip())
        word = self.reason.old or self.reason.parameter
        at = text.find(word, start, end) if word else -1
        return Span(line, at, at + len(word)) if word and at >= 0 else Span(line, start, max(end, start))

    def _as_range(self, span: Span) -> Json:
        number = self.first + span.line
        text = self.lines[number]
        start, end = (character_of(text, index, "utf-16") for index in (span.start, span.end))
        return {"start": {"line": number, "character": start}, "end": {"line": number, "character": end}}


def findings(nodes: Iterable[Json], lines: Sequence[str]) -> list[Finding]:
    """All reasons of nodes of one file with this text."""
    found = []
    for node in nodes:
        definition = locate(lines_of_node(node, lines))
        found += [
            Finding(node, Reason(**reason), definition, lines)
            for reason in (node["drift"] or {"reasons": ()})["reasons"]
        ]
    return found


def lines_of_node(node: Json, lines: Sequence[str]) -> list[str]:
    """The definition's lines, decorators included."""
    return list(lines[node["range"]["start"]["line"] : node["range"]["end"]["line"] + 1])


def lines_of(hub: Hub, path: str) -> list[str]:
    """The text that the index has the file from: the newest buffer, or else the disk. Not for the event loop."""
    document = hub.updates.buffers.newest(path)
    if document is not None:
        return list(document.lines)
    return lines_in(Path(hub.paths.absolute(path)))


def _since(told: Json) -> str:
    """Since when, where history tells it."""
    if not told["commit"]:
        return ""
    by = f" by {told['author']}" if told["author"] else ""
    return f" (since {told['since'][:10]}, commit {told['commit'][:10]}{by})"
