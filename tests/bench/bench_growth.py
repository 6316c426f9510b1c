"""How cost grows with a project: from 100 to 30,000 files, made of real ones that import and call each other."""

from __future__ import annotations

import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .bench_answers import hover, random_nodes
from .bench_graph import COLD
from .bench_index import bare_parse, index
from .bench_tools import size_of
from .measure import Cost, adopt_orphans, memory_of, run
from .projects import files_of
from .report import Table
from .server import Server

SIZES = (100, 1_000, 3_000, 10_000, 30_000)
QUICK = SIZES[:3]
_NODES = 100


def bench(root: Path, sizes: tuple[int, ...]) -> None:
    """Print the table."""
    adopt_orphans()
    table = Table(
        f"Growth, projects made of copies of {root.name}",
        "Each copy is a package of its own name that imports and calls itself. CPU seconds of all processes, one run each; in "
        "brackets microseconds a definition. Warm: nothing changed. Then a server that found its index: milliseconds from its "
        f"start until a hover, of `remora/getContext` for {_NODES} nodes (median / 95th percentile), of a search; resident MB.",
        ["files", "definitions", "`ast.parse`", "cold, no call graph", "cold", "x `ast.parse`", "warm", "on disk, MB",
         "until a hover, ms", "getContext, ms", "search, ms", "MB"],
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        try:
            for size in sizes:
                project = Path(folder).resolve() / f"project{size}"
                grown(root, project, size)
                table.row(*measured(project, Path(folder)))
                shutil.rmtree(project)
                print(f"{size} files are done", file=sys.stderr, flush=True)
        finally:  # the largest take long: who does not wait for them has the others
            table.print()


def grown(root: Path, project: Path, size: int) -> None:
    """A project of `size` files: copies of the package with most files of `root`, each named anew."""
    files = sorted(Path(path).relative_to(root) for path in files_of(root))
    tops = Counter(file.parts[0] for file in files if (root / file.parts[0] / "__init__.py").exists())
    package, _ = tops.most_common(1)[0]
    texts = [(file, (root / file).read_bytes()) for file in files if file.parts[0] == package]
    random.Random(0).shuffle(texts)  # the first hundred in order are nearly all translations
    name = re.compile(rb"\b%b\b" % package.encode())
    for number in range(size):
        copy, (file, data) = f"{package}{number // len(texts)}", texts[number % len(texts)]
        path = project.joinpath(copy, *file.parts[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.sub(copy.encode(), data))


def measured(project: Path, folder: Path) -> list[object]:
    """The cells of a row."""
    listing, database = folder / "files", folder / f"{project.name}.db"
    files = files_of(project)
    listing.write_text("\0".join(files), encoding="utf-8")
    bare = bare_parse(listing)
    plain, _ = run([sys.executable, "-c", COLD, str(project), str(folder / "plain.db"), ""])
    cold, told = index(project, database)
    warm, _ = index(project, database)
    nodes = random_nodes(project, _NODES)
    path, place = project / nodes[0].path, nodes[0].place
    with Server(project, database) as server:
        server.initialize()
        assert server.ask("textDocument/hover", hover(path, place))
        hovered = server.seconds
        server.wait_until_indexed()
        context = server.time("remora/getContext", {"nodes": [node.key for node in nodes]}, 50)
        search = server.time("workspace/symbol", {"query": "get_quer"}, 20)
        memory, _ = memory_of(server.pid)

    def each(cost: Cost) -> str:
        return f"{cost.cpu:.2f} ({cost.cpu / told['nodes'] * 1e6:.0f})"

    return [
        f"{len(files):,}", f"{told['nodes']:,}", each(bare), each(plain), each(cold), f"{cold.cpu / bare.cpu:.1f}",
        f"{warm.cpu:.2f}", f"{size_of(database) / 1e6:.1f}", f"{hovered * 1000:.0f}", context.usual(1000, 1),
        search.usual(1000, 1), f"{memory:.0f}",
    ]  # fmt: skip
