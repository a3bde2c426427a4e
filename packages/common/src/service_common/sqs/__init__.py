"""SQS: a client, a publisher, and a poller that acknowledges, retries or dead-letters each message.

`Sqs` is the connection, `Poller` the consumer, `Publisher` the producer. `delivery`, which decides what happens to a
message, is pure.
"""

from __future__ import annotations

from .client import Sqs
from .dead_letter import DeadLetterFacts
from .dead_letter_queue import (
    DeadLetterQueue,
    Letter,
    LetterFilter,
    NoDeadLetterQueueError,
    Outcome,
    dead_letter_queues,
)
from .limits import MAX_BATCH
from .messages import (
    Attribute,
    Message,
    Outgoing,
    Queue,
    QueueDepth,
    QueueMissingError,
    Received,
    SqsRefusedError,
    SqsUnavailableError,
    attributes_of,
    size_bytes,
)
from .poller import MessageHandler, Poller, PollerSettings
from .publisher import Publisher, SendOutcome
from .queue_depth import measuring_depths
from .receive_loop import Gate
from .spans import processing, send_span

__all__ = [
    "MAX_BATCH",
    "Attribute",
    "DeadLetterFacts",
    "DeadLetterQueue",
    "Gate",
    "Letter",
    "LetterFilter",
    "Message",
    "MessageHandler",
    "NoDeadLetterQueueError",
    "Outcome",
    "Outgoing",
    "Poller",
    "PollerSettings",
    "Publisher",
    "Queue",
    "QueueDepth",
    "QueueMissingError",
    "Received",
    "SendOutcome",
    "Sqs",
    "SqsRefusedError",
    "SqsUnavailableError",
    "attributes_of",
    "dead_letter_queues",
    "measuring_depths",
    "processing",
    "send_span",
    "size_bytes",
]
