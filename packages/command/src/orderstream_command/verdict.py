"""What of a snapshot needs attention: the thresholds of the operations page, applied to one look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from .probe import QueueState, Replica, Snapshot

__all__ = ["Level", "Trouble", "troubles_of"]


class Level(IntEnum):
    """How bad it is."""

    DEGRADED = 1
    BROKEN = 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs attention."""

    level: Level
    text: str


# metric, what it says, degraded at, broken at
_LIMITS = (
    ("outbox_oldest_pending_seconds", "the oldest event in the outbox is {:.0f} s old", 10, 60),
    ("sagas_late", "late sagas: {:.0f}", 1, None),
    ("sagas_oldest_open_seconds", "the oldest open saga is {:.0f} s old", 30, 300),
    ("push_feed_lag", "the push is {:.0f} notifications behind the table", 20, 1000),
)
_WAITING = (100, 1000)
_FAILURE_S = 60  # a request or call that failed that long ago is reported
_HALF_OPEN = 1  # of client_circuit_state: an open circuit is it during each trial call


def troubles_of(snapshot: Snapshot) -> list[Trouble]:
    """Return what needs attention, the worst first."""
    found = [*_of_replicas(snapshot), *(each for queue in snapshot.queues for each in _of_queue(queue))]
    return sorted(found, key=lambda each: (-each.level, each.text))


def _of_replicas(snapshot: Snapshot) -> Iterator[Trouble]:
    ready = {replica.service for replica in snapshot.replicas if replica.state == "ready"}
    for replica in snapshot.replicas:
        name = f"{replica.service}-service at {replica.url}"
        if replica.state != "ready":
            why = "; ".join(f"{check}: {reason}" for check, reason in replica.reasons.items())
            level = Level.DEGRADED if replica.service in ready else Level.BROKEN
            yield Trouble(level, f"{name} is {replica.state}{f' ({why})' if why else ''}")
        if replica.unmeasured is not None:
            yield Trouble(Level.DEGRADED, f"{name} was not measured: {replica.unmeasured}")
        yield from (Trouble(level, f"{name}: {text}") for level, text in _measured(replica))
        failed_s = snapshot.at.timestamp() - replica.metrics.get("http_last_failure_timestamp_seconds", 0.0)
        if failed_s <= _FAILURE_S:
            yield Trouble(Level.DEGRADED, f"{name}: a request was answered with a 5xx {max(failed_s, 0):.0f} s ago")
        # without calls an open circuit stays open, and hurts nobody
        called_s = snapshot.at.timestamp() - replica.metrics.get("client_last_failure_timestamp_seconds", 0.0)
        if replica.metrics.get("client_circuit_state", 0.0) >= _HALF_OPEN and called_s <= _FAILURE_S:
            yield Trouble(Level.DEGRADED, f"{name}: a circuit breaker is open")


def _measured(replica: Replica) -> Iterator[tuple[Level, str]]:
    for metric, text, degraded, broken in _LIMITS:
        if (level := _level(replica.metrics.get(metric, 0.0), degraded, broken)) is not None:
            yield level, text.format(replica.metrics[metric])


def _of_queue(queue: QueueState) -> Iterator[Trouble]:
    if queue.depth is None:
        yield Trouble(Level.DEGRADED, f"{queue.name} was not measured: {queue.error}")
    elif queue.dead_letters:
        if letters := queue.depth.visible + queue.depth.in_flight:
            yield Trouble(Level.BROKEN, f"letters in {queue.name}: {letters}")
    elif (level := _level(queue.depth.visible, *_WAITING)) is not None:
        yield Trouble(level, f"messages that wait in {queue.name}: {queue.depth.visible}")


def _level(value: float, degraded: float, broken: float | None) -> Level | None:
    if broken is not None and value >= broken:
        return Level.BROKEN
    return Level.DEGRADED if value >= degraded else None
