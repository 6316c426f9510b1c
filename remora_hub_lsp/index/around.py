"""What getContext adds to the asked nodes, and what it leaves out to keep to a budget: every cut has a name.

`relate` runs inside the read transaction and finds the nodes around; `finish` is pure: it adds the texts, and cuts.
Both go by the order in which the nodes were asked for, so that the same question has the same answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from ..analysis.facts import MODULE
from ..errors import KeyFormatError
from .keys import split_key
from .view import IndexView, Json

# What may be asked for beside the node itself, in the order in which it is given and cut, and the node's field for it.
RELATIONS = {"callers": "callers", "callees": "callees", "tests": "related_tests", "siblings": ""}
SOURCE = "source"
# What `brief` leaves away; together they are called the details.
DETAILS: Json = {"docstring_full": None, "imports": [], "extra": {}}
CHARACTERS_PER_TOKEN = 4


class Wanted(NamedTuple):
    """include: names of RELATIONS, or SOURCE. depth: 0 names the related nodes, 1 gives them, 2 also theirs. budget:
    tokens, None: no limit.
    """

    include: frozenset[str] = frozenset()
    depth: int = 1
    brief: bool = False
    budget: int | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing is to be added or left out."""
        return not self.include and not self.brief and self.budget is None


class Text(NamedTuple):
    """A node's text, or why there is none."""

    text: str | None
    why_not: str = ""


def relate(view: IndexView, result: Json, wanted: Wanted) -> None:
    """Add `related` (nodes by key) and `relations` (keys by asked id and by related key) to the result."""
    related: dict[str, Json] = {}
    relations: dict[str, Json] = {}
    omitted: list[Json] = []
    asked = {node["key"] for node in result["nodes"].values()}
    kinds = [kind for kind in RELATIONS if kind in wanted.include]
    level = list(result["nodes"].items())
    for depth in range(max(wanted.depth, 1)):
        # Tests take milliseconds a node: those of the nodes that are given last stay unknown.
        view.joins_tests = "tests" in kinds and depth + 1 < wanted.depth
        around: dict[str, None] = {}
        for name, node in level:
            for kind in kinds:
                if depth and kind == "siblings":
                    continue  # they are siblings of the asked one, too
                keys = _siblings(view, node) if kind == "siblings" else node[RELATIONS[kind]]
                if keys is None:
                    omitted.append(_omitted(name, kind, "not computed"))
                    continue
                relations.setdefault(name, {})[kind] = list(keys)
                if depth < wanted.depth:
                    around |= dict.fromkeys(key for key in keys if key not in asked)
        level = list(_nodes(view, (key for key in around if key not in related)).items())
        related |= dict(level)
    result |= {"related": related, "relations": relations, "omitted": omitted}


def finish(result: Json, wanted: Wanted, texts: Mapping[str, Text]) -> Json:
    """The result with the nodes' texts (by key, see `extra.source`), cut to what was wanted."""
    omitted: list[Json] = result.get("omitted", [])
    if wanted.brief:
        omitted.append(_omitted("*", "details", "brief"))
    for name, text in ((name, texts.get(node["key"])) for name, node in result["nodes"].items()):
        if text is not None and text.text is None:
            omitted.append(_omitted(name, SOURCE, text.why_not))
    if wanted.budget is None:
        budget = None
    else:
        budget = _Budget(wanted.budget)
        budget.take(tokens_of([result["missing"], result["stale"]]))
    nodes, cut = _cut_nodes(result["nodes"], wanted, budget)
    omitted += [_omitted(name, what, "budget", tokens) for name, what, tokens in cut]
    _add_texts(nodes, texts, budget, omitted)
    relations = _cut_relations(result.get("relations", {}), budget, omitted)
    related, cut = _cut_nodes(result.get("related", {}), wanted, budget)
    for part in ("node", "details"):  # `relations` names them one by one
        if costs := [tokens for _, what, tokens in cut if what == part]:
            omitted.append(_omitted("*", f"related {part}", "budget", sum(costs), len(costs)))
    return result | {"nodes": nodes, "related": related, "relations": relations, "omitted": omitted}


