"""What became of an event: did a later commit put into the docstring exactly what the signature's change asked for?

The labels look at words and lines only, and not through the rule they judge.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import Literal, NamedTuple

from remora_hub_lsp.analysis.signature import expression

from .events import Event

YEAR = 365 * 86_400
LONG = 2 * YEAR

Fate = Literal["fixed", "rewritten", "kept", "recent", "undone"]
# Kinds of change, the most telling first: an event is counted under the first that it has.
KINDS = ("renamed", "removed", "added", "default", "reordered", "kind", "async", "annotation", "return annotation")


class Parameter(NamedTuple):
    """kind: of inspect's five, by a letter. Expressions as normalised source, "" without."""

    name: str
    kind: str
    annotation: str
    default: str


class Label(NamedTuple):
    """fate: "fixed" is a positive, "kept" a negative; "rewritten": fixed as well, but by a docstring that began to
    document what it had never documented before, whatever changed. how: the docstring that fixed it, or why it is kept.

    told: for a positive, whether the docstring named any parameter at all, so that it could be told from it.
    wrong: for a negative, whether the docstring stayed demonstrably wrong, so that it was right to doubt it: to its end it
    documents what is gone, states the old default, or has an entry for every parameter but the new one.
    """

    fate: Fate
    kinds: tuple[str, ...]
    how: str
    told: bool = True
    wrong: bool = False

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if kind in self.kinds)


