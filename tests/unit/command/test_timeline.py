"""The timeline of an order from what each service knows of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from orderstream_command.timeline import Known, TimelineEntry, timeline_of, trace_ids_of


def at(second: float) -> str:
    return datetime.fromtimestamp(1_800_000_000 + second, UTC).isoformat()


def event(kind: str, stored: float, sent: float | None, *, set_aside: bool = False) -> dict[str, object]:
    return {
        "type": kind,
        "key": f"{kind}:7:1",
        "queue": "q",
        "traceId": "a" * 32,
        "storedAt": at(stored),
        "sentAt": None if sent is None else at(sent),
        "setAside": set_aside,
        "attempts": 1,
    }


ORDER = {
    "version": 1,
    "status": "FAILED",
    "createdAt": at(0),
    "updatedAt": at(5),
    "failureReason": "Nothing is left.",
    "orderItems": [],
}
SAGA = {
    "version": 1,
    "attempts": 3,
    "lastError": None,
    "reason": "Nothing is left.",
    "nextRunAt": None,
    "steps": [{"state": "STARTED", "at": at(2)}, {"state": "FAILED", "at": at(6)}],
}
OPERATION: dict[str, Any] = {
    "operationId": "7:1",
    "items": [],
    "outcome": "short",
    "createdAt": at(3),
    "releasedAt": None,
}
NOTIFICATION = {
    "id": "e-1",
    "kind": "CREATED",
    "version": 1,
    "occurredAt": at(0),
    "recordedAt": at(4),
    "traceId": "b" * 32,
}
KNOWN = Known(ORDER, {"order": [event("order-created", 0, 1)]}, [SAGA], [OPERATION], [NOTIFICATION])
NOTHING = Known(None, {}, (), (), ())


def test_entries_of_all_services_are_in_the_order_of_their_times() -> None:
    assert [(entry.service, entry.what) for entry in timeline_of(KNOWN)] == [
        ("order", "order placed"),
        ("order", "event order-created in the outbox"),
        ("order", "event order-created sent"),
        ("processing", "saga STARTED"),
        ("inventory", "stock short"),
        ("notification", "notification CREATED"),
        ("order", "order FAILED"),
        ("processing", "saga FAILED"),
    ]


def test_log_lines_are_among_them() -> None:
    line = TimelineEntry(datetime.fromisoformat(at(2.5)), "inventory", "log: stock operation", {})
    assert timeline_of(KNOWN, [line])[4] is line


def test_event_that_was_not_sent_shows_why() -> None:
    waiting = Known(None, {"order": [event("order-created", 0, None)]}, (), (), ())
    refused = Known(None, {"order": [event("order-created", 0, None, set_aside=True)]}, (), (), ())
    assert [entry.what for entry in timeline_of(waiting)] == ["event order-created in the outbox"]
    assert [entry.what for entry in timeline_of(refused)][1:] == ["event order-created set aside: SQS refuses it"]


def test_saga_that_waits_shows_its_next_run_and_the_last_error() -> None:
    waiting = {**SAGA, "nextRunAt": at(60), "lastError": "take stock: no connection", "reason": None}
    last = timeline_of(Known(None, {}, [waiting], (), ()))[-1]
    assert (last.what, last.facts["lastError"]) == ("saga runs next", "take stock: no connection")


def test_failed_attempts_of_a_saga_are_among_its_steps() -> None:
    attempt = {"step": "take stock", "at": at(5), "seconds": 4.0, "kind": "outcome-unknown", "error": "no answer"}
    tried = timeline_of(Known(None, {}, [{**SAGA, "failedAttempts": [attempt]}], (), ()))
    assert [entry.what for entry in tried] == ["saga STARTED", "saga could not take stock", "saga FAILED"]
    assert tried[1].facts == {"version": 1, "kind": "outcome-unknown", "seconds": 4.0, "error": "no answer"}


def test_released_stock_is_an_entry_of_its_own() -> None:
    released = {**OPERATION, "outcome": None, "items": None, "releasedAt": at(9)}
    assert [entry.what for entry in timeline_of(Known(None, {}, (), [released], ()))] == ["stock released"]


def test_each_trace_is_named_once() -> None:
    assert trace_ids_of(KNOWN) == ["a" * 32, "b" * 32]
    assert (timeline_of(NOTHING), trace_ids_of(NOTHING)) == ([], [])
