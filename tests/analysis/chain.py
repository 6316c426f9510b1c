"""Everything that is done with a file's text, one after the other: nothing may escape, and what comes out makes sense."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

from remora_hub_lsp.analysis import drift, pym, pymcheck
from remora_hub_lsp.analysis.compare import difference
from remora_hub_lsp.analysis.docfix import fixed
from remora_hub_lsp.analysis.entrypoints import entry_points
from remora_hub_lsp.analysis.facts import FileFacts
from remora_hub_lsp.analysis.fixtures import fixture_of, requested, used_by_marks
from remora_hub_lsp.analysis.pairs import watched
from remora_hub_lsp.analysis.places import locate
from remora_hub_lsp.analysis.segments import extract
from remora_hub_lsp.analysis.source import decode
from remora_hub_lsp.analysis.testing import CONFIG_FILES, read_rules
from remora_hub_lsp.analysis.text import split_lines
from remora_hub_lsp.errors import SourceError
from remora_hub_lsp.index.kv import NodeStateKV
from remora_hub_lsp.index.rows import encode

from ..index.graphs import Graphed
from .following import impossible
from .oracle import known


def run_through(data: bytes, before: bytes = b"") -> list[str]:
    """All that the analysis does with one file, which was another one before; gives what is wrong with the facts."""
    try:
        text = decode(data)
    except SourceError:
        return []
    facts = extract(text)
    rows = encode("a.py", facts)
    pickle.loads(pickle.dumps(rows))  # as it comes from a worker
    _docstrings(facts, split_lines(text), before)
    _as_tests(facts)
    _as_script(text)
    difference(text, before.decode("latin-1"))
    for name in CONFIG_FILES:
        try:
            read_rules({name: text})
        except ValueError:
            pass  # as promised
        entry_points({name: text})
    return impossible(facts, text)


def _docstrings(facts: FileFacts, lines: Sequence[str], before: bytes) -> None:
    pairs = watched(facts.nodes)
    try:
        remembered = watched(extract(decode(before)).nodes)
    except SourceError:
        remembered = {}
    for node in known(facts)[1:]:
        part = list(lines[node.start[0] : node.end[0] + 1])
        locate(part)
        if now := pairs.get(node.unique):
            found = [*drift.mismatches(now.pair), *drift.reasons(remembered.get(node.unique, now).pair, now.pair, literal=True)]
            for reason in found:
                fixed(part, reason)
                fixed(part, reason, remove=True)


def _as_tests(facts: FileFacts) -> None:
    for node in facts.nodes:
        decorators = node.facts.decorators
        fixture_of(node.unique, decorators)
        requested(node.facts.signature, decorators, True)
        used_by_marks(decorators)


def _as_script(text: str) -> None:
    try:
        declared = pym.parse(text)
        pymcheck.problems(declared)
        pymcheck.features(declared)
        pym.stubs_of(declared)
        pym.compile_native(declared, "x.pym")
    except pym.Malformed:
        pass  # as promised


def graph_of(kv: NodeStateKV, texts: Sequence[str]) -> None:
    """The call graph of a project of these files, which know each other by name."""
    Graphed(kv, {f"m{number}.py": text for number, text in enumerate(texts)})
