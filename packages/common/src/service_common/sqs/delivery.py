"""What happens to a message after its handler has ended: a pure decision."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..backoff import Backoff
from ..errors import PermanentError, UnavailableError
from .limits import MAX_VISIBILITY_S

__all__ = [
    "Acknowledge",
    "DeadLetter",
    "Decision",
    "Delay",
    "PartDecision",
    "Separate",
    "bounded",
    "decide",
    "decide_batch",
    "separates_at",
]

MAX_REASON_CHARACTERS = 1_000
SEPARATE_AT = 3
# SendMessage refuses all characters but #x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF
_REFUSED_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Delete the message: it was processed."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Make the message visible again after *visibility_s* seconds, 0 to 43,200."""

    visibility_s: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Send the message to the dead-letter queue with *reason*, then delete it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Separate:
    """Send these parts of the message, by position, as messages of their own or as dead letters, then delete it."""

    parts: Mapping[int, Delay | DeadLetter]


PartDecision = Acknowledge | Delay | DeadLetter
Decision = PartDecision | Separate


_ACKNOWLEDGE = Acknowledge()


def decide(error: BaseException | None, receive_count: int, backoff: Backoff) -> PartDecision:
    """Decide from how the handler ended: *error* is None when it returned.

    A `PermanentError` is dead-lettered. Anything else, foreseen or not, is retried after a delay by *backoff*, rounded
    up to the whole seconds of a visibility timeout; the `retry_after_s` of an error is its floor. The redrive policy of
    the queue ends the retries.
    """
    if error is None:
        return _ACKNOWLEDGE
    if isinstance(error, PermanentError):
        return DeadLetter(_reason(error))
    floor_s = error.retry_after_s if isinstance(error, UnavailableError) else 0.0
    delay_s = backoff.delay_s(receive_count, floor_s=floor_s)
    return Delay(min(MAX_VISIBILITY_S, max(1, math.ceil(delay_s))))


def decide_batch(decisions: Sequence[PartDecision]) -> Decision:
    """Decide about a message of several parts from the decision about each.

    When all are to be retried, the message is: an outage makes no messages of it. Otherwise those that were not
    processed are separated, so that they are retried or dead-lettered alone.
    """
    delays = [each.visibility_s for each in decisions if isinstance(each, Delay)]
    if delays and len(delays) == len(decisions):
        return Delay(max(delays))
    parts = {place: each for place, each in enumerate(decisions) if not isinstance(each, Acknowledge)}
    return Separate(parts) if parts else _ACKNOWLEDGE


def bounded(decision: Delay, receive_count: int, max_receives: int | None, why: str) -> Delay | DeadLetter:
    """Dead-letter what was received *max_receives* times: SQS does not count the receives before a separation."""
    if max_receives is None or receive_count < max_receives:
        return decision
    return DeadLetter(_clean(f"received {receive_count} times: {why}"))


def separates_at(max_receives: int | None) -> int:
    """Return the receive count of a batch from which on its parts are separated unseen: one may end the process."""
    return max(2, min(SEPARATE_AT, max_receives or SEPARATE_AT))


def _reason(error: PermanentError) -> str:
    return _clean(f"{error.slug}: {error.detail}")


def _clean(text: str) -> str:
    return _REFUSED_CHARACTER.sub("\ufffd", text)[:MAX_REASON_CHARACTERS]
