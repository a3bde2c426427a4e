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
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import uvloop
from rich.console import Console
from rich.table import Table

from notification_service.feed import SqlFeed
from notification_service.push import Entry
from order_contracts import EventType, OrderEvent
from service_common.observability import TraceContext
from service_common.postgres import Database, migrate
from tests.support.feed_replicas import FeedReplica, feed_replica
from tests.support.redis_server import RedisServer, install, redis_server

from .push.backends import Backends, backends
from .push.pace import paced
from .usage import Meter

CONSUMERS, BATCHES = (1, 4, 16), (1, 10, 100)
REPLICAS = (2, 8)
# notifications a second, and how many are appended at once
LOADS = ((50, 1), (200, 1), (1_000, 20))
# that latency is taken of: one in so many of one replica
SAMPLED = 10
# what is calculated: a database server of eight cores, used to 60 %, and as much of the bus's one
CORES, SHARE = 8, 0.6

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
    """Follow in as many replicas until stdin ends, then print what each published, and the latencies."""
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
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    sys.stdout.write(orjson.dumps({"counts": counts, "latencies_ms": sorted(latencies_ms)}).decode())


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
        await asyncio.sleep(0.5)
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


def ceilings(results: Sequence[Following]) -> list[dict[str, Any]]:
    """Calculate what a further replica costs the servers, how many they have room for, and what 1,000 would take."""
    rows = []
    for way, (rate, _batch) in ((way, load) for way in ("table", "bus") for load in LOADS):
        few, many = sorted((r for r in results if (r.way, r.rate) == (way, rate)), key=lambda r: r.replicas)
        more = many.replicas - few.replicas
        postgres_ms, bus_ms = (max(0.01, (b - a) / more) for a, b in _costs(few, many))
        base_ms = max(0.0, few.postgres_ms - few.replicas * postgres_ms)
        room = (CORES * SHARE * 1000 - base_ms) / postgres_ms
        if way == "bus":
            room = min(room, SHARE * 1000 / bus_ms)
        rows.append(
            {
                "way": way,
                "rate": rate,
                "postgres_ms": round(postgres_ms, 3),
                "bus_ms": round(bus_ms, 3) if way == "bus" else 0.0,
                "replicas_at_most": int(room),
                "postgres_cores_at_1000": round((base_ms + 1000 * postgres_ms) / 1000, 2),
                "bus_cores_at_1000": round(bus_ms, 2) if way == "bus" else 0.0,
            }
        )
    return rows


def _costs(few: Following, many: Following) -> Sequence[tuple[float, float]]:
    return (few.postgres_ms, many.postgres_ms), (few.bus_ms, many.bus_ms)


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
        show("replicas", [asdict(each) for each in results])
        figures = {"appends": [asdict(each) for each in appends], "replicas": [asdict(each) for each in results]}
        if server:
            figures["ceilings"] = ceilings(results)
            show(
                f"ceilings, with {CORES} cores of PostgreSQL and one of the bus, {SHARE:.0%} used", figures["ceilings"]
            )
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
