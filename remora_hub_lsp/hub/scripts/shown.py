"""What scripts said of a node, in lines for people."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def said_by_scripts(extra: Json) -> list[tuple[str, str]]:
    """Each script that says something of the node, and what: its findings, then its fields, in one line."""
    said_by = []
    for script, said in extra.items():
        if isinstance(said, dict):
            parts = [finding["message"] for finding in said.get("findings", ())]
            parts += [f"{name} {_brief(value)}" for name, value in said.items() if name not in ("findings", "stale")]
            stale = ["(of the text before)"] if said.get("stale") else []
            said_by.append((script, _cut(" · ".join([*parts, *stale]))))
    return said_by


_LONGEST = 300


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _brief(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, dict):
        return " ".join(f"{name} {_brief(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_brief, value))
    if value is None:
        return "-"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
