"""The feed while several processes append to it, transactions fail and old notifications are forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import orjson
import psycopg2
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.feed import FeedTailer, SqlFeed
from notification_service.notification import FeedState, Notification, Page
from notification_service.testing import blocks
from service_common.events import EventType, OrderEvent
from service_common.postgres import Database
from tests.support.appender import append_all, stories
from tests.support.waiting import eventually

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]

ROOT = Path(__file__).parents[3]
ORDERS = 120
PROCESSES = 3
WITHIN_S = 30.0
TERMINAL = {"CLOSED", "FAILED", "CANCELLED"}


@dataclass
class Follower:
    """What a tail handed on: places as they came, and where it had to begin again."""

    begun: int
    told: list[Notification] = field(default_factory=list)
    runs: list[list[int]] = field(default_factory=list)
    restarts: list[FeedState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.runs.append([self.begun])

    def publish(self, notifications: Sequence[Notification], _state: FeedState) -> None:
        self.told += notifications
        self.runs[-1] += [each.seq for each in notifications]

    def restart(self, state: FeedState) -> None:
        self.restarts.append(state)
        self.runs.append([state.head])

    @property
    def at(self) -> int:
        return self.runs[-1][-1]

    def check_dense(self) -> None:
        """Check that what it saw goes on without a gap wherever it was not told of one, and never goes back."""
        for run in self.runs:
            assert run == list(range(run[0], run[0] + len(run)))
        for before, after in zip(self.runs, self.runs[1:], strict=False):
            assert after[0] > before[-1]


class Slow(SqlFeed):
    """A feed whose answers take a while."""

    async def read(
        self, after: int, *, up_to: int | None = None, orders: frozenset[int] | None = None, limit: int
    ) -> Page:
        page = await super().read(after, up_to=up_to, orders=orders, limit=limit)
        await asyncio.sleep(0.3)
        return page


@asynccontextmanager
async def tailing(feed: SqlFeed, batch: int = 50) -> AsyncIterator[Follower]:
    """Follow *feed* by polling alone, very often, while the block runs."""
    state = await feed.state()
    follower = Follower(state.head)
    tail = FeedTailer(feed, state, follower.publish, follower.restart, poll_s=0.002, spacing_s=0.0, batch=batch)
    task = asyncio.create_task(tail.run())
    try:
        yield follower
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


async def both_at_head(feed: SqlFeed, one: Follower, other: Follower) -> None:
    """Wait until both have come to the end of the feed."""
    head = (await feed.state()).head

    async def look() -> bool | None:
        return one.at == other.at == head or None

    await eventually(look, "both tails at the head")


async def appended_by_processes(url: str, orders: int) -> None:
    """Have several processes append the same stories, each in an order of its own."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.support.appender", url, str(seed), str(orders)), cwd=ROOT
        )
        for seed in range(PROCESSES)
    ]
    try:
        async with asyncio.timeout(WITHIN_S):
            assert [await process.wait() for process in processes] == [0] * PROCESSES
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()


@contextlib.contextmanager
def beside(work: Callable[[Callable[[], bool]], None]) -> Iterator[None]:
    """Run *work* in a thread while the block runs; it gets what says whether to go on."""
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
    """Append what is then undone, holding the counter for a moment."""
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
    """Cut connections that are in the middle of something."""
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
    """Check again and again that the table is dense up to the counter, as a transaction sees it."""
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
    """Check that of each order the creation was told first, its end last, and nothing twice."""
    told: dict[int, list[Notification]] = defaultdict(list)
    for each in notifications:
        told[each.order_id].append(each)
    assert set(told) == set(range(1, orders + 1))
    for order, story in told.items():
        kinds = [each.kind for each in story]
        assert kinds[0] == "CREATED"
        assert kinds[-1] in TERMINAL
        assert kinds[1:-1] in ([], ["UPDATED"]) if order % 2 else kinds[1:-1] == []


