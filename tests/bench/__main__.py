"""Measure, and print Markdown: `python -m tests.bench [KIND...] [options]`, or all that compares: `... report`."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import (
    bench_answers,
    bench_drift,
    bench_feed,
    bench_graph,
    bench_growth,
    bench_index,
    bench_keystroke,
    bench_scripts,
    bench_servers,
    bench_sharing,
    bench_tools,
    projects,
)
from .measure import compile_package
from .report import load, machine

KINDS = ("index", "keystroke", "answers", "sharing", "feed", "drift", "scripts", "graph")
REPORT = ("servers", "tools", "growth")  # beside what others do, and as projects grow


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Speed and size, each against a baseline measured in the same run.",
    )
    parser.add_argument(
        "kinds", metavar="KIND", nargs="*",
        help=f"what to measure: {', '.join(KINDS)} (default: all of these); `report` is {', '.join(REPORT)}",
    )  # fmt: skip
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--project", metavar="PATH", type=Path, help="measure on this project")
    where.add_argument("--stdlib", action="store_true", help="measure on the running Python's standard library")
    where.add_argument("--django", action="store_true", help="measure on Django's source, from PyPI (the default)")
    parser.add_argument("--rounds", metavar="N", type=int, help="how often to measure (default: 5; of servers 3)")
    parser.add_argument("--quick", action="store_true", help="a small project (Flask), 1 round, growth to 3,000 files")
    options = parser.parse_args()
    if unknown := set(options.kinds) - {*KINDS, *REPORT, "report"}:
        parser.error(f"there is no {', '.join(sorted(unknown))}; choose from {', '.join((*KINDS, *REPORT, 'report'))}")
    root = (options.project or source(options)).resolve()
    kinds = [*options.kinds, *(REPORT if "report" in options.kinds else ())] or KINDS
    rounds = options.rounds or (1 if options.quick else 5)
    compile_package()
    machine()
    load("before")
    if "index" in kinds:
        bench_index.bench(root, rounds)
    if "keystroke" in kinds:
        bench_keystroke.bench()
    if "answers" in kinds:
        bench_answers.bench(root)
    if "sharing" in kinds:
        bench_sharing.bench(root)
    if "feed" in kinds:
        bench_feed.bench(root)
    if "graph" in kinds:
        bench_graph.bench(root, rounds)
    if "drift" in kinds:
        bench_drift.bench(root)
    if "scripts" in kinds:
        bench_scripts.bench(root)
    if "servers" in kinds:
        bench_servers.bench(root, options.rounds or (1 if options.quick else 3))
    if "tools" in kinds:
        bench_tools.bench(root, rounds)
    if "growth" in kinds:
        bench_growth.bench(projects.django(), bench_growth.QUICK if options.quick else bench_growth.SIZES)
    load("after")


def source(options: argparse.Namespace) -> Path:
    """The project to measure on, if none is named."""
    if options.stdlib:
        return projects.stdlib()
    return projects.flask() if options.quick and not options.django else projects.django()


main()
