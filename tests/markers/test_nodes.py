"""What the hub knows about nodes, stated beside their code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ..kit import opened

Check = Callable[[str], None]


def test_signatures_are_whole_and_normalised(check: Check) -> None:
    check("""
        #- a.py
        def f(a,/,b:int=1,*args,c = 2,**kw)->None: ...   #@ signature: def f(a, /, b: int = 1, *args, c=2, **kw) -> None
        async def g(*,x): ...                            #@ signature: async def g(*, x)  #@ has_type_hints: no
        class A(Base, metaclass = Meta): ...             #@ signature: class A(Base, metaclass=Meta)
    """)


def test_imports_follow_use_and_are_absolute(check: Check) -> None:
    check("""
        #- shop/cart.py
        import os.path as p
        import json, re
        from . import tax
        from ..money import Amount as A
        def load(x): return json.loads(p.join(x))  #@ imports: json os.path
        def price(a: A): return tax.add(a)         #@ imports: money.Amount shop.tax
        def local():                               #@ imports: decimal.Decimal
            from decimal import Decimal
            re = 1
            return Decimal(re)
    """)


def test_namesakes_are_told_apart_in_source_order(check: Check) -> None:
    check("""
        #- a.py
        class Cart:                     #@ kind: class
            @property
            def total(self): ...        #@ qualname: Cart.total    #@ kind: property
            @total.setter
            def total(self, v): ...     #@ qualname: Cart.total#2  #@ decorators: total.setter
        if x:
            def f(): ...                #@ qualname: f
        else:
            def f():                    #@ qualname: f#2  #@ complexity: 2
                def inner(): ...        #@ qualname: f.inner
    """)


def test_a_module_is_a_node(check: Check) -> None:
    check('''
        #- pkg/__init__.py
        """About the package.

        More."""                 #@ docstring: About the package.  #@ node_type: module
        import os                #@ imports: os  #@ line_count: 4
    ''')


def test_typing_shows_at_once_and_broken_text_keeps_the_last_facts(tmp_path: Path, door: str) -> None:
    async def look() -> None:
        fixture = """
            #- a.py
            def total(items$0):
                return sum(items)

            def other(): ...
        """
        async with opened(fixture, tmp_path, door) as project:
            await project.type(", tax: int = 0")
            state = await project.node("a.py:total")
            assert state["signature"] == "def total(items, tax: int = 0)"
            assert (state["origin"], state["broken"]) == ("buffer", None)

            await project.door.insert("a.py", 0, len("def total("), "(")
            broken = await project.node("a.py:total")
            assert broken["signature"] == "def total(items, tax: int = 0)"
            assert broken["broken"] is not None
            assert (await project.node("a.py:other"))["broken"] is None

            await project.door.close("a.py")
            state = await project.node("a.py:total")
            assert (state["signature"], state["origin"]) == ("def total(items)", "disk")

    asyncio.run(look())


def test_what_is_missing_is_said_why(tmp_path: Path, door: str) -> None:
    async def look() -> None:
        async with opened("#- a.py\ndef total(): ...\n", tmp_path, door) as project:
            assert await project.missing("a.py:totl") == "no such node"
            assert await project.missing("b.py:total") == "no such file"
            assert await project.missing("!") == "bad id"
            (tmp_path / "venv").mkdir()
            (tmp_path / "venv" / "pyvenv.cfg").touch()
            (tmp_path / "venv" / "x.py").write_text("def f(): ...")
            assert await project.missing("venv/x.py:f") == "file ignored"

    asyncio.run(look())
