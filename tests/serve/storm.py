"""Peers that live the stories of `stories` at a real server, and a witness whose work they must not disturb."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remora_hub_lsp.analysis.source import encode
from remora_hub_lsp.serve.relay import LOST

from .peer import HANG, Peer
from .process import environment, started
from .stories import NEW, SAME, Ask, BadEdit, Body, Cancel, Close, Edit, Encoding, Open, Step, Story, Tell, Wait

FILES = {
    "a.py": "import b\n\n\nclass Cart:\n    def total(self, rate):\n        return b.price(rate)\n\n\ndef f(x):\n    '''Doc.\n\n    Args:\n        y: gone\n    '''\n    return Cart().total(x)\n",
    "b.py": "def price(x: int) -> int:\n    return x\n",
    "broken.py": "def whole(): ...\ndef half(\n",
    "big.py": "".join(f"def f{n}(x):\n    return f{n - 1}(x)\n" for n in range(1, 400)),
    "test_a.py": "import a\n\n\ndef test_f():\n    assert a.f(1)\n",
    "witness.py": "",
}
CODES = {-32700, -32600, -32601, -32602, -32002, -32800, -32803}
"""What may be answered; -32603 would be a fault of the server's own."""
ORDERING = ("initialize", "shutdown")
ENDS = {
    "half": b'Content-Length: 60\r\n\r\n{"jsonrpc"', "header": b"Content-Len", "garbage": b"\0" * 70_000,
    "post": b"POST / HTTP/1.1\r\nHost: x\r\n\r\n{}", "exit": b'Content-Length: 33\r\n\r\n{"jsonrpc":"2.0","method":"exit"}',
}  # fmt: skip
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def uris_of(root: Path) -> list[str]:
    """What documents may be called: right, wrong and odd. None of them is a folder outside of the project."""
    here = root.as_uri()
    return [
        *(f"{here}/{name}" for name in FILES if name != "witness.py"), f"{here}/a.py", f"{here}/missing.py", here, f"{here}/sub",
        f"{here}/a.py?x#y", f"{here}//./a.py", f"{here}/sub/../a.py", f"{here}/%C3%A9.py", f"{here}/%ff.py", f"{here}/%00.py",
        f"{here}/{'x' * 300}.py", f"{here}/a.py/b.py", f"{here}/\ud83d.py", f"{here}/new%0Aline.py", f"{here}/x.pym", f"{here}/.gitignore",
        here.replace("file://", "FILE://LOCALHOST") + "/a.py", "file://elsewhere/a.py", "file:///etc/hostname", "file:///dev/zero.py",
        "untitled:Untitled-1", "https://example.org/a.py", "", "a.py", "file:", "file://", "%", "git:/a.py?{}", "\0",
    ]  # fmt: skip


IDS = ["a.py", "a.py:Cart", "a.py:Cart.total", "node:a.py:f", "a.f", "b.price", "big.py:f7", "broken.py:whole", "no.such.thing", "a.py:f#2"]


