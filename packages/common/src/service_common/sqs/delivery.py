"""What becomes of a message once its handler is through with it: a decision from values alone."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import PermanentError, UnavailableError

__all__ = ["MAX_VISIBILITY_S", "Acknowledge", "DeadLetter", "Decision", "Delay", "DelayPolicy", "decide"]

MAX_VISIBILITY_S = 43_200  # ChangeMessageVisibility: 12 hours from the receive
MAX_REASON_CHARACTERS = 1_000
# what SendMessage refuses: all but #x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF
_REFUSED_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Delete the message: what it asked for is done."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Show the message again after *visibility_s* seconds, 0 to 43,200."""

    visibility_s: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Send the message to the dead-letter queue with *reason*, then delete it."""

    reason: str


Decision = Acknowledge | Delay | DeadLetter


@dataclass(frozen=True, slots=True)
class DelayPolicy:
    """How long a message that failed stays away.

    Attributes:
        base_s: the longest delay after the first receive, in seconds; it doubles with each further one.
        cap_s: the longest delay of all, in seconds.
    """

    base_s: float = 1.0
    cap_s: float = 300.0

    def longest_s(self, receive_count: int) -> float:
        """Return the upper end of the delay after the *receive_count*-th receive (1 is the first)."""
        doublings = min(max(receive_count, 1) - 1, 32)  # beyond that every cap is reached
        return float(min(self.cap_s, self.base_s * 2**doublings))


_ACKNOWLEDGE = Acknowledge()
_DEFAULT = DelayPolicy()


def decide(
    error: BaseException | None,
    receive_count: int,
    policy: DelayPolicy = _DEFAULT,
    uniform: Callable[[float, float], float] = random.uniform,
) -> Decision:
    """Decide from how the handler ended: *error* is None when it returned.

    A `PermanentError` is for the dead-letter queue. Everything else, foreseen or not, is tried again after a delay
    with full jitter, so that messages that failed together do not come back together; what the error says of
    `retry_after_s` is a floor. SQS's own redrive policy ends the attempts.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ ("full jitter"), rounded up to the
    whole seconds of a visibility timeout.
    """
    if error is None:
        return _ACKNOWLEDGE
    if isinstance(error, PermanentError):
        return DeadLetter(_reason(error))
    floor_s = error.retry_after_s if isinstance(error, UnavailableError) else 0.0
    delay_s = max(floor_s, uniform(0.0, policy.longest_s(receive_count)))
    return Delay(min(MAX_VISIBILITY_S, max(1, math.ceil(delay_s))))


def _reason(error: PermanentError) -> str:
    text = f"{error.slug}: {error.detail}"
    return _REFUSED_CHARACTER.sub("\ufffd", text)[:MAX_REASON_CHARACTERS]
