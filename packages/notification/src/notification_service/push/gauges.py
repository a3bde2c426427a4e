"""The state of the push as numbers, read where it is kept at the moment somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..feed import Tail
from .broadcaster import Broadcaster
from .encoding import Framing
from .hub import State

__all__ = ["PushGauges"]


class PushGauges(Collector):
    """Connections by protocol and state, the ring, and how far this process is behind the table."""

    def __init__(self, broadcaster: Broadcaster, tail: Tail) -> None:
        self._broadcaster = broadcaster
        self._tail = tail

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge with its present value."""
        yield self._connections()
        ring = self._broadcaster.hub.ring
        for name, text, value in (
            ("ring_entries", "Recent notifications in memory.", len(ring)),
            ("ring_bytes", "Bytes of recent notifications in memory.", ring.size_bytes),
            ("feed_lag", "Notifications in the table that this process has not read.", self._tail.lag),
            ("feed_head", "Newest notification that this process has read.", ring.head),
        ):
            yield GaugeMetricFamily(f"orderstream_push_{name}", text, value=value)

    def _connections(self) -> GaugeMetricFamily:
        family = GaugeMetricFamily(
            "orderstream_push_connections", "Open connections by protocol and state.", labels=("protocol", "state")
        )
        counts: Counter[tuple[Framing, State]] = Counter(
            (peer.subscription.framing, peer.subscription.state) for peer in self._broadcaster.peers
        )
        for framing in Framing:
            for state in State:
                family.add_metric((framing.value, state.value), counts[framing, state])
        return family