class Teller:
    """Lives one story on one connection. problems: what was wrong with the answers."""

    def __init__(self, peer: Peer, root: Path, name: str) -> None:
        self.peer = peer
        self.root = root
        self.path = f"{name}.py"
        self.uri = (root / self.path).as_uri()
        self.text: str | None = None
        self.problems: list[str] = []
        self.asked: list[tuple[Any, str]] = []
        self.unnamed = 0
        self._encoding: Encoding = "utf-16"
        self._new = itertools.count(1000)

    async def live(self, story: Story) -> list[str]:
        """Gives the problems."""
        try:
            await self._live(story)
        except AssertionError as problem:
            self.problems.append(str(problem))
        self._judge(ended=story.ending != "stay")
        return self.problems

    async def _live(self, story: Story) -> None:
        for step in story.before:
            await self._do(step)
        await self._answered()
        self._ask("initialize", self._handshake(story.encoding))
        await self._answered()
        if self._succeeded(-1):
            self._encoding = story.encoding
        alive = not any(method == "shutdown" and self._succeeded(number) for number, (_, method) in enumerate(self.asked))
        self.peer.tell("initialized", {})
        for step in story.steps:
            await self._do(step)
        if story.ending == "stay":
            await self._answered()
            if alive and self._succeeded(len(self.asked) - 1, "initialize", anywhere=True):
                await self._sync()
            await self._leave()
        else:
            await self._end(story.ending)

    def _handshake(self, encoding: Encoding) -> dict[str, Any]:
        capabilities = {"general": {"positionEncodings": [encoding]}, "window": {"workDoneProgress": True}}
        return {"processId": None, "rootUri": self.root.as_uri(), "capabilities": capabilities}

    async def _do(self, step: Step) -> None:
        match step:
            case Ask(method, params, name):
                self._ask(method, params, name)
            case Tell(method, params):
                self.peer.tell(method, params)
            case Cancel(back):
                msg_id = self.asked[-back][0] if 0 < back <= len(self.asked) else "never"
                self.peer.tell("$/cancelRequest", {"id": msg_id})
            case Body(data, answered):
                self.unnamed += answered
                self.peer.send(data)
            case Wait():
                await self._answered()
            case _:
                self._edit(step)
        await asyncio.sleep(0)

    def _ask(self, method: str, params: Any, name: Any = NEW) -> None:
        if name == NEW or (name == SAME and (not self.asked or self.asked[-1][1] in ORDERING)):
            msg_id = next(self._new)
        else:
            msg_id = self.asked[-1][0] if name == SAME else name
        self.asked.append((msg_id, method))
        self.peer.send({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})

    # -- the session's own document --------------------------------------------------------------------------

    def _edit(self, step: Step) -> None:
        """Only what is right changes the text; it is edited here as LSP says, independently of the server."""
        match step:
            case Open(text):
                self.peer.open(self.uri, text, 1)
                self.text = whole(text)
            case Close():
                self.peer.close(self.uri)
                self.text = None
            case Edit(changes, version):
                events = [{"text": text} if start is None else {"range": _range(start, end), "text": text} for start, end, text in changes]
                self._change(version, events)
                for start, end, text in changes if self.text is not None else ():
                    self.text = whole(text) if start is None or end is None else edited(self.text or "", start, end, whole(text), self._encoding)
            case BadEdit(spoilt):
                self._bad_edit(spoilt)

    def _bad_edit(self, how: str) -> None:
        good = {"range": _range((0, 0), (0, 0)), "text": "spoilt = 1\n"}
        match how:
            case "no version":
                self.peer.tell("textDocument/didChange", {"textDocument": {"uri": self.uri}, "contentChanges": [good]})
            case "a text that is none":
                self._change(2, [good, {"text": 5}])
            case "half a range":
                self._change(2, [good, good | {"range": {"start": {"line": 0, "character": 0}}}])
            case "a negative line":
                self._change(2, [good, good | {"range": _range((-1, 0), (0, 0))}])
            case "a line too big":
                self._change(2, [good, good | {"range": _range((0, 0), (2**31, 0))}])
            case "no list":
                self._change(2, good)

    def _change(self, version: int, events: Any) -> None:
        self.peer.tell("textDocument/didChange", {"textDocument": {"uri": self.uri, "version": version}, "contentChanges": events})

    async def _sync(self) -> None:
        """The server has the very text, bytes and all, that was typed here."""
        event = {"added": [{"uri": self.root.as_uri(), "name": "x"}], "removed": []}  # it may have been removed meanwhile
        self.peer.tell("workspace/didChangeWorkspaceFolders", {"event": event})
        if self.text is not None:
            self._edit(Edit((((0, 0), (0, 0), "def probe(a, *, b=1): ...\n"),), 7))
        module = f"node:{self.path}:<module>"
        number = self.peer.start("remora/getContext", {"nodes": [module, f"{self.path}:probe"], "waitMs": 30_000})
        self.asked.append((number, "remora/getContext"))
        result = await self.peer.answer(number)
        if self.text is None:
            if [entry["reason"] for entry in result["missing"]] != ["no such file"] * 2:
                self.problems.append(f"a closed document is still known: {result}")
            return
        node, probe = result["nodes"].get(module), result["nodes"].get(f"{self.path}:probe")
        if node is None or node["file_hash"] != hashlib.sha256(encode(self.text)).hexdigest():
            self.problems.append(f"the text differs from {self.text!r}: {node} {result['missing']} {result['stale']}")
        elif parses(self.text) and (probe is None or probe["signature"] != "def probe(a, *, b=1)"):
            self.problems.append(f"the probe is not found in {self.text!r}: {probe} {result['missing']} {result['stale']}")

    # -- answers ---------------------------------------------------------------------------------------------

    @property
    def _answers(self) -> list[dict[str, Any]]:
        return [message for message in self.peer.received if "method" not in message]

    async def _answered(self) -> None:
        """Wait until there is an answer for each request; whatever waits on purpose does so for a second at most."""
        try:
            async with asyncio.timeout(HANG), self.peer._news:
                while len(self._answers) < len(self.asked) + self.unnamed and not self.peer.closed.is_set():
                    await self.peer._news.wait()
        except TimeoutError:
            pass
        if len(self._answers) < len(self.asked) + self.unnamed:
            raise AssertionError(f"not all was answered; asked {self.asked}, got {self._answers}")

    def _succeeded(self, number: int, method: str = "", *, anywhere: bool = False) -> bool:
        if anywhere:
            return any(self._succeeded(i) for i, (_, name) in enumerate(self.asked) if name == method)
        found = [message for message in self._answers if message["id"] == self.asked[number][0]]
        return len(found) == 1 and "result" in found[0]

    async def _leave(self) -> None:
        self._ask("shutdown", None)
        self._ask("remora/status", None)
        await self._answered()
        self.peer.tell("exit", None)
        await self.peer.end()

    async def _end(self, how: str) -> None:
        if how == "shutdown":
            await self._leave()
        elif how == "deaf":
            self.peer._reading.cancel()
            for _ in range(150):
                self._ask("textDocument/documentSymbol", {"textDocument": {"uri": f"{self.root.as_uri()}/big.py"}})
            await asyncio.sleep(0.05)
            self.peer.writer.transport.abort()
        elif how == "abort":
            self.peer.writer.transport.abort()
        else:
            self.unnamed += how in ("garbage", "post")
            self.peer.write(ENDS[how])
            if how in ("half", "header"):
                self.peer.writer.write_eof()
        if how != "deaf":
            await self.peer.end()

    def _judge(self, *, ended: bool) -> None:
        """Every request has exactly one answer (at most one, where the session was cut off)."""
        asked, got = Counter(msg_id for msg_id, _ in self.asked), Counter(message.get("id") for message in self._answers)
        asked[None] = self.unnamed
        for msg_id in asked.keys() | got.keys():
            if got[msg_id] > asked[msg_id] or (got[msg_id] < asked[msg_id] and not ended):
                self.problems.append(f"{asked[msg_id]} x {msg_id!r} asked, {got[msg_id]} answers")
        errors = [message["error"] for message in self._answers if "error" in message]
        self.problems += [f"the answer {error}" for error in errors if error["code"] not in CODES or "Traceback" in str(error)]
        self._judge_order(asked)

    def _judge_order(self, asked: Counter[Any]) -> None:
        """Before `initialize` and after `shutdown` nothing else is done."""
        answers = {message["id"]: message for message in self._answers if message.get("id") is not None}
        initialized = over = False
        for msg_id, method in self.asked:
            if asked[msg_id] > 1 and method in ORDERING:
                return  # which of the answers is its own cannot be told
            if asked[msg_id] > 1 or msg_id not in answers:
                continue
            code = answers[msg_id].get("error", {}).get("code")
            wanted = -32600 if over else -32002 if not initialized and method != "initialize" else None
            wanted = -32600 if initialized and method == "initialize" else wanted
            if wanted is not None and code != wanted:
                self.problems.append(f"{method} was answered {code}, not {wanted}")
            initialized |= method == "initialize" and code is None
            over |= method == "shutdown" and code is None


