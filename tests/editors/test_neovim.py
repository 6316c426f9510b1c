"""The plugin in the real Neovim: 0.11 from PyPI, and the one that the distribution has (0.7.2 in Debian 12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pynvim", reason="NEOVIM IS NOT TESTED: pynvim is not installed")

from remora_hub_lsp.client import HubClient

from ..conftest import end_hub_processes
from .neovim import SERVER, Neovim, binaries

# The emoji before the definition is one character, two UTF-16 code units and four bytes.
CART = '''\
"""Carts. 🛒"""


class Cart:
    """Holds things."""

    def total(self, rate: float) -> float:
        """Sum of all. 🧮

        :param rate: what to multiply with
        """
        return rate * 2


def main() -> None:
    "🎉"; total = Cart().total(1.0)  # 🛒
    print(total)
'''
TESTS = "from cart import Cart\n\n\ndef test_total():\n    assert Cart().total(2.0) == 4.0\n"

Start = Callable[..., Neovim]


@pytest.fixture(scope="module")
def one_runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One hub process for all of these tests, each of which has a root of its own."""
    folder = tmp_path_factory.mktemp("run")
    yield folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        end_hub_processes()


@pytest.fixture(autouse=True)
def own_runtime(one_runtime: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(one_runtime))
    return one_runtime


@pytest.fixture(params=["new", "old"])
def binary(request: pytest.FixtureRequest) -> str:
    if request.param not in binaries():
        pytest.skip(f"NEOVIM IS NOT TESTED HERE: no {request.param} nvim on this machine")
    return binaries()[request.param]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "pyproject.toml").write_text("[project]\nname = 'shop'\n")
    (root / "cart.py").write_text(CART, encoding="utf-8")
    (root / "test_cart.py").write_text(TESTS)
    return root


@pytest.fixture
def start(binary: str, tmp_path: Path) -> Iterator[Start]:
    """Starts a Neovim; it ends with the test."""
    running: list[Neovim] = []

    def begin(options: str | None = None) -> Neovim:
        running.append(Neovim(binary, tmp_path / f"nvim{len(running)}", options))
        return running[-1]

    yield begin
    for neovim in running:
        neovim.close()


@pytest.fixture
def nvim(start: Start, project: Path) -> Neovim:
    """A Neovim in cart.py, its cursor in Cart.total, with the project indexed."""
    neovim = start()
    neovim.open(project / "cart.py", 7, 8)
    neovim.ready()
    return neovim


def test_the_server_starts_by_itself_for_a_python_file(nvim: Neovim, project: Path) -> None:
    nvim.command("Remora")
    shown = nvim.float("Remora Hub")
    assert "ready" in shown.splitlines()[0]
    assert f"root      {project}" in shown
    assert "2 files" in shown


def test_nothing_starts_for_other_files_or_when_switched_off(start: Start, project: Path) -> None:
    other, off = start(), start("{ enabled = false }")
    other.command(f"edit {project}/pyproject.toml")
    off.command(f"edit {project}/cart.py")
    for neovim in (other, off):
        neovim.command("Remora status")
        assert neovim.told() == ["Remora Hub: no server is running. Open a Python file, or see :checkhealth remora"]


def test_context_of_what_the_cursor_stands_in_sees_unsaved_text(nvim: Neovim) -> None:
    nvim.command("Remora context")
    first = nvim.float("# Cart.total")
    assert "def total(self, rate: float) -> float" in first
    assert "Sum of all. 🧮" in first
    nvim.api.current.line = "    def total(self, rate: float, *, net: bool = False) -> float:"
    nvim.command("Remora context")
    assert "*, net: bool = False" in nvim.float("unsaved text counts")


def test_context_of_a_key_and_of_one_that_is_not_there(nvim: Neovim) -> None:
    nvim.command("Remora context cart.py:main")
    nvim.float("# main")
    nvim.command("Remora context cart.py:mian")
    nvim.until(lambda: nvim.told(), "a message")
    assert nvim.told() == ["Remora Hub: cart.py defines no mian. Near: node:cart.py:main"]


def test_the_window_shows_on_the_screen_and_closes_when_the_cursor_moves(nvim: Neovim) -> None:
    nvim.command("Remora context")
    nvim.float("# Cart.total")
    if nvim.lua("return vim.fn.has('nvim-0.11') == 1"):  # before, floating windows are on a screen of their own
        nvim.until(lambda: any("│Sum of all. 🧮" in row for row in nvim.screen()), "the text on the screen")
    nvim.api.input("j")
    nvim.until(lambda: not nvim.floats(), "the window to close")


