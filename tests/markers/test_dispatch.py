"""Calls of which the definition that runs is not the one that the name leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ..kit import opened

Check = Callable[[str], None]


def test_of_overloads_the_implementation_is_called(check: Check) -> None:
    check("""
        #- a.py
        from typing import overload
        @overload
        def get(key: int) -> int: ...
        @overload
        def get(key: str) -> str: ...
        def get(key): return key        #@ callers: main
        def main(): get(1)              #@ callees: get#3
    """)


def test_what_an_abstract_method_leaves_to_subclasses_is_called_there(check: Check) -> None:
    check("""
        #- base.py
        class Shape:
            def describe(self): return self.area()     #@ callees: Shape.area, Circle.area, Square.area
            def area(self): raise NotImplementedError  #@ callers: Shape.describe, total
        def total(shape: Shape): return shape.area()   #@ callees: Shape.area, Circle.area, Square.area
        #- shapes.py
        from base import Shape
        class Circle(Shape):
            def area(self): return 3                   #@ callers: Shape.describe, total
        class Square(Shape):
            def area(self): return 4                   #@ callers: Shape.describe, total
    """)


def test_a_method_that_does_something_is_called_itself(check: Check) -> None:
    check("""
        #- base.py
        class Base:
            def work(self): return self.step()         #@ callees: Base.step
            def step(self):
                print("base")
                return 1
        class Special(Base):
            def step(self):                            #@ callers:
                print("special")
                return 2
    """)


def test_a_mixin_calls_what_only_its_users_have(check: Check) -> None:
    check("""
        #- a.py
        class Mixin:
            def run(self): self.save()                 #@ callees: Store.save
        class Store(Mixin):
            def save(self): ...                        #@ callers: Mixin.run
    """)


def test_methods_that_are_chosen_by_the_beginning_of_their_name(check: Check) -> None:
    check("""
        #- visitor.py
        class Visitor:
            def visit(self, node):                     #@ callees: Names.visit_name, Names.visit_call
                return getattr(self, f"visit_{node}")()
        class Names(Visitor):
            def visit_name(self): ...                  #@ callers: Visitor.visit
            def visit_call(self): ...                  #@ callers: Visitor.visit
            def leave_call(self): ...                  #@ callers:
    """)


def test_a_fixture_tells_what_a_test_is_given(check: Check) -> None:
    check("""
        #- cart.py
        class Cart:
            def total(self): ...                       #@ callers: test_total, test_own
        #- conftest.py
        import pytest
        from cart import Cart
        @pytest.fixture
        def cart():
            yield Cart()
        #- tests/test_cart.py
        import pytest
        @pytest.fixture
        def own(cart): return cart
        def test_total(cart): cart.total()             #@ callees: Cart.total
        def test_own(own): own.total()                 #@ callees: Cart.total
    """)


def test_defining_a_class_calls_its_metaclass(check: Check) -> None:
    check("""
        #- a.py
        class Meta(type):
            def __init__(cls, name, bases, names): ... #@ callers: <module>, <module>
        class Base(metaclass=Meta): ...
        #- b.py
        from a import Base
        class Below(Base): ...
    """)


def test_a_function_may_be_a_metaclass(check: Check) -> None:
    check("""
        #- a.py
        def make(name, bases, names): return type(name, bases, names)
        class Base(metaclass=make): ...
        class Below(Base):
            def save(self): ...                        #@ callers: main
        def main(): Below().save()                     #@ callees: Below, Below.save
    """)


def test_a_decorator_that_is_given_as_the_annotation_does_not_tell(check: Check) -> None:
    check("""
        #- a.py
        from typing import Callable
        class Command:
            def __call__(self): ...                    #@ callers:
        def command() -> Callable | Command:
            def decorator(f): return Command()         #@ callers: <module>
            return decorator
        @command()
        def main(): ...
    """)


def test_attributes_that_are_not_seen_are_a_guess(check: Check) -> None:
    check("""
        #- a.py
        class Proxy:
            def __getattr__(self, name): ...           #@ callers:
        def main(proxy: Proxy): proxy.anything
    """)


def test_a_mapping_looks_up_what_it_is_asked_to_contain(check: Check) -> None:
    check("""
        #- a.py
        from collections.abc import MutableMapping
        class Headers(MutableMapping):
            def __getitem__(self, name): ...           #@ callers: main
            def __iter__(self): ...                    #@ callers:
        def main(headers: Headers): return "a" in headers
    """)


def test_a_subclass_that_comes_takes_part(tmp_path: Path, door: str) -> None:
    text = """
        #- base.py
        class Shape:
            def area(self): raise NotImplementedError
        #- use.py
        from base import Shape
        def total(shape: Shape): return shape.area()   #@ callees: Shape.area, Circle.area
        #- shapes.py
        from base import Shape
    """

    async def go() -> None:
        async with opened(text, tmp_path, door) as project:
            await project.open("shapes.py")
            later = "from base import Shape\nclass Circle(Shape):\n    def area(self): return 3\n"
            await project.door.replace("shapes.py", later)
            for _ in range(100):  # other files' graphs follow once the typing rests
                await asyncio.sleep(0.1)
                if len((await project.door.context(["use.py:total"], []))["nodes"]["use.py:total"]["callees"] or ()) > 1:
                    break
            await project.check_marks()

    asyncio.run(go())
