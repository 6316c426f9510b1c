"""The written guide's watcher, word for word: awatch with its defaults, `ast.walk`, a row and a commit for each node.

python -m tests.bench.guide_watcher ROOT DATABASE           watches
python -m tests.bench.guide_watcher ROOT DATABASE LISTING   its cold start: indexes the files that LISTING names
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import json
import sqlite3
import sys
import time
from pathlib import Path

from watchfiles import Change, awatch


def index(database: sqlite3.Connection, path: Path, root: Path) -> None:
    text = path.read_text()
    file_hash = hashlib.sha256(text.encode()).hexdigest()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            source = ast.get_source_segment(text, node) or ""
            state = {
                "key": f"node:{path.relative_to(root)}:{node.name}",
                "source_hash": hashlib.sha256(source.encode()).hexdigest(),
                "file_hash": file_hash,
                "docstring": ast.get_docstring(node),
                "last_updated": time.time(),
            }
            database.execute("INSERT OR REPLACE INTO nodes VALUES (?, ?)", (state["key"], json.dumps(state)))
            database.commit()


def connect(where: str) -> sqlite3.Connection:
    database = sqlite3.connect(where)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE IF NOT EXISTS nodes (key TEXT PRIMARY KEY, state TEXT)")
    database.commit()
    return database


def cold_start(root: Path, where: str, listing: Path) -> None:
    database = connect(where)
    for name in listing.read_text(encoding="utf-8").split("\0"):
        try:
            index(database, Path(name), root)
        except (SyntaxError, ValueError):  # mended: the first such file ends the guide's
            continue


async def main(root: Path, where: str) -> None:
    database = connect(where)
    watching = awatch(root)
    first = asyncio.ensure_future(anext(watching))
    await asyncio.sleep(1.0)  # it does not say when it watches
    print("ready", flush=True)
    changes = await first
    while True:
        for change, name in changes:
            if change != Change.deleted and name.endswith(".py"):
                index(database, Path(name), root)
        changes = await anext(watching)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        cold_start(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    else:
        asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