def test_callers_and_callees_are_in_the_quickfix_list_with_byte_columns(nvim: Neovim) -> None:
    nvim.command("Remora callers")
    nvim.until(nvim.quickfix, "callers")
    found = {(item["file"], item["line"], item["col"]): item["text"] for item in nvim.quickfix()}
    assert found[("cart.py", 15, 5)].startswith("def main() -> None [")
    assert found[("test_cart.py", 4, 5)].startswith("def test_total() [")
    nvim.command("cclose")
    nvim.command("Remora callees cart.py:main")
    nvim.until(lambda: "called by main" in nvim.lua("return vim.fn.getqflist({ title = 0 }).title"), "callees")
    assert {(item["line"], item["text"].partition(" [")[0]) for item in nvim.quickfix()} == {
        (4, "class Cart"), (7, "def total(self, rate: float) -> float"),
    }  # fmt: skip


def test_tests_are_in_the_quickfix_list(nvim: Neovim) -> None:
    nvim.command("Remora tests")
    nvim.until(nvim.quickfix, "tests")
    (item,) = nvim.quickfix()
    assert (item["file"], item["line"]) == ("test_cart.py", 4)
    assert item["text"].startswith("def test_total() [")


def test_a_lens_shows_its_places(nvim: Neovim) -> None:
    nvim.command("doautocmd CursorHold")  # as when the user looks at it; 0.11 is told by the server as well
    look = """for _, lens in ipairs(vim.lsp.codelens.get(0)) do
      if lens.range.start.line == 6 and lens.command and lens.command.title == "2 callers" then
        vim.lsp.commands["remora.showCallers"](lens.command, { client_id = require("remora.server").client().id })
        return true
      end
    end"""
    nvim.until(lambda: nvim.lua(look) is True, "the lens of Cart.total")
    found = sorted((item["file"], item["line"]) for item in nvim.quickfix())
    assert found == [("cart.py", 16), ("test_cart.py", 5)]
    nvim.command("cclose")
    if nvim.lua("return vim.fn.has('nvim-0.11') == 1"):
        nvim.until(lambda: any("2 callers" in row for row in nvim.screen()), "the lens on the screen")


def test_outdated_docstrings_are_diagnosed_listed_and_called_accurate(nvim: Neovim) -> None:
    nvim.api.current.line = "    def total(self, tax: float) -> float:  # 🧮"
    nvim.api.buffers[nvim.api.current.buffer.number][11] = "        return tax * 2"
    nvim.command("write")
    found = nvim.until(
        lambda: nvim.lua("return vim.tbl_map(function(d) return {d.lnum, d.message} end, vim.diagnostic.get(0))"), "it"
    )
    assert found[0][0] in range(6, 12)
    assert "rate" in found[0][1]
    nvim.command("Remora outdated")
    nvim.until(nvim.quickfix, "the list")
    (item,) = nvim.quickfix()
    assert (item["file"], item["line"], item["col"]) == ("cart.py", 7, 9)
    assert item["text"].startswith("Cart.total: ")
    nvim.command("Remora accurate cart.py:Cart.total")
    nvim.until(lambda: nvim.told() == ["Remora Hub: the docstring of Cart.total counts as accurate"], "the message")
    nvim.command("Remora outdated")
    nvim.until(lambda: nvim.told()[-1] == "Remora Hub: no docstring is outdated", "the message")


def test_copy_puts_markdown_with_the_source_into_the_register(nvim: Neovim) -> None:
    nvim.command("Remora copy")
    nvim.until(lambda: nvim.told(), "a message")
    text = nvim.api.funcs.getreg('"')
    assert text.startswith("# Cart.total\n")
    assert "        return rate * 2\n```" in text


def test_hover_and_columns_after_an_emoji(nvim: Neovim, project: Path) -> None:
    nvim.command("Remora context cart.py:main")
    nvim.float("# main")
    found = nvim.ask("remora/search", query="main", limit=1)
    line = nvim.lua("return vim.lsp.buf_request_sync(0, 'textDocument/documentSymbol', "
                    "{textDocument = vim.lsp.util.make_text_document_params()}, 5000)")  # fmt: skip
    assert found["symbols"][0]["name_range"]["start"] == {"line": 14, "character": 4}
    (answer,) = [entry["result"] for entry in (line.values() if isinstance(line, dict) else line) if entry]
    assert [symbol["name"] for symbol in answer] == ["Cart", "main"]


