"""What the index is told about a project's tests, beside its files: by who reads configuration and settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ..analysis.testing import CollectionRules

if TYPE_CHECKING:
    from .view import IndexView

META = "tests"


class TestSetup(NamedTuple):
    """rules: how tests are found. depth, limit: as the settings related-depth and related-limit have it. entries: last
    names of the project's entry points."""

    rules: CollectionRules = CollectionRules()
    depth: int = 30
    limit: int = 20
    entries: tuple[str, ...] = ()

    def encode(self) -> str:
        """As it is kept in the index."""
        return orjson.dumps(self._asdict() | {"rules": self.rules._asdict()}).decode()


def setup_of(view: IndexView) -> TestSetup:
    """What the hub has noted; the defaults where it has not."""
    noted = view.select_one("SELECT value FROM meta WHERE key = ?", (META,))
    if noted is None:
        return TestSetup()
    found = orjson.loads(noted)
    return TestSetup(**_tuples(found | {"rules": CollectionRules(**_tuples(found["rules"]))}))


def _tuples(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
