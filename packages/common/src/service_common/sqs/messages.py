"""SQS messages, queues and errors as values."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import PermanentError, UnavailableError
from ..observability import Span
from .limits import MAX_DELAY_S

if TYPE_CHECKING:
    from types_aiobotocore_sqs.type_defs import (
        ChangeMessageVisibilityBatchResultTypeDef,
        DeleteMessageBatchResultTypeDef,
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
        SendMessageBatchResultTypeDef,
    )

__all__ = [
    "EARLIER_RECEIVES",
    "Attribute",
    "Message",
    "Outgoing",
    "Queue",
    "QueueDepth",
    "QueueMissingError",
    "Received",
    "Refusal",
    "SqsRefusedError",
    "SqsUnavailableError",
    "attributes_of",
    "entry_of",
    "part_of",
    "received_of",
    "refusals_of",
    "size_bytes",
]


EARLIER_RECEIVES = "earlierReceives"  # attribute of a message that was a part of another: how often that was received
_COUNT = re.compile("[0-9]{1,6}")


class SqsUnavailableError(UnavailableError):
    """SQS gave no answer, failed (5xx) or throttles."""

    slug = "sqs-unavailable"
    dependency = "queue"


class QueueMissingError(UnavailableError):
    """The queue does not exist; it may be about to be created."""

    slug = "queue-missing"
    dependency = "queue"


class SqsRefusedError(PermanentError):
    """SQS refused the request: a missing permission, a wrong parameter.

    Attributes:
        code: SQS's error code, such as ``AccessDenied``.
    """

    slug = "sqs-refused"

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that exists.

    Attributes:
        dead_letters: the name of its dead-letter queue, None when it has none.
        max_receives: receives after which SQS moves a message there, None when it does not.
    """

    name: str
    url: str
    dead_letters: str | None
    visibility_timeout_s: int
    max_receives: int | None = None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The approximate number of messages in a queue: visible, in flight, delayed."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """A message attribute; *data_type* is String, Number or Binary, which has bytes, and may have a ``.label``."""

    value: str | bytes
    data_type: str = "String"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its handler sees it.

    Attributes:
        id: MessageId, the same at each receive; a message that was sent twice has two.
        receive_count: 1 at the first receive; the receives of a batch that it was a part of count too.
        sent_at: when SQS accepted it.
    """

    id: str
    body: str
    receive_count: int
    attributes: Mapping[str, Attribute]
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message with the receipt *handle* of this receive."""

    message: Message
    handle: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; *key* is the sender's own id for it, which names it in the outcome, *span* is of its trace.

    It is visible after *delay_s* seconds, 0 to 900.
    """

    key: str
    body: str
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    delay_s: int = 0
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The failure of one entry of a batch; *sender_fault* means that a retry would fail too."""

    code: str
    message: str
    sender_fault: bool

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


_NO_ANSWER = Refusal("NoAnswer", "the answer lacks this message", sender_fault=False)


def received_of(raw: MessageTypeDef) -> Received:
    """Parse a message of a ReceiveMessage response."""
    system = raw.get("Attributes", {})
    raw_attributes = raw.get("MessageAttributes")
    attributes = {name: _attribute(each) for name, each in raw_attributes.items()} if raw_attributes else {}
    message = Message(
        id=raw["MessageId"],
        body=raw["Body"],
        receive_count=int(system.get("ApproximateReceiveCount", 1)) + _earlier_receives(attributes),
        attributes=attributes,
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
    )
    return Received(message, raw["ReceiptHandle"])


def entry_of(position: int, outgoing: Outgoing) -> SendMessageBatchRequestEntryTypeDef:
    """Return *outgoing* as an entry of a batch, whose ids are positions: a key may be too long, or occur twice."""
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(position), "MessageBody": outgoing.body}
    if outgoing.attributes:
        entry["MessageAttributes"] = attributes_of(outgoing.attributes)
    if outgoing.delay_s:
        entry["DelaySeconds"] = outgoing.delay_s
    return entry


def attributes_of(attributes: Mapping[str, Attribute]) -> dict[str, MessageAttributeValueTypeDef]:
    """Return *attributes* in the form of a request."""
    return {
        name: {"DataType": each.data_type, "StringValue": each.value}
        if isinstance(each.value, str)
        else {"DataType": each.data_type, "BinaryValue": each.value}
        for name, each in attributes.items()
    }


def size_bytes(outgoing: Outgoing) -> int:
    """Return the size of a message as SQS counts it: body, and name, type and value of each attribute, in UTF-8."""
    attributes = sum(
        len(name.encode())
        + len(each.data_type.encode())
        + len(each.value.encode() if isinstance(each.value, str) else each.value)
        for name, each in outgoing.attributes.items()
    )
    return len(outgoing.body.encode()) + attributes


def refusals_of(
    answer: ChangeMessageVisibilityBatchResultTypeDef | DeleteMessageBatchResultTypeDef | SendMessageBatchResultTypeDef,
    count: int,
) -> dict[int, Refusal]:
    """Parse the failed entries of a batch of *count*, by position; one that the answer lacks counts as failed."""
    refusals = {
        int(each["Id"]): Refusal(each["Code"], each.get("Message", ""), each.get("SenderFault", False))
        for each in answer.get("Failed") or ()
    }
    accepted = answer.get("Successful") or ()
    if len(accepted) + len(refusals) < count:
        missing = set(range(count)).difference(refusals, (int(each["Id"]) for each in accepted))
        refusals.update(dict.fromkeys(missing, _NO_ANSWER))
    return refusals


def part_of(part: Message, key: str, delay_s: int) -> Outgoing:
    """Return a part of a message as a message of its own, which remembers how often it was received."""
    receives = {EARLIER_RECEIVES: Attribute(str(part.receive_count), "Number")}
    return Outgoing(key, part.body, {**part.attributes, **receives}, min(delay_s, MAX_DELAY_S))


def _earlier_receives(attributes: Mapping[str, Attribute]) -> int:
    attribute = attributes.get(EARLIER_RECEIVES)
    text = attribute.value if attribute is not None else ""
    return int(text) if isinstance(text, str) and _COUNT.fullmatch(text) else 0


def _attribute(raw: MessageAttributeValueOutputTypeDef) -> Attribute:
    if "StringValue" in raw:
        return Attribute(raw["StringValue"], raw["DataType"])
    return Attribute(b64decode(raw["BinaryValue"]), raw["DataType"])  # as it is in the JSON
