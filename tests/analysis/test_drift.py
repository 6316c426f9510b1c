"""Docstrings that no longer fit: which changes are a reason, and which are none."""

from __future__ import annotations

import pytest

from remora_hub_lsp.analysis.drift import Pair, Reason, mismatches, reasons
from remora_hub_lsp.analysis.pairs import watched
from remora_hub_lsp.analysis.segments import extract

GOOGLE = '''
    """Price of it all.

    Args:
        net: without tax.
        rate (float): the tax, defaults to 0.2.

    Returns:
        The price.

    Raises:
        ValueError: if the rate is negative.
    """
'''
NUMPY = '''
    """Price of it all.

    Parameters
    ----------
    net : int
        Without tax.
    rate : float, default: 0.2
        The tax.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the rate is negative.
    """
'''
SPHINX = '''
    """Price of it all.

    :param net: without tax.
    :param float rate: the tax (default 0.2).
    :returns: the price.
    :raises ValueError: if the rate is negative.
    """
'''
EPYTEXT = '''
    """Price of it all.

    @param net: without tax.
    @param rate: the tax. Default: 0.2.
    @return: the price.
    @raise ValueError: if the rate is negative.
    """
'''
BODY = "    if rate < 0:\n        raise ValueError(rate)\n    return net * (1 + rate)\n"
HEAD = "def price(net, rate=0.2):"
styles = pytest.mark.parametrize("doc", [GOOGLE, NUMPY, SPHINX, EPYTEXT], ids=["google", "numpy", "sphinx", "epytext"])


def pair(text: str, name: str = "price") -> Pair:
    return watched(extract(text).nodes)[name].pair


def compared(doc: str, head: str, body: str = BODY, *, before: str = HEAD, body_before: str = BODY) -> list[Reason]:
    was = pair(before + doc + body_before)
    return list(reasons(was, pair(head + doc + body)))


def codes(found: list[Reason]) -> list[tuple[str, str | None]]:
    return [(reason.code, reason.parameter) for reason in found]


@styles
def test_what_does_not_change_is_no_reason(doc: str) -> None:
    assert compared(doc, HEAD) == []
    assert mismatches(pair(HEAD + doc + BODY)) == ()


@styles
@pytest.mark.parametrize(
    "head",
    [
        "def price(net: int, rate: float = 0.2) -> float:",
        "def price( net,\n    rate = 0.20 ) :",
        "def price(net, rate=0.2, *args, **kwargs):",
        "def price(net, rate=0.2, _cache=None):",
        "def price(rate=0.2, net=0):",
    ],
)
def test_annotations_form_and_private_parameters_are_no_reason(doc: str, head: str) -> None:
    assert compared(doc, head) == []


@styles
def test_a_removed_parameter(doc: str) -> None:
    found = compared(doc, "def price(net):", body="    return net\n", body_before="    return net\n")
    assert codes(found) == [("parameter-removed", "rate")]
    assert "rate" in doc.splitlines()[found[0].line + 1]


@styles
def test_a_renamed_parameter(doc: str) -> None:
    (found,) = compared(doc, "def price(net, tax=0.2):")
    assert (found.code, found.old, found.new) == ("parameter-renamed", "rate", "tax")


@styles
def test_an_added_parameter(doc: str) -> None:
    assert codes(compared(doc, "def price(net, rate=0.2, *, rounded=False):")) == [("parameter-added", "rounded")]


@styles
def test_a_default_that_is_stated(doc: str) -> None:
    (found,) = compared(doc, "def price(net, rate=0.25):")
    assert (found.code, found.parameter, found.old, found.new) == ("default-changed", "rate", "0.2", "0.25")


@styles
def test_a_sentinel_is_no_new_default(doc: str) -> None:
    assert compared(doc, "def price(net, rate=UNSET):") == []


@styles
def test_nothing_is_returned_any_more(doc: str) -> None:
    body = "    if rate < 0:\n        raise ValueError(rate)\n    print(net)\n"
    assert [found.code for found in compared(doc, HEAD, body)] == ["return-removed"]


@styles
def test_a_generator_instead_of_a_value(doc: str) -> None:
    body = "    if rate < 0:\n        raise ValueError(rate)\n    yield net\n"
    assert [found.code for found in compared(doc, HEAD, body)] == ["yield-added"]


@styles
def test_an_exception_that_is_not_raised_any_more(doc: str) -> None:
    assert [found.code for found in compared(doc, HEAD, "    return net * rate\n")] == ["exception-gone"]
    elsewhere = "    checked(rate)\n    return net * rate\n"
    assert compared(doc, HEAD, elsewhere) == [], "what is called now may raise it"


@styles
def test_static_mismatch_needs_no_history(doc: str) -> None:
    (found,) = mismatches(pair("def price(net, rat=0.2):" + doc + BODY))
    assert (found.code, found.parameter, found.new, found.static) == ("unknown-parameter", "rate", "rat", True)
    assert mismatches(pair("def price(net, **options):" + doc + BODY)) == ()


@styles
def test_the_comment_allows_it(doc: str) -> None:
    now = pair("def price(net):  # remora: docstring-ok" + doc + BODY)
    assert reasons(pair(HEAD + doc + BODY), now) == ()
    assert mismatches(now) == ()


