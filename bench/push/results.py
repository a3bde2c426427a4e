"""What was measured of one server with one crowd."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FanOut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """One run: so many clients were each to get every message.

    Attributes:
        server: the name of the server.
        protocol: "sse" or "ws".
        clients: that were connected.
        rate_per_s: messages a second.
        burst: messages handed over at once.
        expected: deliveries there should have been.
        deliveries: deliveries there were.
        lost: pairs of a client and a message that never met.
        doubled: deliveries of what the client had already.
        seconds: from the first message to the last delivery.
        cpu_us: user and system time of the server, microseconds a delivery.
        rss_kb: memory of the server, KiB a client, without any message yet.
        p50_ms, p99_ms, max_ms: from handing over to receiving, of all deliveries.
        joined: deliveries in one read of a client, on average.
        note: what has to be known to read the figures.
        unavailable: why there are none; empty when there are.
    """

    server: str
    protocol: str
    clients: int
    rate_per_s: float
    burst: int = 1
    expected: int = 0
    deliveries: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    cpu_us: float = 0.0
    rss_kb: float = 0.0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    joined: float = 0.0
    note: str = ""
    unavailable: str = ""
