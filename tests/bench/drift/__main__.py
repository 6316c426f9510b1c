"""Precision and recall of rules for drift: `python -m tests.bench.drift REPOSITORY... [--show FILE] [--speed]`.

A repository is a clone with its history, bare or not. The events found in it are kept in the user's cache directory.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import platformdirs

from remora_hub_lsp.analysis.drift import Pair, mismatches, reasons
from remora_hub_lsp.hub.history.documented import Documented
from remora_hub_lsp.hub.history.git import Repository

from ..report import Table
from . import events
from .events import Event
from .functions import Function
from .labels import KINDS, Label, changes, label
from .speed import speed

NAMES = {"added", "removed", "renamed"}
FORMAT = 3  # of what is cached


class Judged(NamedTuple):
    """An event, what became of it, and the pairs that a rule sees."""

    event: Event
    label: Label
    was: Pair
    now: Pair


Rule = Callable[[Judged], bool]
RULES: dict[str, Rule] = {
    "any signature change (the literal rule)": lambda one: True,
    "names, order, kind, default": lambda one: bool({*one.label.kinds} & {*NAMES, "reordered", "kind", "default"}),
    "names": lambda one: bool({*one.label.kinds} & NAMES),
    "static mismatch, no history": lambda one: bool(mismatches(one.now)),
    "evidence: `analysis.drift.reasons`": lambda one: bool(reasons(one.was, one.now)),
    "evidence or static mismatch": lambda one: bool(reasons(one.was, one.now) or mismatches(one.now)),
}
EVIDENCE = "evidence: `analysis.drift.reasons`"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.drift", description=__doc__)
    parser.add_argument("repositories", metavar="REPOSITORY", nargs="+", type=Path)
    parser.add_argument("--show", metavar="FILE", type=Path, help="write the misses and the false alarms there")
    parser.add_argument("--speed", action="store_true", help="measure how fast the histories are read instead")
    options = parser.parse_args()
    if options.speed:
        speed(options.repositories, name_of)
        return
    judged: dict[str, list[Judged]] = {}
    for repository in options.repositories:
        judged[name_of(repository)] = [one for event in events_of(repository) if (one := judge(event))]
    everything = [one for ones in judged.values() for one in ones]
    fates(judged)
    rules(everything)
    by_repository(judged)
    by_kind(everything)
    if options.show:
        options.show.write_text("\n".join(shown(everything)), encoding="utf-8")


def judge(event: Event) -> Judged | None:
    """None for a function whose text is nothing by itself."""
    was, now = pair_of(event, event.before), pair_of(event, event.after)
    return Judged(event, label(event), was, now) if was and now else None


def pair_of(event: Event, function: Function) -> Pair | None:
    name = event.place.partition(":")[2]
    in_class = "." in name and ("(self" in function.signature or "(cls" in function.signature)
    source = "\n".join(" " + line for line in function.source.split("\n")) if in_class else function.source
    last = name.rpartition(".")[2]
    return Documented(last, function.signature, function.docstring, in_class, (), source.encode()).pair


def events_of(repository: Path) -> list[Event]:
    """From the cache, or else from the repository's history."""
    git = Repository(repository)
    cache = platformdirs.user_cache_path("remora-hub-bench") / "drift"
    kept = cache / f"{name_of(repository)}-{git.head()[:12]}-{FORMAT}.pickle"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        print(f"reading the history of {name_of(repository)} ...", file=sys.stderr)
        kept.write_bytes(pickle.dumps(events.events_of(repository)))
    found: list[Event] = pickle.loads(kept.read_bytes())
    return found


def name_of(repository: Path) -> str:
    path = repository.resolve()
    return (path.parent if path.name in ("repo", ".git") else path).name.rpartition("+")[2]


# ------------------------------------------------------------------------------------------------- tables


class Score(NamedTuple):
    """Counts of events. coarse: with those that were rewritten as positives."""

    right: int
    wrong: int
    positives: int
    told: int
    right_told: int
    rewritten: int
    right_rewritten: int

    @property
    def cells(self) -> tuple[str, str, str]:
        """Precision, recall, recall among what the docstring could tell."""
        return (
            ratio(self.right, self.right + self.wrong),
            ratio(self.right, self.positives),
            ratio(self.right_told, self.told),
        )

    @property
    def coarse(self) -> tuple[str, str]:
        """Precision and recall if what was rewritten counts as fixed."""
        right = self.right + self.right_rewritten
        return ratio(right, right + self.wrong), ratio(right, self.positives + self.rewritten)


