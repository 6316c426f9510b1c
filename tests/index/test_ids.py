"""Node ids in every form that people and agents write them in."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remora_hub_lsp.analysis.facts import MODULE
from remora_hub_lsp.index.dotted import locate
from remora_hub_lsp.index.ids import BadId, NodeId, parse_id
from remora_hub_lsp.index.kv import NodeStateKV, node_key

from .store import put


def to_path(path: str) -> str | None:
    """As the hub's own, for a root /work/my root (or C:/work/my root)."""
    for root in ("/work/my root/", "C:/work/my root/"):
        if (path := posixpath.normpath(path)).startswith(root):
            return path.removeprefix(root)
    return None


def parsed(text: str) -> NodeId | BadId:
    return parse_id(text, to_path)


@pytest.mark.parametrize(
    ("text", "path", "qualname"),
    [
        ("node:shop/cart.py:Cart.total", "shop/cart.py", "Cart.total"),
        ("node:shop/cart.py:Cart.total#2", "shop/cart.py", "Cart.total#2"),
        ("node:shop/cart.py:<module>", "shop/cart.py", MODULE),
        ("node:shop/cart.py", "shop/cart.py", MODULE),
        ("node:shop/stubs.pyi:f", "shop/stubs.pyi", "f"),
        ("shop/cart.py:Cart.total", "shop/cart.py", "Cart.total"),
        ("shop/cart.py", "shop/cart.py", MODULE),
        ("./shop/cart.py:f", "shop/cart.py", "f"),
        ("shop//cart.py:f", "shop/cart.py", "f"),
        ("shop/./x/../cart.py:f", "shop/cart.py", "f"),
        ("shop\\cart.py:f", "shop/cart.py", "f"),
        ("/work/my root/shop/cart.py:f", "shop/cart.py", "f"),
        ("/work/my root/shop/cart.py", "shop/cart.py", MODULE),
        ("/work/my root/x/../shop/cart.py:f", "shop/cart.py", "f"),
        ("node:/work/my root/shop/cart.py:f", "shop/cart.py", "f"),
        ("C:\\work\\my root\\shop\\cart.py:f", "shop/cart.py", "f"),
        ("C:/work/my root/shop/cart.py:f", "shop/cart.py", "f"),
        ("file:///work/my%20root/shop/cart.py", "shop/cart.py", MODULE),
        ("file:///work/my%20root/shop/cart.py:Cart.total", "shop/cart.py", "Cart.total"),
        ("file:///work/my%20root/shop/cart.py:Cart.total#2", "shop/cart.py", "Cart.total#2"),
        ("file:///work/my%20root/shop/cart.py#Cart.total", "shop/cart.py", "Cart.total"),
        ("file:///work/my%20root/shop/cart.py#Cart.total#2", "shop/cart.py", "Cart.total#2"),
        ("file:///work/my%20root/shop/cart.py#%3Cmodule%3E", "shop/cart.py", MODULE),
        ("node:file:///work/my%20root/shop/cart.py:f", "shop/cart.py", "f"),
        ("file:///C%3A/work/my%20root/shop/cart.py:f", "shop/cart.py", "f"),
        ("file:///c:/work/my%20root/a.py", None, ""),
        ("file://localhost/work/my%20root/a.py:f", "a.py", "f"),
        ("file:///work/my%20root/100%25%23%3F.py:f", "100%#?.py", "f"),
        ("file:///work/my%20root/%C3%A9%F0%9F%98%80.py:%C3%A9", "é😀.py", "é"),
        ("a:b.py:f", "a:b.py", "f"),
        ("node:a:b.py:f", "a:b.py", "f"),
        ("node:x.py:y.py:f", "x.py:y.py", "f"),
        ("my dir/my file.py:f", "my dir/my file.py", "f"),
        ("new\nline.py:f", "new\nline.py", "f"),
        ('it\'s "x".py:f', 'it\'s "x".py', "f"),
        ("a.py.py:f", "a.py.py", "f"),
        ("a.pyx.py:f", "a.pyx.py", "f"),
        ("node:node:.py:f", "node:.py", "f"),
        ("é/ü.py:名前", "é/ü.py", "名前"),
        ("%41.py:f", "%41.py", "f"),
    ],
)
def test_a_path_with_a_name(text: str, path: str | None, qualname: str) -> None:
    found = parsed(text)
    if path is None:
        assert isinstance(found, BadId)
        assert "outside" in found.detail
    else:
        assert found == NodeId(path, qualname)