def test_completion_of_subcommands_and_keys(nvim: Neovim) -> None:
    assert nvim.api.funcs.getcompletion("Remora re", "cmdline") == ["reindex", "restart"]
    assert nvim.api.funcs.getcompletion("Remora context tot", "cmdline")[0] == "node:cart.py:Cart.total"


def test_an_unknown_subcommand_says_which_there_are(nvim: Neovim) -> None:
    nvim.command("Remora nonsense")
    (told,) = nvim.told()
    assert told.startswith("Remora Hub: there is no :Remora nonsense; there are accurate, callees, callers, context, copy")


def test_restart_gives_a_new_server_that_answers(nvim: Neovim) -> None:
    before = nvim.lua("return require('remora.server').clients()[1].id")
    nvim.command("Remora restart")
    nvim.until(nvim.attached, "the new server")
    nvim.ready()
    assert nvim.lua("return require('remora.server').clients()[1].id") != before
    assert nvim.lua("return #require('remora.server').clients()") == 1
    assert nvim.told()[-1] == "Remora Hub: restarted"


def test_stop(nvim: Neovim) -> None:
    nvim.command("Remora stop")
    assert nvim.told() == ["Remora Hub: stopped"]
    assert nvim.lua("return #require('remora.server').clients()") == 0


def test_the_log_opens(nvim: Neovim) -> None:
    nvim.command("Remora log")
    nvim.until(lambda: nvim.api.current.buffer.name.endswith(".log"), "the log")
    assert nvim.api.current.buffer.options["readonly"]


def test_health(nvim: Neovim) -> None:
    nvim.command("checkhealth remora")
    text = nvim.until(lambda: (t := "\n".join(nvim.api.current.buffer[:])).count("revision") and t, "the report")
    assert "vim.g.remora is in order" in text
    assert "remora-hub-lsp 0." in text
    assert "ERROR" not in text


def test_health_of_a_wrong_set_up(start: Start) -> None:
    neovim = start('{ cmd = { "/nowhere/hub" }, colour = "red", lens = 1 }')
    neovim.command("checkhealth remora")
    text = neovim.until(lambda: (t := "\n".join(neovim.api.current.buffer[:])).count("Remora Hub") and t, "the report")
    assert "vim.g.remora.colour is no option; there are cmd, diagnostics" in text
    assert "vim.g.remora.lens must be a boolean, not a number" in text
    assert 'vim.g.remora.cmd names "/nowhere/hub", which is no program' in text


def test_the_server_is_found_in_the_virtual_environment(
    start: Start, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "venv" / "bin" / "remora-hub-lsp"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\nexec {' '.join(SERVER[:-1])} \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "venv"))
    neovim = start("{ settings = { workers = 0 } }")
    neovim.open(project / "cart.py")
    assert neovim.lua("local _, where = require('remora.server').command() return where") == "$VIRTUAL_ENV"
    neovim.ready()


def test_without_a_server_one_message_says_what_to_do(
    start: Start, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    neovim = start("{}")
    neovim.command(f"edit {project}/cart.py")
    neovim.command(f"edit {project}/test_cart.py")
    (told,) = neovim.told()
    assert "install it with `pipx install remora-hub-lsp`" in told


def test_the_help_has_every_subcommand_and_option(nvim: Neovim) -> None:
    text = (Path(__file__).parents[2] / "editors/neovim/doc/remora.txt").read_text(encoding="utf-8")
    for name in nvim.lua("return require('remora.commands').names()"):
        assert f"\n:Remora {name} " in text
    for name in nvim.lua("return require('remora').option_names()").split(", "):
        assert f"\n{name} " in text


def test_two_editors_and_an_agent_see_one_truth(nvim: Neovim, start: Start, project: Path) -> None:
    other = start()
    other.open(project / "test_cart.py")
    nvim.api.current.line = "    def total(self, 🧮=1, *, net: bool) -> float:".replace("🧮", "prix_é")
    wanted = "def total(self, prix_é=1, *, net: bool) -> float"
    asked = {"nodes": ["cart.Cart.total"], "waitMs": 20_000}
    assert nvim.ask("remora/getContext", **asked)["nodes"]["cart.Cart.total"]["signature"] == wanted
    assert other.ask("remora/getContext", **asked)["nodes"]["cart.Cart.total"]["signature"] == wanted
    told = HubClient(project, timeout=20).sync.context("cart.Cart.total")
    assert told.source == "hub"
    assert told.nodes["cart.Cart.total"].signature == wanted
    assert told.nodes["cart.Cart.total"].origin == "buffer"