@lru_cache(maxsize=100_000)
def parameters(signature: str) -> tuple[Parameter, ...]:
    """Those of a normalised signature, in order, without `self` and `cls`."""
    node = _definition(signature)
    args = node.args
    positional = [*args.posonlyargs, *args.args]
    defaults = [None] * (len(positional) - len(args.defaults)) + list(args.defaults)
    found = [_parameter(arg, "p", default) for arg, default in zip(positional, defaults, strict=True)]
    found += [_parameter(args.vararg, "*", None)] if args.vararg else []
    found += [_parameter(arg, "k", default) for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    found += [_parameter(args.kwarg, "**", None)] if args.kwarg else []
    return tuple(one for number, one in enumerate(found) if number or one.name not in ("self", "cls"))


def changes(before: str, after: str) -> dict[str, tuple[str, ...]]:
    """By kind of change, the parameters that it concerns; a renamed one as `old=new`."""
    old, new = parameters(before), parameters(after)
    was, now = {one.name: one for one in old}, {one.name: one for one in new}
    removed = [one.name for one in old if one.name not in now]
    added = [one.name for one in new if one.name not in was]
    renamed = _renamed(old, new, removed, added)
    kept = [name for name in was if name in now]
    found = {
        "renamed": tuple(f"{one}={other}" for one, other in renamed),
        "removed": tuple(name for name in removed if name not in dict(renamed)),
        "added": tuple(name for name in added if name not in dict(renamed).values()),
        "default": tuple(name for name in kept if was[name].default != now[name].default),
        "reordered": tuple(kept) if kept != [name for name in now if name in was] else (),
        "kind": tuple(name for name in kept if was[name].kind != now[name].kind),
        "annotation": tuple(name for name in kept if was[name].annotation != now[name].annotation),
        "async": ("",) if ("async def" in before) != ("async def" in after) else (),
        "return annotation": ("",) if _returns(before) != _returns(after) else (),
    }
    return {kind: names for kind, names in found.items() if names}


def label(event: Event) -> Label:
    """What became of an event."""
    changed = changes(event.before.signature, event.after.signature)
    kinds = tuple(changed) or ("return annotation",)  # type parameters, the unprintable
    docstring = event.after.docstring
    until, seen_other = event.last, False
    for step in event.later:
        if step.after is None:
            until = step.commit.date
            break
        if step.after.docstring == docstring:
            if not _stands(changed, event, step.after.signature):
                return Label("undone", kinds, "")
            continue
        if not _stands(changed, event, step.after.signature):
            return Label("undone", kinds, "")
        seen_other = True
        if _fixes(changed, event, docstring, step.after.docstring, step.after.signature):
            fate: Fate = "rewritten" if _wholesale(event, step.after.docstring) else "fixed"
            return Label(fate, kinds, step.after.docstring, told=_says_something(event))
    wrong = _stays_wrong(changed, event)
    if seen_other:
        return Label("kept", kinds, "the docstring changed for other reasons", wrong=wrong)
    if until - event.commit.date >= LONG:
        return Label("kept", kinds, "it stayed for years", wrong=wrong)
    return Label("recent", kinds, "")


def _gone(changed: dict[str, tuple[str, ...]]) -> list[str]:
    return [*changed.get("removed", ()), *(pair.split("=")[0] for pair in changed.get("renamed", ()))]


def _new(changed: dict[str, tuple[str, ...]]) -> list[str]:
    return [*changed.get("added", ()), *(pair.split("=")[1] for pair in changed.get("renamed", ()))]


def _fixes(changed: dict[str, tuple[str, ...]], event: Event, old: str, new: str, signature: str) -> bool:
    """Whether the step from docstring `old` to `new` catches up with one of the changes."""
    now = {one.name: one for one in parameters(signature)}
    for name in _new(changed):
        if name in now and _RANK[_mentions(new, name)] > _RANK[_mentions(old, name)]:
            return True
    for name in _gone(changed):
        if name not in now and _mentions(old, name) and not _mentions(new, name):
            return True
    after = {one.name: one for one in parameters(event.after.signature)}
    before = {one.name: one for one in parameters(event.before.signature)}
    for name in changed.get("default", ()):
        was, is_ = before[name].default, after[name].default
        if name in now and now[name].default == is_ and _states(old, new, name, was, is_):
            return True
    for name in changed.get("annotation", ()):
        if name in now and now[name].annotation == after[name].annotation:
            fresh = _words(after[name].annotation) - _words(before[name].annotation)
            if _type_words(new, name) & fresh - _type_words(old, name):
                return True
    if "reordered" in changed:
        order = list(after)
        return _in_order(new, order) and not _in_order(old, order)
    return False


def _stands(changed: dict[str, tuple[str, ...]], event: Event, signature: str) -> bool:
    """Whether a later signature still has any of the changes."""
    now = {one.name: one for one in parameters(signature)}
    after = {one.name: one for one in parameters(event.after.signature)}
    if any(name in now for name in _new(changed)) or any(name not in now for name in _gone(changed)):
        return True
    if any(name in now and now[name].default == after[name].default for name in changed.get("default", ())):
        return True
    others = changed.keys() - {"added", "removed", "renamed", "default"}
    return bool(others) and signature != event.before.signature


def _stays_wrong(changed: dict[str, tuple[str, ...]], event: Event) -> bool:
    """Whether the docstring, as it is seen last, is still wrong or incomplete by the change."""
    states = [event.after, *(step.after for step in event.later if step.after is not None)]
    docstring, signature = states[-1].docstring, states[-1].signature
    now = {one.name: one for one in parameters(signature)}
    if any(name not in now and _mentions(docstring, name) == "entry" for name in _gone(changed)):
        return True
    before = {one.name: one.default for one in parameters(event.before.signature)}
    for name in changed.get("default", ()):
        entry, was = _entry(docstring, name), before[name]
        if name in now and was and now[name].default not in (was, "None", ""):
            said = re.search(rf"default[^.]*?[\s=:`'\"]{re.escape(was.strip(chr(39)))}(?!\w)", entry)
            if said and not _literal(now[name].default, entry):
                return True
    new = {name for name in _new(changed) if name in now and not _mentions(docstring, name)}
    others = [one for one in now.values() if one.name not in new and one.kind not in "**" and one.name[0] != "_"]
    return bool(new and others) and all(_mentions(docstring, one.name) == "entry" for one in others)


def _states(old: str, new: str, name: str, was: str, is_: str) -> bool:
    """Whether `new` states the new default of a parameter, or no longer the old one, where `old` did not do so."""
    before, after = _entry(old, name), _entry(new, name)
    if not after or before == after:
        return False
    if is_ and _literal(is_, after) and not _literal(is_, before):
        return True
    return bool(was and _literal(was, before) and not _literal(was, after))


def _literal(default: str, text: str) -> bool:
    bare = default.strip("'\"") or default
    return re.search(rf"(?<![\w.]){re.escape(bare)}(?![\w.]\w|\w)", text) is not None


Mention = Literal["", "word", "entry"]
_RANK = {"": 0, "word": 1, "entry": 2}


@lru_cache(maxsize=100_000)
def _mentions(docstring: str, name: str) -> Mention:
    """How a docstring tells of a parameter: by an entry of its own (or as code), as a word, not at all."""
    if _entry(docstring, name) or re.search(rf"[`'\"*]{re.escape(name)}[`'\"*=]", docstring):
        return "entry"
    return "word" if len(name) > 2 and re.search(rf"\b{re.escape(name)}\b", docstring) else ""


@lru_cache(maxsize=100_000)
def _entry(docstring: str, name: str) -> str:
    """The lines that begin with the parameter's name and what is indented below, or follows its field; "" without."""
    lines = docstring.split("\n")
    begins = re.compile(
        rf"\s*(?:[-*+]\s+|:(?:param|type|arg|key\w*)\s+(?:[^:]*\s)?|@(?:param|type)\s+)?(?:[`\\*]*\w+[`*]*\s*,\s*)*"
        rf"[`\\*]*{re.escape(name)}[`*]*(?:\s*,\s*[`\\*]*\w+[`*]*)*\s*(?:[:(=-].*|)\Z"
    )
    found: list[str] = []
    for number, line in enumerate(lines):
        if begins.match(line) and (line.strip() != name or _below(lines, number)):
            found += [line, *_below(lines, number)]
    return "\n".join(found)


def _below(lines: list[str], number: int) -> list[str]:
    indent = len(lines[number]) - len(lines[number].lstrip())
    found = []
    for line in lines[number + 1 :]:
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        found.append(line)
    return found if any(line.strip() for line in found) else []


def _type_words(docstring: str, name: str) -> set[str]:
    return _words(_entry(docstring, name).partition("\n")[0])


def _words(text: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w+", text))


def _in_order(docstring: str, order: list[str]) -> bool:
    places = [docstring.find(entry) for name in order if (entry := _entry(docstring, name))]
    return len(places) > 1 and places == sorted(places)


def _says_something(event: Event) -> bool:
    """Whether the docstring names a parameter of the old signature."""
    return any(_mentions(event.after.docstring, one.name) for one in parameters(event.before.signature))


def _wholesale(event: Event, new: str) -> bool:
    """Whether the later docstring began to document parameters that were there before, too."""
    kept = {one.name for one in parameters(event.before.signature)} & {
        one.name for one in parameters(event.after.signature)
    }
    return any(_mentions(new, name) == "entry" and not _mentions(event.after.docstring, name) for name in kept)


def _renamed(old: tuple[Parameter, ...], new: tuple[Parameter, ...], removed: list[str], added: list[str]
             ) -> list[tuple[str, str]]:  # fmt: skip
    """Pairs of a name that is gone and a new one in the same place between the same neighbours."""
    names, others = [one.name for one in old], [one.name for one in new]
    found = []
    for name in removed:
        at = names.index(name)
        for other in added:
            to = others.index(other)
            same_before = names[at - 1 : at] == others[to - 1 : to] or at == to
            same_after = names[at + 1 : at + 2] == others[to + 1 : to + 2] or at == to
            if same_before and same_after and old[at].kind == new[to].kind and other not in dict(found).values():
                found.append((name, other))
                break
    return found


def _parameter(arg: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
    annotation = expression(arg.annotation) if arg.annotation else ""
    return Parameter(arg.arg, kind, annotation, expression(default) if default is not None else "")


def _returns(signature: str) -> str:
    node = _definition(signature)
    return expression(node.returns) if node.returns else ""


@lru_cache(maxsize=10_000)
def _definition(signature: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    node = ast.parse(signature + ": ...").body[0]
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node
