"""What goes over SQS, as values, and what may go wrong with it."""

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
    "MAX_BATCH",
    "Depth",
    "Message",
    "Outgoing",
    "Queue",
    "QueueMissingError",
    "Received",
    "Refusal",
    "SqsRefusedError",
    "SqsUnavailableError",
    "entry_of",
    "received_of",
    "refusals_of",
]

MAX_BATCH = 10


class SqsUnavailableError(UnavailableError):
    """SQS gave no answer, failed by itself or wants fewer requests."""

    slug = "sqs-unavailable"


class QueueMissingError(UnavailableError):
    """There is no such queue, at the moment: it may be about to be created."""

    slug = "queue-missing"


class SqsRefusedError(PermanentError):
    """SQS understood the request and does not allow it: a permission, a wrong parameter.

    Attributes:
        code: SQS's name for it, such as ``AccessDenied``.
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
class Depth:
    """How many messages a queue holds, about: those that can be received, are in flight, are not to be seen yet."""

    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a handler sees of a message.

    Attributes:
        id: SQS's, the same at each receive; a message that was sent twice has two.
        receive_count: 1 at the first receive.
        attributes: the message attributes that are texts or numbers.
        sent_at: when SQS took it.
    """

    id: str
    body: str
    receive_count: int
    attributes: Mapping[str, str]
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """A message with the *handle* of this receive, by which it is extended and deleted."""

    message: Message
    handle: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to send; *key* is the sender's own name for it, by which it is told what became of it."""

    key: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What SQS says of an entry of a batch that failed; *sender_fault* means that the same again fails again."""

    code: str
    message: str
    sender_fault: bool

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" if self.message else self.code


def received_of(raw: MessageTypeDef) -> Received:
    """Read a message as SQS gives it."""
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
    """Write *outgoing* as an entry of a batch, whose ids are positions: a key may be too long, or there twice."""
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(position), "MessageBody": outgoing.body}
    if outgoing.attributes:
        entry["MessageAttributes"] = {
            name: {"DataType": "String", "StringValue": value} for name, value in outgoing.attributes.items()
        }
    return entry


def refusals_of(failed: Sequence[BatchResultErrorEntryTypeDef]) -> dict[int, Refusal]:
    """Read which entries of a batch failed, by position."""
    return {
        int(each["Id"]): Refusal(each["Code"], each.get("Message", ""), each.get("SenderFault", False))
        for each in failed
    }
