"""What starts often starts fast: modules that it does not import, as sets and not as times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LSP = {"pygls", "lsprotocol", "cattrs"}
ROOMS = {f"remora_hub_lsp.{room}" for room in ("cli", "serve", "hub", "index", "analysis")}
HEAVY = {"pydantic", "asyncio", "rich", "sqlite3", "watchfiles", "pydantic_monty"} | LSP


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("remora_hub_lsp.client", ROOMS | LSP | {"rich", "sqlite3", "watchfiles", "platformdirs"}),
        ("remora_hub_lsp.context", ROOMS | LSP | {"rich", "sqlite3", "watchfiles", "platformdirs"}),
        ("remora_hub_lsp.cli", ROOMS - {"remora_hub_lsp.cli"} | HEAVY | {"logging", "socket"}),
        ("remora_hub_lsp.cli.process", ROOMS - {"remora_hub_lsp.cli", "remora_hub_lsp.serve"} | HEAVY),  # the relay
        ("remora_hub_lsp.hub.worker", HEAVY - {"sqlite3"} | {"remora_hub_lsp.hub.hub", "remora_hub_lsp.serve"}),
        ("remora_hub_lsp.serve.process", {"rich", "shtab", "argparse", "remora_hub_lsp.cli", "remora_hub_lsp.client"}),
    ],
)
def test_it_does_not_import(module: str, unwanted: set[str]) -> None:
    code = f"import sys, {module}; print('\\n'.join(sys.modules))"
    line = [sys.executable, "-c", code]
    root = Path(__file__).parents[1]
    loaded = set(subprocess.run(line, cwd=root, check=True, capture_output=True, text=True).stdout.split())
    assert module in loaded
    assert not loaded & unwanted