@pytest.mark.parametrize("path", ["caf\\xe9.py", "a\\b.py", "a:b/c d.py", "-.py", "..py", "é.py"])
def test_the_indexs_own_keys_are_taken_as_they_stand(path: str) -> None:
    assert parsed(node_key(path, "A.f#2")) == NodeId(path, "A.f#2")


@given(
    st.lists(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8),
        min_size=1,
        max_size=3,
    )
    .filter(lambda parts: not {".", ".."} & set(parts) and parts[0][1:2] != ":" and not parts[0].startswith("file:"))
    .map("/".join),
    st.from_regex(r"[a-zé_][a-z0-9]{0,3}(\.[a-z_]{1,3}){0,2}(#[23])?", fullmatch=True),
)
def test_every_key_reads_as_what_it_was_made_from(stem: str, qualname: str) -> None:
    path = stem + ".py"
    assert parsed(node_key(path, qualname)) == NodeId(path, qualname)


@pytest.mark.parametrize(
    "text",
    [
        "shop",
        "shop.cart",
        "shop.cart.Cart.total",
        "shop.cart.Cart.total#2",
        "shop.cart.<module>",
        "größe.名前",
        "_a.__b__",
    ],
)
def test_a_dotted_name(text: str) -> None:
    found = parsed(text)
    assert isinstance(found, NodeId)
    assert found.path is None
    assert ".".join(found.dotted) == text


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ":", "node:", "node:Cart", "node:shop.cart", "Cart.total()", "a..b", ".a", "a.", "1a", "a b", "shop/cart:f",
        "shop/cart.txt:f", "http://x/a.py", "file:", "file://", "file:///", "file://[x/a.py", "a.py:f/g", "a#2.b", "\0",
        "a\0.py:f", "file:///work/my%20root/%00.py", "/work/my root/a\0.py", "\ud800.py:f", "a.py:\ud800", "x.\ud800",
    ],
)  # fmt: skip
def test_what_is_no_id_is_told_so(text: str) -> None:
    found = parsed(text)
    if text in ("http://x/a.py",):  # reads as a strange relative path; there is no such file
        return
    assert isinstance(found, BadId), found
    assert found.detail


@pytest.mark.parametrize(
    "text",
    [
        "/etc/x.py:f",
        "C:\\other\\x.py",
        "file:///etc/x.py",
        "../x.py:f",
        "a/../../x.py",
        "node:../x.py:f",
        "file:///work/x.py#f",
    ],
)
def test_a_path_outside_of_the_root_is_told_so(text: str) -> None:
    found = parsed(text)
    assert isinstance(found, BadId)
    assert "outside the project root" in found.detail


@given(st.text(max_size=40) | st.text("node:fil/.py#<>%0C\\", max_size=25))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = parsed(text)
    assert isinstance(found, NodeId | BadId)
    if isinstance(found, NodeId) and found.path is not None:
        (found.path + found.qualname).encode()
        assert not found.path.startswith(("/", "../", "./"))


# ------------------------------------------------------------------------------------------------ dotted names