class _Budget:
    """Tokens that are left, counted as characters of JSON."""

    def __init__(self, tokens: int) -> None:
        self._left = tokens

    def take(self, tokens: int) -> bool:
        """Whether there is room; if so it is used."""
        if tokens > self._left:
            return False
        self._left -= tokens
        return True


_Cut = tuple[str, str, int]  # id, what, tokens


def _cut_nodes(nodes: Mapping[str, Json], wanted: Wanted, budget: _Budget | None) -> tuple[Json, list[_Cut]]:
    """Each node without its details first, then as many details as there is room for; and what was cut."""
    if budget is None:
        return {name: node | DETAILS if wanted.brief else node for name, node in nodes.items()}, []
    kept: Json = {}
    cut: list[_Cut] = []
    for name, node in nodes.items():
        brief = node | DETAILS
        if budget.take(cost := tokens_of({name: brief})):
            kept[name] = brief
        else:
            cut.append((name, "node", cost))
    for name in kept if not wanted.brief else ():
        more = tokens_of(nodes[name]) - tokens_of(kept[name])
        if budget.take(more):
            kept[name] = nodes[name]
        else:
            cut.append((name, "details", more))
    return kept, cut


def _add_texts(nodes: Json, texts: Mapping[str, Text], budget: _Budget | None, omitted: list[Json]) -> None:
    for name, node in nodes.items():
        text = texts.get(node["key"])
        if text is None or text.text is None:
            continue
        if budget is None or budget.take(cost := tokens_of({SOURCE: text.text})):
            nodes[name] = node | {"extra": {**node["extra"], SOURCE: text.text}}
        else:
            omitted.append(_omitted(name, SOURCE, "budget", cost))


def _cut_relations(relations: Mapping[str, Json], budget: _Budget | None, omitted: list[Json]) -> Json:
    """As many keys of each list as there is room for, from its beginning."""
    if budget is None:
        return dict(relations)
    kept: Json = {}
    for name, kinds in relations.items():
        for kind, keys in kinds.items():
            room: list[str] | None = [] if budget.take(tokens_of({name: {kind: []}})) else None
            for number, key in enumerate(keys) if room is not None else ():
                if not budget.take(tokens_of([key])):
                    break
                room = keys[: number + 1]
            if room is not None:
                kept.setdefault(name, {})[kind] = room
            if left := keys[len(room or ()) :]:
                omitted.append(_omitted(name, kind, "budget", tokens_of(left), len(left)))
    return kept


def _siblings(view: IndexView, node: Json) -> list[str]:
    """Keys of what is defined beside the node: in the same class, function or module. A module has none."""
    if node["node_type"] == "module":
        return []
    around = node["qualname"].rpartition(".")[0]
    states = view.nodes_of(node["file_path"])
    beside = (state for state in states if state["qualname"] != MODULE and state["key"] != node["key"])
    return [state["key"] for state in beside if state["qualname"].rpartition(".")[0] == around]


def _nodes(view: IndexView, keys: Iterable[str]) -> dict[str, Json]:
    """The nodes of those of the keys that are the project's, in their order."""
    names = {}
    for key in keys:
        with contextlib.suppress(KeyFormatError):  # the name of something outside the project
            names[key] = split_key(key)
    states = view.nodes(names.values())
    return {key: states[name] for key, name in names.items() if name in states}


def _omitted(name: str, what: str, reason: str, tokens: int | None = None, count: int | None = None) -> Json:
    return {"id": name, "what": what, "reason": reason, "tokens": tokens, "count": count}


def tokens_of(value: object) -> int:
    """What a JSON value costs, rounded up."""
    return -(-len(orjson.dumps(value).decode()) // CHARACTERS_PER_TOKEN)


def texts_of(nodes: Iterable[Json], lines: Sequence[str]) -> dict[str, Text]:
    """The texts of nodes of one file, by key."""
    return {node["key"]: Text(_slice(lines, node["range"])) for node in nodes}


def _slice(lines: Sequence[str], range_: Json) -> str:
    """Whole lines: a definition's indentation belongs to its text."""
    end = range_["end"]
    taken = list(lines[range_["start"]["line"] : end["line"] + (1 if end["character"] else 0)])
    return "".join(taken).rstrip("\r\n")
