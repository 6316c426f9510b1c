"""A session over vscode-jsonrpc and vscode-languageserver-protocol, the packages of VS Code, under node."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import WriteFiles
from .process import environment

HERE = Path(__file__).parent / "vscode_client"
NODE, NPM = shutil.which("node"), shutil.which("npm")

pytestmark = pytest.mark.skipif(
    not (NODE and NPM), reason="NOT TESTED AGAINST VS CODE'S OWN JSON-RPC: node and npm are not installed"
)


@pytest.fixture(scope="module")
def modules(pytestconfig: pytest.Config) -> Path:
    """The npm packages beside session.js, installed once into pytest's cache, whoever else wants them just now."""
    fcntl = pytest.importorskip("fcntl")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("vscode_client")
    wanted = {name: (HERE / name).read_text() for name in ("package.json", "session.js")}
    mark = folder / "installed.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists() or json.loads(mark.read_text()) != wanted:
            for name, text in wanted.items():
                (folder / name).write_text(text)
            subprocess.run(
                [str(NPM), "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, check=True, timeout=600
            )
            mark.write_text(json.dumps(wanted))
    return folder / "node_modules"


@pytest.fixture(params=["--stdio", "--stdio --standalone"])
def seen(modules: Path, project: WriteFiles, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the session in session.js was answered."""
    root = project({"shop/cart.py": "def on_disk(): ...", "shop/__init__.py": ""})
    server = [sys.executable, "-m", "remora_hub_lsp", *request.param.split()]
    done = subprocess.run(
        [str(NODE), str(modules.parent / "session.js"), root.as_uri(), *server],
        cwd=root, env=environment(), stdout=subprocess.PIPE, timeout=120, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_session(seen: dict[str, Any]) -> None:
    assert seen["errors"] == []
    assert seen["exitCode"] == 0
    assert seen["initialize"]["serverInfo"]["name"] == "remora-hub-lsp"
    assert seen["initialize"]["capabilities"]["positionEncoding"] == "utf-16"
    assert seen["progress"][:1] in (["begin"], []), "nothing at all if the index was ready before the client"

    assert "def total(self)\n" in seen["opened"]["value"]
    assert seen["opened"]["kind"] == "markdown"
    assert "def total(self, tax: float)\n" in seen["typed"]["value"], "the new signature, at once"
    assert "does not parse just now" in seen["broken"]["value"]

    assert {"Cart", "main"} <= set(seen["symbolsWhileBroken"]), "an open string does not hide the others"
    assert seen["symbols"] == ["Cart", "total", "empty", "main"]
    assert seen["closed"] == ["on_disk"]

    broken = seen["contextWhileBroken"]
    assert broken["nodes"]["shop/cart.py:Cart.empty"]["signature"] == "def empty(self)"
    assert broken["nodes"]["shop/cart.py:main"]["broken"] is None
    assert [entry["id"] for entry in broken["stale"]] == ["shop/cart.py:Cart.empty"]

    nodes = seen["context"]["nodes"]
    assert nodes["shop.cart.Cart.total"]["signature"] == "def total(self, tax: float)"
    assert nodes["node:shop/cart.py:Cart.empty"]["signature"] == "def empty(self, now)"
    assert nodes["node:shop/cart.py:Cart.empty"]["origin"] == "buffer"
    (at_position,) = [node for text, node in nodes.items() if text.startswith("file:")]
    assert at_position["qualname"] == "Cart.empty"
    assert [entry["reason"] for entry in seen["context"]["missing"]] == ["no such node"]

    assert seen["cancelled"] == -32800
    assert seen["wrong"]["code"] == -32602
    assert "params.nodes[0]" in seen["wrong"]["message"]
