"""Who calls whom, stated beside the code."""

from __future__ import annotations

from collections.abc import Callable

Check = Callable[[str], None]


def test_callers_follow_aliases_and_reexports(check: Check) -> None:
    check("""
        #- shop/__init__.py
        from .cart import total
        #- shop/cart.py
        def total(): ...            #@ callers: main, later
        #- app.py
        from shop import total as t
        import shop.cart
        def main(): return t()      #@ callees: total
        def later(): return shop.cart.total()  #@ callees: total
    """)


def test_methods_through_the_hierarchy(check: Check) -> None:
    check("""
        #- base.py
        class Base:
            def start(self): self.step()    #@ callees: Child.step, Base.step
            def step(self): raise NotImplementedError
        #- child.py
        from base import Base
        class Child(Base):
            def __init__(self): self.other = Other()  #@ callees: Other
            def step(self): self.other.go()  #@ callees: Other.go
            def more(self): super().start()  #@ callees: Base.start
        class Other:
            def go(self): ...               #@ callers: Child.step
        def run(child: Child): child.start()  #@ callees: Base.start
    """)


def test_what_is_called_without_being_written_as_a_call(check: Check) -> None:
    check("""
        #- a.py
        class Box:
            def __enter__(self): return self   #@ callers: use
            def __exit__(self, *error): ...    #@ callers: use
            def __iter__(self): yield 1        #@ callers: use
            def __len__(self): return 1        #@ callers: use, Box.size
            def __add__(self, other): ...      #@ callers: use
            @property
            def size(self): return len(self)
        def use():                             #@ callees: Box, Box.__enter__, Box.__exit__, Box.__iter__, Box.__len__, Box.__add__, Box.size
            with Box() as box:
                for one in box: ...
                return len(box) + box.size, box + box
    """)


def test_callbacks_and_tables_of_functions(check: Check) -> None:
    check("""
        #- a.py
        def one(): ...              #@ callers: call
        def two(): ...              #@ callers: pick
        def call(function): function()
        def main(): call(one)       #@ callees: call
        TABLE = {"two": two}
        def pick(): TABLE["two"]()  #@ callees: two
    """)
