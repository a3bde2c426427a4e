"""The spans of messages: sent, and processed.

Names and attributes: https://opentelemetry.io/docs/specs/semconv/messaging/sqs/. A receive has no span of its own: it
belongs to no trace, and the processing of each message begins with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..observability import Span, SpanKind, batched, start_span, tracing
from .messages import Message, Outgoing

__all__ = ["processing", "send_span", "sending"]


def send_span(queue: str, traceparent: str | None, tracestate: str | None) -> Span:
    """Begin the span of one message that is sent to *queue*; the message carries it on."""
    return start_span(
        traceparent,
        tracestate,
        name=f"send {queue}",
        kind=SpanKind.PRODUCER,
        attributes=_attributes(queue, "send"),
    )


def sending(queue: str, batch: Sequence[Outgoing]) -> batched:
    """Run the block as one request that sends *batch*; that of a single message is in the span of the message."""
    attributes = {**_attributes(queue, "send"), "messaging.batch.message_count": len(batch)}
    name = f"SendMessageBatch {queue}" if len(batch) > 1 else ""
    return batched(name, [each.span for each in batch], SpanKind.CLIENT, attributes)


def processing(queue: str, message: Message, traceparent: str | None, tracestate: str | None) -> tracing:
    """Run the block as the processing of *message*, which continues the trace of the event in it."""
    return tracing(
        traceparent,
        tracestate,
        name=f"process {queue}",
        kind=SpanKind.CONSUMER,
        attributes={
            **_attributes(queue, "process"),
            "messaging.message.id": message.id,
            "messaging.message.body.size": len(message.body),
            "aws.sqs.receive_count": message.receive_count,
        },
    )


def _attributes(queue: str, operation: str) -> dict[str, str | int]:
    return {
        "messaging.system": "aws_sqs",
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
    }