def score(ones: Iterable[Judged], rule: Rule) -> Score:
    count: Counter[str] = Counter()
    for one in ones:
        if one.label.fate not in ("recent", "undone"):
            flagged = rule(one)
            told = one.label.told and one.label.fate == "fixed"
            count[one.label.fate] += 1
            count[f"right {one.label.fate}"] += flagged
            count["told"] += told
            count["right told"] += told and flagged
    return Score(
        count["right fixed"], count["right kept"], count["fixed"], count["told"], count["right told"],
        count["rewritten"], count["right rewritten"],
    )  # fmt: skip


def fates(judged: dict[str, list[Judged]]) -> None:
    table = Table(
        "Events: a signature changed, the docstring did not",
        "fixed: a later commit put just that into the docstring (a positive); told: of these, the docstring had named a "
        "parameter. rewritten: fixed, too, by a docstring that documented what had been there before for the first time. kept: "
        "the docstring changed for other reasons, or stayed for two years (a negative); wrong: of these, it went on to document "
        "a parameter that was gone. recent, undone: left out.",
        ["repository", "events", "fixed", "told", "rewritten", "kept", "wrong", "recent", "undone"],
    )  # fmt: skip
    total: Counter[str] = Counter()
    for name, ones in judged.items():
        count = Counter({"events": len(ones)})
        for one in ones:
            count[one.label.fate] += 1
            count["told"] += one.label.fate == "fixed" and one.label.told
            count["wrong"] += one.label.fate == "kept" and one.label.wrong
        total += count
        table.row(name, *(count[column] for column in table.rows[0][1:]))
    table.row("all", *(total[column] for column in table.rows[0][1:]))
    table.print()


def rules(ones: list[Judged]) -> None:
    table = Table(
        "Rules",
        "Wanted of the evidence rule: precision 0.85 at recall 0.45. Coarse: what was rewritten counts as fixed. Without wrong: "
        "what was never fixed but stayed demonstrably wrong is left out.",
        ["rule", "precision", "recall", "recall of told", "coarse precision", "coarse recall", "precision without wrong",
         "flagged of all"],
    )  # fmt: skip
    careful = [one for one in ones if not (one.label.fate == "kept" and one.label.wrong)]
    total = sum(one.label.fate in ("fixed", "kept", "rewritten") for one in ones)
    for name, rule in RULES.items():
        found, strict = score(ones, rule), score(careful, rule)
        flagged = found.right + found.wrong + found.right_rewritten
        table.row(name, *found.cells, *found.coarse, strict.cells[0], ratio(flagged, total))
    table.print()


def by_repository(judged: dict[str, list[Judged]]) -> None:
    table = Table("The evidence rule by repository", "", ["repository", "right", "wrong", "precision", "recall", "recall of told"])
    for name, ones in judged.items():
        found = score(ones, RULES[EVIDENCE])
        table.row(name, found.right, found.wrong, *found.cells)
    table.print()


def by_kind(ones: list[Judged]) -> None:
    table = Table(
        "The evidence rule by kind of change",
        "An event counts under the first of its kinds, in this order.",
        ["kind", "fixed", "kept", "right", "wrong", "precision", "recall", "recall of told"],
    )
    for kind in KINDS:
        some = [one for one in ones if one.label.kind == kind]
        found = score(some, RULES[EVIDENCE])
        kept = sum(one.label.fate == "kept" for one in some)
        table.row(kind, found.positives, kept, found.right, found.wrong, *found.cells)
    table.print()


def ratio(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


# --------------------------------------------------------------------------------------- what it got wrong


def shown(ones: list[Judged]) -> Iterable[str]:
    """The misses and the false alarms, to be read."""
    for one in ones:
        why = reasons(one.was, one.now)
        fate = one.label.fate
        if (fate == "fixed" and not why) or (fate == "kept" and why):
            yield f"##### {'MISS' if fate == 'fixed' else 'ALARM'} told={one.label.told} wrong={one.label.wrong}"
            yield f"{one.event.place} {one.event.commit.id[:10]} {changes(one.was.signature, one.now.signature)}"
            yield f"  old {one.was.signature}\n  new {one.now.signature}"
            yield from (f"  ! {reason.code}: {reason.message}" for reason in why)
            yield "--- docstring\n" + one.now.docstring
            yield "--- later\n" + one.label.how + "\n"


if __name__ == "__main__":
    main()
