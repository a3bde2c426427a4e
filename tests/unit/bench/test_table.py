from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console

from bench.push.results import FanOut
from bench.push.table import fan_out_table

NCHAN = FanOut(
    server="nchan", protocol="ws", clients=1000, rate_per_s=40, expected=200_000, deliveries=200_000, cpu_us=6.0
)
OURS = replace(NCHAN, server="orderstream", cpu_us=9.0)


def printed(results: Sequence[FanOut]) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(fan_out_table(results))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def numbers(results: Sequence[FanOut], server: str) -> list[str]:
    line = next(line for line in printed(results).splitlines() if line.strip().startswith(server))
    return line.strip().removeprefix(server).split()


def test_cost_stands_beside_that_of_nchan_for_the_same_protocol() -> None:
    over_sse = replace(NCHAN, protocol="sse", cpu_us=3.0)

    assert numbers([over_sse, NCHAN, OURS], "orderstream WS")[3:5] == ["9.00", "1.50"]


def test_cost_of_bursts_stands_beside_bursts() -> None:
    bursts = [replace(each, burst=10, cpu_us=each.cpu_us / 3) for each in (replace(NCHAN, cpu_us=4.5), OURS)]

    assert numbers([*bursts, NCHAN], "orderstream WS")[4] == "2.00"


def test_row_of_what_can_not_run_tells_why_and_has_no_numbers() -> None:
    absent = replace(NCHAN, cpu_us=0.0, deliveries=0, unavailable="no nginx [module]")

    assert "no nginx [module]" in printed([absent, OURS])
    assert numbers([absent, OURS], "nchan WS") == []
    assert len(numbers([absent, OURS], "orderstream WS")) == len(numbers([NCHAN, OURS], "orderstream WS")) - 1


def test_server_that_took_longer_than_its_messages_came_in_is_told_to_have_fallen_behind() -> None:
    assert "fell behind: 34 s" in printed([replace(OURS, seconds=33.7)])
    assert "behind" not in printed([replace(OURS, seconds=5.1)])


def test_ten_thousand_clients_fit_into_eighty_columns() -> None:
    wide = replace(
        OURS, clients=10_000, deliveries=2_000_000, cpu_us=123.45, p50_ms=2345.6, p99_ms=2345.6, rss_kb=100.0
    )

    assert "…" not in printed([wide])
