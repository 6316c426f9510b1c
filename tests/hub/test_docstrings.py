"""Which docstrings the hub says no longer fit, through the life of a project: saves, typing, moves, restarts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from remora_hub_lsp.analysis.text import TextDocument
from remora_hub_lsp.config import default_database, load_config
from remora_hub_lsp.hub.changes import Closed, DiskChanged, Edited, Opened, Saved
from remora_hub_lsp.hub.hub import Hub
from remora_hub_lsp.index.memory import memory_of
from remora_hub_lsp.protocol import GetContextParams

from .running import GUARD, Gate

DOC = '''    """Price of it all.

    Args:
        net: without tax.
        rate: the tax.
    """
'''
OLD = f"def price(net, rate):\n{DOC}    return net * (1 + rate)\n"
ADDED = OLD.replace("net, rate)", "net, rate, rounded=False)")
FIXED = ADDED.replace("        rate: the tax.\n", "        rate: the tax.\n        rounded: to cents.\n")
NODE = "shop.py:price"
REASON = "does not document `rounded`, which was added, while it documents the other parameters"


class Life:
    """A hub over a folder, and an editor."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.root = hub.root
        self.documents: dict[str, TextDocument] = {}

    async def disk(self, **files: str | None) -> None:
        """Files as another program leaves them; None: it removes them."""
        for name, text in files.items():
            path = self.root / f"{name}.py"
            path.unlink() if text is None else path.write_text(text)
            self.hub.apply(DiskChanged(path.name))
        await self.hub.indexed()

    async def types(self, text: str, path: str = "shop.py") -> None:
        """The whole of an open file, in the editor."""
        if path in self.documents:
            document = self.documents[path]
            document.replace_all(text)
            document.version += 1
            self.hub.apply(Edited(path, document, 1))
        else:
            document = self.documents[path] = TextDocument(text, 1)
            self.hub.apply(Opened(path, document, 1))
        await self.hub.indexed()

    async def saves(self, path: str = "shop.py") -> None:
        (self.root / path).write_text(self.documents[path].text)
        self.hub.apply(Saved(path, 1))
        await self.settled()

    async def closes(self, path: str = "shop.py") -> None:
        del self.documents[path]
        self.hub.apply(Closed(path, 1))
        await self.hub.indexed()

    async def settled(self) -> None:
        await self.hub.indexed()
        await self.hub.write(lambda: None)
        await self.hub.write(lambda: None)

    async def drift(self, node: str = NODE) -> dict[str, Any] | None:
        found = await self.hub.get_context(GetContextParams(nodes=(node,)))
        state: dict[str, Any] = found["nodes"][node]
        assert state["docstring_outdated"] == (state["drift"] is not None)
        drift: dict[str, Any] | None = state["drift"]
        return drift

    async def why(self, node: str = NODE) -> str | None:
        drift = await self.drift(node)
        return "; ".join(reason["code"] for reason in drift["reasons"]) if drift else None


Alive = Callable[[], AbstractAsyncContextManager[Life]]


@pytest.fixture
def alive(tmp_path: Path) -> Alive:
    root = tmp_path / "project"
    root.mkdir()
    (root / "shop.py").write_text(OLD)

    @asynccontextmanager
    async def start(**settings: Any) -> AsyncIterator[Life]:
        hub = Hub(root, load_config(root, overrides={"workers": 0, "watch": False} | settings))
        await hub.start()
        await hub.indexed()
        try:
            yield Life(hub)
        finally:
            await hub.close()

    return start


async def test_a_change_on_disk_is_told_with_its_reason_and_the_old_signature(alive: Alive) -> None:
    async with alive() as life:
        assert await life.why() is None
        await life.disk(shop=ADDED)
        drift = await life.drift()
        assert drift is not None
        assert drift["reasons"][0]["message"] == REASON
        assert drift["signature"] == "def price(net, rate)"
        assert drift["since"]
        await life.disk(shop=FIXED)
        assert await life.drift() is None


async def test_it_survives_a_restart_and_a_new_index(alive: Alive) -> None:
    async with alive() as life:
        await life.disk(shop=ADDED)
        before = await life.drift()
        database = life.hub.database
    async with alive() as life:
        assert await life.drift() == before
    database.unlink()
    async with alive() as life:
        assert await life.drift() == before, "the memory is no part of the index"


async def test_what_changed_while_no_hub_ran_is_seen(alive: Alive) -> None:
    async with alive() as life:
        root = life.root
    (root / "shop.py").write_text(ADDED)
    async with alive() as life:
        assert await life.why() == "parameter-added"


async def test_typing_shows_at_once_and_moves_nothing(alive: Alive) -> None:
    async with alive() as life:
        await life.types(OLD)
        await life.types(ADDED)
        assert await life.why() == "parameter-added"
        await life.types(FIXED)
        assert await life.why() is None, "it fits as it stands, saved or not"
        await life.types(ADDED.replace("Price of it all", "Pri"))
        assert await life.why() == "parameter-added", "an edit of the docstring that was not saved changes nothing"
        await life.types(OLD)
        assert await life.why() is None
        await life.types(ADDED)
        await life.closes()
        assert await life.why() is None, "nothing of it was saved"


