"""Sessions of right, nearly right and wrong messages at real servers, for a while.

    python -m tests.bench.fuzz_protocol [--minutes 5] [--seed N]

Most are at one hub process over its socket, several at a time beside a peer that must not be harmed; now and then one is
at a server of its own, or at the hub process behind a relay, over standard input and output. What is checked stands in
tests/serve/storm.py. Prints the counts; of a failure the smallest story that shows it, with exit code 1.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.serve.stories import Story, stories
from tests.serve.storm import IDS, Storm, held, hub_storm, tell_alone, uris_of

from .measure import private_folders

ROUND = 100  # examples with one seed
QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink])


def at_the_hub(storm: Storm, number: int, counts: Counter[str]) -> None:
    @seed(number)
    @settings(QUIET, max_examples=ROUND)
    @given(st.lists(stories(uris_of(storm.root), IDS), min_size=1, max_size=5))
    def tell(told: list[Story]) -> None:
        counts["sessions at the hub"] += len(told)
        counts["steps"] += sum(len(story.steps) for story in told)
        storm.tell(told)

    tell()


def alone(root: Path, number: int, counts: Counter[str]) -> None:
    @seed(number)
    @settings(QUIET, max_examples=5)
    @given(stories(uris_of(root), IDS))
    def tell(story: Story) -> None:
        counts["sessions over stdio"] += 1
        asyncio.run(tell_alone(root, story, *(["--standalone"] if number % 2 else [])))

    tell()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fuzz_protocol", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first round (default: the time)")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    until, number = time.monotonic() + options.minutes * 60, options.seed
    with private_folders() as folder, hub_storm(folder) as (storm, process):
        at_the_hub(storm, number, counts)
        before = held(process)
        while time.monotonic() < until:
            number += 1
            at_the_hub(storm, number, counts)
            alone(storm.root, number, counts)
        print(f"{'descriptors then, now':>22} {before}, {held(process)}")
    for name, count in counts.items():
        print(f"{name:>22} {count}")
    print(f"{'seeds':>22} {options.seed} to {number}")


if __name__ == "__main__":
    sys.exit(main())
