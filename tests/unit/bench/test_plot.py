from __future__ import annotations

from dataclasses import replace

from bench.push.plot import curves
from bench.push.results import FanOut

ONE = FanOut(server="nchan", protocol="sse", clients=1000, rate_per_s=40, cpu_us=6.0)


def test_curve_goes_from_few_clients_to_many_in_whatever_order_they_were_measured() -> None:
    few, many = replace(ONE, clients=100), replace(ONE, clients=10_000)

    assert curves([many, ONE, few]) == {("sse", "nchan"): [few, ONE, many]}


def test_protocols_and_bursts_are_curves_of_their_own() -> None:
    results = [ONE, replace(ONE, protocol="ws"), replace(ONE, burst=10)]

    assert set(curves(results)) == {("sse", "nchan"), ("ws", "nchan"), ("sse", "nchan, 10 at once")}


def test_what_has_to_be_known_stands_in_the_name() -> None:
    assert list(curves([replace(ONE, note="no database")])) == [("sse", "nchan (no database)")]


def test_what_could_not_run_is_not_drawn_as_free_of_charge() -> None:
    assert curves([replace(ONE, cpu_us=0.0, unavailable="nginx not found")]) == {}
