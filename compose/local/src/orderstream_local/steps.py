"""The twenty-five steps of one order, each with the observation that proves it: log lines, responses and pushes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

__all__ = ["STEPS", "Evidence", "Observation", "Push", "Record", "Step"]

ORDER, INVENTORY = "order-service", "inventory-service"
NOTIFICATION, PROCESSING = "notification-service", "processing-service"


@dataclass(frozen=True, slots=True)
class Record:
    """A log event of CloudWatch Logs; *at* is the service's time, *ingested* the ingestion time."""

    service: str
    at: datetime
    ingested: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Push:
    """A notification that a client received over *protocol*, by the client's clock."""

    protocol: str
    at: datetime
    kind: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """All records and pushes of one order.

    Attributes:
        records: the log lines of its trace, by time.
    """

    order_id: int
    product_id: str
    posted_at: datetime
    records: Sequence[Record]
    pushes: Sequence[Push]


@dataclass(frozen=True, slots=True)
class Observation:
    """The time of a step, and a description of its evidence."""

    at: datetime
    description: str


Finder = Callable[[Evidence], Observation | None]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the sequence: its number, title and finder."""

    number: int
    title: str
    find: Finder


def _first(evidence: Evidence, service: str, facts: Mapping[str, Any]) -> Record | None:
    return next(
        (
            record
            for record in evidence.records
            if record.service == service and all(record.facts.get(name) == value for name, value in facts.items())
        ),
        None,
    )


def _formatted(evidence: Evidence, facts: Mapping[str, Any]) -> dict[str, Any]:
    values = {"order": evidence.order_id, "product": evidence.product_id}
    return {name: value.format_map(values) if isinstance(value, str) else value for name, value in facts.items()}


def _logged(service: str, description: str, **facts: Any) -> Finder:
    def find(evidence: Evidence) -> Observation | None:
        record = _first(evidence, service, _formatted(evidence, facts))
        return Observation(record.at, description.format_map({**record.facts, "service": service})) if record else None

    return find


def _requested(service: str, method: str, path: str, *, answered: bool) -> Finder:
    """Find a request in the log of its server: its arrival, or the end of its response."""

    def find(evidence: Evidence) -> Observation | None:
        wanted = _formatted(evidence, {"message": "request handled", "method": method, "path": path})
        record = _first(evidence, service, wanted)
        if record is None:
            return None
        if answered:
            return Observation(record.at, f"{record.facts['status']} from {service}")
        return Observation(_began(record), f"{method} {wanted['path']}")

    return find


def _ingested(service: str, **facts: Any) -> Finder:
    def find(evidence: Evidence) -> Observation | None:
        record = _first(evidence, service, _formatted(evidence, facts))
        return Observation(record.ingested, f"{record.facts['message']!r} in {service}-logs") if record else None

    return find


def _received(service: str, queue: str, **consumed: Any) -> Finder:
    """Find when the consumption of a message began."""

    def find(evidence: Evidence) -> Observation | None:
        record = _first(evidence, service, _formatted(evidence, consumed))
        if record is None:
            return None
        return Observation(_began(record), f"received from {queue}")

    return find


def _pushed(kind: str) -> Finder:
    def find(evidence: Evidence) -> Observation | None:
        first: dict[str, datetime] = {}
        for push in evidence.pushes:
            if push.kind == kind:
                first.setdefault(push.protocol, push.at)
        if set(first) != {"SSE", "WebSocket"}:
            return None
        last = max(first.values())
        return Observation(
            min(first.values()),
            f"SSE and WebSocket, {(last - min(first.values())) / timedelta(milliseconds=1):.1f} ms apart",
        )

    return find


def _began(record: Record) -> datetime:
    """Return when that began whose end *record* is about."""
    began: datetime = record.at - timedelta(milliseconds=record.facts["durationMs"])
    return began


def _first_ingested(evidence: Evidence) -> Observation | None:
    if not evidence.records:
        return None
    first = min(evidence.records, key=lambda record: record.ingested)
    return Observation(first.ingested, f"first log event, from {first.service}")


_PUBLISHED = "published {type} to {queue}"

STEPS: tuple[Step, ...] = (
    Step(1, "POST /orders", lambda evidence: Observation(evidence.posted_at, "POST /orders")),
    Step(
        2,
        "the order service asks the inventory for the stock",
        _requested(INVENTORY, "GET", "/inventory/{product}", answered=False),
    ),
    Step(3, "the inventory answers: in stock", _requested(INVENTORY, "GET", "/inventory/{product}", answered=True)),
    Step(4, "CloudWatch Logs receives", _first_ingested),
    Step(5, "inventory-service-logs", _ingested(INVENTORY, message="request handled")),
    Step(
        6,
        "the order service publishes order-created to both queues",
        _logged(ORDER, _PUBLISHED, message="event published", queue="notification-queue"),
    ),
    Step(7, "order-service-logs", _ingested(ORDER, message="event published")),
    Step(
        8,
        "the notification service's poller is triggered",
        _received(NOTIFICATION, "notification-queue", message="event consumed", kind="CREATED"),
    ),
    Step(
        9,
        "the notification service consumes order-created",
        _logged(NOTIFICATION, "{text}", message="event consumed", kind="CREATED"),
    ),
    Step(
        10,
        "e-mail and SMS, simulated",
        _logged(NOTIFICATION, "{message}: {text}", message="Email and SMS sent", kind="CREATED"),
    ),
    Step(11, "CREATED is pushed to the clients", _pushed("CREATED")),
    Step(12, "notification-service-logs", _ingested(NOTIFICATION, message="Email and SMS sent", kind="CREATED")),
    Step(
        13,
        "the processing service's poller is triggered",
        _received(PROCESSING, "processing-queue", message="order consumed"),
    ),
    Step(
        14,
        "the processing service consumes order-created",
        _logged(PROCESSING, "a saga starts for order {orderId}", message="order consumed"),
    ),
    Step(
        15,
        "the processing service asks to take the stock",
        _requested(INVENTORY, "POST", "/inventory/decrement", answered=False),
    ),
    Step(16, "the inventory answers: taken", _requested(INVENTORY, "POST", "/inventory/decrement", answered=True)),
    Step(
        17,
        "the processing service asks to close the order",
        _requested(ORDER, "POST", "/order/close/{order}", answered=False),
    ),
    Step(18, "the order service answers: closed", _requested(ORDER, "POST", "/order/close/{order}", answered=True)),
    Step(
        19,
        "the processing service publishes order-processed",
        _logged(PROCESSING, _PUBLISHED, message="event published"),
    ),
    Step(20, "processing-service-logs", _ingested(PROCESSING, message="event published")),
    Step(
        21,
        "the notification service's poller is triggered",
        _received(NOTIFICATION, "notification-queue", message="event consumed", kind="CLOSED"),
    ),
    Step(
        22,
        "the notification service consumes order-processed",
        _logged(NOTIFICATION, "{text}", message="event consumed", kind="CLOSED"),
    ),
    Step(
        23,
        "e-mail and SMS, simulated",
        _logged(NOTIFICATION, "{message}: {text}", message="Email and SMS sent", kind="CLOSED"),
    ),
    Step(24, "CLOSED is pushed to the clients", _pushed("CLOSED")),
    Step(25, "notification-service-logs", _ingested(NOTIFICATION, message="Email and SMS sent", kind="CLOSED")),
)
