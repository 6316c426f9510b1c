"""Which tests are related to what: through calls, fixtures, set-ups and inheritance."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


def test_a_test_is_related_to_what_it_calls_directly_or_not(check: Check) -> None:
    check("""
        #- shop/__init__.py
        from .cart import total
        #- shop/cart.py
        def total(): return _sum()      #@ tests: test_total
        def _sum(): ...                 #@ tests: test_total
        def unused(): ...               #@ tests:
        #- tests/test_cart.py
        import shop
        def test_total(): assert shop.total() is None
    """)


def test_fixtures_come_before_their_tests(check: Check) -> None:
    check("""
        #- shop.py
        def make(): ...                 #@ tests: test_cart test_deep
        def clean(): ...                #@ tests: test_cart test_deep
        def rate(): ...                 #@ tests: test_marked
        def begin(): ...                #@ tests: test_cart test_deep test_marked
        #- tests/conftest.py
        import pytest, shop
        @pytest.fixture
        def cart():
            yield shop.make()
            shop.clean()
        @pytest.fixture(name="rates")
        def _rates(): return shop.rate()
        @pytest.fixture(autouse=True)
        def always(): shop.begin()
        #- tests/test_cart.py
        import pytest
        @pytest.fixture
        def deep(cart): return cart
        def test_cart(cart): ...
        def test_deep(deep): ...
        @pytest.mark.usefixtures("rates")
        def test_marked(): ...
    """)


def test_the_nearest_fixture_of_a_name_counts(check: Check) -> None:
    check("""
        #- shop.py
        def far(): ...                  #@ tests: test_far test_both
        def near(): ...                 #@ tests: test_near
        def both(): ...                 #@ tests: test_both
        #- conftest.py
        import pytest, shop
        @pytest.fixture
        def cart(): return shop.far()
        #- a/test_far.py
        def test_far(cart): ...
        #- b/conftest.py
        import pytest, shop
        @pytest.fixture
        def cart(): return shop.near()
        #- b/test_near.py
        def test_near(cart): ...
        #- c/test_both.py
        import pytest, shop
        @pytest.fixture
        def cart(cart): return shop.both()
        def test_both(cart): ...
    """)


def test_parameters_of_parametrize_hide_fixtures(check: Check) -> None:
    check("""
        #- shop.py
        def make(): ...                 #@ tests: test_indirect
        #- test_shop.py
        import pytest, shop
        @pytest.fixture
        def cart(request): return shop.make()
        @pytest.mark.parametrize("cart", [1, 2])
        def test_direct(cart): ...
        @pytest.mark.parametrize("cart", [1, 2], indirect=True)
        def test_indirect(cart): ...
    """)


def test_set_ups_run_for_every_test_of_their_class(check: Check) -> None:
    check("""
        #- shop.py
        def of_class(): ...             #@ tests: TestA.test_a TestA.test_b
        def of_method(): ...            #@ tests: TestA.test_a TestA.test_b
        def of_module(): ...            #@ tests: TestA.test_a TestA.test_b
        #- test_shop.py
        import unittest, shop
        def setUpModule(): shop.of_module()
        class Base(unittest.TestCase):
            @classmethod
            def setUpClass(cls): shop.of_class()
        class TestA(Base):
            def setUp(self): shop.of_method()
            def test_a(self): ...
            def test_b(self): ...
    """)


def test_inherited_tests_count(check: Check) -> None:
    check("""
        #- shop.py
        def total(): ...                #@ tests: Common.test_total
        #- mixins.py
        import shop
        class Common:
            def test_total(self): shop.total()
        #- test_shop.py
        from mixins import Common
        class TestCart(Common): ...
    """)


def test_overrides_and_nested_functions_are_reached(check: Check) -> None:
    check("""
        #- shop.py
        class Shape:
            def area(self): return self.side()
            def side(self): return 0
        class Square(Shape):
            def side(self): return 1    #@ tests: test_area
        def outer():
            def inner(): ...            #@ tests: test_outer
            return inner
        #- test_shop.py
        import shop
        def test_area(): shop.Square().area()
        def test_outer(): shop.outer()()
    """)


def test_what_tests_share_in_their_class_or_module_is_theirs(check: Check) -> None:
    check("""
        #- shop.py
        class Shape:
            def area(self): ...         #@ tests: test_area test_other
        class Square:
            def area(self): ...         #@ tests: Common.test_side
        class Unused:
            def area(self): ...         #@ tests:
        def wanted(): ...               #@ tests: test_wanted
        #- test_shape.py
        import pytest, shop
        @pytest.mark.parametrize("kind", [shop.Shape])
        def test_area(kind): kind().area()
        def test_other(): ...
        #- test_square.py
        import shop
        class Common:
            def test_side(self): self.kind().area()
        class TestSquare(Common):
            kind = shop.Square
        class TestNone:
            def test_none(self): ...
        #- test_wanted.py
        import shop
        WANTED = shop.wanted()
        def test_wanted(): assert WANTED
    """)


def test_only_what_pytest_collects_is_a_test(check: Check) -> None:
    check("""
        #- pytest.ini
        [pytest]
        python_files = check_*.py
        python_functions = it_*
        #- shop.py
        def total(): ...                #@ tests: it_adds
        #- check_shop.py
        import shop
        def it_adds(): shop.total()
        def helper(): shop.total()
        #- test_shop.py
        import shop
        def test_total(): shop.total()
    """)
