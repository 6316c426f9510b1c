"""What a person at a terminal sees: colour and a progress bar that goes away."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")

GUARD = 120
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def at_a_terminal(root: Path, cache: Path, *arguments: str) -> str:
    """All that the command writes to a terminal, escapes included."""
    main, terminal = pty.openpty()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")},
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XDG_CACHE_HOME": str(cache),
        "TERM": "xterm-256color",
    }
    line = [sys.executable, "-m", "remora_hub_lsp", *arguments]
    with subprocess.Popen(line, cwd=root, env=environment, stdin=terminal, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        written = _read_all(main)
        assert process.wait(GUARD) == 0, written
    return written


def _read_all(terminal: int) -> str:
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            part = b""
        if not part:
            os.close(terminal)
            return b"".join(parts).decode()
        parts.append(part)


def test_index_shows_how_far_it_is_and_leaves_only_the_summary(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    for number in range(30):
        text = "\n".join(f"def f{i}(a, b=1):\n    return [a, b, {i}]\n" for i in range(40))
        (root / f"m{number}.py").write_text(text)
    written = at_a_terminal(root, tmp_path, "index")
    assert "Indexing" in written
    assert "/30 files" in _ESCAPE.sub("", written)
    last = written[written.rindex("\x1b[2K") :]  # the bar's line is wiped out
    assert "Indexing" not in last
    assert "30 files with 1,230 modules, classes and functions are indexed" in _ESCAPE.sub("", last)


def test_a_card_has_colours_where_there_are_any(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "m.py").write_text("def f(a: int = 1) -> str:\n    'Doc.'\n    return str(a)\n")
    written = at_a_terminal(root, tmp_path, "context", "m.py:f")
    assert "\x1b[1mf" in written
    assert "def f(a: int = 1) -> str" in _ESCAPE.sub("", written)
