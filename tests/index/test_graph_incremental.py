"""After any series of edits the call graph is the one that is built from scratch, and little is worked out for it."""

from __future__ import annotations

from hypothesis import given, settings

from .graphs import Graphed, histories, index, scratch

# Texts for each file, of which any may be there at any time.
CHOICES: dict[str, list[str | None]] = {
    "shop/__init__.py": ["from .cart import Cart, total\n", "from .cart import *\n", "", None],
    "shop/cart.py": [
        "from .base import Base\nclass Cart(Base):\n    def add(self, f): return f()\n    def size(self): return 1\n"
        "def total(c=None): return Cart()\n",
        "class Cart:\n    def add(self, f): self.f = f\n    def size(self): return self.f()\ndef total(): ...\n",
        "from .base import Base as Cart, other as total\n",
        "def total(x):\n    return x\nclass Cart: ...\nclass Cart:\n    def step(self): ...\n",
        "from .base import Base, other\nclass Cart(Base):\n    made = other()\n    key = lambda self: self.made.run()\n"
        "    def __init__(self, held=None): self.held = held or other()\n    def add(self, f): return self.held.add(f)\n"
        "    def visit_one(self): return self.key()\ndef total(c=None): return Cart(c)\n",
        "from .base import Base\n__all__ = ['Cart']\nclass Cart(Base):\n    def __init__(self): super().__init__()\n"
        "    def add(self, f):\n        self.held = Base()\n        return f(self)\n    class Inner:\n"
        "        def run(self): return total()\ndef total(first, c=None):\n    global last\n    last = Cart()\n"
        "    return last.Inner()\nlast = None\n",
        None,
    ],
    "shop/base.py": [
        "class Base:\n    def run(self): return self.step()\n    def step(self): raise NotImplementedError\n"
        "def other(): return Base()\n",
        "class Base:\n    def run(self, x): x.step()\n    def add(self, g): g(self)\n    @property\n"
        "    def size(self): return other()\ndef other(f=None):\n    if f: f()\n",
        "class Base:\n    def __init__(self, x=None): self.x = x\n    def run(self, n): return getattr(self, f'visit_{n}')()\n"
        "    def visit_two(self): return self.x.run()\n    def step(self): return self.held.step()\n"
        "def other(f=None): return Base(f)\n",
        "class Base:\n    def __getattr__(self, name): return other()\n    def none(self): return self.run()\n"
        "    class Inner:\n        def step(self): return Base()\ndef other(f=None): return Base.Inner()\n",
        None,
    ],
    "app.py": [
        "from shop import total, Cart\ndef main():\n    c = total()\n    c.run()\n    c.size\n    c.add(main)\n",
        "import shop.cart as s\nfrom shop.base import other\ndef main(): s.total(other).add(other)\nmain()\n",
        "from shop import *\nclass Mine(Cart):\n    def step(self): total(self)\ndef main(): Mine().run()\n",
        "def main(: pass\n",
        None,
    ],
    "late.py": [
        "from app import main\nimport shop\ndef late(): main(); shop.Cart().run(shop.total())\n",
        "from app import main as total\ndef late(g): total(); g()\nlate(total)\n",
        "from shop.cart import Cart\nfrom shop.base import Base\nclass Deep(Cart.Inner):\n"
        "    def go(self): self.run(); self.held.step(); self.visit_two()\nclass Mixed(Deep, Base): ...\n"
        "def late():\n    class Near(Cart):\n        def look(self): return self.run() or self.none()\n"
        "    Near().look(); Deep().go(); Mixed().step(); Near().held.run()\n",
        None,
    ],
}
STARTS, STEPS = histories(CHOICES, 6)


@settings(max_examples=60, deadline=None)
@given(STARTS, STEPS)
def test_edits_give_the_graph_of_the_whole(start: dict[str, int], steps: list[tuple[str, int]]) -> None:
    texts = {path: text for path, number in start.items() if (text := CHOICES[path][number]) is not None}
    with index() as kv:
        project = Graphed(kv, texts)
        for path, number in steps:
            project.edit(path, CHOICES[path][number])
            assert project.graph() == scratch(project.texts)


def test_what_one_code_of_a_file_has_looked_up_another_rests_on_too() -> None:
    texts = {
        "base.py": "class Base: ...\n",
        "cart.py": "from base import Base\nclass Cart(Base): ...\ndef one(): Cart()\ndef two(): Cart()\n",
    }
    with index() as kv:
        project = Graphed(kv, texts)
        project.edit("cart.py", texts["cart.py"] + "def one_more(): Cart()\n")
        project.edit("cart.py", texts["cart.py"])
        project.edit("base.py", "class Base:\n    def __init__(self): ...\n")
        assert project.graph() == scratch(project.texts)


def test_an_edit_of_a_body_concerns_no_other_file() -> None:
    texts = {"a.py": "def f(x): return 1\n", **{f"u{n}.py": "from a import f\ndef g(): f(1)\n" for n in range(5)}}
    with index() as kv:
        project = Graphed(kv, texts)
        assert project.edit("a.py", "def f(x): return 1  # one\n") == 0
        assert project.edit("u1.py", "from a import f\ndef g(): print(); f(1)\n") == 1