def test_prose_documents_what_it_clearly_names() -> None:
    doc = '\n    """Give `net` with `rate` on it."""\n'
    assert codes(compared(doc, "def price(net, rate, rounded):", before="def price(net, rate):")) == [
        ("parameter-added", "rounded")
    ]
    vague = '\n    """Give the net price with the rate on it."""\n'
    assert compared(vague, "def price(net, rate, rounded):", before="def price(net, rate):") == []


@pytest.mark.parametrize(
    ("doc", "reason"),
    [
        ("Give the price with `old_rate` on it.", ("parameter-removed", "old_rate")),
        ("Give the price with old_rate on it.", ("parameter-removed", "old_rate")),
        ("Give the price.\n\n    >>> price(1, old_rate=2)\n    {'old_rate': 2}", None),
        ("Give the price.\n\n    .. versionchanged:: 2\n        The `old_rate` is gone.\n", None),
        ("Give the price; the tax replaces `old_rate`.", None),
        ('Give the price as "old_rate".', None),
    ],
)
def test_prose_that_names_what_is_gone(doc: str, reason: tuple[str, str] | None) -> None:
    found = compared(f'\n    """{doc}"""\n', "def price(net):", before="def price(net, old_rate):", body="    pass\n",
                     body_before="    pass\n")  # fmt: skip
    assert codes(found) == ([reason] if reason else [])


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    '''Do.\n\n    Parameters\n    ----------\n    None\n    '''\n",
        "class C:\n    @property\n    def f(self):\n        '''A view.\n\n        :param data: What f() gives.\n        '''\n",
        "class C:\n    def f(this, b):\n        '''Do.\n\n        :param this: Me.\n        :param b: B.\n        '''\n",
        "def f(b):\n    '''Do.\n\n    :param b: B.\n    :param found_: What is found.\n    '''\n",
    ],
)
def test_what_looks_like_a_parameter_and_is_none(text: str) -> None:
    (found,) = watched(extract(text).nodes).values()
    assert mismatches(found.pair) == ()


def test_an_exception_that_is_reached_by_another_name_is_raised_still() -> None:
    doc = '\n    """Give it.\n\n    :raises Bad: if it is so.\n    """\n'
    found = compared(doc, HEAD, "    raise errors.Bad\n", body_before="    raise Bad\n")
    assert found == []


def test_one_name_in_prose_does_not_promise_all() -> None:
    doc = '\n    """Give `net` as it is sold."""\n'
    assert compared(doc, "def price(net, rounded=False):", before="def price(net):") == []


def test_what_documents_only_some_parameters_does_not_promise_all() -> None:
    doc = '\n    """Give it.\n\n    :param net: Price.\n    """\n'
    assert compared(doc, "def price(net, rate, rounded):", before="def price(net, rate):") == []
    assert codes(compared(doc, "def price(net, rounded):", before="def price(net):")) == [("parameter-added", "rounded")]


@pytest.mark.parametrize("stated", ["{'up', 'down'}", "{str, 'up'}, optional", "str. Default mode is 'up'.", "str, default 'up'"])
def test_defaults_are_stated_in_many_ways(stated: str) -> None:
    doc = f'\n    """Round.\n\n    Parameters\n    ----------\n    mode : {stated}\n        How.\n    """\n'
    found = compared(doc, "def price(mode='down'):", before="def price(mode='up'):")
    assert codes(found) == [("default-changed", "mode")]
    assert compared(doc, "def price(mode=None):", before="def price(mode='up'):") == []  # it may stand for the same


def test_optional_but_required() -> None:
    doc = '\n    """Round.\n\n    Parameters\n    ----------\n    mode : str, optional\n        How.\n    """\n'
    (found,) = compared(doc, "def price(mode):", before="def price(mode='up'):")
    assert (found.code, found.parameter, found.old, found.new) == ("default-changed", "mode", "'up'", None)


def test_mathematics_and_examples_are_no_template() -> None:
    doc = '\n    r"""Give :math:`\\frac{a}{b}^{net}`.\n\n    >>> "%s" % 1\n\n    :param net: Price.\n    """\n'
    assert codes(compared(doc, "def price(net, rate):", before="def price(net):")) == [("parameter-added", "rate")]
    filled = doc.replace(":param net: Price.", ":param net: Price.\n    %(more)s")
    assert compared(filled, "def price(net, rate):", before="def price(net):") == []


def test_a_section_without_entries_is_read() -> None:
    doc = '\n    """Give it.\n\n    Parameters\n    ----------\n\n    Returns\n    -------\n    """\n'
    assert compared(doc, "def price(net, rate):", before="def price(net):") == []


def test_a_class_is_documented_for_its_constructor() -> None:
    text = '''
class Cart:
    """A cart.

    Args:
        owner: whose.
        limit: how much.
    """

    def __init__(self, owner, limit{more}):
        self.owner = owner
'''
    was, now = pair(text.format(more=""), "Cart"), pair(text.format(more=", shared=False"), "Cart")
    assert codes(list(reasons(was, now))) == [("parameter-added", "shared")]


def test_the_literal_rule() -> None:
    was, now = pair(f'{HEAD}\n    """Price."""\n'), pair('def price(net, rate: float = 0.2):\n    """Price."""\n')
    assert reasons(was, now) == ()
    assert [reason.code for reason in reasons(was, now, literal=True)] == ["signature-changed"]
