"""Fuzzy search over all names of the index, best first.

SQLite filters (without holding Python's interpreter lock), Python ranks what is left. The tiers: the name itself,
its beginning, a part of it, its letters in order (`gqs` finds get_query_set). Case does not matter (beyond ASCII it
does), but the same case comes first; so do letters that start a word, then shorter names.
"""

from __future__ import annotations

import unicodedata

from .view import IndexView, Json

# How many hits of a tier are ranked; more than anybody reads.
_CANDIDATES = 2000
# No name is longer; SQLite refuses patterns of 50,000 bytes.
_LONGEST = 1000
_KEEP = ("qualname", "kind", "node_type", "range", "name_range", "signature", "key")
_NAME, _BEGINNING, _PART, _LETTERS = range(4)

Rank = tuple[int, ...]


def search(view: IndexView, query: str, limit: int = 200) -> list[Json]:
    """At most `limit` symbols that match; with dots (`Cart.total`) the qualified name has to match.

    A symbol: name, qualname, kind, node_type, path, range, name_range, signature, key.
    """
    text = unicodedata.normalize("NFKC", query.strip())
    if limit <= 0 or len(text) > _LONGEST or "\0" in text or not text.isprintable():
        return []
    container, _, name = text.rpartition(".")
    ranked: dict[int, tuple[Rank, str]] = {}
    for tier, (where, parameters) in enumerate(_tiers(name)):
        if container:
            where, parameters = f"{where} AND qualname LIKE ? ESCAPE '\\'", (*parameters, f"%{_escape(container)}%.%")
        for number, symbol, _ in view.symbols(where, parameters, _CANDIDATES):
            if number not in ranked:
                ranked[number] = ((tier, *_rank(tier, name, symbol), len(symbol)), symbol)
        if len(ranked) >= limit and not container:
            break
    order = sorted(ranked, key=lambda number: (ranked[number], number))
    if not container:
        order = order[:limit]
    found = view.by_ids(order)
    states = [found[number] for number in order if number in found]
    if container:
        states = [state for _, state in sorted(_inside(container, states), key=lambda pair: pair[0])]
    return [_symbol(state) for state in states[:limit]]


def _tiers(name: str) -> list[tuple[str, tuple[str, ...]]]:
    if not name:
        return [("1", ())]
    return [
        ("name = ? COLLATE NOCASE", (name,)),
        ("name >= ? COLLATE NOCASE AND name < ? COLLATE NOCASE", (name, name + "\U0010ffff")),
        ("name LIKE ? ESCAPE '\\'", (f"%{_escape(name)}%",)),
        ("name LIKE ? ESCAPE '\\'", ("%" + "%".join(_escape(c) for c in name) + "%",)),
    ]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _rank(tier: int, query: str, name: str) -> Rank:
    """Smaller is better, within a tier."""
    if tier == _LETTERS:
        return (-_word_starts(query, name),)
    at = name.lower().find(query.lower())
    starts_word = tier != _PART or _next_word(name, query[:1].lower(), at) == at
    return (not starts_word, name[at : at + len(query)] != query)


def _word_starts(query: str, name: str) -> int:
    """How many letters of the query, matched greedily, start a word of the name."""
    count, at = 0, 0
    lowered = name.lower()
    for letter in query.lower():
        start = _next_word(name, letter, at)
        if start >= 0:
            count, at = count + 1, start + 1
            continue
        plain = lowered.find(letter, at)
        if plain < 0:
            break
        at = plain + 1
    return count


def _next_word(name: str, letter: str, at: int) -> int:
    for i in range(at, len(name)):
        if name[i].lower() == letter and (
            i == 0 or name[i - 1] == "_" or (name[i].isupper() and name[i - 1].islower())
        ):
            return i
    return -1


def _inside(container: str, states: list[Json]) -> list[tuple[tuple[bool, int], Json]]:
    """The states whose class or function around them matches; that of the very name first."""
    wanted = container.lower()
    out = []
    for order, state in enumerate(states):
        around = state["qualname"].rpartition(".")[0].lower()
        if wanted in around:
            out.append(((not f".{around}".endswith(f".{wanted}"), order), state))
    return out


def _symbol(state: Json) -> Json:
    symbol = {name: state[name] for name in _KEEP}
    symbol["name"] = state["node_name"]
    symbol["path"] = state["file_path"]
    return symbol
