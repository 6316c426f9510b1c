"""What the shipped scripts say, and that both engines say it."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from remora_hub_lsp.hub.scripts import load
from remora_hub_lsp.hub.scripts.sandbox import Sandbox
from remora_hub_lsp.hub.scripts.script import Script
from remora_hub_lsp.index.steps import shipped_folder

from .engines import natively, real_files, sandboxed

SHIPPED = sorted(shipped_folder().glob("*.pym"), key=lambda path: path.name)


def shipped(name: str) -> Script:
    return load(shipped_folder() / f"{name}.pym")


def said(name: str, text: str) -> dict[str, Any]:
    """What a rule says of a file's nodes by qualname."""
    result = natively(shipped(name), "a.py", textwrap.dedent(text))
    return {entry["key"].rpartition(":")[2]: entry for entry in result}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
async def test_both_engines_give_the_same_on_real_files(path: Any) -> None:
    script, different, answers = load(path), [], 0  # answers: how many files it has to say something of
    async with Sandbox() as sandbox:
        for file in real_files():
            text = file.read_text(encoding="utf-8")
            native = natively(script, file.name, text)
            answers += bool(native)
            if native != await sandboxed(script, file.name, text, sandbox):
                different.append(file.name)
    assert different == []
    assert answers or script.name in {"http_routes", "todo_owners"}  # of which the next tests have some


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_check_finds_nothing_not_even_types(path: Any) -> None:
    assert load(path).check().messages == []


def test_complexity_counts_where_no_test_is() -> None:
    branches = "\n".join(f"    if a == {n}: a = {n + 1}" for n in range(12))
    found = said("complexity_without_tests", f"def f(a):\n{branches}\ndef g(): ...")
    assert list(found) == ["f"]
    assert "complexity 13" in found["f"]["findings"][0]["message"]


async def test_routes_are_found_by_their_decorators() -> None:
    text = """
        @app.route("/users/<int:id>", methods=['GET', "POST"])
        def users(id): ...
        @router.get("/items/{item}", response_model=Item)
        async def item(item: str): ...
        @app.route("/")
        def home(): ...
        @require_POST
        def save(request): ...
        @api_view(["GET", "PUT"])
        def detail(request): ...
        class Page(generic.TemplateView):
            def get(self, request): ...
        @cache.get("x")
        @functools.lru_cache
        def other(): ...
        class Plain(Base): ...
    """
    found = {name: entry["extra"] for name, entry in said("http_routes", text).items()}
    assert found == {
        "users": {"routes": [{"path": "/users/<int:id>", "methods": ["GET", "POST"]}]},
        "item": {"routes": [{"path": "/items/{item}", "methods": ["GET"]}]},
        "home": {"routes": [{"path": "/", "methods": ["GET"]}]},
        "save": {"routes": [{"path": None, "methods": ["POST"]}]},
        "detail": {"routes": [{"path": None, "methods": ["GET", "PUT"]}]},
        "Page": {"view": True},
    }
    async with Sandbox() as sandbox:
        dedented = textwrap.dedent(text)
        script = shipped("http_routes")
        assert await sandboxed(script, "a.py", dedented, sandbox) == natively(script, "a.py", dedented)


async def test_todos_stand_with_the_innermost_definition() -> None:
    text = textwrap.dedent(
        """\
        # TODO(ann): all of it
        class A:
            # FIXME @bob: the class
            def f(self):
                x = 1  # TODO: tidy
                return "TODO"
        # TODOS are none
        """
    )
    found = said("todo_owners", text)
    todos = {name: [tuple(todo.values()) for todo in entry["extra"]["todos"]] for name, entry in found.items()}
    assert todos == {
        "<module>": [("TODO", "ann", "all of it", 1)],
        "A": [("FIXME", "bob", "the class", 2)],
        "A.f": [("TODO", "", "tidy", 2)],
    }
    script = shipped("todo_owners")
    async with Sandbox() as sandbox:
        assert await sandboxed(script, "a.py", text, sandbox) == natively(script, "a.py", text)
