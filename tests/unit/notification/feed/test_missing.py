"""Which notifications of an order are missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import combinations

import pytest

from notification_service.feed.missing import ListedOrder, missing_events
from notification_service.notification import TERMINAL
from order_contracts import EventType

PLACED, CHANGED = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
ORDER = ListedOrder(5, 1, "CREATED", PLACED, CHANGED, None, "alice")
CREATED, UPDATED, CANCELLED = EventType.ORDER_CREATED, EventType.ORDER_UPDATED, EventType.ORDER_CANCELLED
CLOSED, FAILED = EventType.ORDER_PROCESSED, EventType.ORDER_FAILED


def kinds(order: ListedOrder, *stored: tuple[EventType, int]) -> list[str]:
    return [event.kind for event in missing_events(order, stored)]


def test_created_order_has_its_creation() -> None:
    assert kinds(ORDER) == ["CREATED"]
    assert kinds(ORDER, (CREATED, 1)) == []


@pytest.mark.parametrize(("status", "end"), [("CLOSED", CLOSED), ("FAILED", FAILED), ("CANCELLED", CANCELLED)])
def test_ended_order_has_one_terminal_notification_after_its_creation(status: str, end: EventType) -> None:
    order = replace(ORDER, status=status)
    assert kinds(order) == ["CREATED", status]
    assert kinds(order, (CREATED, 1)) == [status]
    assert kinds(order, (CREATED, 1), (end, 1)) == []


def test_changed_order_has_the_update_to_its_version() -> None:
    order = replace(ORDER, version=3, status="CLOSED")
    assert [(event.kind, event.version) for event in missing_events(order, [(CREATED, 1), (UPDATED, 2)])] == [
        ("UPDATED", 3),
        ("CLOSED", 3),
    ]
    assert kinds(order, (CREATED, 1), (UPDATED, 3)) == ["CLOSED"]


def test_nothing_follows_a_terminal_notification() -> None:
    assert kinds(replace(ORDER, version=2, status="CLOSED"), (CREATED, 1), (CLOSED, 2)) == []


def test_events_have_what_the_order_knows() -> None:
    created, failed = missing_events(replace(ORDER, status="FAILED", failure_reason="out of stock"), ())
    assert (created.order_id, created.version, created.time, created.reason) == (5, 1, PLACED, None)
    assert (failed.order_id, failed.version, failed.time, failed.reason) == (5, 1, CHANGED, "out of stock")


def test_whatever_is_stored_an_ended_order_then_has_one_terminal_notification_and_its_creation_first() -> None:
    order = replace(ORDER, version=2, status="CANCELLED")
    for count in range(4):
        for stored in combinations(((CREATED, 1), (UPDATED, 2), (CANCELLED, 2)), count):
            if stored and stored[0][0] is not CREATED:
                continue  # the feed stores the creation before anything else
            types = [event_type for event_type, _ in stored] + [event.type for event in missing_events(order, stored)]
            assert types[0] is CREATED
            assert len([each for each in types if each in TERMINAL]) == 1
            assert len(set(types)) == len(types)
