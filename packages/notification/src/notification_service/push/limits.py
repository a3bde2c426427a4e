"""Limits on push clients: connections, time, lag, messages."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

from service_common.http_server import without_reserve

__all__ = ["ConnectionQuota", "PushLimits", "TokenBucket", "retry_ms"]

# connections kept free for requests, and for clients that are told to reconnect later
RESERVED_CONNECTIONS = 256
# the range of reconnect delays, so that many clients do not reconnect at the same moment
RETRY_MS = (500, 3_000)
# after a refusal because a limit was reached
RETRY_FULL_MS = (5_000, 15_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """Limits of the push; ``PUSH_<NAME>`` sets the field *name*.

    Attributes:
        connections: of this process, SSE and WebSocket together.
        connections_per_address: of one client address, or IPv6 network.
        heartbeat_s: the interval of heartbeats.
        pause_limit_s: a connection whose transport is paused for longer is aborted.
        behind_limit: a paused connection that is more notifications behind is aborted: to resume costs the same and
            frees memory.
        age_s: the maximum age of a connection, ± 10 %.
        close_timeout_s: a connection that is not closed after so long is aborted; no setting.
        ring_bytes: the size of the replay buffer.
        ring_age_s: the age at which it evicts.
        replays: concurrent reads of the feed for replays.
        messages_per_s: sustained rate of inbound WebSocket frames of one client.
        message_burst: the most of them at once.
    """

    connections: int = 20_000
    connections_per_address: int = 1_000
    heartbeat_s: float = 15.0
    pause_limit_s: float = 10.0
    behind_limit: int = 100_000
    age_s: float = 600.0
    close_timeout_s: float = 5.0
    ring_bytes: int = 8 << 20
    ring_age_s: float = 300.0
    replays: int = 4
    messages_per_s: float = 5.0
    message_burst: int = 20

    def within(self, connections: int) -> PushLimits:
        """Return these limits for a process that can hold *connections*, with some kept free for requests."""
        available = without_reserve(connections, RESERVED_CONNECTIONS)
        return self if self.connections <= available else replace(self, connections=available)


class ConnectionQuota:
    """Counts connections against the limits of the process and of each address.

    Attributes:
        open: the number of connections.
        draining: refuses all connections when set.
    """

    def __init__(self, limits: PushLimits) -> None:
        self._limits = limits
        self._by_address: Counter[str] = Counter()
        self.open = 0
        self.draining = False

    def refusal(self, address: str) -> str | None:
        """Return the reason to refuse a connection of *address* now; None when there is none."""
        if self.draining:
            return "draining"
        if self.open >= self._limits.connections:
            return "process-full"
        if self._by_address[address] >= self._limits.connections_per_address:
            return "address-full"
        return None

    def acquire(self, address: str) -> None:
        """Count a connection of *address*."""
        self.open += 1
        self._by_address[address] += 1

    def release(self, address: str) -> None:
        """Stop counting a connection of *address*."""
        self.open -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]


class TokenBucket:
    """Rate limit with bursts (the token bucket of RFC 2697, section 1).

    Args:
        burst: the size of the bucket, in tokens.
        rate_per_s: tokens added a second.
        now: the time in seconds, on any clock.
    """

    __slots__ = ("_at", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, burst: int, rate_per_s: float, now: float) -> None:
        self._burst = burst
        self._rate_per_s = rate_per_s
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float, tokens: int = 1) -> bool:
        """Consume *tokens* and return True; False, consuming none, when there are fewer."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate_per_s)
        self._at = now
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True


def retry_ms(*, full: bool = False) -> int:
    """Return a random reconnect delay in milliseconds; a longer one when a limit was reached (*full*)."""
    return random.randint(*(RETRY_FULL_MS if full else RETRY_MS))  # noqa: S311 - spreads load, guards nothing
