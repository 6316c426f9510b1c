"""Segments -> the facts of the whole file. What an item adds is kept with it until it changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from inspect import cleandoc

from .facts import (
    MODULE,
    Binding,
    Block,
    ClassBody,
    Failure,
    FileFacts,
    Item,
    NodeFacts,
    PlacedNode,
    Segment,
)
from .text import index_of, units

GiveId = Callable[[Segment], None]


def assemble(items: list[Item], lines: list[str], give_id: GiveId, file_hash: str) -> FileFacts:
    """The file's facts, with names made unique in source order."""
    nodes: list[PlacedNode] = []
    segments: list[tuple[Segment, int]] = []
    bindings: list[Binding] = []
    roots: set[str] = set()
    hints = False
    broken: Failure | None = None
    start = 0
    for item in items:
        block = item.block
        if block is None:
            if item.gap:
                start += item.lines
                continue
            block = item.block = _block(item, lines, start, give_id)
        nodes += block.nodes
        for segment, line in block.segments:
            segments.append((segment, start + line))
        if block.bindings:
            bindings += block.bindings
        if block.roots:
            roots |= block.roots
        hints = hints or block.hints
        if block.broken is not None and broken is None:
            broken = Failure(block.broken.message, start + block.broken.line)
        start += block.lines
    module = _module(items, lines, file_hash, frozenset(roots), hints, broken)
    nodes = [PlacedNode(MODULE, -1, 0, module), *_told_apart(nodes)]
    message, error_line = broken or (None, None)
    return FileFacts(nodes, segments, bindings, message, error_line, len(lines), file_hash)


def _told_apart(nodes: list[PlacedNode]) -> list[PlacedNode]:
    """Further definitions of a name become name#2, name#3 ..."""
    total = Counter([node.unique for node in nodes])
    if len(total) == len(nodes):
        return nodes
    seen = {name: 0 for name, count in total.items() if count > 1}
    for at, node in enumerate(nodes):
        name = node.unique
        if name in seen:
            seen[name] += 1
            if seen[name] > 1:
                nodes[at] = node._replace(unique=f"{name}#{seen[name]}")
    return nodes


def _block(item: Item, lines: list[str], start: int, give_id: GiveId) -> Block:
    if isinstance(item, ClassBody):
        return _class_block(item, lines, start, give_id)
    give_id(item)
    nodes = [PlacedNode(facts.qualname, item.id, number, facts) for number, facts in enumerate(item.nodes)]
    return Block(item.lines, nodes, [(item, 0)], item.bindings, item.roots, item.hints, item.broken)


def _class_block(body: ClassBody, lines: list[str], start: int, give_id: GiveId) -> Block:
    header = body.header
    give_id(header)
    nodes = [PlacedNode(header.nodes[0].qualname, header.id, 0, _whole_class(body, lines, start))]
    segments = [(header, 0)]
    broken = header.broken
    line = header.lines
    for member in body.members:
        if not member.gap:
            give_id(member)
            for number, facts in enumerate(member.nodes):
                nodes.append(PlacedNode(facts.qualname, member.id, number, facts))
            segments.append((member, line))
            if member.broken is not None and broken is None:
                broken = Failure(member.broken.message, line + member.broken.line)
        line += member.lines
    return Block(line, nodes, segments, (), frozenset(), False, broken)


def _whole_class(body: ClassBody, lines: list[str], start: int) -> NodeFacts:
    """The class with what its members add."""
    facts = body.header.nodes[0]
    roots, imports, hints = set(facts.roots), list(facts.local_imports), False
    line = end_line = body.header.lines
    end_col = 0
    for member in body.members:
        if not member.gap:
            roots |= member.roots
            imports += [target for _, target in member.bindings]
            hints = hints or member.hints
            end_line, end_col = line + member.last[0], member.last[1]
        line += member.lines
    facts = facts._replace(roots=frozenset(roots), local_imports=tuple(imports), has_type_hints=hints)
    if body.fresh:
        return facts
    text = lines[start + facts.line : start + end_line + 1]
    text[-1] = text[-1][: index_of(text[-1], end_col, "utf-16")]
    text[0] = text[0][facts.col :]  # white space: the same in every encoding
    digest = sha256("".join(text).encode("utf-8", "surrogatepass")).hexdigest()
    count = end_line - facts.line + 1
    return facts._replace(end_line=end_line, end_col=end_col, line_count=count, source_hash=digest)


def _module(
    items: list[Item], lines: list[str], digest: str, roots: frozenset[str], hints: bool, broken: Failure | None
) -> NodeFacts:
    first = next((item for item in items if not item.gap), None)
    string = first.string if isinstance(first, Segment) else None
    last = len(lines) - 1
    end_col = 0
    if lines and lines[last][-1] not in "\r\n":
        end_col = units(lines[last], "utf-16")
    end_line = last if end_col else len(lines)
    return NodeFacts(
        MODULE, MODULE, "module", "module", 0, 0, end_line, end_col, 0, 0, 0, None,
        None if string is None else cleandoc(string), (), digest, len(lines), None, hints,
        roots, (), frozenset(), frozenset(), broken.message if broken else None,
    )  # fmt: skip
