"""What one client may take: connections, time, patience, messages. Pure."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace

from service_common.http_server import held_back

__all__ = ["Admission", "PushLimits", "TokenBucket", "retry_ms"]

# connections that are no push: requests, and those that are told to come back later
REQUESTS_ROOM = 256
# a client that comes back is told to do so within this, so that a crowd does not come back at once
RETRY_MS = (500, 3_000)
# after a refusal for want of room it is to stay away longer
RETRY_FULL_MS = (5_000, 15_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushLimits:
    """Limits of the push, each with its unit.

    Attributes:
        connections: of this process, SSE and WebSocket together.
        connections_per_address: of one client's address, or IPv6 network.
        heartbeat_s: from one heartbeat to the next.
        pause_limit_s: a client that takes nothing for longer is cut.
        behind_limit: a client that fell so many notifications behind is cut; a resume costs the same and frees memory.
        age_s: a connection is ended after this, give or take a tenth.
        ending_s: from the farewell to the cut.
        ring_bytes: recent notifications in memory.
        ring_age_s: how long they stay there.
        replays: clients served from the table at the same time.
        messages_per_s: inbound WebSocket messages and pings, in the long run.
        message_burst: of those at once.
    """

    connections: int = 20_000
    connections_per_address: int = 1_000
    heartbeat_s: float = 15.0
    pause_limit_s: float = 10.0
    behind_limit: int = 100_000
    age_s: float = 600.0
    ending_s: float = 5.0
    ring_bytes: int = 8 << 20
    ring_age_s: float = 300.0
    replays: int = 4
    messages_per_s: float = 5.0
    message_burst: int = 20

    def within(self, connections: int) -> PushLimits:
        """Return these limits, lowered so that *connections* of the process leave room for requests and refusals."""
        room = held_back(connections, REQUESTS_ROOM)
        return self if self.connections <= room else replace(self, connections=room)


class Admission:
    """Counts connections and says whether there is room for one more."""

    def __init__(self, limits: PushLimits) -> None:
        self._limits = limits
        self._of_address: Counter[str] = Counter()
        self.open = 0
        self.closed = False

    def refusal(self, address: str) -> str | None:
        """Return why no connection of *address* can be taken now; None when it can."""
        if self.closed:
            return "draining"
        if self.open >= self._limits.connections:
            return "process-full"
        if self._of_address[address] >= self._limits.connections_per_address:
            return "address-full"
        return None

    def enter(self, address: str) -> None:
        """Count a connection in."""
        self.open += 1
        self._of_address[address] += 1

    def leave(self, address: str) -> None:
        """Count it out."""
        self.open -= 1
        self._of_address[address] -= 1
        if not self._of_address[address]:
            del self._of_address[address]


class TokenBucket:
    """So many at once, so many a second in the long run (the token bucket of RFC 2697, section 1).

    Args:
        burst: how many at once.
        rate_per_s: how many a second.
        now: any clock in seconds.
    """

    __slots__ = ("_at", "_burst", "_rate_per_s", "_tokens")

    def __init__(self, burst: int, rate_per_s: float, now: float) -> None:
        self._burst = burst
        self._rate_per_s = rate_per_s
        self._tokens = float(burst)
        self._at = now

    def take(self, now: float, tokens: int = 1) -> bool:
        """Take so many; false, and none is taken, when there are fewer."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate_per_s)
        self._at = now
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True


def retry_ms(*, full: bool = False) -> int:
    """Return after how many milliseconds one client is to come back; *full* when there was no room for it."""
    return random.randint(*(RETRY_FULL_MS if full else RETRY_MS))  # noqa: S311 - spreads load, guards nothing
