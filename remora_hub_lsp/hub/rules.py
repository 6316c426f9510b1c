"""RulesEngine: what to recompute after a change, as data. Deterministic and pure.

A change of a file demands work on that file (`get_update_actions`); what that work then finds to have changed
demands work on others (`get_dependency_actions`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

ChangeType = Literal["added", "modified", "deleted", "opened", "edited", "saved", "closed"]


@dataclass(frozen=True, slots=True)
class UpdateAction:
    """Something to do for one file."""

    file_path: str


@dataclass(frozen=True, slots=True)
class ExtractSignatures(UpdateAction):
    """Extract the facts of the file's nodes and write them, as the script extract_signatures.pym records them."""


@dataclass(frozen=True, slots=True)
class ScanImports(UpdateAction):
    """Work out what the file imports and which of its nodes use that: the script scan_imports.pym."""


@dataclass(frozen=True, slots=True)
class DeleteFileNodes(UpdateAction):
    """Remove the file and all its nodes."""


@dataclass(frozen=True, slots=True)
class RestampFile(UpdateAction):
    """The bytes are those that the index has: only note when and from where they were read."""


@dataclass(frozen=True, slots=True)
class RefreshDependants(UpdateAction):
    """What imports these names (qualified, of this file) rests on something that changed."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RefreshTests(UpdateAction):
    """These definitions of the file changed: which tests reach what they call has to be asked anew."""

    names: tuple[str, ...]


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

        old_states: file hash by key (or by path) of what the index has of the file, empty if it has nothing.
        new_hash: the hash of the file's bytes or of the buffer's text now; None where it is not known yet.
        """
        if change_type == "deleted":
            return [DeleteFileNodes(file_path)] if old_states else []
        if new_hash is not None and old_states and set(old_states.values()) == {new_hash}:
            # Nothing to work out; but after these the row comes from somewhere else than before.
            return [RestampFile(file_path)] if change_type in ("modified", "opened", "saved", "closed") else []
        if change_type == "saved" and old_states and new_hash is None:
            return [RestampFile(file_path)]
        return [ExtractSignatures(file_path), ScanImports(file_path)]

    def get_dependency_actions(
        self, file_path: str, signatures: Collection[str], imports_changed: bool = False, changed: Collection[str] = ()
    ) -> list[UpdateAction]:
        """What follows for others once `file_path` has been worked on.

        signatures: qualnames whose signature changed, appeared or vanished. imports_changed: its imports did, which
        others may re-export. changed: qualnames with any changed fact.
        """
        actions: list[UpdateAction] = []
        if signatures or imports_changed:
            actions.append(RefreshDependants(file_path, tuple(sorted(signatures))))
        if changed:
            actions.append(RefreshTests(file_path, tuple(sorted(changed))))
        return actions