async def test_two_tails_see_one_dense_order_whoever_appends_and_whatever_fails(
    feed: SqlFeed, database_url: str
) -> None:
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
    assert [each.seq for each in first.told] == list(range(1, head + 1))
    assert first.told == second.told
    assert first.told == list((await feed.read(0, limit=10_000)).notifications)
    assert first.restarts == second.restarts == []
    check_stories(first.told, ORDERS)


async def test_events_that_come_again_add_nothing(feed: SqlFeed, database_url: str) -> None:
    events = stories(30)
    assert await append_all(database_url, events[::-1]) > 0
    before = (await feed.read(0, limit=1_000)).notifications
    again = random.Random(1).choices(events, k=400)
    assert await append_all(database_url, again) == 0
    assert (await feed.read(0, limit=1_000)).notifications == before


async def test_nobody_skips_what_was_forgotten_without_being_told(feed: SqlFeed, database_url: str) -> None:
    async with (
        Database.open(database_url, size=2) as one,
        Database.open(database_url, size=2) as two,
        tailing(SqlFeed(one)) as prompt,
        tailing(Slow(two), batch=20) as late,
    ):
        appending = asyncio.create_task(appended_by_processes(database_url, 400))
        forgotten = 0
        while not appending.done():
            forgotten += sum(await asyncio.gather(feed.expire(0.1), feed.expire(0.1)))
            await asyncio.sleep(0.02)
        await appending
        await both_at_head(feed, prompt, late)
    assert forgotten > 0
    assert late.restarts
    prompt.check_dense()
    late.check_dense()


async def test_client_that_resumes_while_its_place_is_forgotten_is_told_or_misses_nothing(
    replica: Replica, http: ClientSession, feed: SqlFeed, config: Config
) -> None:
    server = await replica(replace(config, push=replace(config.push, ring_bytes=3_000)))
    epoch = (await feed.state()).epoch
    over = asyncio.Event()

    async def append() -> None:
        for event in stories(200):
            await feed.append([event])
        over.set()

    async def forget() -> None:
        while not over.is_set():
            await feed.expire(0.15)

    async def resume() -> tuple[int, int]:
        resets = resumed = 0
        while not over.is_set():
            begun = max(0, (await feed.state()).head - random.randint(0, 150))
            was_reset = await check_resume(http, server, f"{epoch}-{begun}", begun)
            resets, resumed = resets + was_reset, resumed + (not was_reset)
        return resets, resumed

    _, _, (resets, resumed) = await asyncio.gather(append(), forget(), resume())
    assert resets
    assert resumed


async def check_resume(http: ClientSession, server: TestServer, last_id: str, begun: int) -> bool:
    """Read a few notifications from *last_id* on; return whether there was a reset, without which none may lack."""
    place, left, was_reset = begun, 20, False
    async with asyncio.timeout(WITHIN_S), http.get(server.make_url(f"/stream?lastEventId={last_id}")) as response:
        async for block in blocks(aiter(response.content)):
            if block.id is None or block.data is None:
                left -= block.comment == "hb"  # nothing more comes
            elif block.event == "reset":
                was_reset, place = True, int(block.id.rpartition("-")[2])
            else:
                place += 1
                assert orjson.loads(block.data)["id"] == block.id
                assert int(block.id.rpartition("-")[2]) == place
                left -= 1
            if left <= 0 or block.comment == "hb":
                return was_reset
    raise AssertionError("the stream ended")


async def test_notification_of_a_lost_answer_is_written_once(feed: SqlFeed) -> None:
    event = OrderEvent(EventType.ORDER_PROCESSED, "/test", 1, 1, stories(1)[0].time)
    written = await asyncio.gather(*(feed.append([event]) for _ in range(20)))
    assert sorted(sum(map(len, each)) for each in written) == [0] * 19 + [2]
    assert (await feed.state()).head == 2
