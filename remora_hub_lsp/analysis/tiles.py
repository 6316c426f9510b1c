"""Lines -> segments: parse some lines as statements of a module or of a class, and cut them up.

What parses is cut along its statements. `recover` cuts text that does not parse along its indentation, so that
only the statement that is broken is lost, and tells what can still be told of that one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from hashlib import sha256

from . import syntax
from .extract import Source, class_header_facts, docstring_of, first_line, statement_facts
from .facts import ClassBody, Failure, Item, NodeFacts, Segment
from .text import units

# How far `recover` looks for the end of a statement that seems unfinished.
_REACH = 12
_REACH_LINES = 800

_BLANK = re.compile(r"[ \t\f]*(?:#[^\r\n\0]*)?[\r\n]*\Z")
_CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
_DEFINITION = re.compile(r"[ \t\f]*(?:async[ \t]+)?(def|class)[ \t]+(\w+)")
_STRING = re.compile(r"[ \t\f]*[rRuU]?[\"']")
_MEMBER = re.compile(r"([ \t\f]+)(?:async\b|def\b|class\b|@)")


def parse(lines: Sequence[str], inside_block: bool = False) -> ast.Module | Failure:
    """The lines' tree; with `inside_block` they are read as the body of an `if` put before them."""
    text = "".join(lines)
    if inside_block:
        text = "if 1:\n" + text
    try:
        return syntax.module(text)
    except SyntaxError as error:
        line = min(max((error.lineno or 1) - 1 - inside_block, 0), max(len(lines) - 1, 0))
        return Failure(error.msg or "invalid syntax", line)
    except RecursionError:
        return Failure("nested too deeply to be analysed", 0)
    except MemoryError:
        return Failure("nested too deeply to be parsed", 0)
    except ValueError as error:  # NUL bytes before Python 3.12, lone surrogates
        return Failure(str(error), 0)


def parse_module(lines: Sequence[str]) -> list[Item] | Failure:
    """Segments of whole top-level statements."""
    if _all_blank(lines):
        return _gap(len(lines))
    tree = parse(lines)
    if isinstance(tree, Failure):
        return tree
    source = Source(lines)
    items: list[Item] = []
    for start, end, group in _groups(tree.body, source, 0, len(lines)):
        body = None
        if len(group) == 1 and isinstance(group[0], ast.ClassDef):
            body = _class(group[0], source, start, end)
        items.append(body or _segment(group, source, start, end, ""))
    return items


def parse_members(lines: Sequence[str], indent: str, owner: str) -> list[Segment] | Failure:
    """Segments of whole members of class `owner`, whose members are indented by `indent`."""
    if _all_blank(lines):
        return _gap(len(lines))  # type: ignore[return-value]
    tree = parse(lines, inside_block=True)
    if isinstance(tree, Failure):
        return tree
    block = tree.body[0]
    if len(tree.body) != 1 or not isinstance(block, ast.If) or block.orelse:
        return Failure("the indentation leaves the class", 0)
    source = Source(lines, skipped=1)
    first = first_line(block.body[0], source)
    if lines[first][: block.body[0].col_offset].lstrip("\f") != indent:
        return Failure("unindent does not match the class's other members", first)
    groups = _groups(block.body, source, 0, len(lines))
    return [_segment(group, source, start, end, owner) for start, end, group in groups]


def parse_header(lines: Sequence[str], indent: str) -> Segment | Failure:
    """The segment of a class's decorators, `class` line and docstring."""
    whole = [*lines, f"{indent}pass\n"]
    tree = parse(whole)
    if isinstance(tree, Failure):
        return tree
    node = tree.body[0]
    if len(tree.body) != 1 or not isinstance(node, ast.ClassDef):
        return Failure("no longer a class alone", 0)
    extra = 2 if docstring_of(node.body) is not None else 1
    if len(node.body) != extra or node.body[-1].lineno != len(lines) + 1:
        return Failure("members stand in the class's header", 0)
    segment = Segment(len(lines))
    class_header_facts(segment, node, Source(whole), 0)
    return segment


def recover(lines: Sequence[str], indent: str = "", owner: str = "") -> list[Item]:
    """Segments of text that does not parse as a whole: as many statements as possible, the others marked broken."""
    starts = _statement_starts(lines, indent)
    items: list[Item] = []
    first = starts[0] if starts else len(lines)
    if first:
        items += _leading(lines[:first])
    starts.append(len(lines))
    k = 0
    while k < len(starts) - 1:
        found, k_next = _longest_needed(lines, starts, k, indent, owner)
        items += found
        k = k_next
    return items


