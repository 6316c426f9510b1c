"""FileFacts in a form that does not depend on how the text is cut into segments, to compare two of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

from remora_hub_lsp.analysis.facts import MODULE, FileFacts
from remora_hub_lsp.analysis.forms import CHILDREN, CLASS

from .oracle import Known, known

Canonical = dict[str, Any]


def canonical(facts: FileFacts) -> Canonical:
    """What is known of each node and of each scope, by name; equal for equal facts.

    What statements of a class add to their class stands with the class, whether or not it is cut into members.
    """
    out: Canonical = {"file": (facts.error, facts.error_line, facts.line_count, facts.file_hash)}
    done: defaultdict[str, Counter[str]] = defaultdict(Counter)
    nodes = known(facts)
    for segment, start in facts.segments:
        if segment.summary is not None:
            (_, fragment), places = segment.summary
            _add(done, _around(nodes, start), fragment, _absolute(places, start))
    for node in nodes:
        assert node.unique not in out, f"{node.unique} is not unique"
        out[node.unique] = plain(node)
    out["order"] = [node.unique for node in facts.nodes]
    out["imports"] = sorted(facts.bindings)
    out["summaries"] = {owner: counted for owner, counted in done.items() if counted}
    return out


Place = tuple[int, int, int]


def _absolute(places: list[int], start: int) -> list[Place]:
    lines, starts, ends = places[::3], places[1::3], places[2::3]
    return [(start + line, first, end) for line, first, end in zip(lines, starts, ends, strict=True)]


def _add(done: defaultdict[str, Counter[str]], owner: str, fragment: list[Any], places: list[Place]) -> None:
    """What statements do in the scope of `owner`, each thing for itself; a class's own code stands with the class."""
    for number, part in enumerate(fragment):
        if number == CHILDREN:
            for child in part:
                head = child if child[0] != CLASS else [*child[:2], *child[3:]]
                done[owner][_text(head, places)] += 1
                if child[0] == CLASS:
                    _add(done, child[1] if owner == MODULE else f"{owner}.{child[1]}", child[2], places)
        elif number == 0 or number == 4:  # pairs
            for i in range(0, len(part), 2):
                done[owner][f"{number} {_text(part[i : i + 2], places)}"] += 1
        else:
            for one in part or ():
                done[owner][f"{number} {_text(one, places)}"] += 1


def _text(form: Any, places: list[Place]) -> str:
    """A form with its places written out; what statements of a module or class count, they count each for itself."""
    return re.sub(r"%\d+", "%", repr(_placed(form, places)))


# Where the number of a place stands in a form, by the form's kind and length.
_PLACED = {(0, 3): 2, (1, 4): 3, (2, 5): 4, (3, 4): 3, (10, 3): 2, (11, 3): 2, (13, 3): 2, (14, 3): 2, (15, 5): 3}


def _placed(form: Any, places: list[Place]) -> Any:
    if not isinstance(form, list):
        return form
    out = [_placed(part, places) for part in form]
    at = _PLACED.get((form[0], len(form))) if form and isinstance(form[0], int) else None
    if len(form) == 4 and not isinstance(form[0], int) and isinstance(form[3], int):
        at = 3  # an assignment to an attribute or item
    if at is not None and isinstance(form[at], int) and form[at] >= 0:
        out[at] = places[form[at]]
    return out


def _around(nodes: list[Known], line: int) -> str:
    """The innermost class that a statement at `line` stands in, or the module."""
    around = [node for node in nodes if node.facts.node_type == "class" and node.start[0] < line <= node.end[0]]
    return max(around, key=lambda node: node.start).unique if around else MODULE


def plain(node: Known) -> tuple[Any, ...]:
    """A node at its place in the file; its imports in one order."""
    facts = node.facts._replace(
        line=0, end_line=0, name_line=0, local_imports=tuple(sorted(node.facts.local_imports))
    )
    return node.start, node.end, node.name, facts


def timeless(node: Known) -> tuple[Any, ...]:
    """A node's facts without its place in the file: lines above it may come and go."""
    facts = node.facts._replace(line=0, end_line=0, name_line=0, local_imports=())
    return node.name[0] - node.start[0], node.end[0] - node.start[0], facts


def differences(expected: Canonical, got: Canonical) -> list[str]:
    """What differs, a line for each name."""
    out = []
    for name in sorted(expected.keys() | got.keys()):
        want, have = expected.get(name), got.get(name)
        if want != have:
            out.append(f"{name}: {_what(want, have)}")
    return out


def _what(want: Any, have: Any) -> str:
    if want is None or have is None:
        return f"expected {'it' if want else 'nothing'}, got {'it' if have else 'nothing'}"
    if isinstance(want, tuple) and len(want) == 4 and hasattr(want[3], "_fields"):
        pairs = [("start", want[0], have[0]), ("end", want[1], have[1]), ("name", want[2], have[2])]
        pairs += list(zip(want[3]._fields, want[3], have[3], strict=True))
        return "; ".join(f"{field}: expected {a!r}, got {b!r}" for field, a, b in pairs if a != b)
    if isinstance(want, dict):
        return "; ".join(
            f"{k}: expected {want.get(k)}, got {have.get(k)}" for k in want | have if want.get(k) != have.get(k)
        )
    return f"expected {want!r}, got {have!r}"
