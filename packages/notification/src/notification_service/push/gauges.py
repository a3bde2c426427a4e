"""Gauges of the push, collected on scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .broadcaster import Broadcaster
from .encoding import Framing
from .hub import SubscriptionState

__all__ = ["PushGauges"]


class PushGauges(Collector):
    """Connections by protocol and state, the replay buffer, and the lag of this process behind the feed.

    Args:
        broadcaster: has the connections and the buffer.
        feed_lag: returns the number of notifications in the feed that this process has not read.
    """

    def __init__(self, broadcaster: Broadcaster, feed_lag: Callable[[], int]) -> None:
        self._broadcaster = broadcaster
        self._feed_lag = feed_lag

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge with its current value."""
        yield self._connections()
        buffer = self._broadcaster.hub.buffer
        for name, text, value in (
            ("ring_entries", "Recent notifications in memory.", len(buffer)),
            ("ring_bytes", "Bytes of recent notifications in memory.", buffer.size_bytes),
            ("feed_lag", "Notifications in the table that this process has not read.", self._feed_lag()),
            ("feed_head", "Newest notification that this process has read.", buffer.head),
        ):
            yield GaugeMetricFamily(f"orderstream_push_{name}", text, value=value)

    def _connections(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "orderstream_push_connections", "Open connections by protocol and state.", labels=("protocol", "state")
        )
        counts: Counter[tuple[Framing, SubscriptionState]] = Counter(
            (each.subscription.framing, each.subscription.state) for each in self._broadcaster.connections
        )
        for framing in Framing:
            for state in SubscriptionState:
                family.add_metric((framing.value, state.value), counts[framing, state])
        return family
