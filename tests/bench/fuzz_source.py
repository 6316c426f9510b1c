"""Real files with bytes changed at random, through all that the analysis does with a file, and through the call graph.

    python -m tests.bench.fuzz_source [--minutes 5] [--seed N]

The files are those of the running Python's standard library, its own tests first of all. What is looked for: exceptions,
facts that cannot be, and time that is out of proportion to the text. Prints the counts; what failed is written to files.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.analysis.chain import graph_of, run_through
from tests.analysis.corpus import stdlib
from tests.analysis.hostile import changed
from tests.index.graphs import index

MOST_BYTES = 60_000
TOGETHER = 10  # files of one graph
SLOW = 60e-6  # CPU seconds for a byte, besides one second: an order of magnitude above the usual


class Fuzz:
    def __init__(self, seed: int, kept: Path) -> None:
        self.rng = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.kept = kept
        paths = [path for path in stdlib() if path.stat().st_size <= MOST_BYTES]
        self.tests = [path for path in paths if "test" in path.parts]
        self.others = [path for path in paths if "test" not in path.parts]

    def round(self) -> None:
        """Some files, each changed and run through, and then their graph."""
        originals = [self.rng.choice(self.tests if self.rng.random() < 0.7 else self.others).read_bytes() for _ in range(TOGETHER)]
        texts = [changed(data, self.rng, originals) for data in originals]
        for data in texts:
            self.tried("files", [data], lambda data=data: run_through(data, self.rng.choice(originals)))
        self.tried("graphs", texts, lambda: self._graph(texts))

    def _graph(self, texts: list[bytes]) -> list[str]:
        with index() as kv:
            graph_of(kv, [data.decode("utf-8", "replace") for data in texts])
        return []

    def tried(self, what: str, texts: list[bytes], work) -> None:  # type: ignore[no-untyped-def]
        self.counts[what] += 1
        size = sum(map(len, texts))
        started = time.process_time()
        try:
            found = work()
        except Exception:  # noqa: BLE001 - what is looked for
            found = [traceback.format_exc()]
        took = time.process_time() - started
        if took > 1 + size * SLOW:
            found.append(f"{took:.1f} s for {size} bytes")
        if found:
            self.counts["wrong"] += 1
            for number, data in enumerate(texts):
                (self.kept / f"{self.counts['wrong']}-{number}.py").write_bytes(data)
            print(f"WRONG ({what}, {self.kept}/{self.counts['wrong']}-*.py):", *found[:3], sep="\n  ", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzz_source", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    fuzz = Fuzz(options.seed, Path(tempfile.mkdtemp(prefix="fuzz-source-")))
    until = time.monotonic() + options.minutes * 60
    while time.monotonic() < until:
        fuzz.round()
    for name, count in [*fuzz.counts.items(), ("seed", options.seed)]:
        print(f"{name:>12} {count}")
    sys.exit(1 if fuzz.counts["wrong"] else 0)


if __name__ == "__main__":
    main()