@pytest.mark.parametrize(
    ("dotted", "found"),
    [
        ("shop", ("shop/__init__.py", MODULE)),
        ("shop.cart", ("shop/cart.py", MODULE)),
        ("shop.cart.<module>", ("shop/cart.py", MODULE)),
        ("shop.cart.Cart", ("shop/cart.py", "Cart")),
        ("shop.cart.Cart.total", ("shop/cart.py", "Cart.total")),
        ("shop.cart.Cart.total#2", ("shop/cart.py", "Cart.total#2")),
        ("cart.Cart", ("shop/cart.py", "Cart")),
        ("shop.Cart", ("shop/__init__.py", "Cart")),
        ("shop.helper", ("shop/__init__.py", "helper")),
        ("core.f", ("src/core/__init__.py", "f")),
        ("core.stubs.g", ("src/core/stubs.pyi", "g")),
        ("core.sub", ("src/core/sub.py", MODULE)),
        ("shop.cart.none", ("shop/cart.py", "none")),
        ("nothing.at.all", None),
        ("Shop.cart.Cart", None),
    ],
)
def test_a_dotted_name_is_found_in_the_longest_module_that_defines_it(
    kv: NodeStateKV, dotted: str, found: tuple[str, str] | None
) -> None:
    put(kv, "shop/__init__.py", "class Cart: pass\ndef helper(): pass\n")
    put(kv, "shop/cart.py", "class Cart:\n    def total(self): pass\n    def total(self, a): pass\n")
    put(kv, "src/core/__init__.py", "def f(): pass\n")
    put(kv, "src/core/stubs.pyi", "def g(): ...\n")
    put(kv, "src/core/sub.py", "")
    with kv.view() as view:
        assert locate(view, tuple(dotted.split("."))) == found


def test_the_module_nearest_to_the_root_wins(kv: NodeStateKV) -> None:
    for path in ("x/y/models.py", "models.py", "x/models.py"):
        put(kv, path, "class A: pass\n")
    put(kv, "x/models.py", "class A: pass\nclass B: pass\n")
    with kv.view() as view:
        assert locate(view, ("models", "A")) == ("models.py", "A")
        assert locate(view, ("models", "B")) == ("x/models.py", "B")
        assert locate(view, ("x", "models", "A")) == ("x/models.py", "A")


@pytest.mark.parametrize(
    ("dotted", "found"),
    [
        ("shop.Cart", ("shop/cart.py", "Cart")),
        ("shop.Basket.total", ("shop/cart.py", "Cart.total")),  # under another name
        ("shop.Cart.size", ("shop/base.py", "Base.size")),  # inherited
        ("shop.Cart.Line.text", ("shop/cart.py", "Cart.Line.text")),
        ("shop.helper", ("shop/more.py", "helper")),  # from a module that takes all of another one
        ("shop.cart.base.Base", ("shop/base.py", "Base")),  # through a module
        ("shop.late", ("shop/more.py", "late")),  # the last import counts
        ("shop.Cart.none", ("shop/__init__.py", "Cart.none")),
        ("shop.circle", ("shop/__init__.py", "circle")),
        ("shop.path.join", ("shop/__init__.py", "path.join")),
        ("lib.Kit", ("vendor/lib/kit.py", "Kit")),  # a package that lies elsewhere
    ],
)
def test_a_dotted_name_is_found_where_imports_and_bases_lead(
    kv: NodeStateKV, dotted: str, found: tuple[str, str]
) -> None:
    put(
        kv, "shop/__init__.py",
        "from os import path\nfrom .cart import Cart, Cart as Basket, late\nfrom .cart import *\nfrom .more import *\n"
        "from .more import late\nfrom . import missing as m\nfrom .missing import *\n",
    )  # fmt: skip
    put(
        kv, "shop/cart.py",
        "from . import base\nfrom shop import *\nclass Cart(base.Base):\n    def total(self): ...\n    class Line:\n"
        "        def text(self): ...\ndef late(): ...\n",
    )  # fmt: skip
    put(kv, "shop/base.py", "from .cart import Cart\nclass Base(Cart):\n    size = 0\n    def size(self): ...\n")
    put(kv, "shop/more.py", "from .cart import circle\ndef helper(): ...\ndef late(): ...\n")
    put(kv, "vendor/lib/__init__.py", "from lib.kit import Kit\n")
    put(kv, "vendor/lib/kit.py", "class Kit: ...\n")
    with kv.view() as view:
        assert locate(view, tuple(dotted.split("."))) == found
