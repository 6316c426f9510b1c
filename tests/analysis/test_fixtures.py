"""What functions say about fixtures, read from their signatures and decorators."""

from __future__ import annotations

import pytest

from remora_hub_lsp.analysis.fixtures import Fixture, fixture_of, requested, used_by_marks


@pytest.mark.parametrize(
    ("decorator", "fixture"),
    [
        ("pytest.fixture", Fixture("cart", False)),
        ("fixture", Fixture("cart", False)),
        ("pytest.fixture(autouse=True)", Fixture("cart", True)),
        ("pytest.fixture(autouse=False, scope='module')", Fixture("cart", False)),
        ("pytest.fixture(name='basket')", Fixture("basket", False)),
        ("pytest_asyncio.fixture()", Fixture("cart", False)),
        ("pytest.mark.usefixtures('db')", None),
        ("property", None),
    ],
)
def test_a_fixture_is_named_by_its_decorator(decorator: str, fixture: Fixture | None) -> None:
    assert fixture_of("cart", [decorator]) == fixture


@pytest.mark.parametrize(
    ("signature", "decorators", "names"),
    [
        ("def test()", (), ""),
        ("def test(db, cart)", (), "db cart"),
        ("def test(db: Db, *, cart: 'Cart', n: int = 3, m=1, **kw) -> None", (), "db cart"),
        ("async def test(db)", (), "db"),
        ("def test(db, n)", ("pytest.mark.parametrize('n', [1, 2])",), "db"),
        ("def test(db, n, m)", ("pytest.mark.parametrize('n, m', [(1, 2)])",), "db"),
        ("def test(db, n, m)", ("pytest.mark.parametrize(('n', 'm'), [(1, 2)], indirect=['m'])",), "db m"),
        ("def test(n)", ("pytest.mark.parametrize('n', [1], indirect=True)",), "n"),
        ("def test(n)", ("pytest.mark.parametrize(argnames='n', argvalues=[1])",), ""),
        ("def test(db)", ("pytest.mark.usefixtures('clock', 'db')",), "db clock"),
    ],
)
def test_parameters_without_a_value_of_their_own_ask_for_fixtures(
    signature: str, decorators: tuple[str, ...], names: str
) -> None:
    assert " ".join(requested(signature, decorators, method=False)) == names


def test_self_is_no_fixture() -> None:
    assert requested("def test(self, db)", (), method=True) == ("db",)


def test_a_class_asks_by_its_marks() -> None:
    assert used_by_marks(["pytest.mark.usefixtures('a', 'b')", "final"]) == ("a", "b")
