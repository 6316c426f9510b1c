"""Sessions of right, nearly right and wrong messages at a real server; `python -m tests.bench.fuzz_protocol` tells more of them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .stories import BODIES, SAME, Ask, BadEdit, Cancel, Edit, Open, Story, Wait, stories
from .storm import IDS, held, hub_storm, project, tell_alone, uris_of

# Smaller stories than the first that fails are looked for by the longer one: a request without an answer takes its time.
few = settings(
    deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate], max_examples=20
)


def test_whatever_peers_say_each_request_has_one_answer_and_nobody_else_is_harmed(tmp_path: Path) -> None:
    with hub_storm(tmp_path) as (storm, process):

        @few
        @given(st.lists(stories(uris_of(storm.root), IDS), min_size=1, max_size=3))
        def tell(told: list[Story]) -> None:
            storm.tell(told)

        storm.tell([Story((), "utf-16", (), "abort")])
        before = held(process)
        tell()
        storm.tell([Story((), "utf-16", (), "abort")])
        assert held(process) <= before + 4, "what comes and goes leaves no descriptor"


async def test_a_peer_at_a_server_of_its_own(tmp_path: Path) -> None:
    steps = (
        Ask("remora/search", {"query": "f"}), Open("x\r\né🙂\n"), Cancel(1), Edit((((1, 1), (7, 0), "\rdef f(x): ...\n"),), 2),
        BadEdit("half a range"), *BODIES, Ask("remora/status", {"root": 5}, "s"), Ask("remora/reindex", {}, SAME), Cancel(0), Wait(),
    )  # fmt: skip
    await tell_alone(project(tmp_path), Story(BODIES[:3], "utf-8", steps, "stay"), "--standalone")
