"""The steps of an order, found in log records and pushes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from orderstream_local.steps import STEPS, Evidence, Push, Record, Step

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(ms: float) -> datetime:
    return START + timedelta(milliseconds=ms)


def record(service: str, ms: float, message: str, **facts: Any) -> Record:
    return Record(f"{service}-service", at(ms), at(ms + 1000), {"message": message, **facts})


def request(service: str, ms: float, method: str, path: str) -> Record:
    return record(service, ms, "request handled", method=method, path=path, status=200, durationMs=2.0)


COMPLETE = Evidence(
    order_id=7,
    product_id="123",
    posted_at=START,
    records=[
        request("inventory", 5, "GET", "/inventory/123"),
        record("order", 10, "event published", type="order-created", queue="processing-queue"),
        record("order", 11, "event published", type="order-created", queue="notification-queue"),
        record("notification", 15, "event consumed", kind="CREATED", durationMs=3.0, text="for order 7"),
        record("notification", 16, "Email and SMS sent", kind="CREATED", text="Notification CREATED for order 7"),
        record("processing", 17, "order consumed", orderId=7, durationMs=4.0),
        request("inventory", 20, "POST", "/inventory/decrement"),
        request("order", 25, "POST", "/order/close/7"),
        record("processing", 30, "event published", type="order-processed", queue="notification-queue"),
        record("notification", 45, "event consumed", kind="CLOSED", durationMs=5.0, text="for order 7"),
        record("notification", 46, "Email and SMS sent", kind="CLOSED", text="Notification CLOSED for order 7"),
    ],
    pushes=[
        Push(protocol, at(ms), kind)
        for kind, ms in (("CREATED", 18), ("CLOSED", 48))
        for protocol in ("SSE", "WebSocket")
    ],
)


def step(number: int) -> Step:
    return next(each for each in STEPS if each.number == number)


def times(evidence: Evidence) -> dict[int, float]:
    return {
        each.number: (observation.at - START) / timedelta(milliseconds=1)
        for each in STEPS
        if (observation := each.find(evidence)) is not None
    }


def test_all_steps_are_observed_at_their_times() -> None:
    found = times(COMPLETE)
    assert list(found) == list(range(1, 26))
    assert found[2] == 3  # the log line minus the duration of the request
    assert (found[3], found[8], found[13], found[21]) == (5, 12, 13, 40)
    assert found[25] == 1046


def test_step_without_evidence_is_not_observed() -> None:
    assert set(times(Evidence(7, "123", START, [], []))) == {1}


def test_push_is_observed_when_both_protocols_have_it() -> None:
    evidence = Evidence(7, "123", START, [], [Push("SSE", at(5), "CREATED")])
    assert step(11).find(evidence) is None