def name_of(item: Item) -> str | None:
    """The name that the item's first definition has."""
    nodes = item.header.nodes if isinstance(item, ClassBody) else item.nodes
    return nodes[0].name if nodes else None


def _longest_needed(
    lines: Sequence[str], starts: list[int], k: int, indent: str, owner: str
) -> tuple[Sequence[Item], int]:
    """The statement that starts at `starts[k]`: its own chunk, or with those that it needs, or else broken."""
    failure: Failure | None = None
    for end in range(k + 1, min(k + _REACH, len(starts) - 1) + 1):
        chunk = lines[starts[k] : starts[end]]
        if len(chunk) > _REACH_LINES and end > k + 1:
            break
        found = parse_members(chunk, indent, owner) if owner else parse_module(chunk)
        if not isinstance(found, Failure):
            return found, end
        failure = failure or found
    assert failure is not None
    chunk = lines[starts[k] : starts[k + 1]]
    return [_broken(chunk, failure, owner)], k + 1


def _broken(lines: Sequence[str], failure: Failure, owner: str) -> Item:
    """What can be told of a statement that does not parse."""
    # Its own definition, not one that stands in it: that is indented more.
    own = [(i, match) for i, line in enumerate(lines)
           if (match := _DEFINITION.match(line)) and _indent(line) == _indent(lines[0])]  # fmt: skip
    at, found = own[0] if own else (0, None)
    if not owner and found and found[1] == "class":
        body = _broken_class(lines, at, failure)
        if body is not None:
            return body
    segment = Segment(len(lines))
    segment.broken = failure
    segment.last = end_of(lines)
    if found:
        segment.nodes = [_least(lines, at, found, failure, owner)]
    return segment


def _broken_class(lines: Sequence[str], at: int, failure: Failure) -> ClassBody | None:
    """A class whose text does not parse as a whole, by its header and its members."""
    indents = [found[1].lstrip("\f") for line in lines[at + 1 :] if (found := _MEMBER.match(line))]
    if not indents:
        return None
    indent = min(indents, key=len)
    starts = [i for i in range(at + 1, len(lines)) if _starts_statement(lines[i], indent)]
    first, header = _head_of_class(lines, starts, indent)
    found = _DEFINITION.match(lines[at])
    assert found is not None
    if isinstance(header, Failure):
        segment = Segment(first)
        segment.broken = header
        segment.nodes = [_least(lines[:first], at, found, header, "")]
        header = segment
    members = recover(lines[first:], indent, found[2])
    return ClassBody(header, members, indent)  # type: ignore[arg-type]


def _head_of_class(lines: Sequence[str], starts: list[int], indent: str) -> tuple[int, Segment | Failure]:
    """Where the members start, and the header before them; `starts`: lines that could be their first."""
    if _STRING.match(lines[starts[0]]):  # a docstring, in which lines look like statements
        for start in starts[1 : 1 + _REACH * 3]:
            header = parse_header(lines[:start], indent)
            if isinstance(header, Segment):
                return start, header
    return starts[0], parse_header(lines[: starts[0]], indent)


def _least(lines: Sequence[str], at: int, found: re.Match[str], failure: Failure, owner: str) -> NodeFacts:
    """A definition of which only the first lines may be readable."""
    whole = _readable_head(lines, at, owner)
    last, end_col = end_of(lines)
    source_hash = sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()
    if whole is not None:
        return whole._replace(
            end_line=last, end_col=end_col, line_count=last + 1, source_hash=source_hash, broken=failure.message
        )
    name, is_class = found[2], found[1] == "class"
    prefix = owner + "." if owner else ""
    return NodeFacts(
        name, prefix + name, "class" if is_class else "function",
        "class" if is_class else "method" if owner else "function",
        0, found.end(2) - len(name) if at else len(lines[0]) - len(lines[0].lstrip()), last, end_col,
        at, found.start(2), found.end(2), None, None, (), source_hash, last + 1, None, False,
        frozenset(), (), frozenset(), frozenset(), failure.message,
    )  # fmt: skip


def end_of(lines: Sequence[str]) -> tuple[int, int]:
    """Line and UTF-16 column where the last line that is not blank ends."""
    last = len(lines) - 1
    while last > 0 and _BLANK.match(lines[last]):
        last -= 1
    return last, units(lines[last].rstrip("\r\n"), "utf-16")


