"""Fuzzy search over all names of the index, best first.

SQLite filters (without holding Python's interpreter lock), Python ranks what is left. The tiers: the name itself,
its beginning, a part of it, its letters in order (`gqs` finds get_query_set); within a tier letters that start
a word count more, then shorter names.
"""

from __future__ import annotations

from .view import IndexView, Json

# How many hits of a tier are ranked; more than anybody reads.
_CANDIDATES = 2000
_KEEP = ("qualname", "kind", "node_type", "range", "name_range", "signature", "key")


def search(view: IndexView, query: str, limit: int = 200) -> list[Json]:
    """At most `limit` symbols that match; with dots (`Cart.total`) the qualified name has to match.

    A symbol: name, qualname, kind, node_type, path, range, name_range, signature, key.
    """
    container, _, name = query.strip().rpartition(".")
    ranked: list[tuple[tuple[int, int, int, str], int]] = []
    seen: set[int] = set()
    for tier, (where, parameters) in enumerate(_tiers(name)):
        for number, found, _ in view.symbols(where, parameters, _CANDIDATES):
            if number not in seen:
                seen.add(number)
                ranked.append(((tier, -_word_starts(name, found), len(found), found), number))
        if len(seen) >= limit and not container:
            break
    ranked.sort()
    out: list[Json] = []
    for _, number in ranked:
        state = view.by_id(number)
        if state is None or (container and not _inside(container, state["qualname"])):
            continue
        out.append(_symbol(state))
        if len(out) == limit:
            break
    return out


def _tiers(name: str) -> list[tuple[str, tuple[str, ...]]]:
    if not name:
        return [("1", ())]
    return [
        ("name = ?", (name,)),
        ("name >= ? AND name < ?", (name, name + "\U0010ffff")),
        ("name LIKE ? ESCAPE '\\'", (f"%{_escape(name)}%",)),
        ("name LIKE ? ESCAPE '\\'", ("%" + "%".join(_escape(c) for c in name) + "%",)),
    ]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


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


def _inside(container: str, qualname: str) -> bool:
    around = qualname.rpartition(".")[0].lower()
    wanted = container.lower()
    return around == wanted or around.endswith("." + wanted) or wanted in around


def _symbol(state: Json) -> Json:
    symbol = {name: state[name] for name in _KEEP}
    symbol["name"] = state["node_name"]
    symbol["path"] = state["file_path"]
    return symbol
