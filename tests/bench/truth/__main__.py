"""`python -m tests.bench.truth micro FOLDER | graph | tests | mutants [PACKAGE...]`: measure, and print Markdown."""

from __future__ import annotations

import argparse
from pathlib import Path

from . import graph, micro, mutants, related
from .packages import chosen


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.truth", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    kind = kinds.add_parser("micro", help="the call graph against PyCG's micro benchmark")
    kind.add_argument("folder", type=Path, help="PyCG's folder micro-benchmark (github.com/vitsalis/PyCG)")
    kind.add_argument("--verbose", action="store_true", help="list what was missed and what is false")
    kind.set_defaults(bench=lambda options: micro.bench(options.folder, verbose=options.verbose))
    kind = kinds.add_parser("graph", help="the call graph against what happens while packages' tests run")
    kind.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: all")
    kind.add_argument("--causes", type=int, default=0, metavar="N", help="list so many examples of each cause")
    kind.add_argument("--details", type=Path, metavar="FILE", help="write all that is missed and wrong to a file")
    kind.add_argument("--edges", choices=graph.SOURCES, default="index", help="`truth`, `names`: check the measuring itself")
    kind.set_defaults(
        bench=lambda options: graph.bench(
            chosen(options.packages), graph.SOURCES[options.edges], causes=options.causes, details=options.details
        )
    )
    kind = kinds.add_parser("tests", help="related tests against coverage of packages' own suites")
    kind.add_argument("packages", nargs="*", metavar="PACKAGE", help="default: all")
    kind.add_argument("--verbose", action="store_true", help="list what was missed and what is wrong")
    kind.set_defaults(bench=lambda options: related.bench(chosen(options.packages), verbose=options.verbose))
    kind = kinds.add_parser("mutants", help="`tests --changed` against the tests that fail when a function is broken")
    kind.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"default: {', '.join(mutants.FAST)}")
    kind.add_argument("--trials", type=int, default=200, metavar="N", help="in all (default: 200)")
    kind.add_argument("--verbose", action="store_true", help="list the trials in which a failing test was not selected")
    kind.set_defaults(
        bench=lambda options: mutants.bench(
            chosen(options.packages or [*mutants.FAST]), options.trials, verbose=options.verbose
        )
    )
    options = parser.parse_args()
    options.bench(options)


main()
