"""The timeline of an order: what each service knows about it, as entries in the order of their times. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["Known", "TimelineEntry", "timeline_of", "trace_ids_of"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What the services answered about one order; None and empty where they know nothing.

    Attributes:
        order: of the order service.
        events: in the outboxes, by the service that announced them.
        sagas: of the processing service, by version.
        operations: of the inventory service.
        notifications: of the notification service.
    """

    order: Document | None
    events: Mapping[str, Sequence[Document]]
    sagas: Sequence[Document]
    operations: Sequence[Document]
    notifications: Sequence[Document]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened: when, by whom, what, and its facts."""

    at: datetime
    service: str
    what: str
    facts: Document


def timeline_of(known: Known, more: Iterable[TimelineEntry] = ()) -> list[TimelineEntry]:
    """Return the entries of all that is known and *more*, such as log lines, by time."""
    entries = [
        *(() if known.order is None else _of_order(known.order)),
        *(entry for service, events in known.events.items() for event in events for entry in _of_event(service, event)),
        *(entry for saga in known.sagas for entry in _of_saga(saga)),
        *(entry for operation in known.operations for entry in _of_operation(operation)),
        *map(_of_notification, known.notifications),
        *more,
    ]
    return sorted(entries, key=lambda entry: entry.at)


def trace_ids_of(known: Known) -> list[str]:
    """Return the traces that the order was placed, changed, processed and told in."""
    documents = [*(event for events in known.events.values() for event in events), *known.notifications]
    return list(dict.fromkeys(each["traceId"] for each in documents if each["traceId"]))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _of_order(order: Document) -> Iterator[TimelineEntry]:
    yield TimelineEntry(_at(order["createdAt"]), "order", "order placed", {"items": order["orderItems"]})
    if order["status"] != "CREATED":
        reason = {"reason": order["failureReason"]} if order["failureReason"] else {}
        facts = {"version": order["version"], **reason}
        yield TimelineEntry(_at(order["updatedAt"]), "order", f"order {order['status']}", facts)
    elif order["version"] > 1:
        yield TimelineEntry(_at(order["updatedAt"]), "order", "order updated", {"version": order["version"]})


def _of_event(service: str, event: Document) -> Iterator[TimelineEntry]:
    facts: dict[str, Any] = {"queue": event["queue"], "key": event["key"]}
    yield TimelineEntry(_at(event["storedAt"]), service, f"event {event['type']} in the outbox", facts)
    if event["sentAt"]:
        yield TimelineEntry(
            _at(event["sentAt"]), service, f"event {event['type']} sent", facts | {"attempts": event["attempts"]}
        )
    elif event["setAside"]:
        yield TimelineEntry(_at(event["storedAt"]), service, f"event {event['type']} set aside: SQS refuses it", facts)


def _of_saga(saga: Document) -> Iterator[TimelineEntry]:
    for step in saga["steps"]:
        yield TimelineEntry(_at(step["at"]), "processing", f"saga {step['state']}", {"version": saga["version"]})
    for attempt in saga.get("failedAttempts", ()):  # a service of the former version has none
        facts = {"version": saga["version"], **{name: attempt[name] for name in ("kind", "seconds", "error")}}
        yield TimelineEntry(_at(attempt["at"]), "processing", f"saga could not {attempt['step']}", facts)
    if saga["nextRunAt"]:
        facts = {name: saga[name] for name in ("version", "attempts", "lastError", "reason") if saga[name]}
        yield TimelineEntry(_at(saga["nextRunAt"]), "processing", "saga runs next", facts)


def _of_operation(operation: Document) -> Iterator[TimelineEntry]:
    facts = {"operationId": operation["operationId"], "items": operation["items"]}
    if operation["outcome"]:
        yield TimelineEntry(_at(operation["createdAt"]), "inventory", f"stock {operation['outcome']}", facts)
    if operation["releasedAt"]:
        yield TimelineEntry(_at(operation["releasedAt"]), "inventory", "stock released", facts)


def _of_notification(notification: Document) -> TimelineEntry:
    facts = {name: notification[name] for name in ("id", "version", "occurredAt")}
    return TimelineEntry(_at(notification["recordedAt"]), "notification", f"notification {notification['kind']}", facts)
