"""Since which commit each docstring stands, and what its function was then."""

from __future__ import annotations

from pathlib import Path

import pytest

from remora_hub_lsp.hub.history.git import Commit, Repository
from remora_hub_lsp.hub.history.walk import Settled, chains, settle

from .repositories import Made

DOC = '    """Add up `rate` and what is in the cart, whatever that may be."""\n'


def function(signature: str, doc: str = DOC, body: str = "    return 1\n") -> str:
    return f"def {signature}:\n{doc}{body}"


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path / "project")


class Known(dict[tuple[str, str], dict[str, Settled]]):
    """What is known of files' contents; walks from HEAD and adds what it finds. read: how many versions it took."""

    def walk(self, made: Made) -> dict[str, Settled]:
        """By path:name."""
        git = Repository(made.root)
        files = git.files(git.head())
        todo = [path for path, blob in files.items() if (path, blob) not in self]
        found = chains(git.log(git.head()), todo, self)
        self.read = sum(len(chain.versions) for chain in found.values())
        with git.contents(1 << 20) as contents:
            for path, chain in found.items():
                base = self[chain.base] if chain.base else {}
                self[path, files[path]] = settle(chain, base, contents.of(chain.blobs))
        return {
            f"{path}:{name}": one for path, blob in files.items() for name, one in self[path, blob].items()
        }  # fmt: skip


def then(settled: Settled) -> str | None:
    return settled.pair.signature if settled.pair else None


def commits(settled: Settled) -> tuple[str, str | None]:
    """The one that wrote the docstring, and the one that left it behind."""
    return settled.commit.id, settled.left.id if settled.left else None


def test_a_signature_that_changed_after_its_docstring(made: Made) -> None:
    doc = "    '''Add up.\n\n    :param rate: The tax.\n    '''\n"
    made.commit({"a.py": function("total()", "    '''Something else that was.'''\n")})
    second = made.commit({"a.py": function("total(rate)", doc)})
    made.commit({"a.py": function("total(rate: float)", doc)})
    fourth = made.commit({"a.py": function("total(rate: float, net)", doc)})
    made.commit({"a.py": "# moved down\n\n" + function("total(rate, net=False)", doc, "    return 2\n")})
    found = Known().walk(made)["a.py:total"]
    assert (*commits(found), then(found)) == (second, fourth, "def total(rate)")
    assert found.commit == Commit(second, made.date(second), "A")


def test_a_docstring_that_was_only_laid_out_anew_was_not_read_again(made: Made) -> None:
    first = made.commit({"a.py": function("total(rate)", "    '''Rates `rate`, or so.'''\n")})
    second = made.commit({"a.py": function("total(rate, net)", "    '''Rates `rate`, or so.'''\n")})
    made.commit({"a.py": function("total(rate, net)", "    '''\n    Rates `rate`,\n    or so.\n    '''\n")})
    found = Known().walk(made)["a.py:total"]
    assert (*commits(found), then(found)) == (first, second, "def total(rate)")


def test_a_docstring_written_after_the_signature_changed_fits(made: Made) -> None:
    made.commit({"a.py": function("total(rate)")})
    made.commit({"a.py": function("total(rate, net)")})
    third = made.commit({"a.py": function("total(rate, net)", "    '''Knows `rate` and `net`.'''\n")})
    made.commit({"a.py": function("total(rate, net)", "    '''Knows `rate` and `net`.'''\n", "    pass\n") + "x = 1\n"})
    found = Known().walk(made)["a.py:total"]
    assert (found.commit.id, then(found)) == (third, "def total(rate, net)")  # it returns nothing now
    assert found.pair
    assert found.pair.returns


def test_nothing_changed_since(made: Made) -> None:
    first = made.commit({"a.py": function("total(rate)")})
    made.commit({"a.py": "import os\n" + function("total(rate)")})
    assert Known().walk(made)["a.py:total"] == Settled(Commit(first, made.date(first), "A"))


def test_renamed_files_classes_and_functions_are_followed(made: Made) -> None:
    method = "\n".join("    " + line for line in function("total(self, rate)").splitlines())
    later = method.replace("rate)", "rate, net)").replace("def total", "def sum_up")
    first = made.commit({"a.py": f"class Cart:\n{method}\n" + "x = 1\n" * 30})
    made.commit({"a.py": None, "b.py": f"class Basket:\n{method}\n" + "x = 1\n" * 30})
    made.commit({"b.py": f"class Basket:\n{later}\n" + "x = 1\n" * 30})
    found = Known().walk(made)["b.py:Basket.sum_up"]
    assert (found.commit.id, then(found)) == (first, "def total(self, rate)")
    assert found.pair
    assert found.pair.kind == "method"


