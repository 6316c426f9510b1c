from __future__ import annotations

from pathlib import Path

import pytest

from .story import ON_DISK


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with one class in cart.py."""
    root = tmp_path / "shop"
    root.mkdir()
    (root / "cart.py").write_text(ON_DISK)
    (root / "pyproject.toml").write_text("[tool.remora-hub]\nworkers = 0\n")
    return root
