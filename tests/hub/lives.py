"""What may happen to a project while hubs come and go, as data, and doing it: for the property test."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from remora_hub_lsp.hub.hub import Hub

from .running import GUARD, Editor, contents, fresh, running

PATHS = ("a.py", "pkg/b.py", "pkg/sub/c.pyi", "pkg/__init__.py", "test_a.py")
TEXTS = (
    "def f(a): pass\n\n\nclass A:\n    def g(self): pass\n\n    def h(self): pass\n",
    "import os\nfrom pkg.b import f as k\n\n\nclass A:\n    x = 1\n\n    def g(self, b):\n        return os, k\n",
    "",
    "def k(): pass\n" * 3,
    "def whole(): pass\ndef half(\n",
    "# coding: latin-1\ndef é(): 'ü'\n",
    "if x:\n    def f(): ...\nelse:\n    def f(a): ...\n",
)
LINES = ("def new(b): return 1\n", "import m\n", "x = 1\n", "# note\n", "\n", "class C(A): pass\n", "def (\n", "'''\n")
IGNORED = ("", "pkg/\n", "a.py\n", "sub/\n", "*.pyi\n!pkg/sub/c.pyi\n")
OPERATIONS = (
    "open", "edit", "edit", "edit", "replace", "save", "save", "close",
    "write", "write", "write atomically", "delete", "rename", "move folder", "ignore", "read", "pause",
)  # fmt: skip


class Step(NamedTuple):
    """One thing that happens; the numbers choose among what is possible then."""

    operation: str
    path: int
    choice: int
    owner: int = 1


class Life(NamedTuple):
    """A hub's life. killed: it ends by SIGKILL, that many milliseconds after its last step; None: in order."""

    steps: Sequence[Step]
    killed: int | None = None


class World:
    """A project on disk, the editors on it, and its hub."""

    def __init__(self, root: Path, hub: Hub) -> None:
        self.root = root
        self.hub = hub
        self.editors = {owner: Editor(hub, owner) for owner in (1, 2)}
        self.newest: dict[str, list[Editor]] = {}

    async def do(self, step: Step) -> None:
        path = PATHS[step.path % len(PATHS)]
        editor = self.editors[step.owner]
        match step.operation:
            case "open" | "edit" | "replace" | "save" | "close":
                self._edit(step, editor, path)
            case "read":
                await self.hub.read(lambda view: view.outline(path), paths=(path,), wait=GUARD)
            case "pause":
                await asyncio.sleep(step.choice / 200)
            case _:
                self._disk(step, self.root / path)

    def _edit(self, step: Step, editor: Editor, path: str) -> None:
        order = self.newest.setdefault(path, [])
        if path not in editor.documents:
            editor.open(path, self._text(path) if step.choice % 2 else TEXTS[step.choice % len(TEXTS)])
            order.append(editor)
        elif step.operation == "close":
            editor.close(path)
            order.remove(editor)
            return
        if step.operation == "edit":
            at = step.choice % (len(editor.documents[path].lines) + 1)
            editor.edit(path, (at, 0), (at + step.choice % 3, 0), LINES[step.choice % len(LINES)])
        elif step.operation == "replace":
            editor.replace(path, TEXTS[step.choice % len(TEXTS)])
        elif step.operation == "save":
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            editor.save(path)
        if step.operation not in ("edit", "replace"):
            return
        order.remove(editor)
        order.append(editor)

    def _text(self, path: str) -> str:
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _disk(self, step: Step, place: Path) -> None:
        text = TEXTS[step.choice % len(TEXTS)]
        data = text.encode("latin-1" if "latin-1" in text else "utf-8")
        place.parent.mkdir(parents=True, exist_ok=True)
        match step.operation:
            case "write":
                place.write_bytes(data)
            case "write atomically":
                beside = place.with_name(f".{place.name}.tmp")
                beside.write_bytes(data)
                beside.replace(place)
            case "delete":
                place.unlink(missing_ok=True)
            case "rename" if place.exists():
                target = self.root / PATHS[step.choice % len(PATHS)]
                target.parent.mkdir(parents=True, exist_ok=True)
                place.replace(target)
            case "move folder":
                here, there = self.root / "pkg", self.root / "pkg2"
                if here.exists() and not there.exists():
                    here.rename(there)
                elif there.exists() and not here.exists():
                    there.rename(here)
            case "ignore":
                (self.root / ".gitignore").write_text(IGNORED[step.choice % len(IGNORED)], encoding="utf-8")

    def close_all(self) -> None:
        for editor in self.editors.values():
            for path in list(editor.documents):
                editor.close(path)

    def open_texts(self) -> dict[str, str]:
        return {path: order[-1].documents[path].text for path, order in self.newest.items() if order}


async def live(root: Path, life: Life, done: Callable[[], None] = lambda: None) -> None:
    """Live one life; done is called after its last step."""
    async with running(root, indexed=False, watch=True) as hub:
        world = World(root, hub)
        for step in life.steps:
            await world.do(step)
        done()
        if life.killed is not None:
            await asyncio.sleep(GUARD)


async def live_to_the_end(root: Path, life: Life) -> None:
    """The last life; then the index has to be that of the truth, first with the buffers open and then without."""
    async with running(root, indexed=False, watch=True) as hub:
        world = World(root, hub)
        for step in life.steps:
            await world.do(step)
        await _becomes(hub, await _with_buffers(root, world.open_texts()), world.open_texts())
        world.close_all()
        await _becomes(hub, await fresh(root), {})
        status = await hub.status()
        assert (status.state, status.diverging, status.pending) == ("ready", (), 0)
        assert not hub.counters["failed_changes"]


async def _becomes(hub: Hub, expected: dict[str, object], texts: dict[str, str]) -> None:
    """Wait for what the notices of the system bring about; nobody compares everything for it."""
    try:
        async with asyncio.timeout(GUARD / 3):
            while _comparable(hub.database, texts) != expected:
                await asyncio.sleep(0.02)
            await hub.indexed()
    except TimeoutError:
        pass
    found = _comparable(hub.database, texts)
    differ = {key: (found.get(key), expected.get(key)) for key in found | expected if found.get(key) != expected.get(key)}
    assert not differ, f"{len(differ)} entries: (found, expected) of the first: {next(iter(differ.items()))}"


async def _with_buffers(root: Path, texts: dict[str, str]) -> dict[str, object]:
    database = root.with_name(root.name + "-buffers") / "index.db"
    async with running(root, database=database) as hub:
        editor = Editor(hub)
        for path, text in texts.items():
            editor.open(path, text)
        await hub.indexed()
        found = _comparable(database, texts)
    for file in database.parent.iterdir():
        file.unlink()
    return found


def _comparable(database: Path, texts: dict[str, str]) -> dict[str, object]:
    """What an index holds. Of open buffers neither version, nor what is kept from before the text broke."""
    found = contents(database)
    broken = {path for path in texts if found.get(path, {}).get("error")}
    for key, entry in list(found.items()):
        path = entry["file_path"]
        if path in broken:
            del found[key]
        elif path in texts:
            entry.pop("version")
            entry.pop("diverges", None)
    return found