def test_a_class_is_documented_with_its_init(made: Made) -> None:
    text = "class Cart:\n    '''A cart; `rate` is in percent.'''\n\n    size = 1\n\n    def __init__(self, rate): ...\n"
    first = made.commit({"a.py": text})
    made.commit({"a.py": text.replace("rate)", "rate, net)")})
    found = Known().walk(made)["a.py:Cart"]
    assert (found.commit.id, then(found)) == (first, "def __init__(self, rate)")
    assert found.pair
    assert found.pair.kind == "class"


def test_further_definitions_of_a_name_are_told_apart(made: Made) -> None:
    both = "class C:\n    @property\n    def x(self):\n        '''Get.'''\n    @x.setter\n    def x(self, value):\n        '''Set.'''\n"
    first = made.commit({"a.py": both})
    second = made.commit({"a.py": both.replace("Set.", "Set it.")})
    found = Known().walk(made)
    assert {name: one.commit.id for name, one in found.items()} == {"a.py:C.x": first, "a.py:C.x#2": second}


def test_text_that_did_not_parse_once_ends_the_search(made: Made) -> None:
    made.commit({"a.py": function("total(rate)") + "print 'old'\n"})
    second = made.commit({"a.py": function("total(rate, net)") + "print('new')\n"})
    made.commit({"a.py": function("total(rate, net=1)") + "print('new')\n"})
    found = Known().walk(made)["a.py:total"]
    assert found.commit.id == second
    assert then(found) == "def total(rate, net)"
    made.commit({"a.py": function("total(rate, net=1)") + "print 'old again'\n"})
    assert Known().walk(made) == {}


def test_text_that_did_not_parse_once_is_passed_where_the_head_is_the_same(made: Made) -> None:
    first = made.commit({"a.py": function("total(rate)") + "print 'old'\n"})
    made.commit({"a.py": function("total(rate)") + "print('new')\n"})
    assert Known().walk(made)["a.py:total"].commit.id == first


def test_new_commits_cost_only_themselves(made: Made) -> None:
    first = made.commit({"a.py": function("total(rate)"), "b.py": function("other(rate)")})
    for number in range(5):
        made.commit({"a.py": function("total(rate)", body=f"    return {number}\n")})
    known = Known()
    known.walk(made)
    made.commit({"a.py": function("total(rate, net)", body="    return 4\n")})
    found = known.walk(made)
    assert known.read == 1
    assert (found["a.py:total"].commit.id, then(found["a.py:total"])) == (first, "def total(rate)")
    assert found["b.py:other"] == Settled(Commit(first, made.date(first), "A"))
    assert found == Known().walk(made)


def test_another_branch_is_known_from_where_it_left(made: Made) -> None:
    first = made.commit({"a.py": function("total(rate)")})
    made.commit({"a.py": function("total(rate, net)")})
    known = Known()
    known.walk(made)
    made.git("checkout", "-q", "-b", "side", first)
    assert known.walk(made)["a.py:total"] == Settled(Commit(first, made.date(first), "A"))
    made.commit({"a.py": function("total(rate, gross)")})
    assert then(known.walk(made)["a.py:total"]) == "def total(rate)"
    made.git("checkout", "-q", "main")
    assert then(known.walk(made)["a.py:total"]) == "def total(rate)"
    assert known.read == 0


def test_other_encodings_and_line_ends(made: Made) -> None:
    text = "# -*- coding: latin-1 -*-\r\ndef total(rate):\r\n    '''F\xfcr `rate`.'''\r\n    return 1\r\n"
    (made.root / "a.py").write_bytes(text.encode("latin-1"))
    first = made.commit({})
    (made.root / "a.py").write_bytes(text.replace("rate)", "rate, net)").encode("latin-1"))
    made.commit({})
    found = Known().walk(made)["a.py:total"]
    assert (found.commit.id, then(found)) == (first, "def total(rate)")
    assert found.pair
    assert found.pair.docstring == "F\xfcr `rate`."
