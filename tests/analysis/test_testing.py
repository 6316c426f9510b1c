"""Which files, classes and functions are tests: by pytest's own rules (its `--collect-only` is the judge)."""

from __future__ import annotations

import pytest

from remora_hub_lsp.analysis.testing import CollectionRules, Defined, bases_of, candidates, read_rules


def test_the_defaults_are_pytests() -> None:
    rules = read_rules({})
    assert [path for path in ("test_a.py", "a_test.py", "x/test_a.py", "a.py", "tests.py") if rules.is_test_file(path)] \
        == ["test_a.py", "a_test.py", "x/test_a.py"]  # fmt: skip
    assert rules.is_unittest_file("shop/tests.py")
    assert not rules.is_test_file("build/test_a.py")
    assert rules.is_class("TestCart")
    assert not rules.is_class("Cart")


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({"pytest.ini": ""}, "pytest.ini"),
        ({"pytest.ini": "", "pyproject.toml": "[tool.pytest.ini_options]"}, "pytest.ini"),
        ({"pyproject.toml": "[tool.pytest.ini_options]", "tox.ini": "[pytest]"}, "pyproject.toml"),
        ({"pyproject.toml": "[project]", "tox.ini": "[pytest]"}, "tox.ini"),
        ({"tox.ini": "[tox]", "setup.cfg": "[tool:pytest]"}, "setup.cfg"),
        ({"setup.cfg": "[pytest]"}, "pytest's defaults"),
    ],
)
def test_the_first_file_that_configures_pytest_counts(files: dict[str, str], source: str) -> None:
    assert read_rules(files).source == source


@pytest.mark.parametrize(
    "files",
    [
        {"pytest.ini": "[pytest]\npython_files = check_*.py\n  spec/*.py\npython_functions = it_* check\n"},
        {"pyproject.toml": "[tool.pytest.ini_options]\npython_files = ['check_*.py', 'spec/*.py']\n"
                           "python_functions = 'it_* check'\n"},
    ],
)  # fmt: skip
def test_names_are_stated_as_lists_or_words(files: dict[str, str]) -> None:
    rules = read_rules(files)
    assert rules.is_test_file("a/check_x.py")
    assert rules.is_test_file("a/spec/x.py")
    assert not rules.is_test_file("test_x.py")
    assert rules.is_function("it_works")
    assert rules.is_function("checks")
    assert not rules.is_function("test_x")


def test_who_configures_pytest_does_not_run_unittests_own_names_unless_it_is_django() -> None:
    assert not read_rules({"pytest.ini": ""}).is_unittest_file("shop/tests.py")
    assert read_rules({"pytest.ini": ""}, django=True).is_unittest_file("shop/tests.py")
    assert read_rules({"pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = shop.settings"}).django


def test_testpaths_limit_where_tests_are() -> None:
    rules = CollectionRules(testpaths=("tests", "src/*/tests"))
    assert rules.is_test_file("tests/a/test_x.py")
    assert rules.is_test_file("src/a/tests/test_x.py")
    assert not rules.is_test_file("examples/test_x.py")


def test_a_file_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match=r"tox\.ini cannot be read"):
        read_rules({"tox.ini": "python_files = x"})


def test_bases_are_read_from_the_signature() -> None:
    assert list(bases_of("class A[T](Generic[T], b.Base, metaclass=Meta, f(x))")) == ["Generic", "b.Base"]
    assert list(bases_of("class A")) == []


def test_functions_of_functions_and_fixtures_are_no_tests() -> None:
    defined = [
        Defined("test_a", "function", "def test_a()"),
        Defined("test_a.test_inner", "function", "def test_inner()"),
        Defined("test_data", "function", "def test_data()", ("pytest.fixture",)),
        Defined("TestB", "class", "class TestB"),
        Defined("TestB.test_b", "method", "def test_b(self)"),
        Defined("TestB.helper", "method", "def helper(self)"),
    ]
    found = [candidate.qualname for candidate in candidates(defined, CollectionRules().is_function)]
    assert found == ["test_a", "TestB.test_b"]
