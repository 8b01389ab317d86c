"""benchmarks/listening_server.py in a short form: the server is killed half-way, and nothing acknowledged is lost."""

from pathlib import Path

import pytest

from benchmarks import listening_server


@pytest.mark.slow
def test_many_listeners_lose_nothing_when_the_server_is_killed(tmp_path: Path) -> None:
    load = listening_server.Load(listeners=16, items=6, pause=0.05, kill=True)
    facts = listening_server.run(load, tmp_path)
    assert facts["finished"] == 16
    assert facts["stored"] == facts["acknowledged"] == 16 * 6
    assert (facts["lost"], facts["stored_twice"]) == (0, 0)
    assert facts["unanswered"] > 0  # it was away while they rated
    assert facts["latency_ms"]["rating"]["n"] >= 16 * 6
