from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from remora_hub_lsp.index.kv import NodeStateKV


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "index.db"


@pytest.fixture
def kv(database: Path) -> Iterator[NodeStateKV]:
    found = NodeStateKV(database)
    yield found
    found.close()
