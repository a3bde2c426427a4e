"""A process counts each thing once, whoever asks for the collector."""

from __future__ import annotations

import pytest

from service_common.observability import Metrics


def test_collector_asked_for_twice_is_one() -> None:
    metrics = Metrics()

    metrics.counter("orders_total", "Orders.").inc()
    metrics.counter("orders_total", "Orders.").inc()

    assert b"orderstream_orders_total 2.0" in metrics.exposition()


def test_name_of_another_kind_of_collector_is_refused() -> None:
    metrics = Metrics()
    metrics.gauge("depth", "Depth.")

    with pytest.raises(TypeError, match="depth is a Gauge, not a Counter"):
        metrics.counter("depth", "Depth.")


def test_processes_of_one_interpreter_do_not_share_numbers() -> None:
    one, other = Metrics(), Metrics()

    one.counter("orders_total", "Orders.").inc()
    other.counter("orders_total", "Orders.")

    assert b"orderstream_orders_total 0.0" in other.exposition()


def test_requests_are_counted_by_template_and_unknown_methods_as_one() -> None:
    metrics = Metrics()

    metrics.request("GET", "/orders/{id}", 200, 0.003)
    metrics.request("BREW", "unmatched", 404, 0.003)
    metrics.request("WHEN", "unmatched", 404, 0.003)

    text = metrics.exposition().decode()
    assert 'http_request_seconds_count{method="GET",route="/orders/{id}",status="200"} 1.0' in text
    assert 'http_request_seconds_count{method="other",route="unmatched",status="404"} 2.0' in text
