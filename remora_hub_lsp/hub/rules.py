"""RulesEngine: what to recompute after a change, as data. Deterministic and pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ChangeType = Literal["added", "modified", "deleted", "opened", "edited", "saved", "closed"]


@dataclass(frozen=True, slots=True)
class UpdateAction:
    """Something to do for one file."""

    file_path: str


@dataclass(frozen=True, slots=True)
class ExtractSignatures(UpdateAction):
    """Extract the facts of the file's nodes and write them."""


@dataclass(frozen=True, slots=True)
class ScanImports(UpdateAction):
    """Work out what the file imports and which of its nodes use that."""


@dataclass(frozen=True, slots=True)
class DeleteFileNodes(UpdateAction):
    """Remove the file and all its nodes."""


class RulesEngine:
    """Change and what is known -> actions, in the order in which they have to be done."""

    def get_update_actions(
        self,
        change_type: ChangeType,
        file_path: str,
        old_states: Mapping[str, str],
        new_hash: str | None = None,
    ) -> list[UpdateAction]:
        """What a change of `file_path` demands.

        old_states: file hash of each of the file's keys in the index, empty if it is not there. new_hash: the
        file's hash now, where it is known; None where it has to be read to be known.
        """
        if change_type == "deleted":
            return [DeleteFileNodes(file_path)] if old_states else []
        if new_hash is not None and old_states and set(old_states.values()) == {new_hash}:
            return []
        return [ExtractSignatures(file_path), ScanImports(file_path)]
