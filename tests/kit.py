"""The marker kit: a test is a small project with marks in it, and what the hub has to know stands beside the code.

    #- path             starts a file
    #@ field: value     states that field of the NodeState on this line (several may stand on one line)
    $0                  the cursor: where `Project.type` types

A list field is stated by its names, in any order, and has to be exactly that. The same marks are checked through
two doors: `hub` talks to the Hub in-process, `wire` to the server's real endpoint through a socket.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import textwrap
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.config import load_config
from remora_hub_lsp.hub.changes import Closed, Edited, Opened, Saved
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.models import NodeState
from remora_hub_lsp.protocol import GetContextParams
from remora_hub_lsp.serve.endpoint import serve_connection
from remora_hub_lsp.serve.framing import READ_LIMIT
from remora_hub_lsp.serve.hubs import Hubs

from .serve.peer import Peer

DOORS = ("hub", "wire")
WITH_TESTS = {"include": ["tests"], "depth": 0}
SETTINGS: Mapping[str, Any] = {"workers": 0}
_FILE = re.compile(r"^#- (\S+)\n", re.MULTILINE)
_MARK = re.compile(r"[ \t]*#@ (.*)$", re.MULTILINE)
_KEYS = ("callers", "callees", "related_tests")
_SHORT = {"tests": "related_tests"}


@dataclass(frozen=True)
class Mark:
    """One stated field of the node at a place."""

    path: str
    line: int
    character: int
    field: str
    value: str


@dataclass
class Fixture:
    """A project's files without their marks. cursor: path, line and character of $0."""

    files: dict[str, str] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    cursor: tuple[str, int, int] | None = None


def parse(text: str) -> Fixture:
    """Read a fixture. Raises AssertionError where it has no file, or a mark that states no field of NodeState."""
    fixture = Fixture()
    head, *rest = _FILE.split(textwrap.dedent(text).lstrip("\n"))
    assert not head.strip(), f"text before the first '#- path': {head!r}"
    assert rest, "a fixture needs a file: '#- path'"
    for path, body in zip(rest[::2], rest[1::2], strict=True):
        lines = []
        for number, line in enumerate(body.splitlines(keepends=True)):
            if "$0" in line:
                fixture.cursor = (path, number, line.index("$0"))
                line = line.replace("$0", "")
            for stated in _MARK.findall(line):
                fixture.marks += _marks(path, number, line, stated)
            lines.append(_MARK.sub("", line))
        fixture.files[path] = "".join(lines)
    return fixture


def _marks(path: str, number: int, line: str, stated: str) -> list[Mark]:
    marks = []
    for part in stated.split("#@"):
        name, colon, value = part.strip().partition(":")
        name = _SHORT.get(name, name)
        assert colon, f"{path}:{number + 1}: a mark reads '#@ field: value', not {part!r}"
        assert name in NodeState.model_fields, f"{path}:{number + 1}: NodeState has no field {name!r}"
        marks.append(Mark(path, number, len(line) - len(line.lstrip()), name, value.strip()))
    return marks


class Door(ABC):
    """One way to the hub of `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @abstractmethod
    async def __aenter__(self) -> Door: ...

    @abstractmethod
    async def __aexit__(self, *error: object) -> None: ...

    @abstractmethod
    async def open(self, path: str, text: str) -> None: ...

    @abstractmethod
    async def insert(self, path: str, line: int, character: int, text: str) -> None: ...

    @abstractmethod
    async def replace(self, path: str, text: str) -> None: ...

    @abstractmethod
    async def save(self, path: str) -> None: ...

    @abstractmethod
    async def close(self, path: str) -> None: ...

    @abstractmethod
    async def context(self, nodes: list[str], places: list[tuple[str, int, int]]) -> dict[str, Any]:
        """remora/getContext's result; places are answered as `path:line`."""

    @abstractmethod
    async def settled(self) -> None:
        """Wait until nothing is pending."""


class HubDoor(Door):
    """The Hub itself."""

    async def __aenter__(self) -> HubDoor:
        self.hub = Hub(self.root, load_config(self.root, overrides=SETTINGS))
        self._documents: dict[str, TextDocument] = {}
        await self.hub.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.hub.close()

    async def open(self, path: str, text: str) -> None:
        document = self._documents[path] = TextDocument(text, 1)
        self.hub.apply(Opened(path, document, 1))

    async def insert(self, path: str, line: int, character: int, text: str) -> None:
        document = self._documents[path]
        document.edit((line, character), (line, character), text, "utf-16")
        document.version += 1
        self.hub.apply(Edited(path, document, 1))

    async def replace(self, path: str, text: str) -> None:
        document = self._documents[path]
        document.replace_all(text)
        document.version += 1
        self.hub.apply(Edited(path, document, 1))

    async def save(self, path: str) -> None:
        (self.root / path).write_text(self._documents[path].text, encoding="utf-8")
        self.hub.apply(Saved(path, 1))

    async def close(self, path: str) -> None:
        del self._documents[path]
        self.hub.apply(Closed(path, 1))

    async def context(self, nodes: list[str], places: list[tuple[str, int, int]]) -> dict[str, Any]:
        positions = {f"{path}:{line}": (path, line, character) for path, line, character in places}
        return await self.hub.get_context(GetContextParams(nodes=tuple(nodes), include=("tests",), depth=0), positions)

    async def settled(self) -> None:
        await self.hub.indexed()


