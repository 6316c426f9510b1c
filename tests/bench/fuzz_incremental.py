"""Random edits of real files: the segments' facts must equal a full extraction wherever the text parses.

    python tests/bench/fuzz_incremental.py --edits 10000 [--seed N] [--files N] [--keep-going]

Prints the counts, and of a failure the shortest history of texts that shows it. Exit code 1 if there was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.analysis.corpus import texts
from tests.analysis.edits import Editor
from tests.analysis.following import Follower, smallest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--files", type=int, default=40, help="how many files of the standard library to edit")
    parser.add_argument("--max-bytes", type=int, default=16_000, help="size of the largest of them")
    parser.add_argument("--keep-going", action="store_true", help="go on after a failure, with the next file")
    options = parser.parse_args()
    corpus = [text for _, text in texts(options.files, options.seed, max_bytes=options.max_bytes)]
    counts: Counter[str] = Counter()
    share = -(-options.edits // len(corpus))
    for number, text in enumerate(corpus):
        rng = random.Random(f"{options.seed} {number}")
        wrong = one_file(text, min(share, options.edits - counts["edits"]), rng, corpus, counts)
        counts["failures"] += wrong
        if wrong and not options.keep_going:
            break
    for name, count in counts.items():
        print(f"{name:>22} {count}")
    return 1 if counts["failures"] else 0


def one_file(text: str, edits: int, rng: random.Random, donors: list[str], counts: Counter[str]) -> bool:
    """Edit one file; gives whether something went wrong, after printing what."""
    follower = Follower(text)
    editor = Editor(follower.document, rng, donors)
    history = [text]
    for _ in range(edits):
        kind = editor.edit(parses=follower.good)
        history.append(follower.document.text)
        try:
            found = follower.follow()
        except Exception:  # noqa: BLE001 - what the fuzz looks for
            found = [traceback.format_exc()]
        counts["edits"] += 1
        counts[kind] += 1
        counts["parseable states"] += follower.good
        if found:
            report(found, history)
            return True
    return False


def report(found: list[str], history: list[str]) -> None:
    print("FAILED:", *found[:6], sep="\n  ")
    for text in smallest(history):
        print(f"    {text!r},")


if __name__ == "__main__":
    sys.exit(main())
