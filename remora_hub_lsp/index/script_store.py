"""Writing what scripts said of nodes (see index.scripts)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from .keys import node_key
from .kv import Changed, NodeStateKV
from .view import FILE_SHIFT

Json = dict[str, Any]


class Said(NamedTuple):
    """What one script said of one file's nodes.

    revision: of the index that the facts were read from. seen: hashes of the facts of all nodes that it has seen by
    now. results: by qualname what it said of the nodes that were sent; None: nothing. examined: qualnames of the nodes
    whose facts were looked at; those that were not sent had the facts that it had seen. whole: these are all.
    """

    path: str
    script: str
    script_hash: str
    revision: int
    seen: Mapping[str, str]
    results: Mapping[str, Json | None]
    examined: Sequence[str]
    whole: bool


class ScriptStore:
    """Writes what scripts said. Belongs to the writer's thread."""

    def __init__(self, kv: NodeStateKV) -> None:
        self._kv = kv
        self._db = kv._db

    def activate(self, scripts: Mapping[str, bool]) -> Changed:
        """These are the scripts there are; False: it does not count just now, but what it said is kept.

        What the others said is forgotten. Nodes whose answers that changes are told, in one revision.
        """
        with self._kv._reported():
            before = dict(self._db.execute("SELECT name, active FROM scripts").fetchall())
        gone = [name for name in before if name not in scripts]
        turned = [name for name, active in scripts.items() if bool(before.get(name, False)) != active]
        if not gone and not turned and before.keys() == scripts.keys():
            return Changed(self._kv.revision, (), ())
        with self._kv._transaction() as revision:
            touched = self._nodes_of([*turned, *(name for name in gone if before[name])])
            for name in gone:
                for table in ("script_runs", "script_results"):
                    self._db.execute(f"DELETE FROM {table} WHERE script = ?", (name,))
            self._db.execute("DELETE FROM scripts")
            self._db.executemany("INSERT INTO scripts VALUES (?, ?)", list(scripts.items()))
            self._touch(touched, revision)
        return Changed(self._kv.revision, tuple(touched.values()), ())

    def write(self, said: Iterable[Said]) -> Changed:
        """Write what scripts said, in one transaction; the revision rises if that changes an answer."""
        with self._kv._reported():
            known = [(one, file, self._differing(file, one)) for one in said
                     if (file := self._file(one.path)) is not None]  # fmt: skip
        # Of nodes that it knew so already there is nothing to write; a new start looks at their file again.
        known = [(one, file, differing) for one, file, differing in known if one.results or differing or one.whole]
        if not known:
            return Changed(self._kv.revision, (), ())
        changing = any(differing for _, _, differing in known)
        touched: dict[int, str] = {}
        with self._kv._transaction(raise_revision=changing) as revision:
            for one, file, differing in known:
                touched |= self._write_one(file, one, differing)
            self._touch(touched, revision)
        return Changed(self._kv.revision, tuple(touched.values()), ())

    def _write_one(self, file: int, said: Said, differing: Sequence[str]) -> dict[int, str]:
        """Write; gives row and key of the nodes of which it says something else than before."""
        self._db.execute(
            "INSERT OR REPLACE INTO script_runs VALUES (?, ?, ?, ?, ?)",
            (file, said.script, said.script_hash, said.revision, orjson.dumps(dict(said.seen))),
        )
        for qualname, result in said.results.items():
            if result:
                self._db.execute(
                    "INSERT OR REPLACE INTO script_results VALUES (?, ?, ?, ?, ?, ?)",
                    (file, qualname, said.script, said.revision, "findings" in result, orjson.dumps(result)),
                )
            else:
                self._db.execute(
                    "DELETE FROM script_results WHERE file = ? AND qualname = ? AND script = ?",
                    (file, qualname, said.script),
                )
        self._db.execute(
            "UPDATE script_results SET revision = ? WHERE file = ? AND script = ? AND revision < ?"
            " AND qualname IN (SELECT value FROM json_each(?))",
            (said.revision, file, said.script, said.revision, orjson.dumps(list(said.examined)).decode()),
        )
        return self._rows(file, said.path, differing)

    def _differing(self, file: int, said: Said) -> list[str]:
        """Qualnames of the nodes whose answers change: it says something else of them, or is not behind any more."""
        rows = self._db.execute(
            "SELECT qualname, result, revision < (SELECT revision FROM nodes WHERE nodes.file = script_results.file"
            " AND nodes.qualname = script_results.qualname) FROM script_results WHERE file = ? AND script = ?"
            " AND qualname IN (SELECT value FROM json_each(?))",
            (file, said.script, orjson.dumps(list(said.examined)).decode()),
        )
        before = {qualname: (orjson.loads(result), bool(stale)) for qualname, result, stale in rows}
        behind = [name for name, (_, stale) in before.items() if stale]
        nothing = (None, False)
        other = [name for name, result in said.results.items() if before.get(name, nothing)[0] != (result or None)]
        return [*dict.fromkeys([*behind, *other])]

    def _file(self, path: str) -> int | None:
        row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        return row[0] if row else None

    def _rows(self, file: int, path: str, qualnames: Sequence[str]) -> dict[int, str]:
        rows = self._db.execute(
            "SELECT id, qualname FROM nodes WHERE file = ? AND qualname IN (SELECT value FROM json_each(?))",
            (file, orjson.dumps(qualnames).decode()),
        )
        return {row_id: node_key(path, qualname) for row_id, qualname in rows}

    def _nodes_of(self, scripts: Sequence[str]) -> dict[int, str]:
        """Row and key of the nodes of which the scripts said something."""
        rows = self._db.execute(
            "SELECT DISTINCT nodes.id, path, nodes.qualname FROM script_results AS said"
            " JOIN files ON files.id = said.file"
            " JOIN nodes ON nodes.file = said.file AND nodes.qualname = said.qualname"
            " WHERE script IN (SELECT value FROM json_each(?))",
            (orjson.dumps(scripts).decode(),),
        )
        return {row_id: node_key(path, qualname) for row_id, path, qualname in rows}

    def _touch(self, touched: Mapping[int, str], revision: int) -> None:
        """Raise the nodes' revisions, and with them those of the results and runs that had seen all before."""
        if not touched:
            return
        ids = orjson.dumps(list(touched)).decode()
        files = orjson.dumps(sorted({row_id >> FILE_SHIFT for row_id in touched})).decode()
        self._db.execute(
            "UPDATE script_results SET revision = ? WHERE (file, qualname) IN (SELECT file, qualname FROM nodes"
            " WHERE id IN (SELECT value FROM json_each(?))) AND revision >= (SELECT revision FROM nodes"
            " WHERE nodes.file = script_results.file AND nodes.qualname = script_results.qualname)",
            (revision, ids),
        )
        self._db.execute(
            "UPDATE script_runs SET revision = ? WHERE file IN (SELECT value FROM json_each(?))"
            " AND revision >= (SELECT revision FROM files WHERE files.id = script_runs.file)",
            (revision, files),
        )
        self._kv._touch(touched, revision)
