"""SQS messages, queues and errors as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..errors import PermanentError, UnavailableError

if TYPE_CHECKING:
    from types_aiobotocore_sqs.type_defs import (
        BatchResultErrorEntryTypeDef,
        MessageTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

__all__ = [
    "Message",
    "Outgoing",
    "Queue",
    "QueueDepth",
    "QueueMissingError",
    "Received",
    "Refusal",
    "SqsRefusedError",
    "SqsUnavailableError",
    "entry_of",
    "received_of",
    "refusals_of",
]


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
    """A queue that exists; *dead_letters* is the name of its dead-letter queue, None when it has none."""

    name: str
    url: str
    dead_letters: str | None
    visibility_timeout_s: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The approximate number of messages in a queue: visible, in flight, delayed."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its handler sees it.

    Attributes:
        id: MessageId, the same at each receive; a message that was sent twice has two.
        receive_count: 1 at the first receive.
        attributes: the message attributes of type String and Number.
        sent_at: when SQS accepted it.
    """

    id: str
    body: str
    receive_count: int
    attributes: Mapping[str, str]
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message with the receipt *handle* of this receive."""

    message: Message
    handle: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; *key* is the sender's own id for it, which names it in the outcome."""

    key: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The failure of one entry of a batch; *sender_fault* means that a retry would fail too."""

    code: str
    message: str
    sender_fault: bool

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


def received_of(raw: MessageTypeDef) -> Received:
    """Parse a message of a ReceiveMessage response."""
    system = raw.get("Attributes", {})
    attributes = raw.get("MessageAttributes")
    message = Message(
        id=raw["MessageId"],
        body=raw["Body"],
        receive_count=int(system.get("ApproximateReceiveCount", 1)),
        attributes={name: each["StringValue"] for name, each in attributes.items() if "StringValue" in each}
        if attributes
        else {},
        sent_at=datetime.fromtimestamp(int(system.get("SentTimestamp", 0)) / 1000, UTC),
    )
    return Received(message, raw["ReceiptHandle"])


def entry_of(position: int, outgoing: Outgoing) -> SendMessageBatchRequestEntryTypeDef:
    """Return *outgoing* as an entry of a batch, whose ids are positions: a key may be too long, or occur twice."""
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(position), "MessageBody": outgoing.body}
    if outgoing.attributes:
        entry["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in outgoing.attributes.items()
        }
    return entry


def refusals_of(failed: Sequence[BatchResultErrorEntryTypeDef]) -> dict[int, Refusal]:
    """Parse the failed entries of a batch, by position."""
    return {
        int(each["Id"]): Refusal(each["Code"], each.get("Message", ""), each.get("SenderFault", False))
        for each in failed
    }