async def test_half_typed_text_keeps_what_was_known(alive: Alive) -> None:
    async with alive() as life:
        await life.types(OLD)
        await life.types(ADDED)
        await life.saves()
        await life.types(ADDED.replace("return net", "return (net"))
        assert await life.why() == "parameter-added"
        await life.types(ADDED.replace("net, rate, rounded=False)", "net, rate, roun"))
        await life.saves()
        await life.types(ADDED)
        assert await life.why() == "parameter-added"
        await life.types(OLD)
        assert await life.why() is None


async def test_a_saved_change_of_the_docstring_is_accepted(alive: Alive) -> None:
    async with alive() as life:
        await life.types(ADDED)
        await life.saves()
        assert await life.why() == "parameter-added"
        await life.types(ADDED.replace("Price of it all.", "Price of everything."))
        await life.saves()
        assert await life.why() is None
        await life.types(ADDED.replace("Price of it all.", "Price of everything.").replace("rounded", "cents"))
        assert await life.why() is None, "the docstring never told of it"


async def test_white_space_is_no_change_of_a_docstring(alive: Alive) -> None:
    async with alive() as life:
        await life.disk(shop=ADDED)
        await life.disk(shop=ADDED.replace("\n\n    Args", "\n\n\n    Args"))
        assert await life.why() == "parameter-added"


@pytest.mark.parametrize("docstring_first", [True, False])
async def test_both_in_several_saves_end_without_alarm(alive: Alive, docstring_first: bool) -> None:
    async with alive() as life:
        between = FIXED.replace("net, rate, rounded=False)", "net, rate)") if docstring_first else ADDED
        await life.types(OLD)
        for text in (between, FIXED):
            await life.types(text)
            await life.saves()
        assert await life.why() is None
        await life.types(FIXED.replace("rounded=False", "rounded=False, digits=2"))
        assert await life.why() == "parameter-added", "and go on from there"


async def test_a_revert_and_a_known_branch_are_no_alarm(alive: Alive) -> None:
    other = ADDED.replace("Price of it all", "The price")
    async with alive() as life:
        await life.disk(shop=ADDED)
        await life.disk(shop=OLD)
        assert await life.why() is None
        for text in (other, OLD, other):
            await life.disk(shop=text)
            assert await life.why() is None


async def test_a_renamed_function_keeps_its_memory(alive: Alive) -> None:
    async with alive() as life:
        await life.disk(shop=ADDED)
        renamed = ADDED.replace("def price", "def total")
        await life.types(renamed)
        assert await life.why("shop.py:total") == "parameter-added"
        await life.saves()
        assert await life.why("shop.py:total") == "parameter-added"
        both = OLD.replace("def price", "def total").replace("rate)", "rate, cents=2)", 1)
        await life.types(both.replace("def total", "def cost"))
        await life.saves()
        drift = await life.drift("shop.py:cost")
        assert drift is not None
        assert [reason["parameter"] for reason in drift["reasons"]] == ["cents"]


@pytest.mark.parametrize("source_first", [True, False])
async def test_a_moved_function_keeps_its_memory(alive: Alive, source_first: bool) -> None:
    indented = "class Shop:\n" + "".join(f"    {line}" for line in ADDED.splitlines(keepends=True))
    async with alive() as life:
        await life.disk(shop=ADDED)
        steps: list[dict[str, str | None]] = [{"shop": "x = 1\n"}, {"other": indented.replace("(net", "(self, net")}]
        for step in steps if source_first else reversed(steps):
            await life.disk(**step)
        assert await life.why("other.py:Shop.price") == ("parameter-added" if source_first else None)
        await life.disk(third=ADDED)
        assert await life.why("third.py:price") == "parameter-added"
        await life.disk(third=None, fourth=ADDED)
        assert await life.why("fourth.py:price") == "parameter-added"


async def test_the_same_text_with_another_signature_is_another_function(alive: Alive) -> None:
    async with alive() as life:
        await life.disk(other=ADDED)
        assert await life.why("other.py:price") is None


async def test_what_the_disk_gets_under_an_open_buffer_counts_as_saved(alive: Alive) -> None:
    async with alive() as life:
        await life.types(OLD)
        (life.root / "shop.py").write_text(ADDED)
        life.hub.apply(DiskChanged("shop.py"))
        await life.types(ADDED)  # as an editor does that loads it anew
        await life.disk(shop=ADDED.replace("Price", "The price"))
        await life.types(ADDED.replace("Price", "The price"))
        life.hub.apply(DiskChanged("shop.py"))
        await life.settled()
        assert await life.why() is None


async def test_a_file_that_is_opened_before_it_is_indexed(alive: Alive) -> None:
    async with alive() as life:
        (life.root / "new.py").write_text(OLD)
        await life.types(ADDED, "new.py")
        assert await life.why("new.py:price") == "parameter-added", "what was on disk then is what was saved"


