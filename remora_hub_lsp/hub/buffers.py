"""The open documents of all peers: for each path the newest buffer is its truth."""

from __future__ import annotations

from ..analysis.text import TextDocument


class Buffers:
    """Which peers have which paths open; the one that changed a path last is first."""

    def __init__(self) -> None:
        self._open: dict[str, dict[int, TextDocument]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._open

    def __len__(self) -> int:
        return len(self._open)

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(self._open)

    def put(self, path: str, owner: int, document: TextDocument) -> None:
        """`owner` opened or changed the path."""
        owners = self._open.setdefault(path, {})
        owners.pop(owner, None)
        owners[owner] = document

    def close(self, path: str, owner: int) -> bool:
        """`owner` closed the path; whether it had it open."""
        owners = self._open.get(path)
        if owners is None or owners.pop(owner, None) is None:
            return False
        if not owners:
            del self._open[path]
        return True

    def newest(self, path: str) -> TextDocument | None:
        """The buffer that is the path's truth."""
        owners = self._open.get(path)
        return next(reversed(owners.values())) if owners else None

    def newest_owner(self, path: str) -> int | None:
        """Whose buffer that is."""
        owners = self._open.get(path)
        return next(reversed(owners)) if owners else None
