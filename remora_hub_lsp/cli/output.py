"""Where a command's result goes: JSON for programs, or text for people."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any


def write(arguments: argparse.Namespace, result: Any, people: Callable[[], None]) -> None:
    """The result as JSON where that was asked for, else as `people` shows it."""
    if not arguments.json:
        people()
        return
    readable = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    print(json.dumps(result, indent=2, ensure_ascii=not readable))
