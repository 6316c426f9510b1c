"""Answers without a hub: from the index as it lies on disk, with stale files analysed in memory. Nothing is written."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from ..config import default_database, load_config
from ..errors import StoreError
from ..hub.paths import Paths
from ..hub.texts import by_path, texts_on_disk
from ..index.answers import Asked, WhyNot, get_context
from ..index.around import SOURCE, Wanted, finish, relate
from ..index.ids import BadId, parse_id
from ..index.search import search
from ..index.view import Json
from ..protocol import GetContextParams, SearchParams
from .layered import Layered, opened

log = logging.getLogger(__name__)

T = TypeVar("T")
Position = tuple[str, int, int]  # file, line, UTF-16 character


class LocalIndex:
    """The index of one root. Raises RootError and ConfigError. Its methods block: call them off the event loop."""

    def __init__(self, root: Path) -> None:
        self._paths = Paths(root)
        self._config = load_config(self._paths.root)
        self._database = self._config.database or default_database(self._paths.root)

    def get_context(self, params: GetContextParams, positions: dict[str, Position]) -> Json:
        """remora/getContext. positions: by the id they are answered under."""
        ids = {text: parse_id(text, self._paths.relative) for text in params.nodes}
        places: dict[str, Any] = {}
        for text, (file, line, character) in positions.items():
            path = self._paths.relative(file)
            places[text] = (path, line, character) if path else BadId("the document is outside the project root")
        wanted = Wanted(frozenset(params.include), params.depth, params.brief, params.budget)

        def question(view: Layered) -> Json:
            view.joins_tests = "tests" in wanted.include
            result = get_context(view, Asked(ids, places), (), lambda path: self._why_not(view, path), "degraded")
            if wanted.include:
                relate(view, result, wanted)
            return result

        result = self._ask(question)
        if wanted.plain:
            return result
        files = by_path(result["nodes"].values()) if SOURCE in wanted.include else {}
        return finish(result, wanted, texts_on_disk(files.items(), self._paths.absolute))

    def search(self, params: SearchParams, patience: float) -> tuple[Json, int]:
        """remora/search, and how many changed files were not looked at within `patience` seconds."""
        until = time.monotonic() + patience

        def question(view: Layered) -> tuple[Json, int]:
            unseen = 0
            for entry in view.tree.walk():
                if not view.is_known(entry.path):
                    if time.monotonic() < until:
                        view.look_at(self._paths.indexed(entry.path))
                    else:
                        unseen += 1
            symbols = search(view, params.query, params.limit)
            return {"symbols": symbols, "revision": view.revision, "state": "degraded"}, unseen

        return self._ask(question)

    def _ask(self, question: Callable[[Layered], T]) -> T:
        """Without the index on disk where that cannot be read: who asks gets an answer, if it takes longer."""
        try:
            with opened(self._paths, self._config, self._database) as view:
                return question(view)
        except StoreError as error:
            log.warning("%s; it is done without", error)
        with contextlib.closing(Layered(self._paths, self._config, self._database, None)) as view:
            return question(view)

    def _why_not(self, view: Layered, path: str) -> WhyNot:
        if not os.path.isfile(self._paths.absolute(path)):
            return WhyNot("no such file", f"{path} does not exist below {self._paths.root}")
        reason = view.tree.why_not(path)
        return WhyNot("file ignored", reason) if reason is not None else WhyNot("not indexed yet", None)
