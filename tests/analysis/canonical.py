"""FileFacts in a form that does not depend on how the text is cut into segments, to compare two of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from remora_hub_lsp.analysis.facts import MODULE, FileFacts, Use

from .oracle import Known, known

Canonical = dict[str, Any]


def canonical(facts: FileFacts) -> Canonical:
    """What is known of each node and of each scope, by name; equal for equal facts.

    What statements of a class add to their class stands with the class, whether or not it is cut into members.
    """
    uses: defaultdict[str, Counter[Use]] = defaultdict(Counter)
    out: Canonical = {"file": (facts.error, facts.error_line, facts.line_count, facts.file_hash)}
    starts = {segment.id: start for segment, start in facts.segments}
    nodes = known(facts)
    for segment, start in facts.segments:
        owner = _around(nodes, start)
        uses[owner].update((kind, name, start + line, column) for kind, name, line, column in segment.uses)
    for node, placed in zip(nodes, facts.nodes, strict=True):
        start = starts.get(placed.segment, 0)
        uses[node.unique].update((kind, name, start + line, column) for kind, name, line, column in node.facts.uses)
        assert node.unique not in out, f"{node.unique} is not unique"
        out[node.unique] = plain(node)
    out["order"] = [node.unique for node in facts.nodes]
    out["imports"] = sorted(facts.bindings)
    out["uses"] = {owner: counted for owner, counted in uses.items() if counted}
    return out


def _around(nodes: list[Known], line: int) -> str:
    """The innermost class that a statement at `line` stands in, or the module."""
    around = [node for node in nodes if node.facts.node_type == "class" and node.start[0] < line <= node.end[0]]
    return max(around, key=lambda node: node.start).unique if around else MODULE


def plain(node: Known) -> tuple[Any, ...]:
    """A node at its place in the file; its imports in one order, its uses left out."""
    facts = node.facts._replace(
        line=0, end_line=0, name_line=0, uses=(), local_imports=tuple(sorted(node.facts.local_imports))
    )
    return node.start, node.end, node.name, facts


def timeless(node: Known) -> tuple[Any, ...]:
    """A node's facts without its place in the file: lines above it may come and go."""
    facts = node.facts._replace(line=0, end_line=0, name_line=0, uses=(), local_imports=())
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
