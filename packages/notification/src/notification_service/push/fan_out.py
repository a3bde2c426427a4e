"""Writes the same bytes to many connections, and spaces such passes under load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .hub import Subscription
from .linux_aio import LinuxAio

__all__ = ["FanOut", "PassSpacing"]

# fewer connections than this are written to one by one
FEWEST_TOGETHER = 4
# the longest that a notification waits for the end of a pass and for others; longer only for the pass alone
LATENCY_BUDGET_S = 0.010


class FanOut:
    """Writes to the sockets of connections together where that is possible, and else through their transports.

    Args:
        closed: gets a subscription whose transport was closed by an earlier write.
        aio: writes to sockets together; None where the system has no such call.
    """

    def __init__(self, closed: Callable[[Subscription], None], aio: LinuxAio | None) -> None:
        self._closed = closed
        self._aio = aio

    def write(self, data: bytes, to: Sequence[Subscription]) -> None:
        """Write *data* to each of *to*, after everything that was written to it before."""
        if self._aio is None or len(to) < FEWEST_TOGETHER:
            for subscription in to:
                self._write(subscription, data)
            return
        sockets = [each.direct for each in to]
        if -1 in sockets:
            to = self._write_behind_unsent(data, to)
            sockets = [each.direct for each in to]
        results = self._aio.write(data, sockets)
        if results.count(len(data)) == len(to):
            return
        for subscription, taken in zip(to, results, strict=True):
            if taken < len(data):  # its transport waits until the socket takes the rest, or finds the error
                self._write(subscription, data[max(0, taken) :])

    def _write_behind_unsent(self, data: bytes, to: Sequence[Subscription]) -> Sequence[Subscription]:
        """Write through the transports that have something unsent, and those without a socket; return the others."""
        others = []
        for each in to:
            each.check_unsent()
            if each.direct < 0:
                self._write(each, data)
            else:
                others.append(each)
        return others

    def close(self) -> None:
        """Free what the system keeps for it."""
        if self._aio is not None:
            self._aio.close()

    def _write(self, subscription: Subscription, data: bytes) -> None:
        try:
            subscription.write(data)
        except RuntimeError:  # uvloop, when an earlier write closed the transport
            self._closed(subscription)


class PassSpacing:
    """Decides when the next pass over the connections should begin: at once, unless passes take half of the time.

    After a pass the event loop is free for as long as the pass took, both together at most `LATENCY_BUDGET_S`; what
    comes meanwhile shares the next commit, the next pass, and a write for each connection. Without load nothing comes
    meanwhile. During a longer pass enough gathers by itself. Pure; times are in seconds, on any monotonic clock.
    """

    def __init__(self) -> None:
        self._next_at_s = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return the time until the next pass should begin; 0 for at once."""
        return max(0.0, self._next_at_s - now_s)

    def passed(self, began_s: float, ended_s: float) -> None:
        """A pass was made."""
        pass_s = ended_s - began_s
        self._next_at_s = ended_s + min(pass_s, max(0.0, LATENCY_BUDGET_S - pass_s))
