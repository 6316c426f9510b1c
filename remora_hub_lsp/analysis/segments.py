"""A text as a list of segments that an edit changes only where it touches them.

An edit re-parses the segments that it touches: members of a class by themselves, top-level statements by
themselves. Where that fails it takes the neighbours in; where that fails too, the text is broken there: what
can still be cut out is, and what cannot keeps its last good facts, marked so. The cost is that of the segments
touched, not of the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate

from .assembly import assemble
from .facts import ClassBody, Failure, FileFacts, Item, NodeFacts, Segment
from .source import encode
from .text import Untouched, split_lines, units
from .tiles import Parser, end_of, name_of, parse_header, parse_members, parse_module, recover

# Neighbours are taken in at once only up to this many lines; what needs more waits for `settle`.
WIDEN_LINES = 400


def extract(text: str, file_hash: str | None = None) -> FileFacts:
    """The facts of a whole text. Never raises: what does not parse is marked broken."""
    return SegmentedText(split_lines(text)).facts(file_hash)


def text_hash(lines: Sequence[str]) -> str:
    """SHA-256 (hex) of the bytes that the text is in a file."""
    return sha256(encode("".join(lines))).hexdigest()


class SegmentedText:
    """One file's text and its segments."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self._next_id = 0
        found = parse_module(lines)
        self.items: list[Item] = recover(lines) if isinstance(found, Failure) else found
        # Whether a parse of the whole is known to bring nothing more.
        self._settled = True

    @property
    def broken(self) -> bool:
        """Whether some statement does not parse."""
        return any(segment.broken for segment in self._segments())

    def update(self, lines: list[str], untouched: Untouched | None = None) -> None:
        """Take over new lines, of which `untouched` at the start and the end are as they were."""
        old, new = len(self.lines), len(lines)
        prefix, suffix = untouched or (0, 0)
        prefix = min(prefix, old, new)
        suffix = min(suffix, old - prefix, new - prefix)
        self.lines = lines
        if prefix + suffix == old == new:
            return
        self._settled = False
        self._edit(prefix, old - suffix, new - old)
        if len(lines) <= WIDEN_LINES:
            self.settle()

    def replace(self, lines: list[str], items: list[Item]) -> None:
        """Take over new lines that were cut up elsewhere; what is broken in them keeps its last good facts."""
        _remember(self.items, items, lines)
        self.lines = lines
        self.items = items
        self._settled = True

    def settle(self) -> bool:
        """Where something is broken: try the whole text at once. Gives whether that changed anything.

        An edit can mend text far from where it is (an unclosed quote); this is what notices, at the cost of a
        whole parse, so it is called when the typing rests.
        """
        if self._settled or not self.broken:
            return False
        self._settled = True
        found = parse_module(self.lines)
        if isinstance(found, Failure):
            return False
        self.items = found
        return True

    def facts(self, file_hash: str | None = None) -> FileFacts:
        """All facts now. file_hash: the text's hash, where the caller has it already (text_hash)."""
        return assemble(self.items, self.lines, self._give_id, file_hash or text_hash(self.lines))

    def _give_id(self, segment: Segment) -> None:
        """An id that is unique in this text's life."""
        if segment.id < 0:
            segment.id = self._next_id
            self._next_id += 1

    def _segments(self) -> list[Segment]:
        return _flat(self.items)

    def _edit(self, start: int, end: int, grow: int) -> None:
        """Old lines `start` to `end` were replaced by `grow` more (or fewer) lines."""
        i, j, starts = _touched(self.items, start, end)
        if i == j and isinstance(self.items[i], ClassBody):
            body = self.items[i]
            assert isinstance(body, ClassBody)
            first = starts[i]
            lines = self.lines[first : first + body.lines + grow]
            if self._edit_class(body, lines, start - first, end - first, grow):
                return
        region = _Region(self.items, self.lines, i, j, starts, grow)
        if region.reparse(parse_module):
            return
        if self._join_class(i, region):
            return
        region.give_up(recover)

    def _join_class(self, i: int, region: _Region) -> bool:
        """Indented text behind a class: new members of it."""
        before = self.items[i - 1] if i else None
        if not isinstance(before, ClassBody) or region.i != i:
            return False
        lines = region.text()
        first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
        if not first.startswith(before.indent) or any(
            isinstance(item, ClassBody) for item in self.items[i : region.j + 1]
        ):
            return False
        owner = before.header.nodes[0].name
        found = parse_members(lines, before.indent, owner)
        if isinstance(found, Failure):
            if any(line.strip() and not line[0].isspace() for line in lines):
                return False
            found = recover(lines, before.indent, owner)  # type: ignore[assignment]
        before.members += found  # type: ignore[arg-type]
        before.changed()
        self.items[i : region.j + 1] = []
        return True

    def _edit_class(self, body: ClassBody, lines: list[str], start: int, end: int, grow: int) -> bool:
        """An edit within one class; False where the class has to be cut up anew."""
        head = body.header.lines
        if start < head < end:
            return False
        body.changed()
        if start < head:
            return self._edit_header(body, lines, head + grow)
        i, j, starts = _touched(body.members, start - head, end - head)  # type: ignore[arg-type]
        region = _Region(body.members, lines[head:], i, j, starts, grow)  # type: ignore[arg-type]
        owner = body.header.nodes[0].name
        parser: Parser = lambda text: parse_members(text, body.indent, owner)  # noqa: E731
        if region.reparse(parser):
            return _whole(body)
        leaves = any(not line.startswith(body.indent) and line.strip() and line[0] != "#" for line in region.text())
        if leaves and len(lines) <= WIDEN_LINES and not isinstance(parse_module(lines), Failure):
            return False
        region.give_up(lambda text: recover(text, body.indent, owner))
        return True

    def _edit_header(self, body: ClassBody, lines: list[str], head: int) -> bool:
        old = body.header
        found = parse_header(lines[:head], body.indent)
        if isinstance(found, Failure):
            if len(lines) <= WIDEN_LINES and not isinstance(parse_module(lines), Failure):
                return False
            body.header = kept = Segment(head)
            _keep(kept, old, found, lines[:head])
            return True
        body.header = found
        return found.nodes[0].name == old.nodes[0].name and _whole(body)


