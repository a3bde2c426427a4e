from __future__ import annotations

import pytest

from bench.feed_simulation import Costs, simulate

COSTS = Costs(
    append=200, row=20, notify=600, listener=30, read=400, read_row=5, send=100, record=1, receive=25, received=1
)
LOAD = (50, 1)


def test_one_replica_that_reads_the_table_is_late_by_a_wake_up_and_a_read() -> None:
    found = simulate(COSTS, bus=False, load=LOAD, replicas=1, cores=8)
    assert found.commit_p99_ms == pytest.approx(0.2, abs=0.05)
    assert found.p50_ms == pytest.approx(0.6 + 0.03 + 0.4, abs=0.1)
    # a poll a second beside
    assert found.reads_per_s == pytest.approx(50 + 1, abs=2)
    assert found.postgres_cores == pytest.approx(50 * (220 + 630 + 405) / 1e6, abs=0.01)


def test_reads_of_the_table_grow_with_the_replicas_and_over_the_bus_are_polls_alone() -> None:
    table, bus = (simulate(COSTS, bus=bus, load=LOAD, replicas=40, cores=8) for bus in (False, True))
    assert table.reads_per_s == pytest.approx(40 * 50, rel=0.05)
    assert bus.reads_per_s == 40
    assert bus.postgres_cores < table.postgres_cores / 10
    assert bus.bus_cores == pytest.approx(50 * (101 + 40 * 26) / 1e6, abs=0.01)


def test_what_a_full_server_does_not_manage_counts_as_late() -> None:
    found = simulate(COSTS, bus=False, load=(200, 1), replicas=1_000, cores=1, seconds=1.0)
    assert found.postgres_cores == pytest.approx(1.0, abs=0.01)
    assert found.p50_ms > 100
