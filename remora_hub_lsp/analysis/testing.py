"""What is a test, as pytest and unittest find them: the rules a project's configuration states, and how they match."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from configparser import Error as IniError
from configparser import RawConfigParser
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

# The files that may configure pytest, in the order in which it takes them: the first that does is the only one.
CONFIG_FILES = (
    "pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg",
)  # fmt: skip
CONFTEST = "conftest.py"
_ALWAYS = frozenset({"pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"})  # they count even where empty
_INI_SECTION = {"tox.ini": "pytest", "setup.cfg": "tool:pytest"}
_UNITTEST_FILES = ("test*.py",)
_UNITTEST_METHOD = "test"


class CollectionRules(NamedTuple):
    """Patterns as pytest has them: of file names, and prefixes (or patterns) of class and function names.

    testpaths: where pytest looks when it is told nothing; empty: everywhere. unittest_files: where unittest (and with
    it Django) looks for its own classes. django: the project is one of Django's. source: what stated this, for people.
    """

    python_files: tuple[str, ...] = ("test_*.py", "*_test.py")
    python_classes: tuple[str, ...] = ("Test",)
    python_functions: tuple[str, ...] = ("test",)
    testpaths: tuple[str, ...] = ()
    norecursedirs: tuple[str, ...] = (
        "*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}",
    )  # fmt: skip
    unittest_files: tuple[str, ...] = _UNITTEST_FILES
    django: bool = False
    source: str = "pytest's defaults"

    def is_test_file(self, path: str) -> bool:
        """Whether pytest takes the file for one with tests."""
        return self._looks_at(path) and any(_matches_file(path, pattern) for pattern in self.python_files)

    def is_unittest_file(self, path: str) -> bool:
        """Whether classes of unittest count in the file."""
        named = any(_matches_file(path, pattern) for pattern in (*self.python_files, *self.unittest_files))
        return named and self._looks_at(path)

    def is_class(self, name: str) -> bool:
        """Whether a class of that name has tests, if it is in a test file and has no constructor."""
        return _prefix_or_glob(name, self.python_classes)

    def is_function(self, name: str) -> bool:
        """Whether a function of that name is a test, in a test file or in a class with tests."""
        return _prefix_or_glob(name, self.python_functions)

    def _looks_at(self, path: str) -> bool:
        folders = path.split("/")[:-1]
        if any(fnmatchcase(folder, pattern) for folder in folders for pattern in self.norecursedirs):
            return False
        return not self.testpaths or any(_is_below(path, start) for start in self.testpaths)


def read_rules(texts: Mapping[str, str], django: bool = False) -> CollectionRules:
    """The rules that a project's configuration states.

    texts: those of CONFIG_FILES that the root has, by name. django: the root has a manage.py. Raises ValueError with
    the file's name where one of them cannot be read.
    """
    for name in CONFIG_FILES:
        if name in texts:
            options = _options(name, texts[name])
            if options is not None:
                return _rules(name, options, django)
    return CollectionRules(django=django)


def _rules(name: str, options: Mapping[str, Any], django: bool) -> CollectionRules:
    stated = {key: values for key in _LISTS if (values := _list(options.get(key)))}
    django = django or "DJANGO_SETTINGS_MODULE" in options
    # Who configures pytest runs pytest: unittest's file names count for those alone who run another runner as well.
    unittest_files = _UNITTEST_FILES if django else ()
    return CollectionRules(**stated, unittest_files=unittest_files, django=django, source=name)


_LISTS = ("python_files", "python_classes", "python_functions", "testpaths", "norecursedirs")


def _options(name: str, text: str) -> Mapping[str, Any] | None:
    """pytest's options in the file; None where it has none, so that the next file counts."""
    try:
        if name.endswith(".toml"):
            return _toml_options(name, tomllib.loads(text))
        # As pytest: no interpolation, and the last of two entries counts.
        parser = RawConfigParser(strict=False, allow_no_value=True)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(text)
    except (tomllib.TOMLDecodeError, RecursionError, IniError) as error:
        raise ValueError(f"{name} cannot be read: {error}") from error
    section = _INI_SECTION.get(name, "pytest")
    if parser.has_section(section):
        return dict(parser.items(section))
    return {} if name in _ALWAYS else None