class WireDoor(Door):
    """The server's endpoint, behind a socket."""

    async def __aenter__(self) -> WireDoor:
        self._hubs = Hubs(SETTINGS)
        self._folder = tempfile.TemporaryDirectory()
        self._texts: dict[str, TextDocument] = {}
        address = Path(self._folder.name) / "socket"
        self._sessions: set[asyncio.Task[Any]] = set()
        self._listener = await asyncio.start_unix_server(self._serve, address, limit=READ_LIMIT)
        self._peer = Peer(*await asyncio.open_unix_connection(address, limit=READ_LIMIT))
        await self._peer.initialize(self.root.as_uri())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._peer.__aexit__(None, None, None)
        self._listener.close()
        if self._sessions:
            await asyncio.wait(self._sessions)
        await self._hubs.close()
        self._folder.cleanup()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await serve_connection(reader, writer, self._hubs)
        finally:
            self._sessions.discard(task)

    def _uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    async def open(self, path: str, text: str) -> None:
        self._texts[path] = TextDocument(text, 1)
        self._peer.open(self._uri(path), text)

    async def insert(self, path: str, line: int, character: int, text: str) -> None:
        document = self._texts[path]
        document.edit((line, character), (line, character), text, "utf-16")
        document.version += 1
        self._peer.edit(self._uri(path), document.version, ((line, character, line, character), text))

    async def replace(self, path: str, text: str) -> None:
        document = self._texts[path]
        document.replace_all(text)
        document.version += 1
        self._peer.replace(self._uri(path), document.version, text)

    async def save(self, path: str) -> None:
        (self.root / path).write_text(self._texts[path].text, encoding="utf-8")
        self._peer.tell("textDocument/didSave", {"textDocument": {"uri": self._uri(path)}})

    async def close(self, path: str) -> None:
        del self._texts[path]
        self._peer.close(self._uri(path))

    async def context(self, nodes: list[str], places: list[tuple[str, int, int]]) -> dict[str, Any]:
        positions = [
            {"uri": self._uri(path), "position": {"line": line, "character": character}}
            for path, line, character in places
        ]
        result: dict[str, Any] = await self._peer.ask("remora/getContext", {"nodes": nodes, "positions": positions} | WITH_TESTS)
        for path, line, character in places:
            asked = f"{self._uri(path)}:{line}:{character}"
            if asked in result["nodes"]:
                result["nodes"][f"{path}:{line}"] = result["nodes"].pop(asked)
        return result

    async def settled(self) -> None:
        for hub in list(self._hubs.all()):
            await hub.indexed()


class Project:
    """A project made from a fixture, opened through a door."""

    def __init__(self, fixture: Fixture, door: Door) -> None:
        self.fixture = fixture
        self.door = door

    async def open(self, path: str) -> None:
        """Open a file in the editor as it is on disk."""
        await self.door.open(path, (self.door.root / path).read_text(encoding="utf-8"))

    async def type(self, text: str) -> None:
        """Open the cursor's file and type at the cursor, a character at a time."""
        assert self.fixture.cursor is not None, "the fixture has no $0"
        path, line, character = self.fixture.cursor
        await self.open(path)
        for letter in text:
            await self.door.insert(path, line, character, letter)
            line, character = (line + 1, 0) if letter == "\n" else (line, character + 1)

    async def node(self, asked: str) -> dict[str, Any]:
        """The NodeState of one id. Fails where there is none."""
        result = await self.door.context([asked], [])
        assert asked in result["nodes"], result["missing"]
        state: dict[str, Any] = result["nodes"][asked]
        NodeState.model_validate(state)
        return state

    async def missing(self, asked: str) -> str:
        """Why there is no such node."""
        result = await self.door.context([asked], [])
        assert asked not in result["nodes"], f"{asked} is there"
        (entry,) = result["missing"]
        reason: str = entry["reason"]
        return reason

    async def check_marks(self) -> None:
        """Compare every mark with what the hub says. Fails where the fixture has none."""
        marks = self.fixture.marks
        assert marks, "a fixture without a mark checks nothing"
        places = [(mark.path, mark.line, mark.character) for mark in marks]
        await self.door.settled()
        result = await self.door.context([], places)
        wrong = []
        for mark in marks:
            state = result["nodes"].get(f"{mark.path}:{mark.line}")
            assert state is not None, f"{mark.path}:{mark.line + 1}: {result['missing']}"
            NodeState.model_validate(state)
            stated, found = _comparable(mark, state[mark.field])
            if stated != found:
                wrong.append(f"{mark.path}:{mark.line + 1} {mark.field}: stated {stated!r}, the hub says {found!r}")
        assert not wrong, "\n" + "\n".join(wrong)


@asynccontextmanager
async def opened(text: str, root: Path, door: str) -> AsyncIterator[Project]:
    """The fixture written below `root` and opened through a door."""
    fixture = parse(text)
    for path, body in fixture.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(body, encoding="utf-8")
    async with {"hub": HubDoor, "wire": WireDoor}[door](root) as opened_door:
        yield Project(fixture, opened_door)


def _comparable(mark: Mark, found: Any) -> tuple[Any, Any]:
    """What is stated and what was found, in one form."""
    if isinstance(found, (list, tuple)) or (found is None and mark.field in _KEYS):
        names = sorted(mark.value.replace(",", " ").split())
        shown = found if mark.field not in _KEYS else [key.rpartition(":")[2] for key in found or ()]
        return names, sorted(shown or ())
    if isinstance(found, bool):
        return {"yes": True, "no": False}.get(mark.value, mark.value), found
    return mark.value, "" if found is None else str(found)