class _Region:
    """Items i to j of a list, whose lines an edit changed; `lines` are the list's new ones."""

    def __init__(self, items: list[Item], lines: list[str], i: int, j: int, starts: list[int], grow: int) -> None:
        self.items = items
        self.lines = lines
        self.i = i
        self.j = j
        self.starts = starts  # of the items before the edit, and behind the last of them its end
        self.grow = grow

    def text(self) -> list[str]:
        return self.lines[self.starts[self.i] : self.starts[self.j + 1] + self.grow]

    def reparse(self, parser: Parser) -> bool:
        """Parse the items' text, or with their neighbours; False (nothing changed) where neither parses."""
        if self._try(parser):
            return True
        i, j = self.i, self.j
        self.i, self.j = self._statement(i - 1, -1, i), self._statement(j + 1, 1, j)
        if (self.i, self.j) != (i, j) and len(self.text()) <= WIDEN_LINES and self._try(parser):
            return True
        self.i, self.j = i, j
        return False

    def give_up(self, recoverer: Parser) -> None:
        """Cut up what can be, and let the rest keep its last good facts."""
        text = self.text()
        found = recoverer(text)
        assert not isinstance(found, Failure)
        _remember(self.items[self.i : self.j + 1], found, text)
        self._splice(found)

    def _try(self, parser: Parser) -> bool:
        found = parser(self.text())
        if isinstance(found, Failure):
            return False
        self._splice(found)
        return True

    def _splice(self, found: Sequence[Item]) -> None:
        new = list(found)
        follower = self.items[self.j + 1] if self.j + 1 < len(self.items) else None
        # Gaps that came to lie side by side are one.
        if new and new[-1].gap and follower is not None and follower.gap:
            new[-1] = Segment(new[-1].lines + follower.lines, gap=True)
            self.j += 1
        _keep_ids(self.items[self.i : self.j + 1], new)
        self.items[self.i : self.j + 1] = new

    def _statement(self, at: int, step: int, otherwise: int) -> int:
        """The nearest item from `at` that is no gap."""
        while 0 <= at < len(self.items):
            if not self.items[at].gap:
                return at
            at += step
        return min(max(otherwise, 0), len(self.items) - 1) if at >= 0 else 0


def _keep_ids(old: Sequence[Item], new: Sequence[Item]) -> None:
    """A statement that does the same with names as one that it replaces is the same to the call graph."""
    left = [segment for segment in _flat(old) if segment.id >= 0 and segment.summary is not None]
    for segment in _flat(new):
        for was in left:
            if segment.id < 0 and segment.summary is not None and segment.summary[0] == was.summary[0]:  # type: ignore[index]
                segment.id = was.id
                left.remove(was)
                break


