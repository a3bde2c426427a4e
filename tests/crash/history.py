"""What became of an order in all services, and which processes died meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from tests.crash.crashes import SERVICES, Crash, Crashes, Target
from tests.support.system import System

__all__ = ["report", "story_of_failure"]

MOST_ORDERS = 3
MOST_LINES = 60
# from the creation of an order: the crashes that are told with it
BEFORE, AFTER = timedelta(seconds=-1), timedelta(seconds=10)
_UNWELL = {
    "orders": (
        "SELECT id FROM orders WHERE status = 'CREATED'"
        " UNION SELECT subject::bigint FROM outbox_event WHERE sent_at IS NULL"
    ),
    "processing": (
        "SELECT order_id FROM saga WHERE next_run_at IS NOT NULL"
        " UNION SELECT subject::bigint FROM outbox_event WHERE sent_at IS NULL"
    ),
}
_ENDED = "SELECT id FROM orders WHERE status <> 'CREATED'"
_TOLD = "SELECT order_id FROM notification GROUP BY order_id HAVING count(*) FILTER (WHERE slot IN (0, -1)) = 2"
_ROWS = (
    ("orders", "SELECT created_at, 'order', to_jsonb(o) FROM orders o WHERE id = %s"),
    ("orders", "SELECT occurred_at, 'event of order', to_jsonb(e) FROM outbox_event e WHERE subject = %s::text"),
    ("processing", "SELECT started_at, 'saga', to_jsonb(s) FROM saga s WHERE order_id = %s"),
    (
        "processing",
        "SELECT occurred_at, 'event of processing', to_jsonb(e) FROM outbox_event e WHERE subject = %s::text",
    ),
    (
        "inventory",
        "SELECT created_at, 'stock', to_jsonb(s) FROM stock_operation s WHERE split_part(id, ':', 1) = %s::text",
    ),
    ("notifications", "SELECT written_at, 'notification', to_jsonb(n) FROM notification n WHERE order_id = %s"),
)


def story_of_failure(system: System, crashes: Sequence[Crash], violation: AssertionError) -> str:
    """Return *violation* with the history of the first orders that it may be about."""
    unwell = _unwell(system)
    stories = [_story(system, crashes, order_id) for order_id in unwell[:MOST_ORDERS]]
    crashed = [] if stories else ["crashes:", *(f"  {crash.at:%H:%M:%S.%f} {crash.target}" for crash in crashes)]
    return "\n".join([str(violation), f"orders that are not well: {unwell}", *stories, *crashed])


def report(crashes: Crashes, targets: Sequence[Target], settled_s: float) -> str:
    """Return the figures of a run that went well, and the awaits that no order came to."""
    awaits = {point.name.rpartition(":")[0] for point in crashes.launcher.points}
    others = sorted(awaits - {target.point.name.rpartition(":")[0] for target in targets})
    return (
        f"{len(crashes.done)} crashes at {len(targets)} points on the ways of orders, settled after {settled_s:.1f} s;"
        f" orders came to {len(awaits) - len(others)} of {len(awaits)} awaits, not to\n" + "\n".join(others)
    )


def _unwell(system: System) -> list[int]:
    open_ids = {order_id for database, sql in _UNWELL.items() for (order_id,) in system.rows(database, sql)}
    told = {order_id for (order_id,) in system.rows("notifications", _TOLD)}
    return sorted(open_ids | {order_id for (order_id,) in system.rows("orders", _ENDED) if order_id not in told})


def _story(system: System, crashes: Sequence[Crash], order_id: int) -> str:
    entries: list[tuple[datetime, str]] = [
        (at, f"{what}: {orjson.dumps(row).decode()}")
        for database, sql in _ROWS
        for at, what, row in system.rows(database, sql, (order_id,))
    ]
    entries += [entry for service in SERVICES for entry in _log(system, service, order_id)]
    begun = min(at for at, _ in entries)
    touching = [crash for crash in crashes if BEFORE < crash.at - begun < AFTER]
    entries += [(crash.at, f"CRASH at {crash.target}") for crash in touching]
    entries.sort(key=lambda entry: entry[0])
    return "\n".join(
        [
            f"order {order_id}:",
            *(f"  {at:%H:%M:%S.%f} {text}" for at, text in entries[:MOST_LINES]),
            "again:",
            *(f"  {crash.target.command}" for crash in touching),
        ]
    )


def _log(system: System, service: str, order_id: int) -> list[tuple[datetime, str]]:
    found: list[tuple[datetime, str]] = []
    with system.stack.data.log_file(f"{service}-service").open(encoding="utf-8") as lines:
        for line in lines:
            if f'"orderId":{order_id},' in line or f'"{order_id}:' in line:
                entry: dict[str, Any] = orjson.loads(line)
                found.append(
                    (datetime.fromisoformat(entry["time"]), f"{service} logs {entry['message']}: {line.strip()}")
                )
    return found
