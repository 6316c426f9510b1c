"""A progress bar on standard error while the hub catches up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..hub.coldstart import Progress as Progress_
    from ..hub.hub import Hub


@contextmanager
def progress_bar(hub: Hub, *, wanted: bool) -> Iterator[None]:
    """Shows how far the hub's cold start is, once it is known that there is anything to do; then it vanishes."""
    if not wanted:
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Indexing"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def show(state: Progress_) -> None:
        if state.total and not bar.live.is_started:
            bar.start()
        bar.update(task, completed=state.done, total=state.total)

    stop = hub.on_progress(show)
    try:
        yield
    finally:
        stop()
        bar.stop()