async def test_an_acknowledgement_holds_and_can_be_taken_back(alive: Alive) -> None:
    from remora_hub_lsp.hub.recorder import DiskFile

    async with alive() as life:
        await life.disk(shop=ADDED)
        before = await life.drift()
        file = DiskFile("shop.py", str(life.root / "shop.py"), True)
        changed = await life.hub.write(life.hub.recorder.acknowledge, file, "price", False)
        assert changed.changed == ("node:shop.py:price",)
        assert await life.drift() is None
        await life.disk(shop=ADDED + "\n\nx = 1\n")
        assert await life.drift() is None
        assert (await life.hub.write(life.hub.recorder.acknowledge, file, "price", True)).changed
        assert await life.drift() == before
        assert await life.hub.write(life.hub.recorder.acknowledge, file, "price", True) is None


async def test_a_mismatch_needs_no_memory_and_can_be_acknowledged(alive: Alive) -> None:
    from remora_hub_lsp.hub.recorder import DiskFile

    wrong = OLD.replace("(net, rate)", "(net, tax)")
    async with alive() as life:
        await life.disk(new=wrong)
        assert await life.why("new.py:price") == "unknown-parameter"
        file = DiskFile("new.py", str(life.root / "new.py"), True)
        await life.hub.write(life.hub.recorder.acknowledge, file, "price", False)
        assert await life.why("new.py:price") is None
        await life.disk(new=wrong.replace("net, tax", "net: int, tax: int"))
        assert await life.why("new.py:price") is None


async def test_a_change_of_the_answer_raises_the_revision(alive: Alive) -> None:
    async with alive() as life:
        await life.types(OLD)
        await life.types(ADDED)
        await life.saves()
        cursor = life.hub.revision
        heard: list[str] = []
        life.hub.on_change(lambda changed: heard.extend(changed.changed))
        await life.types(ADDED.replace("Price", "The price"))
        heard.clear()
        await life.saves()  # which is what accepts it
        assert heard == ["node:shop.py:price"]
        answer = await life.hub.read(lambda view: view.changes(cursor, 100))
        assert "node:shop.py:price" in answer.value[0]


async def test_settings(alive: Alive) -> None:
    annotated = OLD.replace("(net, rate)", "(net: float, rate: float)")
    async with alive() as life:
        await life.disk(shop=annotated)
        assert await life.why() is None
    async with alive(drift="any") as life:
        assert await life.why() == "signature-changed", "other rules judge everything anew"
    async with alive(drift="off") as life:
        await life.disk(shop=ADDED)
        assert await life.why() is None
    async with alive(drift_exclude=("shop.py",)) as life:
        assert await life.why() is None
    async with alive() as life:
        assert await life.why() == "parameter-added"


async def test_a_damaged_memory_is_set_aside_and_the_index_lives(alive: Alive) -> None:
    async with alive() as life:
        await life.disk(shop=ADDED)
        memory = memory_of(life.hub.database)
        database = default_database(life.root)
    assert memory == memory_of(database)
    shutil.copy(__file__, memory)
    async with alive() as life:
        assert any("memory of docstrings" in warning for warning in life.hub.warnings)
        await life.disk(shop=ADDED.replace("rounded=False", "rounded=False, cents=2"))
        assert memory.with_name(memory.name + ".damaged").exists()
        assert (await life.hub.status()).state == "ready"


async def test_settings_that_change_while_the_hub_runs(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "shop.py").write_text(OLD)
    (root / "open.py").write_text(OLD)
    read = {"workers": 0, "watch": False}
    hub = Hub(root, load_config(root, overrides=read), lambda: load_config(root, overrides=read))
    await hub.start()
    await hub.indexed()
    try:
        life = Life(hub)
        await life.types(OLD, "open.py")
        await life.types(ADDED, "open.py")
        await life.disk(shop=ADDED)
        for settings, there in [("drift = 'off'", False), ("drift-exclude = ['*.py']", False), ("", True)]:
            (root / "pyproject.toml").write_text(f"[tool.remora-hub]\n{settings}\n")
            hub.disk_changed(str(root / "pyproject.toml"))
            async with asyncio.timeout(GUARD):
                for node in (NODE, "open.py:price"):
                    while (await life.drift(node) is not None) != there:
                        await asyncio.sleep(0.02)
    finally:
        await hub.close()


async def test_settings_change_while_a_file_is_told_as_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as the index has it, but judged by other rules."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "shop.py").write_text(OLD)
    read = {"workers": 0, "watch": False}
    hub = Hub(root, load_config(root, overrides=read), lambda: load_config(root, overrides=read))
    await hub.start()
    try:
        await hub.indexed()
        life = Life(hub)
        await life.disk(shop=ADDED)
        assert await life.drift()
        gate = Gate(monkeypatch)
        (root / "pyproject.toml").write_text("[tool.remora-hub]\ndrift = 'off'\n")
        hub.rules_changed("pyproject.toml")
        while not (hub.cold_start.active and hub.cold_start.progress.total):
            await asyncio.sleep(0.005)
        hub.apply(DiskChanged("shop.py"))
        assert (await life.hub.read(lambda view: view.outline("shop.py"), paths=("shop.py",))).value
        gate.open()
        await hub.cold_start.finished()
        assert await life.drift() is None
    finally:
        await hub.close()
