"""A node -> what a hover shows: signature, the docstring's first line, one quiet line of facts."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from ..hub.scripts.shown import said_by_scripts
from .convert import Json, module_name
from .links import Linked

_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
_MARKUP = re.compile(r"([\\*_\[\]<>#~|])")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_BACKTICKS = re.compile(r"`{3,}")


def hover_content(node: Json, *, markdown: bool, late: bool, links: Mapping[str, Linked] | None = None) -> Json:
    """LSP's MarkupContent. `late`: the newest edit of the file is not in the facts yet. links: see `links.linked`."""
    head = node["signature"] or f"# module {module_name(node['file_path'])}"
    summary, quiet = node["docstring"] or "", " · ".join(facts(node, late=late))
    told, before = _drift(node)
    scripts = [f"{script}: {said}" for script, said in said_by_scripts(node["extra"])]
    if markdown:
        said = [_escape(fact) for fact in facts(node, late=late, without=links or ())]
        quiet = " · ".join(said + [_with_links(one) for one in (links or {}).values()])
        parts = [_fence(head), _escape(summary), _escape(told), before and _fence(before), f"*{quiet}*"]
        parts.append("  \n".join(map(_literally, scripts)))
        return {"kind": "markdown", "value": "\n\n".join(part for part in parts if part)}
    parts = [head, summary, told, before, quiet, "\n".join(scripts)]
    return {"kind": "plaintext", "value": "\n\n".join(part for part in parts if part)}


def _drift(node: Json) -> tuple[str, str]:
    """What is wrong with the docstring and since when, and the signature that it belongs to if that is another one."""
    drift = node["drift"]
    if drift is None:
        return "", ""
    since = f" since {drift['since'][:10]}" if drift["since"] else ""
    commit = (
        f" (commit {drift['commit'][:10]}{', ' + drift['author'] if drift['author'] else ''})"
        if drift["commit"]
        else ""
    )
    before = drift["signature"] or ""
    belongs = "; it belongs to" if before else ""
    return f"The docstring {node['docstring_outdated_reason']}{since}{commit}{belongs}", before


def facts(node: Json, *, late: bool = False, without: Container[str] = ()) -> list[str]:
    """What is worth knowing at a glance; nothing is said about what was not computed, or is said elsewhere."""
    said: list[str] = []
    if node["complexity"] is not None:
        said.append(f"complexity {node['complexity']}")
    said.append(_count(node["line_count"] or 0, "line"))
    if node["node_type"] == "function" and not node["has_type_hints"]:
        said.append("no type hints")
    counted = [(name, one) for name, one in _COUNTED if node[name] is not None and name not in without]
    said += [_count(len(node[name]), one) for name, one in counted]
    if node["docstring_outdated"]:
        said.append("docstring outdated")
    if node["broken"]:
        said.append(f"does not parse just now{_because(node['broken'])}")
    if late:
        said.append("newest edit not seen yet")
    return said


_COUNTED = (("callers", "caller"), ("related_tests", "test"))


def _with_links(linked: Linked) -> str:
    links = ", ".join(f"[{_escape(text)}]({target})" for text, target in linked.links)
    return f"{linked.said}: {links}" if linked.said else links


def _because(reason: Any) -> str:
    return f" ({reason})" if reason else ""


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"


def _fence(code: str) -> str:
    longest = max((len(run) for run in _BACKTICKS.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}python\n{code}\n{fence}"


def _escape(text: str) -> str:
    """Text as Markdown shows it; `code` stays code."""
    out, done = [], 0
    for span in _CODE_SPAN.finditer(text):
        out += [_MARKUP.sub(r"\\\1", text[done : span.start()]), span[0]]
        done = span.end()
    return "".join([*out, _MARKUP.sub(r"\\\1", text[done:])])


def _literally(text: str) -> str:
    """Text of anybody's as Markdown shows it, every character as it is: no links, no code, no markup."""
    return _PUNCTUATION.sub(r"\\\1", text)
