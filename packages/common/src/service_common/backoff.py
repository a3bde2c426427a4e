"""Exponential back-off with full jitter: how long to wait before the next attempt.

Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backoff import full_jitter

__all__ = ["Backoff"]

# a higher power of 2.0 overflows; every cap is reached long before
_MAX_DOUBLINGS = 1000


@dataclass(frozen=True, slots=True)
class Backoff:
    """Random delays whose upper bound doubles with each failure, so that clients that failed together spread out.

    Attributes:
        base_s: upper bound of the delay after the first failure, in seconds.
        cap_s: upper bound of every delay, in seconds.
    """

    base_s: float
    cap_s: float

    def bound_s(self, failures: int) -> float:
        """Return the upper bound of the delay after the *failures*-th failure in a row (1 is the first), in seconds."""
        doublings = min(max(failures, 1) - 1, _MAX_DOUBLINGS)
        return min(self.cap_s, self.base_s * 2.0**doublings)

    def delay_s(self, failures: int, *, floor_s: float = 0.0, jitter: Callable[[float], float] = full_jitter) -> float:
        """Return how long to wait after the *failures*-th failure in a row (1 is the first), in seconds.

        Args:
            failures: how many attempts have failed.
            floor_s: least delay, such as a server's ``Retry-After``; it may exceed the cap.
            jitter: draws a delay from 0 to its argument; uniformly unless a test says otherwise.
        """
        return max(floor_s, jitter(self.bound_s(failures)))
