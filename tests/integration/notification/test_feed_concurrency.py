"""The feed while several processes append, transactions fail and old notifications expire."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import orjson
import psycopg2
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.feed import FeedTailer, SqlFeed
from notification_service.notification import EVERYTHING, FeedState, Notification, Page, Selection
from order_contracts import EventType, OrderEvent
from service_common.postgres import Database
from tests.support.appender import append_all, stories
from tests.support.in_memory.notification import Block, blocks
from tests.support.waiting import PATIENCE_S, eventually

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]

ROOT = Path(__file__).parents[3]
ORDERS = 120
PROCESSES = 3
# of each outcome
RESUMES = 5
CREATED, CLOSED = EventType.ORDER_CREATED, EventType.ORDER_PROCESSED
TERMINAL = {"CLOSED", "FAILED", "CANCELLED"}


@dataclass
class Follower:
    """Records what a tailer published: runs of positions, a new one after each reset."""

    start: int
    published: list[Notification] = field(default_factory=list)
    runs: list[list[int]] = field(default_factory=list)
    resets: list[FeedState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs.append([self.start])

    def publish(self, notifications: Sequence[Notification], _state: FeedState) -> None:
        self.published += notifications
        self.runs[-1] += [each.seq for each in notifications]

    def reset(self, state: FeedState) -> None:
        self.resets.append(state)
        self.runs.append([state.head])

    @property
    def at(self) -> int:
        return self.runs[-1][-1]

    def check_dense(self) -> None:
        """Check that each run is dense, and that none begins before the end of the previous one."""
        for run in self.runs:
            assert run == list(range(run[0], run[0] + len(run)))
        for before, after in zip(self.runs, self.runs[1:], strict=False):
            assert after[0] > before[-1]


def as_is(notification: Notification, _epoch: str) -> Notification:
    return notification


class SlowFeed(SqlFeed):
    """A feed whose reads take 0.3 s longer."""

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        page = await super().read(after, up_to=up_to, wanted=wanted, limit=limit)
        await asyncio.sleep(0.3)
        return page


@asynccontextmanager
async def tailing(feed: SqlFeed, batch: int = 50) -> AsyncIterator[Follower]:
    """Follow *feed* by polling every 2 ms while the block runs."""
    state = await feed.state()
    follower = Follower(state.head)
    tailer = FeedTailer(feed, state, as_is, follower.publish, follower.reset, poll_s=0.002, spacing_s=0.0, batch=batch)
    task = asyncio.create_task(tailer.run())
    try:
        yield follower
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


async def both_at_head(feed: SqlFeed, one: Follower, other: Follower) -> None:
    """Wait until both followers are at the head of the feed."""
    head = (await feed.state()).head

    async def look() -> bool | None:
        return one.at == other.at == head or None

    await eventually(look, "both followers at the head")


async def appended_by_processes(url: str, orders: int) -> None:
    """Append the same stories in several processes, each shuffled differently."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.appender", url, str(seed), str(orders)), cwd=ROOT
        )
        for seed in range(PROCESSES)
    ]
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert [await process.wait() for process in processes] == [0] * PROCESSES
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


