"""Three replicas of the notification service, of which one or another is always in trouble: no client notices."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.support.processes import frozen
from tests.support.replicas import began_again, process_of, restarted
from tests.support.system import System
from tests.support.trial import RATE_PER_S, Trial
from tests.support.waiting import eventually
from tests.support.watcher import Watcher, following, head_of_feed

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLICAS = 3
WATCHERS = 28
HEARTBEAT_S = 1.0
# a frozen replica says nothing: its clients take it for dead after a few heartbeats
SILENCE_LIMIT_S = 3.5
FROZEN_S = 6.0
FREE_AFTER_S = 30.0
COUNT_LISTENERS = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = 'notifications' AND query ILIKE 'LISTEN %%'
"""
CUT_LISTENERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'notifications' AND query ILIKE 'LISTEN %%'
"""


@pytest.fixture(scope="module")
def scale() -> Mapping[str, int]:
    """Three replicas of the service under test."""
    return {"notification-service": REPLICAS}


@pytest.fixture(scope="module")
def environ() -> Mapping[str, str]:
    """Frequent heartbeats, by which clients see that a replica hangs."""
    return {"RECONCILE_AFTER_S": "600", "PUSH_HEARTBEAT_S": str(HEARTBEAT_S)}


@asynccontextmanager
async def crowd(system: System, seconds: float) -> AsyncIterator[Sequence[Watcher]]:
    """Many clients on all replicas; every other one wants only some of the orders of the next *seconds*."""
    head = await head_of_feed(system)
    begun = int(head.rpartition("-")[2])
    last_order: int = system.rows("orders", "SELECT coalesce(max(id), 0) FROM orders")[0][0]
    coming = range(last_order + 1, last_order + 1 + int(RATE_PER_S * seconds))
    watchers = [
        Watcher(
            head,
            begun,
            "sse" if number % 4 < 2 else "ws",
            orders=frozenset(coming[number // 2 :: WATCHERS // 2]) if number % 2 else None,
            replica=number % REPLICAS,
            silence_limit_s=SILENCE_LIMIT_S,
        )
        for number in range(WATCHERS)
    ]
    async with following(system, watchers):
        yield watchers


async def nobody_noticed(system: System, watchers: Sequence[Watcher]) -> None:
    """Check that each saw all it wanted, once and in order, and that all were told the same."""
    everything: dict[int, object] = {}
    for watcher in watchers:
        await watcher.caught_up(system)
        for place, notification in watcher.told.items():
            assert everything.setdefault(place, notification) == notification
    assert any(watcher.orders and watcher.seen for watcher in watchers)


async def test_everything_arrives_once_when_replicas_die_end_and_hang_in_turn(trial: Trial) -> None:
    system = trial.system

    async def fell() -> None:
        for sig, replica in ((signal.SIGKILL, 0), (signal.SIGTERM, 1), (signal.SIGKILL, 2)):
            await asyncio.sleep(1)  # orders come in all the time: there is something to cut off
            process = process_of(system, "notification", replica)
            restarts = process.restarts
            process.send(sig)
            await began_again(system, "notification", replica, restarts)
        for replica in range(REPLICAS):
            with frozen(system, process_of(system, "notification", replica).name):
                await asyncio.sleep(FROZEN_S)
            await system.ready("notification", replica)

    async with crowd(system, seconds=30) as watchers:
        await trial.during(fell, seconds=30, settled_within_s=FREE_AFTER_S)
        await nobody_noticed(system, watchers)
    assert all(watcher.replicas == set(range(REPLICAS)) for watcher in watchers)


async def test_everything_arrives_once_when_only_one_replica_is_left(trial: Trial) -> None:
    system = trial.system

    async def fell() -> None:
        processes = [process_of(system, "notification", replica) for replica in range(REPLICAS)]
        for last in processes:
            others = [process for process in processes if process is not last]
            for process in others:
                process.kill()
            with frozen(system, last.name):  # now there is none at all, for a moment
                await asyncio.sleep(1)
            for replica in range(REPLICAS):
                await system.ready("notification", replica)

    async with crowd(system, seconds=12) as watchers:
        await trial.during(fell, seconds=12, settled_within_s=FREE_AFTER_S)
        await nobody_noticed(system, watchers)


async def test_everything_arrives_once_during_a_rolling_restart(trial: Trial) -> None:
    system = trial.system

    async def deploy() -> None:
        for replica in range(REPLICAS):
            await asyncio.sleep(1)
            await restarted(system, "notification", replica)

    async with crowd(system, seconds=14) as watchers:
        await trial.during(deploy, seconds=14, settled_within_s=FREE_AFTER_S)
        await nobody_noticed(system, watchers)
    for replica in range(REPLICAS):
        log = process_of(system, "notification", replica).log.read_text(encoding="utf-8")
        assert "shutdown timed out" not in log


async def test_everything_arrives_once_when_nobody_hears_of_appends_any_more(trial: Trial) -> None:
    system = trial.system
    lost = 0

    async def listening() -> bool | None:
        return system.rows("notifications", COUNT_LISTENERS) == [(REPLICAS,)] or None

    async def cut_off() -> None:
        nonlocal lost
        for _ in range(5):
            await asyncio.sleep(1)
            await eventually(listening, "every replica listening")
            lost += system.rows("notifications", CUT_LISTENERS).count((True,))
        await eventually(listening, "every replica listening")

    async with crowd(system, seconds=10) as watchers:
        await trial.during(cut_off, seconds=10, settled_within_s=FREE_AFTER_S)
        await nobody_noticed(system, watchers)
    assert lost == 5 * REPLICAS


async def test_everything_arrives_once_when_postgres_is_restarted(trial: Trial) -> None:
    system = trial.system
    postgres = system.stack.processes["postgres"]

    async def restart() -> None:
        await asyncio.sleep(3)
        await postgres.stop(within_s=8)
        await postgres.start()
        for replica in range(REPLICAS):
            await system.ready("notification", replica)
        await asyncio.sleep(2)
        postgres.kill()
        for replica in range(REPLICAS):
            await system.ready("notification", replica)

    async with crowd(system, seconds=14) as watchers:
        await trial.during(restart, seconds=14, settled_within_s=FREE_AFTER_S)
        await nobody_noticed(system, watchers)