def _toml_options(name: str, document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if name != "pyproject.toml":
        own = document.get("pytest", {})
        return own if isinstance(own, dict) else {}
    tool = document.get("tool", {})
    table = tool.get("pytest") if isinstance(tool, dict) else None
    if not isinstance(table, dict):
        return None
    inner = table.get("ini_options")
    return inner if isinstance(inner, dict) else table


def _list(value: Any) -> tuple[str, ...]:
    """A list option, which ini files write as one text."""
    if isinstance(value, str):
        try:
            return tuple(shlex.split(value, comments=False))
        except ValueError:  # an unclosed quotation mark: pytest refuses it, too
            return tuple(value.split())
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _matches_file(path: str, pattern: str) -> bool:
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return fnmatchcase("/" + path, pattern if pattern.startswith("/") else f"*/{pattern}")


def _is_below(path: str, start: str) -> bool:
    start = start.removeprefix("./").rstrip("/")
    if start in ("", "."):
        return True
    if any(sign in start for sign in "*?["):
        folders = path.split("/")
        return any(fnmatchcase("/".join(folders[:count]), start) for count in range(1, len(folders) + 1))
    return path == start or path.startswith(start + "/")


def _prefix_or_glob(name: str, options: Collection[str]) -> bool:
    return any(
        name.startswith(option) or (any(sign in option for sign in "*?[") and fnmatchcase(name, option))
        for option in options
    )


# ------------------------------------------------------------------------------------- what one file defines


class Defined(NamedTuple):
    """A class or function as the index has it; `bases` of classes: as they are written."""

    qualname: str
    kind: str
    signature: str | None
    decorators: tuple[str, ...] = ()


class Candidate(NamedTuple):
    """A function that is a test if the classes around it are ones that have tests.

    owner: the class's qualname, empty for a function of the module.
    """

    qualname: str
    owner: str


UNITTEST_BASES = frozenset({
    "unittest.TestCase", "unittest.case.TestCase", "unittest.IsolatedAsyncioTestCase",
    "unittest.async_case.IsolatedAsyncioTestCase", "django.test.TestCase", "django.test.SimpleTestCase",
    "django.test.TransactionTestCase", "django.test.LiveServerTestCase", "django.test.testcases.TestCase",
    "django.test.testcases.SimpleTestCase", "django.test.testcases.TransactionTestCase",
    "django.test.testcases.LiveServerTestCase", "django.contrib.staticfiles.testing.StaticLiveServerTestCase",
    "twisted.trial.unittest.TestCase", "twisted.trial.unittest.SynchronousTestCase", "testtools.TestCase",
    "absl.testing.absltest.TestCase", "absl.testing.parameterized.TestCase", "rest_framework.test.APITestCase",
    "rest_framework.test.APISimpleTestCase", "rest_framework.test.APITransactionTestCase",
    "tornado.testing.AsyncTestCase", "tornado.testing.AsyncHTTPTestCase", "asynctest.TestCase",
    "aiounittest.AsyncTestCase",
})  # fmt: skip

SETUP_OF_METHOD = frozenset({
    "setup_method", "teardown_method", "setup_class", "teardown_class", "setup", "teardown",
    "setUp", "tearDown", "setUpClass", "tearDownClass", "asyncSetUp", "asyncTearDown", "setUpTestData",
})  # fmt: skip
SETUP_OF_FUNCTION = frozenset({"setup_function", "teardown_function"})
SETUP_OF_MODULE = frozenset({"setup_module", "teardown_module", "setUpModule", "tearDownModule", "setup", "teardown"})


def owner_of(qualname: str) -> str:
    """The qualname of what is around a definition; empty for the module."""
    return qualname.rpartition(".")[0]


def name_of(qualname: str) -> str:
    """A definition's own name, without what tells it apart from namesakes."""
    return qualname.rpartition(".")[2].partition("#")[0]


def bases_of(signature: str | None) -> Iterator[str]:
    """The dotted names of a class signature's bases; `Generic[T]` counts as `Generic`."""
    match = _BASES.search(signature or "")
    depth, word = 0, ""
    for sign in (match[1] if match else "") + ",":
        if sign == "," and depth == 0:
            if "=" not in word and _DOTTED.fullmatch(word := word.strip()):
                yield word
            word = ""
        elif sign in "([{":
            depth += 1
            word += "" if sign == "[" else sign  # the value of a call or a display is no name
        elif sign in ")]}":
            depth -= 1
        elif depth == 0:
            word += sign


_BASES = re.compile(r"\((.*)\)$", re.DOTALL)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


def candidates(defined: Sequence[Defined], is_test: Callable[[str], bool]) -> Iterator[Candidate]:
    """The functions whose name makes them tests, in the module or in classes (of classes) of it."""
    classes = {one.qualname for one in defined if one.kind == "class"}
    for one in defined:
        if one.kind == "class" or one.kind == "property" or not is_test(name_of(one.qualname)):
            continue
        owner = owner_of(one.qualname)
        if (not owner or owner in classes) and not any("fixture" in text for text in one.decorators):
            yield Candidate(one.qualname, owner)
