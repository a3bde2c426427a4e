"""`python -m tests.support.async_api` writes the AsyncAPI document of the queues and the push into the reference."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from order_contracts import WITH_ITEMS, EventType
from tests.support.api_documents import document
from tests.support.event_schema import event_schema

__all__ = ["COPIES", "async_api", "text"]

ROOT = Path(__file__).parents[2]
# the page shows it, and its build has the folder web alone
COPIES = (ROOT / "docs" / "reference" / "asyncapi.json", ROOT / "web" / "public" / "asyncapi.json")
_FROM_PROCESSING = {EventType.ORDER_PROCESSED, EventType.ORDER_FAILED}
BATCH = "batch"
_FROM_ORDER = set(EventType) - _FROM_PROCESSING


def async_api() -> dict[str, Any]:
    """Return the document: https://www.asyncapi.com/docs/reference/specification/v3.0.0."""
    notification = document("notification")
    schemas, parameters = notification["components"]["schemas"], notification["paths"]["/stream"]["get"]["parameters"]
    frames = [each["$ref"].rpartition("/")[2] for each in schemas["Frame"]["oneOf"]]
    names = {frame: frame.removesuffix("Frame").lower() for frame in frames}
    described = {name: schemas[name] for name in ("Notification", "Subscribe", *frames)}
    event = {name: value for name, value in event_schema().items() if not name.startswith("$")}
    query = {
        "type": "object",
        "properties": {each["name"]: each["schema"] for each in parameters if each["in"] == "query"},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Orderstream",
            "version": "1.0.0",
            "description": "The events on SQS between the services, and the feed that clients follow. What is asked "
            "over HTTP is in each service's OpenAPI document.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "sqs": {"host": "sqs.us-east-1.amazonaws.com", "protocol": "sqs"},
            "sse": {"host": "localhost:8082", "protocol": "http"},
            "websocket": {"host": "localhost:8082", "protocol": "ws"},
        },
        "channels": {
            "processingQueue": _queue("processing-queue", WITH_ITEMS, "What the processing service has to fulfil."),
            "notificationQueue": _queue("notification-queue", EventType, "All that happens to an order."),
            "stream": {
                "address": "/stream",
                "description": "Server-Sent Events: a notification is an event without a name, a frame one of its "
                "type. The query is that of /ws.",
                "servers": [{"$ref": "#/servers/sse"}],
                "messages": _references(["notification", *(names[each] for each in frames if each != "EventFrame")]),
            },
            "socket": {
                "address": "/ws",
                "description": "WebSocket: each text message is a frame.",
                "servers": [{"$ref": "#/servers/websocket"}],
                "messages": _references([*names.values(), "subscribe"]),
                "bindings": {"ws": {"method": "GET", "query": query}},
            },
        },
        "operations": {
            "orderAsksForProcessing": _operation("send", "processingQueue", _or_batch(WITH_ITEMS)),
            "orderAnnouncesToNotification": _operation("send", "notificationQueue", _or_batch(_FROM_ORDER)),
            "processingStartsSagas": _operation("receive", "processingQueue", _or_batch(WITH_ITEMS)),
            "processingAnnouncesToNotification": _operation("send", "notificationQueue", _or_batch(_FROM_PROCESSING)),
            "notificationRecords": _operation("receive", "notificationQueue", _or_batch(EventType)),
            "notificationStreams": {"action": "send", "channel": {"$ref": "#/channels/stream"}},
            "notificationPushes": _operation("send", "socket", names.values()),
            "clientSubscribes": _operation("receive", "socket", ["subscribe"]),
        },
        "components": {
            "messages": {
                **{each.value: _event_message(each) for each in EventType},
                BATCH: {
                    "title": "Many events",
                    "summary": "Each is processed, retried and dead-lettered alone, as if it had come alone.",
                    "contentType": "application/cloudevents-batch+json",
                    "payload": {"type": "array", "items": {"$ref": "#/components/schemas/OrderEvent"}},
                },
                "notification": _message("Notification"),
                **{name: _message(frame) for frame, name in names.items()},
                "subscribe": _message("Subscribe"),
            },
            "schemas": {"OrderEvent": event, **described},
        },
    }


def _queue(address: str, types: Iterable[str], description: str) -> dict[str, Any]:
    return {
        "address": address,
        "description": f"{description} At least once, in no order; what is no such event goes to {address}-dlq.",
        "servers": [{"$ref": "#/servers/sqs"}],
        "messages": _references([*_in_order(types), BATCH]),
    }


def _operation(action: str, channel: str, messages: Iterable[str]) -> dict[str, Any]:
    where = f"#/channels/{channel}"
    chosen = _in_order(messages)
    return {
        "action": action,
        "channel": {"$ref": where},
        "messages": [{"$ref": f"{where}/messages/{each}"} for each in chosen],
    }


def _or_batch(types: Iterable[str]) -> list[str]:
    return [*_in_order(types), BATCH]


def _references(messages: Iterable[str]) -> dict[str, Any]:
    return {str(each): {"$ref": f"#/components/messages/{each}"} for each in messages}


def _event_message(event_type: EventType) -> dict[str, Any]:
    only = {"properties": {"type": {"const": event_type.value}}}
    return {
        "title": event_type.value,
        "summary": f"Becomes a notification {event_type.kind}.",
        "contentType": "application/cloudevents+json",
        "payload": {"allOf": [{"$ref": "#/components/schemas/OrderEvent"}, only]},
    }


def _message(schema: str) -> dict[str, Any]:
    return {"title": schema, "payload": {"$ref": f"#/components/schemas/{schema}"}}


def _in_order(messages: Iterable[str]) -> list[str]:
    # sets have no order, and a file that is compared needs one
    order = list(EventType)
    found = list(messages)
    return sorted(found, key=lambda each: order.index(EventType(each))) if set(found) <= set(order) else found


def text() -> str:
    """Return what the file is to be."""
    return orjson.dumps(async_api(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


if __name__ == "__main__":
    for copy in COPIES:
        copy.write_text(text(), encoding="utf-8")
