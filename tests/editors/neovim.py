"""A real Neovim without a screen of its own, driven through its API (pynvim)."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvim

PLUGIN = Path(__file__).parents[2] / "editors" / "neovim"
HANG = 180.0
"""Seconds after which a test is stuck rather than slow."""

SERVER = [sys.executable, "-m", "remora_hub_lsp", "--stdio"]


def binaries() -> dict[str, str]:
    """The Neovims of this machine: PyPI's (0.11, beside this Python) and the distribution's own."""
    beside = Path(sys.executable).parent / "nvim"
    found = {"new": str(beside)} if beside.exists() else {}
    if other := shutil.which("nvim", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin"):
        found["old"] = other
    return found


class Neovim:
    """One Neovim with the plugin on its runtime path. options: `vim.g.remora` as Lua."""

    def __init__(self, binary: str, folder: Path, options: str | None = None) -> None:
        folder.mkdir(exist_ok=True)
        init = folder / "init.lua"
        cmd = "{" + ", ".join(f'"{word}"' for word in SERVER) + "}"
        init.write_text(
            f"vim.opt.runtimepath:prepend({str(PLUGIN)!r})\n"
            f"vim.g.remora = {options or f'{{ cmd = {cmd}, settings = {{ workers = 0 }} }}'}\n"
            "vim.g.loaded_python3_provider = 0\n"  # looking for one costs more than all the rest
            "vim.opt.swapfile = false\nvim.opt.columns = 120\nvim.opt.lines = 40\nvim.opt.shortmess:append('FIWc')\n"
            "_G.told = {}\nvim.notify = function(text) table.insert(_G.told, text) end\n"
        )
        self.api = pynvim.attach("child", argv=[binary, "--embed", "--headless", "--clean", "-u", str(init)])

    def close(self) -> None:
        """End it as `:qa!` does, so that its server ends as well."""
        try:
            self.api.command("qa!")
        except (OSError, EOFError):  # it has gone before it could answer
            self.api.close()
            return
        self.api.close()

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.api.exec_lua(code, *arguments)

    def command(self, line: str) -> None:
        self.api.command(line)

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Wait until `look` gives something true; gives that."""
        end = time.monotonic() + HANG
        while time.monotonic() < end:
            if found := look():
                return found
            time.sleep(0.02)
        raise AssertionError(f"waited {HANG:.0f} s for {what}; told: {self.told()}; messages: {self.messages()}")

    def told(self) -> list[str]:
        """What was said with vim.notify."""
        found: list[str] = self.lua("return _G.told")
        return found

    def messages(self) -> str:
        return str(self.lua("return vim.api.nvim_exec('messages', true)"))

    def open(self, file: Path, line: int = 1, column: int = 0) -> None:
        """Edit a file, with the cursor there (1-based line, byte column), once the server is attached."""
        self.command(f"edit {file}")
        self.api.current.window.cursor = (line, column)
        self.until(self.attached, "the server to be attached")

    def attached(self) -> bool:
        return bool(self.lua("return #require('remora.server').clients(vim.api.nvim_get_current_buf()) > 0"))

    def ready(self) -> None:
        """Wait until the project is indexed, open files included."""

        def is_ready() -> bool:
            status = self.ask("remora/status") or {}
            return status.get("state") == "ready" and status.get("pending") == 0

        self.until(is_ready, "the index")

    def ask(self, method: str, **params: Any) -> Any:
        return self.lua("return require('remora.server').ask_now(...)", method, params, 5000)

    def floats(self) -> list[str]:
        """The texts of the floating windows."""
        return list(
            self.lua(
                """local found = {}
                for _, window in ipairs(vim.api.nvim_list_wins()) do
                  if vim.api.nvim_win_get_config(window).relative ~= "" then
                    local buffer = vim.api.nvim_win_get_buf(window)
                    table.insert(found, table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\\n"))
                  end
                end
                return found"""
            )
        )

    def float(self, part: str) -> str:
        """The floating window that shows `part`, once there is one."""
        return str(
            self.until(lambda: next((text for text in self.floats() if part in text), None), f"a window with {part!r}")
        )

    def quickfix(self) -> list[dict[str, Any]]:
        """Entries of the quickfix list: file name, lnum, col (1-based, bytes), text."""
        found: list[dict[str, Any]] = self.lua(
            """return vim.tbl_map(function(item)
              return { file = vim.fn.fnamemodify(vim.fn.bufname(item.bufnr), ":t"), line = item.lnum, col = item.col,
                       text = item.text }
            end, vim.fn.getqflist())"""
        )
        return found

    def screen(self) -> list[str]:
        """What stands on the screen."""
        self.command("redraw!")
        rows: list[str] = self.lua(
            """local rows = {}
            for row = 1, vim.o.lines do
              local cells = {}
              for column = 1, vim.o.columns do
                table.insert(cells, vim.fn.screenstring(row, column))
              end
              table.insert(rows, (table.concat(cells):gsub("%s+$", "")))
            end
            return rows"""
        )
        return rows
