"""The checker itself: the evidence of a good run breaks no promise, and each thing that went wrong breaks its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.evidence import Evidence, Line, Struck
from tests.chaos.faults import FAULTS
from tests.chaos.history import history
from tests.chaos.plan import Planned
from tests.chaos.stage import Poison, Stop
from tests.chaos.verdict import PROMISES, open_after, recovery_s, violations
from tests.support.load import Ledger
from tests.support.watcher import Watcher

BEGAN = 1_764_228_600.0  # 2025-11-27T07:30:00Z
PROCESS = "order-service"


def notification(place: int, order: int, event: str) -> dict[str, Any]:
    return {"id": f"e-{place}", "orderId": order, "type": event, "kind": "", "recordedAt": "", "occurredAt": ""}


def pushed(recorded: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recorded.items() if name != "recordedAt"}


def order(order_id: int, status: str, second: int) -> dict[str, Any]:
    return {
        "id": order_id,
        "version": 1,
        "status": status,
        "createdAt": "2025-11-27T07:30:00Z",
        "updatedAt": f"2025-11-27T07:{30 + second // 60}:{second % 60:02}Z",
        "orderItems": [{"productId": "p", "quantity": 2}],
    }


def good() -> Evidence:
    """Two orders: one that closed after a second, and one that was cancelled."""
    feed = [
        notification(1, 1, "order-created"),
        notification(2, 2, "order-created"),
        notification(3, 1, "order-processed"),
        notification(4, 2, "order-cancelled"),
    ]
    seen = Watcher("e-4", 0, "sse", seen=[1, 2, 3, 4], told={place: pushed(feed[place - 1]) for place in (1, 2, 3, 4)})
    fault = Struck(Planned(1, 0, 0.5, FAULTS["kill"], PROCESS), BEGAN, BEGAN + 0.5)
    return Evidence(
        Ledger(stocked={"p": 10}, wanted={"a": {}, "b": {}}, accepted={"a": 1, "b": 2}, cancelled={2}),
        struck=[fault],
        orders={1: order(1, "CLOSED", 1), 2: order(2, "CANCELLED", 2)},
        sagas={1: [{"version": 1, "state": "DONE"}], 2: [{"version": 1, "state": "RELEASED"}]},
        repeated={"a": 1},
        shelves={"p": 8},
        notifications=feed,
        watchers=[seen],
        lines=[Line(PROCESS, {"level": "WARNING", "message": "database lost"})],
        torn={PROCESS: 1},
        counted={PROCESS: (5, 5)},
        exits=[(BEGAN, f"{PROCESS} was terminated by SIGKILL; restarting in 0.25 s")],
        letters=["{}"],
        poison=[Poison("processing-queue", "{}", BEGAN)],
        stops=[Stop(PROCESS, 1.0, 0, BEGAN + 100)],
        recovered=[(BEGAN, BEGAN + 31)],
        alive={PROCESS: ""},
        peak_rss_mb={PROCESS: 90.0},
        delivered={"order"},
    )


def test_a_good_run_breaks_no_promise() -> None:
    assert {name: found for name, found in violations(good()).items() if found} == {}


def _log(**fields: object) -> Callable[[Evidence], object]:
    return lambda evidence: evidence.lines.append(Line(PROCESS, {"level": "INFO", **fields}))


WRONG: list[tuple[str, Callable[[Evidence], object]]] = [
    ("I1", lambda e: e.orders.pop(2)),
    ("I1", lambda e: e.orders[1].update(status="CREATED")),
    ("I1", lambda e: e.ledger.cancelled.add(1)),
    ("I2", lambda e: e.ledger.wanted.update(c={})),
    ("I2", lambda e: e.ledger.conflicts.append(("a", 1, 3))),
    ("I2", lambda e: e.repeated.update(a=3)),
    ("I2", lambda e: e.orders.update({3: order(3, "CLOSED", 1)})),
    ("I3", lambda e: e.shelves.update(p=7)),
    ("I3", lambda e: e.shelves.clear()),
    ("I3", lambda e: setattr(e, "lowest", -1)),
    ("I4", lambda e: e.sagas.update({3: [{"version": 1, "state": "DONE"}]})),
    ("I4", lambda e: e.notifications.append(notification(5, 3, "order-created"))),
    ("I4", lambda e: e.sagas[1].clear()),
    ("I4", lambda e: e.sagas[2][0].update(state="DONE")),
    ("I4", lambda e: e.sagas[2].append({"version": 2, "state": "RELEASED"})),
    ("I5", lambda e: e.notifications.pop()),
    ("I5", lambda e: e.notifications.pop(0)),
    ("I5", lambda e: e.notifications.reverse()),
    ("I5", lambda e: e.notifications.append(notification(5, 1, "order-processed"))),
    ("I5", lambda e: e.notifications.insert(2, notification(5, 1, "order-updated"))),
    ("I6", lambda e: e.watchers[0].told.pop(2)),
    ("I6", lambda e: e.watchers[0].seen.append(2)),
    ("I6", lambda e: e.watchers[0].told[2].update(orderId=1)),
    ("I6", lambda e: setattr(e.watchers[0], "resets", 1)),
    ("I7", lambda e: e.letters.clear()),
    ("I7", lambda e: e.letters.append('{"type":"order-created"}')),
    ("I8", lambda e: e.peak_rss_mb.update({PROCESS: 400.0})),
    ("I9", lambda e: e.torn.update({PROCESS: 2})),
    ("I9", lambda e: e.counted.update({PROCESS: (6, 5)})),
    ("I9", lambda e: e.delivered.clear()),
    ("I10", lambda e: e.stops.append(Stop(PROCESS, 11.0, 0, BEGAN + 100))),
    ("I10", lambda e: e.stops.append(Stop(PROCESS, 1.0, 1, BEGAN + 100))),
    ("I10", _log(message="shutdown timed out")),
    ("errors", _log(level="ERROR", message="request failed")),
    ("errors", _log(level="CRITICAL", message="background task died")),
    ("500", _log(message="request handled", status=500, method="GET", path="/")),
    ("500", lambda e: e.ledger.statuses.update({500: 1})),
    ("alive", lambda e: e.alive.update({PROCESS: "not ready"})),
    ("alive", lambda e: e.unrecovered.append("kill of order-service: not within 60 s: order ready")),
    ("open", lambda e: e.orders[1].update(updatedAt="2025-11-27T07:31:30Z")),
    ("recovery", lambda e: e.recovered.append((BEGAN, BEGAN + 36.5))),
    ("recovery", lambda e: setattr(e, "orphaned", 1)),
]


@pytest.mark.parametrize(("promise", "spoil"), WRONG, ids=[f"{name}-{at}" for at, (name, _) in enumerate(WRONG)])
def test_what_goes_wrong_breaks_its_promise(promise: str, spoil: Callable[[Evidence], object]) -> None:
    evidence = good()
    spoil(evidence)
    assert violations(evidence)[promise]


def test_each_promise_can_be_broken() -> None:
    assert {name for name, _ in WRONG} == {promise.name for promise in PROMISES}


def test_poison_that_was_lost_with_the_queues_is_not_missed() -> None:
    evidence = good()
    evidence.letters.clear()
    evidence.queues_lost_at = BEGAN + 1
    assert not violations(evidence)["I7"]


def test_orders_that_a_fault_left_open_are_counted_until_they_end() -> None:
    assert open_after(good(), good().struck[0]) == (2, 1.5, 1.5)


def test_an_order_may_wait_for_faults_that_came_later() -> None:
    evidence = good()
    evidence.orders[1]["updatedAt"] = "2025-11-27T07:31:30Z"
    evidence.struck.append(Struck(Planned(2, 10, 30, FAULTS["freeze"], PROCESS), BEGAN + 10, BEGAN + 40))
    assert open_after(evidence, evidence.struck[0]) == (2, 89.5, 50.0)
    assert not violations(evidence)["open"]


def test_a_message_is_recovered_after_the_fault_that_came_between() -> None:
    evidence = good()
    evidence.struck.append(Struck(Planned(2, 10, 30, FAULTS["freeze"], PROCESS), BEGAN + 10, BEGAN + 40))
    evidence.recovered = [(BEGAN, BEGAN + 45)]
    assert recovery_s(evidence) == [5.0]


def test_the_history_of_an_order_tells_what_each_service_knows() -> None:
    evidence = good()
    evidence.ledger.calls[1] = [(BEGAN, "POST /orders: 201")]
    for each in evidence.notifications:
        each["recordedAt"] = "2025-11-27T07:30:01Z"
    evidence.sagas[1][0] |= {"attempts": 2, "steps": [{"state": "DONE", "at": "2025-11-27T07:30:01Z"}]}
    evidence.lines.append(
        Line(
            "inventory-service",
            {"time": "2025-11-27T07:30:00.5Z", "level": "INFO", "message": "stock operation", "operationId": "1:1"},
        )
    )
    told = "\n".join(history(evidence, 1))
    for fact in (
        "POST /orders: 201",
        "stock operation",
        "DONE, 2 attempts",
        "order: CLOSED",
        "notification e-3",
        "kill",
    ):
        assert fact in told
    assert "notification e-2" not in told