@contextlib.contextmanager
def beside(work: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """Run *work* in a thread while the block runs; its argument returns whether to go on."""
    over = threading.Event()
    failed: list[Exception] = []

    def run() -> None:
        try:
            work(lambda: not over.is_set())
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


def roll_back(url: str, going_on: Callable[[], bool]) -> None:
    """Append and roll back, holding the lock of the counter row for 4 ms."""
    connection = psycopg2.connect(url)
    order = 1_000_000
    with contextlib.closing(connection), connection.cursor() as cursor:
        while going_on():
            order += 1
            cursor.execute(
                "SELECT count(*) FROM append_notifications('{order-created,order-processed}', %s, '{1,1}',"
                " array[now(), now()], '{NULL,NULL}', '{NULL,NULL}')",
                ([order, order],),
            )
            assert cursor.fetchone() == (2,)
            cursor.execute("SELECT pg_sleep(0.004)")
            connection.rollback()
            cursor.execute("SELECT pg_sleep(0.002)")
            connection.rollback()


def terminate_appenders(url: str, going_on: Callable[[], bool]) -> None:
    """Terminate sessions of appenders that are running a statement."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        while going_on():
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'appender' AND state = 'active' ORDER BY random() LIMIT 1"
            )
            cursor.execute("SELECT pg_sleep(0.05)")


def look_for_gaps(url: str, going_on: Callable[[], bool]) -> None:
    """Check repeatedly that each snapshot of the table is dense up to the counter."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    looks = 0
    with contextlib.closing(connection), connection.cursor() as cursor:
        while going_on() or not looks:
            cursor.execute("SELECT head, count(seq), coalesce(max(seq), 0) FROM feed, notification GROUP BY head")
            for head, count, newest in cursor.fetchall():
                assert head == count == newest
            looks += 1
            cursor.execute("SELECT pg_sleep(0.003)")


def check_stories(notifications: Sequence[Notification], orders: int) -> None:
    """Check that each order has CREATED first, one terminal notification last, and no duplicate."""
    published: dict[int, list[Notification]] = defaultdict(list)
    for each in notifications:
        published[each.order_id].append(each)
    assert set(published) == set(range(1, orders + 1))
    for order, story in published.items():
        kinds = [each.kind for each in story]
        assert kinds[0] == "CREATED"
        assert kinds[-1] in TERMINAL
        assert kinds[1:-1] in ([], ["UPDATED"]) if order % 2 else kinds[1:-1] == []


async def test_two_tailers_publish_one_dense_sequence_while_appends_fail(feed: SqlFeed, database_url: str) -> None:
    async with (
        Database.open(database_url, size=2) as one,
        Database.open(database_url, size=2) as two,
        tailing(SqlFeed(one)) as first,
        tailing(SqlFeed(two), batch=3) as second,
    ):
        with (
            beside(lambda going_on: roll_back(database_url, going_on)),
            beside(lambda going_on: terminate_appenders(database_url, going_on)),
            beside(lambda going_on: look_for_gaps(database_url, going_on)),
        ):
            await appended_by_processes(database_url, ORDERS)
        await both_at_head(feed, first, second)
    head = (await feed.state()).head
    assert [each.seq for each in first.published] == list(range(1, head + 1))
    assert first.published == second.published
    assert first.published == list((await feed.read(0, wanted=EVERYTHING, limit=10_000)).notifications)
    assert first.resets == second.resets == []
    check_stories(first.published, ORDERS)


async def test_duplicate_events_add_no_notification(feed: SqlFeed, database_url: str) -> None:
    events = stories(30)
    assert await append_all(database_url, events[::-1]) > 0
    before = (await feed.read(0, wanted=EVERYTHING, limit=1_000)).notifications
    again = random.Random(1).choices(events, k=400)
    assert await append_all(database_url, again) == 0
    assert (await feed.read(0, wanted=EVERYTHING, limit=1_000)).notifications == before


async def test_tailer_that_missed_expired_notifications_is_reset(feed: SqlFeed, database_url: str) -> None:
    async with (
        Database.open(database_url, size=2) as one,
        Database.open(database_url, size=2) as two,
        tailing(SqlFeed(one)) as prompt,
        tailing(SlowFeed(two), batch=20) as late,
    ):
        appending = asyncio.create_task(appended_by_processes(database_url, 400))
        expired = 0
        while not appending.done():
            expired += sum(await asyncio.gather(feed.expire(0.1), feed.expire(0.1)))
            await asyncio.sleep(0.02)
        await appending
        await both_at_head(feed, prompt, late)
    assert expired > 0
    assert late.resets
    prompt.check_dense()
    late.check_dense()


async def test_client_that_resumes_while_its_position_expires_is_reset_or_misses_nothing(
    replica: Replica, http: ClientSession, feed: SqlFeed, config: Config
) -> None:
    server = await replica(replace(config, push=replace(config.push, ring_bytes=3_000)))
    outcomes: Counter[str] = Counter()

    def seen_enough() -> bool:
        return min(outcomes["reset"], outcomes["resumed"]) >= RESUMES

    async def append() -> None:
        for order in itertools.count(1):
            if seen_enough():
                return
            await feed.append([OrderEvent(each, "/test", order, 1, datetime.now(UTC)) for each in (CREATED, CLOSED)])

    async def expire() -> None:
        while not seen_enough():
            await feed.expire(0.15)

    async def resume() -> None:
        while not seen_enough():
            state = await feed.state()
            # around the floor, which moves meanwhile
            position = max(0, min(state.head, state.floor + random.randint(-30, 60)))
            was_reset = await check_resume(http, server, f"{state.epoch}-{position}", position)
            outcomes["reset" if was_reset else "resumed"] += 1

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        for work in (append, expire, resume):
            group.create_task(work())


async def check_resume(http: ClientSession, server: TestServer, last_id: str, position: int) -> bool:
    """Read some notifications after *last_id*; return whether there was a reset, without which none may be missing."""
    left, was_reset = 20, False
    async with http.get(server.make_url(f"/stream?lastEventId={last_id}")) as response:
        async for block in blocks(aiter(response.content)):
            if block.event == "reset":
                was_reset, position = True, seq_of(block)
            elif block.event is None:
                position += 1
                assert orjson.loads(block.data or "")["id"] == block.id
                assert seq_of(block) == position
                left -= 1
            if not left or block.event == "heartbeat":
                return was_reset
    raise AssertionError("the stream ended")


def seq_of(block: Block) -> int:
    assert block.id is not None
    return int(block.id.rpartition("-")[2])


async def test_event_that_is_appended_concurrently_is_stored_once(feed: SqlFeed) -> None:
    event = OrderEvent(EventType.ORDER_PROCESSED, "/test", 1, 1, stories(1)[0].time)
    written = await asyncio.gather(*(feed.append([event]) for _ in range(20)))
    assert sorted(sum(map(len, each)) for each in written) == [0] * 19 + [2]
    assert (await feed.state()).head == 2
