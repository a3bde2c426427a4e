"""An event as a value and as the body of a message: CloudEvents 1.0 in structured JSON."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ..errors import PermanentError
from ..timestamps import rfc3339

__all__ = ["Event", "UnreadableEventError", "encode", "event_id"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:orderstream:event")


class UnreadableEventError(PermanentError):
    """A message that can't be decoded; the detail is its reason in the dead-letter queue."""

    slug = "unreadable-event"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md.

    Attributes:
        id: the same each time that the same fact is announced; unique together with *source*.
        source: the producer, a URI reference such as ``/billing``.
        type: what happened, such as ``invoice-paid``.
        data: the facts, a JSON object.
        subject: what it happened to.
        time: when it happened, with a time zone.
        traceparent, tracestate: its W3C trace context, as in
            https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/extensions/distributed-tracing.md.
    """

    id: str
    source: str
    type: str
    data: Mapping[str, Any]
    subject: str | None = None
    time: datetime | None = None
    traceparent: str | None = None
    tracestate: str | None = None


def event_id(key: str) -> str:
    """Return the id of the event of the fact *key*: a UUID of version 5."""
    return str(uuid.uuid5(_NAMESPACE, key))


def encode(event: Event) -> str:
    """Return the event as the body of a message, without the members that are None."""
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": None if event.time is None else rfc3339(event.time),
        "datacontenttype": "application/json",
        "traceparent": event.traceparent or None,
        "tracestate": event.tracestate or None,
        "data": event.data,
    }
    return orjson.dumps({name: value for name, value in envelope.items() if value is not None}).decode()
