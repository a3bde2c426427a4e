"""SQS: a client, a publisher, and a poller that acknowledges, retries or dead-letters each message.

`Sqs` is the connection, `Poller` the consumer, `Publisher` the producer. `delivery`, which decides what happens to a
message, is pure.
"""

from __future__ import annotations

from .client import Sqs
from .messages import Attribute, Message, Outgoing, Queue, QueueMissingError, SqsRefusedError, SqsUnavailableError
from .poller import MessageHandler, Poller, PollerSettings
from .publisher import Publisher, SendOutcome
from .queue_depth import measuring_depths
from .receive_loop import Gate

__all__ = [
    "Attribute",
    "Gate",
    "Message",
    "MessageHandler",
    "Outgoing",
    "Poller",
    "PollerSettings",
    "Publisher",
    "Queue",
    "QueueMissingError",
    "SendOutcome",
    "Sqs",
    "SqsRefusedError",
    "SqsUnavailableError",
    "measuring_depths",
]
