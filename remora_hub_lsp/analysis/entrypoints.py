"""What a project's packaging says that others start: console scripts and plugins."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import Error as IniError
from configparser import RawConfigParser
from typing import Any

_OBJECT = re.compile(r"[\w.]+\s*:\s*([\w.]+)")


def entry_points(texts: Mapping[str, str]) -> frozenset[str]:
    """The last names of the objects that pyproject.toml and setup.cfg (texts by name) name as entry points."""
    named = [*_in_pyproject(texts.get("pyproject.toml", "")), *_in_setup_cfg(texts.get("setup.cfg", ""))]
    return frozenset(match[1].rpartition(".")[2] for text in named for match in _OBJECT.finditer(text))


def _in_pyproject(text: str) -> Iterator[str]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return
    tool = _table(document.get("tool"))
    for section in (_table(document.get("project")), _table(tool.get("poetry"))):
        for name in ("scripts", "gui-scripts", "entry-points", "plugins"):
            yield from _texts(section.get(name))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)


def _in_setup_cfg(text: str) -> Iterator[str]:
    parser = RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except IniError:
        return
    if parser.has_section("options.entry_points"):
        yield from (value for _, value in parser.items("options.entry_points"))


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
