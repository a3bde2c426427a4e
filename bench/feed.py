"""How far one feed goes: appends a second through its counter row, and what each replica costs, by the table and a bus.

Replicas here follow the feed and have no clients. PostgreSQL, the bus, the replica that appends and those that follow
are processes of their own; the CPU is theirs. Prints tables, then one JSON line. The bus needs a redis-server.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from notification_service.feed import RedisStream, SqlFeed
from notification_service.feed.postgres import NOTIFY_CHANNEL
from notification_service.notification import EVERYTHING
from notification_service.push import Entry
from order_contracts import EventType, OrderEvent
from service_common.observability import TraceContext
from service_common.postgres import Database, migrate
from tests.support.feed_replicas import FeedReplica, feed_replica
from tests.support.redis_server import RedisServer, install, redis_server
from tests.support.waiting import eventually

from .feed_simulation import Costs, simulate
from .push.backends import Backends, backends
from .push.pace import paced
from .usage import Meter

CONSUMERS, BATCHES = (1, 4, 16), (1, 10, 100)
REPLICAS = (2, 8)
# notifications a second, and how many are appended at once
LOADS = ((50, 1), (200, 1), (1_000, 20))
# that latency is taken of: one in so many of one replica
SAMPLED = 10
# requests whose cost is measured: with so many rows or records, heard by so many, so far apart
MANY, LISTENERS, REQUESTS, APART_S = 20, (2, 10), 300, 0.005
# for the replicas to publish all, after the last was appended
CATCH_UP_S = 30.0
# what is simulated: a database server of eight cores, and one core of the bus
CORES, SIMULATED = 8, (1, 10, 100, 1_000)

console = Console()
_ORDERS = count(1)


def created(how_many: int) -> list[OrderEvent]:
    """Return events of new orders."""
    now, trace = datetime.now(UTC), TraceContext.new().traceparent
    return [
        OrderEvent(EventType.ORDER_CREATED, "/order-service", next(_ORDERS), 1, now, trace, customer_id="c-1")
        for _ in range(how_many)
    ]


@dataclass(frozen=True, slots=True)
class Appends:
    """What so many consumers appended with so many events in each transaction."""

    consumers: int
    batch: int
    notifications_per_s: int
    postgres_us: float


@dataclass(frozen=True, slots=True)
class Following:
    """CPU of each process in ms a second, and the time from an event to what a replica would push."""

    way: str
    rate: int
    batch: int
    replicas: int
    postgres_ms: float
    bus_ms: float
    appending_ms: float
    replica_ms: float
    p50_ms: float
    p99_ms: float


async def append_rate(running: Backends, consumers: int, batch: int, seconds: float) -> Appends:
    """Append as fast as it goes."""
    meter = Meter({"postgres": running.supervisor.processes["postgres"].pid or 0})
    async with Database.open(running.database_url, size=consumers, name="bench") as database:
        feed = SqlFeed(database)
        await asyncio.gather(*(feed.append(created(1)) for _ in range(consumers)))
        before, began = (await feed.state()).head, time.monotonic()
        meter.start()

        async def consume() -> None:
            while time.monotonic() < began + seconds:
                await feed.append(created(batch))

        await asyncio.gather(*(consume() for _ in range(consumers)))
        took_s, cpu_s = time.monotonic() - began, meter.cpu_s()["postgres"]
        stored = (await feed.state()).head - before
    return Appends(consumers, batch, round(stored / took_s), round(cpu_s / stored * 1e6, 1))


async def follow(database_url: str, bus_url: str | None, replicas: int) -> None:
    """Follow in as many replicas; when each has as many as a line of stdin says, print the counts and the latencies."""
    latencies_ms: list[float] = []
    counts = [0] * replicas

    def publishing(place: int) -> Any:
        def published(entries: Sequence[Entry]) -> None:
            counts[place] += len(entries)
            if not place:
                now = time.time()
                for entry in entries:
                    if entry.seq % SAMPLED == 0:
                        at = orjson.loads(entry.sse[entry.sse.index(b"{") : -4])["occurredAt"]
                        latencies_ms.append((now - datetime.fromisoformat(at).timestamp()) * 1000)

        return published

    async with AsyncExitStack() as stack:
        for place in range(replicas):
            await stack.enter_async_context(feed_replica(database_url, bus_url, publishing(place)))
        _say("ready")
        expected = int(await asyncio.to_thread(sys.stdin.readline))

        async def all_published() -> bool | None:
            return min(counts) >= expected or None

        await eventually(all_published, f"{expected} published by each", CATCH_UP_S)
        _say("done")
        await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(orjson.dumps({"counts": counts, "latencies_ms": sorted(latencies_ms)}).decode())


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


@asynccontextmanager
async def followers(database_url: str, bus_url: str | None, replicas: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Have them in a process of their own for the block."""
    options = ("--follow", str(replicas), "--database", database_url, *(("--bus", bus_url) if bus_url else ()))
    pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "bench.feed", *options, **pipes)  # type: ignore[arg-type]
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def following(
    running: Backends, server: RedisServer | None, load: tuple[int, int], replicas: int, seconds: float
) -> Following:
    """Append at a rate while as many replicas follow."""
    rate, batch = load
    bus_url = server.url if server else None
    total = int(rate * seconds)
    async with (
        followers(running.database_url, bus_url, replicas) as process,
        feed_replica(running.database_url, bus_url, lambda _entries: None) as appending,
    ):
        pids = {"postgres": running.supervisor.processes["postgres"].pid or 0, "replicas": process.pid}
        meter = Meter(pids if server is None else {**pids, "bus": server.pid})
        await _append_all(appending, batch, rate, batch)
        await asyncio.sleep(1)
        own_s = time.process_time()
        meter.start()
        began = time.monotonic()
        await _append_all(appending, total, rate, batch)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"%d\n" % (total + batch))
        if await process.stdout.readline() != b"done\n":
            raise RuntimeError(f"not every replica published {total + batch} within {CATCH_UP_S:.0f} s")
        took_s, cpu_s, own_s = time.monotonic() - began, meter.cpu_s(), time.process_time() - own_s
        out, _ = await process.communicate(b"")
    found = orjson.loads(out)
    if set(found["counts"]) != {total + batch}:
        raise RuntimeError(f"{total + batch} appended, published: {found['counts']}")
    latencies = found["latencies_ms"]
    ms = {name: round(each / took_s * 1000, 2) for name, each in cpu_s.items()}
    return Following(
        "bus" if server else "table",
        rate,
        batch,
        replicas,
        ms["postgres"],
        ms.get("bus", 0.0),
        round(own_s / took_s * 1000, 2),
        round(ms["replicas"] / replicas, 2),
        round(latencies[len(latencies) // 2], 1),
        round(latencies[int(len(latencies) * 0.99)], 1),
    )


async def _append_all(replica: FeedReplica, total: int, rate: float, batch: int) -> None:
    async with asyncio.TaskGroup() as group:
        async for some in paced(range(total), rate, batch):
            group.create_task(replica.append(created(len(some))))


async def costs_of(running: Backends, server: RedisServer, appends: Sequence[Appends]) -> Costs:
    """Measure what each request takes of its server, some milliseconds after the one before, as under load."""
    one, many = (next(each for each in appends if (each.consumers, each.batch) == (1, batch)) for batch in (1, 100))
    row = (100 * many.postgres_us - one.postgres_us) / 99
    async with Database.open(running.database_url, size=2, name="notification-service") as database:
        feed = SqlFeed(database)
        head = (await feed.state()).head
        postgres = partial(_cost_us, running.supervisor.processes["postgres"].pid or 0)
        read_few, read_many = [
            await postgres(partial(feed.read, head - rows, wanted=EVERYTHING, limit=200)) for rows in (1, MANY)
        ]
        notify_few, notify_many = [
            await _notify_us(database, partial(postgres, partial(feed.notify_replicas, 0)), each) for each in LISTENERS
        ]
    few, many_in, received, many_received = [
        await _bus_us(server, readers, records) for readers in LISTENERS for records in (1, MANY)
    ]
    listener = (notify_many - notify_few) / (LISTENERS[1] - LISTENERS[0])
    read_row = (read_many - read_few) / (MANY - 1)
    receive, receive_many = (
        (b - a) / (LISTENERS[1] - LISTENERS[0]) for a, b in ((few, received), (many_in, many_received))
    )
    of_record = max(0.0, (receive_many - receive) / (MANY - 1))
    sent = few - receive * LISTENERS[0]
    of_sent = max(0.0, (many_in - receive_many * LISTENERS[0] - sent) / (MANY - 1))
    found = (
        (one.postgres_us - row, row),
        (notify_few - listener * LISTENERS[0], listener),
        (read_few - read_row, read_row),
        (sent - of_sent, of_sent),
        (receive - of_record, of_record),
    )
    return Costs(*(round(max(0.0, each), 2) for pair in found for each in pair))


async def _cost_us(pid: int, request: Callable[[], Awaitable[object]]) -> float:
    meter = Meter({"server": pid})
    meter.start()
    for _ in range(REQUESTS):
        await request()
        await asyncio.sleep(APART_S)
    return meter.cpu_s()["server"] / REQUESTS * 1e6


async def _notify_us(database: Database, measure: Callable[[], Awaitable[float]], listeners: int) -> float:
    async def listen(heard: asyncio.Event) -> None:
        async with aclosing(database.listen(NOTIFY_CHANNEL)) as payloads:
            async for _ in payloads:
                heard.set()

    events = [asyncio.Event() for _ in range(listeners)]
    tasks = [asyncio.create_task(listen(each)) for each in events]
    await asyncio.gather(*(each.wait() for each in events))  # the first payload says that it listens
    try:
        return await measure()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _bus_us(server: RedisServer, readers: int, records: int) -> float:
    async with AsyncExitStack() as stack:
        sender, *receivers = [await stack.enter_async_context(RedisStream.open(server.url)) for _ in range(1 + readers)]

        async def receive(stream: RedisStream) -> None:
            while True:
                await stream.receive()

        tasks = [asyncio.create_task(receive(each)) for each in receivers]
        await asyncio.sleep(0.5)
        cost = await _cost_us(server.pid, partial(sender.send, "a", [bytes(330)] * records))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return cost


@contextmanager
def bus() -> Any:
    """Start a server for the block; None where there is none to start."""
    program = install()
    if program is None:
        console.print("[yellow]without a bus: there is no redis-server (apt-get install redis-server)[/yellow]")
        yield None
        return
    with tempfile.TemporaryDirectory() as folder, redis_server(program, Path(folder)) as server:
        server.start()
        yield server


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print a table with a column for each key."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else value for value in row.values()))
    console.print(table)


async def measure(seconds: float) -> dict[str, Any]:
    """Measure everything."""
    async with backends() as running:
        await migrate(running.database_url, "notification_service.migrations")
        appends = [await append_rate(running, each, batch, seconds) for batch in BATCHES for each in CONSUMERS]
        show("appends", [asdict(each) for each in appends])
        results = []
        with bus() as server:
            for load in LOADS:
                for replicas in REPLICAS:
                    for each in (None, server) if server else (None,):
                        results.append(await following(running, each, load, replicas, seconds))
                        console.print(f"[dim]{results[-1]}[/dim]")
            costs = await costs_of(running, server, appends) if server else None
        show("replicas", [asdict(each) for each in results])
        figures: dict[str, Any] = {
            "appends": [asdict(each) for each in appends],
            "replicas": [asdict(each) for each in results],
        }
        if costs:
            figures["costs"] = asdict(costs)
            show("µs of the servers", [figures["costs"]])
            figures["simulated"] = [
                asdict(simulate(costs, bus=over_bus, load=load, replicas=replicas, cores=CORES))
                for load in LOADS
                for over_bus in (False, True)
                for replicas in SIMULATED
            ]
            show(f"simulated, with {CORES} cores of PostgreSQL and one of the bus", figures["simulated"])
    return figures


def main() -> None:
    """Parse the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        prog="./run bench feed", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement (5)")
    parser.add_argument("--follow", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    parser.add_argument("--bus", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.follow:
        uvloop.run(follow(options.database, options.bus, options.follow))
        return
    sys.stdout.write(orjson.dumps(asyncio.run(measure(options.seconds))).decode() + "\n")


if __name__ == "__main__":
    main()