def _flat(items: Sequence[Item]) -> list[Segment]:
    out: list[Segment] = []
    for item in items:
        if isinstance(item, ClassBody):
            out.append(item.header)
            out += item.members
        else:
            out.append(item)
    return out


def _touched(items: list[Item], start: int, end: int) -> tuple[int, int, list[int]]:
    """Which items the old lines `start` to `end` belong to: first, last, and where each item starts.

    Lines inserted between two items belong to the gap there; without one to none (last = first - 1).
    """
    starts = list(accumulate((item.lines for item in items), initial=0))
    count = len(items)
    i = min(bisect_right(starts, start) - 1, count)
    if start < end:
        j = min(bisect_right(starts, end - 1) - 1, count - 1)
        return i, j, starts
    if i < count and starts[i] < start:
        return i, i, starts
    if i > 0 and items[i - 1].gap:
        return i - 1, i - 1, starts
    if i < count and items[i].gap:
        return i, i, starts
    return i, i - 1, starts


def _whole(body: ClassBody) -> bool:
    """Whether the class can still be kept as members: it has a body, no member became its docstring, and none
    declares names global."""
    if any(member.escapes for member in body.members):
        return False
    first = next((member for member in body.members if not member.gap), None)
    documented = body.header.nodes[0].docstring is not None
    return documented if first is None else documented or first.string is None


def _remember(old: Sequence[Item], new: Sequence[Item], lines: Sequence[str]) -> None:
    """Give each broken item of `new`, whose text is `lines`, the facts of the item of `old` that it was: by name,
    else by order."""
    healthy = {name_of(item) for item in new if not _is_broken(item)}
    left = [item for item in old if not item.gap and (name_of(item) is None or name_of(item) not in healthy)]
    starts = dict(zip(map(id, new), accumulate((item.lines for item in new), initial=0), strict=False))
    broken = [item for item in new if _is_broken(item)]
    pairs: list[tuple[Item, Item]] = []
    for item in broken:
        name = name_of(item)
        match = next((was for was in left if name is not None and name_of(was) == name), None)
        if match is not None:
            left.remove(match)
            pairs.append((item, match))
    matched = {id(item) for item, _ in pairs}
    rest = [item for item in broken if id(item) not in matched]
    left.sort(key=lambda item: name_of(item) is None)  # what holds definitions must not be lost
    pairs += zip(rest, left, strict=False)
    for item, was in pairs:
        start = starts[id(item)]
        _restore(item, was, lines[start : start + item.lines])


def _restore(item: Item, was: Item, lines: Sequence[str]) -> None:
    if isinstance(item, ClassBody):
        if isinstance(was, ClassBody):
            head = item.header.lines
            if item.header.broken:
                _keep(item.header, was.header, item.header.broken, lines[:head])
            _remember(was.members, item.members, lines[head:])
        return
    if isinstance(was, Segment) and item.broken:
        _keep(item, was, item.broken, lines)


def _keep(segment: Segment, was: Segment, failure: Failure, lines: Sequence[str]) -> None:
    """Let `segment`, which does not parse, keep the last good facts."""
    segment.broken = failure
    segment.last = end_of(lines)
    segment.nodes = [_within(facts, lines, segment.last)._replace(broken=failure.message) for facts in was.nodes]
    segment.summary, segment.roots, segment.bindings = was.summary, was.roots, was.bindings
    segment.hints, segment.string = was.hints, was.string


def _within(facts: NodeFacts, lines: Sequence[str], last: tuple[int, int]) -> NodeFacts:
    """The node's old place, kept within the lines that there are now."""

    def place(line: int, column: int) -> tuple[int, int]:
        if line >= last[0]:
            return last[0], min(column, last[1]) if line == last[0] else last[1]
        return line, min(column, units(lines[line].rstrip("\r\n"), "utf-16"))

    line, col = place(facts.line, facts.col)
    name_line, name_col = place(facts.name_line, facts.name_col)
    name_end = place(facts.name_line, facts.name_end)[1]
    end_line, end_col = last if facts.line == 0 else place(facts.end_line, facts.end_col)
    return facts._replace(
        line=line, col=col, end_line=end_line, end_col=end_col,
        name_line=name_line, name_col=name_col, name_end=name_end,
    )  # fmt: skip


def _is_broken(item: Item) -> bool:
    if isinstance(item, ClassBody):
        return item.header.broken is not None or any(member.broken for member in item.members)
    return item.broken is not None
