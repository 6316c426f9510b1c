"""RulesEngine: every kind of change against everything that can be known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import get_args

import pytest

from remora_hub_lsp.hub.rules import (
    ChangeType,
    DeleteFileNodes,
    ExtractSignatures,
    RefreshDependants,
    RefreshTests,
    RestampFile,
    RulesEngine,
    ScanImports,
)

PATH = "shop/cart.py"
NOTHING: Mapping[str, str] = {}
SAME, OTHER, UNKNOWN = "same", "other", None
KNOWN = {"node:shop/cart.py:a": SAME, "node:shop/cart.py:b": SAME}
TORN = {"node:shop/cart.py:a": SAME, "node:shop/cart.py:b": "older"}
EMPTY_HASH = {PATH: ""}

ALL = [ExtractSignatures(PATH), ScanImports(PATH)]
GONE = [DeleteFileNodes(PATH)]
STAMP = [RestampFile(PATH)]

# change: actions for (nothing known; known and the same; known and other; known and not hashed yet; torn, same hash)
TABLE = {
    "added": (ALL, [], ALL, ALL, ALL),
    "modified": (ALL, STAMP, ALL, ALL, ALL),
    "opened": (ALL, STAMP, ALL, ALL, ALL),
    "edited": (ALL, [], ALL, ALL, ALL),
    "saved": (ALL, STAMP, ALL, STAMP, ALL),
    "closed": (ALL, STAMP, ALL, ALL, ALL),
    "deleted": ([], GONE, GONE, GONE, GONE),
}
KNOWLEDGE = ((NOTHING, OTHER), (KNOWN, SAME), (KNOWN, OTHER), (KNOWN, UNKNOWN), (TORN, SAME))


def test_the_table_has_every_kind_of_change() -> None:
    assert set(TABLE) == set(get_args(ChangeType))


@pytest.mark.parametrize(("change", "column"), list(itertools.product(TABLE, range(len(KNOWLEDGE)))))
def test_what_a_change_demands_of_its_file(change: ChangeType, column: int) -> None:
    known, new_hash = KNOWLEDGE[column]
    actions = RulesEngine().get_update_actions(change, PATH, known, new_hash)
    assert actions == TABLE[change][column]
    assert RulesEngine().get_update_actions(change, PATH, dict(known), new_hash) == actions, "the same every time"


@pytest.mark.parametrize("change", [kind for kind in TABLE if kind != "deleted"])
def test_a_row_without_a_hash_is_always_worked_out(change: ChangeType) -> None:
    assert RulesEngine().get_update_actions(change, PATH, EMPTY_HASH, OTHER) == ALL


@pytest.mark.parametrize("change", [kind for kind in TABLE if kind != "deleted"])
def test_nothing_known_and_no_hash(change: ChangeType) -> None:
    assert RulesEngine().get_update_actions(change, PATH, NOTHING) == ALL


@pytest.mark.parametrize(
    ("path", "signatures", "imports_changed", "changed", "actions"),
    [
        (PATH, (), False, (), []),
        (PATH, (), False, ("b", "a"), [RefreshTests(PATH, ("a", "b"))]),
        (PATH, ("g", "f"), False, ("f", "g"), [RefreshDependants(PATH, ("f", "g")), RefreshTests(PATH, ("f", "g"))]),
        (PATH, (), True, (), [RefreshDependants(PATH, ())]),
        (PATH, ("f",), True, (), [RefreshDependants(PATH, ("f",))]),
    ],
)  # fmt: skip
def test_what_follows_for_others(
    path: str, signatures: tuple[str, ...], imports_changed: bool, changed: tuple[str, ...], actions: list[object]
) -> None:
    assert RulesEngine().get_dependency_actions(path, signatures, imports_changed, changed) == actions
