"""Measure, and print Markdown: `python -m tests.bench [index] [keystroke] [answers] [sharing] [feed] [drift] [scripts] [options]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import (
    bench_answers,
    bench_drift,
    bench_feed,
    bench_graph,
    bench_index,
    bench_keystroke,
    bench_scripts,
    bench_sharing,
    projects,
)
from .report import load

KINDS = ("index", "keystroke", "answers", "sharing", "feed", "drift", "scripts", "graph")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Speed and size, each against a baseline measured in the same run.",
    )
    parser.add_argument("kinds", metavar="KIND", nargs="*", help=f"what to measure: {', '.join(KINDS)} (default: all)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--project", metavar="PATH", type=Path, help="measure on this project")
    where.add_argument("--stdlib", action="store_true", help="measure on the running Python's standard library")
    where.add_argument("--django", action="store_true", help="measure on Django's source, from PyPI (the default)")
    parser.add_argument("--rounds", metavar="N", type=int, default=5, help="how often to index (default: 5)")
    options = parser.parse_args()
    if unknown := set(options.kinds) - set(KINDS):
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join(KINDS)}")
    root = options.project or (projects.stdlib() if options.stdlib else projects.django())
    kinds = options.kinds or KINDS
    load("before")
    if "index" in kinds:
        bench_index.bench(root.resolve(), options.rounds)
    if "keystroke" in kinds:
        bench_keystroke.bench()
    if "answers" in kinds:
        bench_answers.bench(root.resolve())
    if "sharing" in kinds:
        bench_sharing.bench(root.resolve())
    if "feed" in kinds:
        bench_feed.bench(root.resolve())
    if "graph" in kinds:
        bench_graph.bench(root.resolve(), options.rounds)
    if "drift" in kinds:
        bench_drift.bench(root.resolve())
    if "scripts" in kinds:
        bench_scripts.bench(root.resolve())
    load("after")


main()