def _readable_head(lines: Sequence[str], at: int, owner: str) -> NodeFacts | None:
    """The definition's own first lines with an empty body, where they parse."""
    indent = re.match(r"[ \t\f]*", lines[at])[0]  # type: ignore[index]
    for end in range(at, min(at + 30, len(lines))):
        if lines[end].split("#")[0].rstrip().endswith(":"):
            head = [*lines[: end + 1], f"{indent} pass\n"]
            found = parse_members(head, indent, owner) if owner else parse_module(head)
            if not isinstance(found, Failure) and (nodes := [node for item in found for node in _nodes(item)]):
                return nodes[0]._replace(docstring=None, complexity=None)
    return None


def _nodes(item: Item) -> list[NodeFacts]:
    return item.header.nodes if isinstance(item, ClassBody) else item.nodes


def _joins_next(line: str) -> bool:
    return line.rstrip("\r\n").endswith("\\")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t\f"))]


def _statement_starts(lines: Sequence[str], indent: str) -> list[int]:
    """The lines that statements seem to start at, by their indentation; decorators start what they decorate."""
    starts: list[int] = []
    decorated = False
    for i, line in enumerate(lines):
        if _starts_statement(line, indent):
            if not decorated:
                starts.append(i)
            decorated = line.lstrip().startswith("@")
    return starts


def _starts_statement(line: str, indent: str) -> bool:
    line = line.lstrip("\f")
    if not line.startswith(indent):
        return False
    rest = line[len(indent) :]
    return bool(rest) and rest[0] not in " \t\f\r\n#" and not _CONTINUES.match(rest)


def _leading(lines: Sequence[str]) -> list[Item]:
    if _all_blank(lines):
        return _gap(len(lines))
    segment = Segment(len(lines))
    segment.broken = Failure("unexpected indent", next(i for i, line in enumerate(lines) if not _BLANK.match(line)))
    return [segment]


def _all_blank(lines: Sequence[str]) -> bool:
    return all(_BLANK.match(line) for line in lines)


def _gap(count: int) -> list[Item]:
    return [Segment(count, gap=True)] if count else []


Group = tuple[int, int, list[ast.stmt]]


def _groups(body: Sequence[ast.stmt], source: Source, start: int, stop: int) -> list[Group]:
    """The lines from `start` to `stop` as (first, end, statements): one statement each, more where they share a
    line, none for a gap."""
    groups: list[Group] = []
    line = start
    for node in body:
        first = first_line(node, source)
        end = (node.end_lineno or node.lineno) - source.skipped
        # What a backslash joins to the statement belongs to it, even where it is blank.
        while end < stop and _joins_next(source.lines[end - 1]):
            end += 1
        if first < line and groups:
            before, _, statements = groups.pop()
            groups.append((before, max(end, line), [*statements, node]))
        else:
            if first > line:
                groups.append((line, first, []))
            groups.append((first, end, [node]))
        line = max(end, line)
    if stop > line:
        groups.append((line, stop, []))
    return groups


def _segment(group: list[ast.stmt], source: Source, start: int, end: int, owner: str) -> Segment:
    segment = Segment(end - start, gap=not group)
    if group:
        statement_facts(segment, group, source, start, owner)
    return segment


def _class(node: ast.ClassDef, source: Source, start: int, end: int) -> ClassBody | None:
    """The class cut into header and members, or None where its lines do not allow that."""
    documented = docstring_of(node.body) is not None
    members = node.body[1:] if documented else node.body
    if not members or any(isinstance(member, ast.Global) for member in members):
        return None
    first = first_line(members[0], source)
    header_end = (node.body[0].end_lineno or 0) - source.skipped if documented else first
    while documented and header_end < first and _joins_next(source.lines[header_end - 1]):
        header_end += 1
    indent = source.lines[first][: members[0].col_offset].lstrip("\f")
    if first <= node.lineno - 1 - source.skipped or first < header_end or indent.strip():
        return None
    if not documented:
        while _BLANK.match(source.lines[header_end - 1]):
            header_end -= 1
    header = Segment(header_end - start)
    class_header_facts(header, node, source, start)
    groups = _groups(members, source, header_end, end)
    segments = [_segment(group, source, at, stop, node.name) for at, stop, group in groups]
    return ClassBody(header, segments, indent, fresh=True)


Parser = Callable[[Sequence[str]], "Sequence[Item] | Failure"]