class Witness:
    """A peer that goes about its work, whatever the others do."""

    def __init__(self, peer: Peer, root: Path) -> None:
        self.peer = peer
        self._uri = (root / "witness.py").as_uri()
        self._edits = itertools.count(2)

    async def begin(self, root: Path) -> None:
        await self.peer.initialize(root.as_uri())
        self.peer.open(self._uri, "def w(first): ...\n")

    async def works(self) -> list[str]:
        """Type, and ask for what was typed; gives what is wrong."""
        number = next(self._edits)
        self.peer.edit(self._uri, number, ((0, 0, 0, 100), f"def w(v{number}): ..."))
        result = await self.peer.ask("remora/getContext", {"nodes": ["witness.py:w"], "waitMs": 30_000})
        signature = result["nodes"].get("witness.py:w", {}).get("signature")
        return [] if signature == f"def w(v{number})" else [f"the witness typed v{number} and got {result}"]


class Storm:
    """Stories at one server, several at a time. connect: opens a connection to it; log: what it wrote so far."""

    def __init__(self, root: Path, connect: Callable[[], Any], log: Callable[[], str]) -> None:
        self.root = root
        self._connect = connect
        self._log = log
        self._runner = asyncio.Runner()
        self._numbers = itertools.count(1)
        self._witness: Witness | None = None
        self._seen = 0

    def tell(self, told: Sequence[Story]) -> None:
        """Fails with all that was wrong."""
        problems = self._runner.run(self._tell(told))
        log = self._log()
        if at := log[self._seen :].find("Traceback") + 1:
            problems.append(log[self._seen :][max(at - 500, 0) :])
        self._seen = len(log)
        assert not problems, "\n".join(problems)

    async def _tell(self, told: Sequence[Story]) -> list[str]:
        if self._witness is None:
            self._witness = Witness(await self._connect(), self.root)
            await self._witness.begin(self.root)
        tellers = [Teller(await self._connect(), self.root, f"own{next(self._numbers)}") for _ in told]
        results = await asyncio.gather(*(teller.live(story) for teller, story in zip(tellers, told, strict=True)), self._witness.works())
        for teller in tellers:
            teller.peer._reading.cancel()
            teller.peer.writer.close()
        return [*itertools.chain.from_iterable(results), *await self._witness.works()]

    def close(self) -> None:
        async def leave() -> None:
            if self._witness is not None:
                await self._witness.peer.__aexit__(None, None, None)

        self._runner.run(leave())
        self._runner.close()


