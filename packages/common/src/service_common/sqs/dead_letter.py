"""Letters: messages as they are sent to the dead-letter queue, with the facts of their failure."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ..timestamps import rfc3339
from .limits import MAX_ATTRIBUTES, MAX_BATCH_BYTES
from .messages import EARLIER_RECEIVES, Attribute, Message, Outgoing, attributes_of, size_bytes

__all__ = ["DeadLetterFacts", "facts_in", "facts_of", "letter_of"]

MIN_REASON_BYTES = 16
REASON, ORIGIN, FACTS = "reason", "origin", "deadLetter"
# also in a body that is no valid event: of all facts, the trace leads to the cause
_TRACE_ID = re.compile(r'"traceparent"\s*:\s*"[0-9a-f]{2}-([0-9a-f]{32})-')


@dataclass(frozen=True, slots=True)
class DeadLetterFacts:
    """Why a message is in a dead-letter queue, as its consumer wrote it; nothing when SQS itself moved it there.

    Attributes:
        reason: why it can't be processed.
        origin: the queue that it comes from.
        facts: what `facts_of` returned.
    """

    reason: str | None
    origin: str | None
    facts: Mapping[str, Any]


def facts_in(message: Message) -> DeadLetterFacts:
    """Read what `letter_of` wrote into a received message."""
    reason, origin, facts = (_text(message, name) for name in (REASON, ORIGIN, FACTS))
    try:
        document = orjson.loads(facts or "{}")
    except orjson.JSONDecodeError:
        document = {}
    return DeadLetterFacts(reason, origin, document if isinstance(document, dict) else {})


def _text(message: Message, name: str) -> str | None:
    attribute = message.attributes.get(name)
    return attribute.value if attribute is not None and isinstance(attribute.value, str) else None


def facts_of(message: Message, consumer: str) -> dict[str, Any]:
    """Return what identifies *message* and where it failed, as JSON values."""
    trace = _TRACE_ID.search(message.body)
    return {
        "messageId": message.id,
        "sentAt": rfc3339(message.sent_at),
        "receiveCount": message.receive_count,
        "consumer": consumer,
    } | ({"traceId": trace[1]} if trace else {})


def letter_of(message: Message, reason: str, origin: str, facts: Mapping[str, Any]) -> Outgoing:
    """Return *message* with the attributes ``reason``, ``origin`` (its queue) and ``deadLetter`` (*facts* as JSON).

    Body and attributes of the message are kept whole. Those of its attributes for which SQS has no room beside ours, or
    that have a name of ours, are in ``deadLetter`` under ``attributes``. A letter that would be too large has a shorter
    reason, then no origin, then no facts, then no reason.
    """
    redriven = {REASON, ORIGIN, FACTS, EARLIER_RECEIVES} if FACTS in message.attributes else {EARLIER_RECEIVES}
    original = {name: each for name, each in message.attributes.items() if name not in redriven}
    largest = sorted(original, key=lambda name: size_bytes(Outgoing("", "", {name: original[name]})), reverse=True)
    for ours in ((REASON, ORIGIN, FACTS), (REASON, FACTS), (REASON,)):
        kept = [name for name in largest if name not in ours][: MAX_ATTRIBUTES - len(ours)]
        rest = {name: each for name, each in original.items() if name not in kept}
        if rest and FACTS not in ours:
            continue
        values = {REASON: reason, ORIGIN: origin, FACTS: _json(facts, rest)}
        attributes = {name: original[name] for name in kept} | {name: Attribute(values[name]) for name in ours}
        excess = size_bytes(Outgoing("", message.body, attributes)) - MAX_BATCH_BYTES
        if excess > 0:
            shorter = reason.encode()[:-excess]
            if len(shorter) < MIN_REASON_BYTES:
                continue
            attributes[REASON] = Attribute(shorter.decode(errors="ignore"))
        return Outgoing(message.id, message.body, attributes)
    return Outgoing(message.id, message.body, original)


def _json(facts: Mapping[str, Any], attributes: Mapping[str, Attribute]) -> str:
    document = {**facts, "attributes": attributes_of(attributes)} if attributes else facts
    return orjson.dumps(document, default=_base64).decode()


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
