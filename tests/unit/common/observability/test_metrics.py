"""A metric has one collector in a process."""

from __future__ import annotations

import pytest

from service_common.observability import Metrics


def test_same_name_returns_the_same_collector() -> None:
    metrics = Metrics()

    metrics.counter("orders_total", "Orders.").inc()
    metrics.counter("orders_total", "Orders.").inc()

    assert b"orderstream_orders_total 2.0" in metrics.exposition()


def test_name_of_a_collector_of_another_type_is_refused() -> None:
    metrics = Metrics()
    metrics.gauge("depth", "Depth.")

    with pytest.raises(TypeError, match="depth is a Gauge, not a Counter"):
        metrics.counter("depth", "Depth.")


def test_metrics_of_two_services_in_one_process_are_separate() -> None:
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
