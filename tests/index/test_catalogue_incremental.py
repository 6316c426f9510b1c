"""After any series of edits the tests are those that a collection from scratch finds, and little is collected for it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings

from remora_hub_lsp.analysis.testing import CONFTEST
from remora_hub_lsp.index.catalogue import Catalogue
from remora_hub_lsp.index.collecting import FileTests
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.selection import catalogue_of
from remora_hub_lsp.index.setup import setup_of
from remora_hub_lsp.index.testfiles import IndexedFiles

from .graphs import histories, index
from .store import put

# Texts for each file, of which any may be there at any time.
CHOICES: dict[str, list[str | None]] = {
    "kit/__init__.py": ["from .base import *\n", "from .base import Base as Case\n", "", None],
    "kit/base.py": [
        "import unittest\nclass Base(unittest.TestCase):\n    def setUp(self): ...\n    def test_base(self): ...\n",
        "from .more import Base, cart\n",
        "class Base:\n    def test_base(self, cart): ...\nclass Case(Base): ...\n",
        "from . import Base\n",
        None,
    ],
    "kit/more.py": [
        "import pytest\nfrom unittest import TestCase\nclass Base(TestCase):\n    def test_more(self): ...\n"
        "@pytest.fixture\ndef cart(): ...\n",
        "from .base import *\n",
        None,
    ],
    "tests/conftest.py": [
        "import pytest\n@pytest.fixture(autouse=True)\ndef cart(rates): ...\n@pytest.fixture\ndef rates(): ...\n",
        "from kit.more import cart\ndef pytest_configure(config): ...\n",
        None,
    ],
    "conftest.py": ["import pytest\n@pytest.fixture\ndef rates(): ...\ndef pytest_sessionstart(): ...\n", None],
    "tests/test_cart.py": [
        "from kit import Base, Case\nclass TestCart(Base):\n    def test_own(self): ...\nclass CaseTests(Case): ...\n",
        "import kit.base as b\nimport pytest\nclass TestCart(b.Base): ...\n"
        "@pytest.mark.usefixtures('rates')\nclass TestMarked:\n    def test_it(self): ...\n",
        "def test_cart(cart): ...\ndef setup_module(): ...\nclass TestA(TestB): ...\nclass TestB(TestA):\n"
        "    def test_b(self): ...\n",
        None,
    ],
    "tests/deep/test_deep.py": ["from ..test_cart import TestCart\nclass TestDeep(TestCart): ...\n", "x = 1\n", None],
    "tests/deep/kit/__init__.py": ["from kit.more import *\n", None],
}
STARTS, STEPS = histories(CHOICES, 8)


def write(kv: NodeStateKV, path: str, text: str | None) -> None:
    if text is None:
        kv.invalidate_file(path)
    else:
        put(kv, path, text)


def told(catalogue: Catalogue) -> dict[str, Any]:
    """All that can be asked of it."""
    tests = catalogue.by_key.values()
    classes = {key for file in catalogue.files.values() for key in file.by_class}
    return {
        "tests": [test for some in tests for test in some],
        "before": {key: Counter((far, *tests) for far, tests in some) for key, some in catalogue.before.items()},
        "files": {path: catalogue.in_file(path) for path in CHOICES},
        "classes": {key: list(catalogue.of_class(key)) for key in classes},
        "below": {folder: list(catalogue.below(folder)) for folder in ("", "tests", "tests/deep", "kit")},
    }


@settings(max_examples=60, deadline=None)
@given(STARTS, STEPS)
def test_edits_give_the_tests_of_the_whole(starts: dict[str, int], steps: list[tuple[str, int]]) -> None:
    with index() as kv:
        for path, number in starts.items():
            write(kv, path, CHOICES[path][number])
        for path, number in steps:
            write(kv, path, CHOICES[path][number])
            with kv.view() as view:
                assert told(catalogue_of(view)) == told(Catalogue(IndexedFiles(view), setup_of(view).rules))


def test_only_what_an_edit_concerns_is_collected_again(kv: NodeStateKV) -> None:
    def collected() -> dict[str, FileTests]:
        with kv.view() as view:
            return catalogue_of(view).files

    for path, text in {
        "kit.py": "import unittest\nclass Case(unittest.TestCase): ...\ndef total(): return 1\n",
        "test_a.py": "import kit\nclass A(kit.Case):\n    def test_a(self): kit.total()\n",
        "test_b.py": "import kit\ndef test_b(): kit.total()\n",
    }.items():
        put(kv, path, text)
    first = collected()
    put(kv, "kit.py", "import unittest\nclass Case(unittest.TestCase): ...\ndef total(): return 2\n")
    assert collected() == first  # another body
    put(kv, "kit.py", "import unittest\nclass Case(unittest.TestCase):\n    def setUp(self): ...\n")
    second = collected()
    assert second["test_a.py"] != first["test_a.py"]
    assert second["test_b.py"] == first["test_b.py"]
    put(kv, CONFTEST, "def pytest_configure(): ...\n")
    assert all(tests != second[path] for path, tests in collected().items())
