from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ..kit import opened


@pytest.fixture
def check(tmp_path: Path, door: str) -> Callable[[str], None]:
    """Checks the marks of a fixture once the call graph has been worked out."""

    def run(text: str) -> None:
        async def look() -> None:
            async with opened(text, tmp_path, door) as project:
                await project.door.settled()
                await project.check_marks()

        asyncio.run(look())

    return run
