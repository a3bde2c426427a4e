"""What happens to a message after its handler has ended: a pure decision."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ..backoff import Backoff
from ..errors import PermanentError, UnavailableError
from .limits import MAX_VISIBILITY_S

__all__ = ["Acknowledge", "DeadLetter", "Decision", "Delay", "decide"]

MAX_REASON_CHARACTERS = 1_000
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


Decision = Acknowledge | Delay | DeadLetter


_ACKNOWLEDGE = Acknowledge()


def decide(error: BaseException | None, receive_count: int, backoff: Backoff) -> Decision:
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


def _reason(error: PermanentError) -> str:
    text = f"{error.slug}: {error.detail}"
    return _REFUSED_CHARACTER.sub("\ufffd", text)[:MAX_REASON_CHARACTERS]