@contextmanager
def hub_storm(folder: Path) -> Iterator[tuple[Storm, subprocess.Popen[bytes]]]:
    """A hub process of its own, over its socket; `folder` gets the project and the log."""
    root = project(folder)
    log = folder / "hub.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "remora_hub_lsp", "serve", "--workers", "0"], env=environment(), stdout=output, stderr=output)
    try:
        address = _address(process)

        async def connect() -> Peer:
            return Peer(*await asyncio.open_unix_connection(address))

        storm = Storm(root, connect, lambda: log.read_text(encoding="utf-8", errors="replace"))
        yield storm, process
        storm.close()
    finally:
        process.kill()
        process.wait()


async def tell_alone(root: Path, story: Story, *arguments: str) -> None:
    """One story at a server (or a relay) of its own, over standard input and output; fails with all that was wrong."""
    async with started(arguments=[sys.executable, "-m", "remora_hub_lsp", "--stdio", *arguments]) as peer:
        problems = await Teller(peer, root, "alone").live(story)
        peer.writer.close()
        code = await peer.exit_code()
        errors = await peer.errors()
    assert not problems, "\n".join(problems)
    assert code in ((LOST, 0) if story.ending == "deaf" else (0, 1)), errors
    assert "Traceback" not in errors, errors


def project(folder: Path) -> Path:
    root = folder / "project"
    (root / "sub").mkdir(parents=True)
    for name, text in FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def _address(process: subprocess.Popen[bytes]) -> str:
    from time import monotonic, sleep

    from remora_hub_lsp.discovery import find

    until = monotonic() + HANG
    while (found := find()) is None or found.pid != process.pid or not found.socket:
        assert process.poll() is None, "the hub process has ended"
        assert monotonic() < until, "the hub process does not listen"
        sleep(0.02)
    return found.socket


# -- text as LSP means it ------------------------------------------------------------------------------------------


def whole(text: str) -> str:
    """Halves of characters are no text."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def edited(text: str, start: tuple[int, int], end: tuple[int, int], new: str, encoding: Encoding) -> str:
    """The text with a range of it replaced."""
    first, last = sorted((start, end))
    return text[: _offset(text, first, encoding)] + new + text[_offset(text, last, encoding) :]


def _offset(text: str, position: tuple[int, int], encoding: Encoding) -> int:
    lines = _LINE.findall(text)
    line, character = position
    if line >= len(lines):
        return len(text)
    body, units = lines[line].rstrip("\r\n"), 0
    for index, one in enumerate(body):
        units += len(one.encode(f"{encoding}-le" if encoding != "utf-8" else encoding)) // {"utf-8": 1, "utf-16": 2, "utf-32": 4}[encoding]
        if units > character:
            return sum(map(len, lines[:line])) + index
    return sum(map(len, lines[:line])) + len(body)


def _range(start: tuple[int, int], end: tuple[int, int] | None) -> dict[str, Any]:
    assert end is not None
    return {"start": {"line": start[0], "character": start[1]}, "end": {"line": end[0], "character": end[1]}}


def parses(text: str) -> bool:
    try:
        compile(text, "x", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def held(process: subprocess.Popen[bytes]) -> int:
    """How many descriptors a process has."""
    return len(os.listdir(f"/proc/{process.pid}/fd"))
