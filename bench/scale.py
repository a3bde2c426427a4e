"""`./run bench scale`: whether an order costs more with several replicas of each service, or after many other orders.

Three parts, each with its table, then one JSON line. *replicas*: 1, 2 and 4 of each service at the same rate, rounds in
turn, behind a balancer of connections. *soak*: a stack whose databases are empty beside one that has what a day of
orders leaves, in turn at the same rate; then the full one again while its retention deletes all but an hour of it.
*day*: the same processes handle the orders of a day, one a second, as fast as a few clients place them; their memory.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import psycopg2
from rich.console import Console
from rich.table import Table

from orderstream_local.ports import Ports
from orderstream_local.stack import Stack, StackOptions
from tests.support.ports import free_port
from tests.support.waiting import eventually

from .orders import SERVICES, Callers, drive, stock_up
from .usage import Meter

PARTS = ("replicas", "soak", "day")
REPLICAS = (1, 2, 4)
WARM_UP_S, IDLE_S = 3.0, 10.0
SEEDS = Path(__file__).parent / "seeds"
DATABASES = ("orders", "inventory", "processing", "notifications")
# a retention of an hour, in which all but an hour of the seeded day has expired
RETENTION = {"SAGA_RETENTION_S": "3600", "FEED_RETENTION_S": "3600"}
DAY_ORDERS, DAY_CLIENTS = 86_400, 8


class Side:
    """A running stack, and what its runs measured."""

    def __init__(self, name: str, stack: Stack, products: list[str]) -> None:
        self.name = name
        self.stack = stack
        self.runs: list[dict[str, Any]] = []
        self.idle_ms_per_s = 0.0
        self._products = products

    async def idle(self) -> None:
        """Measure what the services do without any order."""
        meter = Meter({name: process.pid for name, process in self.stack.processes.items() if process.pid})
        meter.start()
        await asyncio.sleep(IDLE_S)
        spent_s = sum(seconds for name, seconds in meter.cpu_s().items() if name.startswith(SERVICES))
        self.idle_ms_per_s = 1000 * spent_s / IDLE_S

    async def run(self, options: argparse.Namespace, orders_url: str | None = None) -> None:
        """Load the stack once."""
        meter = Meter({name: process.pid for name, process in self.stack.processes.items() if process.pid})
        meter.start()
        sampler = asyncio.create_task(meter.sample())
        load = argparse.Namespace(rate=options.rate, seconds=options.seconds, saturate=getattr(options, "saturate", 0))
        result = await drive(self.stack, self._products, Callers(), load, orders_url=orders_url)
        sampler.cancel()
        accepted = max(1, result["accepted"])
        per_order = {name: 1000 * seconds / accepted for name, seconds in meter.cpu_s().items()}
        memory = meter.peak_rss_mb()
        self.runs.append(
            {
                "accepted": result["accepted"],
                "refused": result["refused"],
                "faults": sum(result[proto][fault] for proto in ("sse", "ws") for fault in ("lost", "duplicates")),
                "post_ms": result["post_ms"],
                "end_ms": result["sse"]["terminal_ms"],
                **{name: _sum(per_order, name) for name in SERVICES},
                "services": sum(cost for name, cost in per_order.items() if name.startswith(SERVICES)),
                "postgres": per_order["postgres"],
                "memory_mb": {name: round(_sum(memory, name), 1) for name in (*SERVICES, "postgres")},
            }
        )

    def median(self, *path: str) -> float:
        """Return the median of a value over the runs."""
        return float(statistics.median(_at(run, path) for run in self.runs))


def _sum(values: Mapping[str, float], prefix: str) -> float:
    return sum(value for name, value in values.items() if name.startswith(prefix))


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value[name]
    return value


@asynccontextmanager
async def balanced(ports: Mapping[str, int], stack: Stack) -> AsyncIterator[None]:
    """Serve each service that is called on a port of its own, by all its replicas."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.balancer", str(port)),
            *(stack.url(name, each) for each in range(stack.replicas(name))),
        )
        for name, port in ports.items()
    ]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def running(
    name: str, *, replicas: int = 1, folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Side]:
    """Run a stack with so many replicas of each service, in a folder of its own or in *folder*."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as own:
        options = StackOptions(
            data=folder or Path(own),
            ports=Ports.free(),
            scale=dict.fromkeys(SERVICES, replicas),
            environ=environ or {},
            web=False,
        )
        async with Stack(options) as stack:
            yield Side(name, stack, await stock_up(stack.url("inventory-service"), Callers()))


async def in_turn(sides: list[Side], options: argparse.Namespace, urls: Mapping[str, str] | None = None) -> None:
    """Warm each side up, and run them in turn, a further round in the opposite order."""
    for side in sides:
        await side.run(argparse.Namespace(rate=options.rate, seconds=WARM_UP_S), (urls or {}).get(side.name))
        side.runs.clear()
    await asyncio.gather(*(side.idle() for side in sides))
    for each in range(options.rounds):
        for side in sides if each % 2 == 0 else sides[::-1]:
            await side.run(options, (urls or {}).get(side.name))


async def measure_replicas(options: argparse.Namespace) -> list[Side]:
    """Run stacks of 1, 2 and 4 replicas beside each other, each in its turn."""
    sides, urls = [], {}
    async with AsyncExitStack() as exits:
        for replicas in REPLICAS:
            ports = {name: free_port() for name in ("order", "inventory")}
            called = {f"{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in ports.items()}
            side = await exits.enter_async_context(running(f"{replicas} of each", replicas=replicas, environ=called))
            await exits.enter_async_context(balanced(ports, side.stack))
            urls[side.name] = called["ORDER_URL"]
            sides.append(side)
        await in_turn(sides, options, urls)
    return sides


async def seed(stack: Stack, orders: int) -> None:
    """Write what *orders* orders of a day leave; the notification service, which would push it, is down meanwhile."""
    notifications = stack.processes["notification-service"]
    await notifications.stop(within_s=10)
    await asyncio.gather(*(asyncio.to_thread(_seed, stack.database_url(each), each, orders) for each in DATABASES))
    await notifications.start()
    async with aiohttp.ClientSession() as session:
        url = f"{stack.url('notification-service')}/health/ready"
        await eventually(partial(_is_ready, session, url), "notification service ready")


def _seed(url: str, database: str, orders: int) -> None:
    statements = (SEEDS / f"{database}.sql").read_text(encoding="utf-8").split(";\n")
    with _cursor(url) as cursor:
        for statement in filter(str.strip, statements):
            cursor.execute(statement, {"orders": orders})
        cursor.execute("VACUUM (ANALYZE)")  # as autovacuum has done in the course of a day


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool | None:
    try:
        async with session.get(url) as response:
            return response.ok or None
    except aiohttp.ClientError:
        return None


@contextmanager
def _cursor(url: str) -> Iterator[Any]:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


async def _is_deleting(stack: Stack, orders: int) -> bool | None:
    with _cursor(stack.database_url("processing")) as cursor:
        cursor.execute("SELECT count(*) FROM saga")
        return cursor.fetchone()[0] < orders or None


def table_sizes(stack: Stack) -> dict[str, dict[str, float]]:
    """Return rows and megabytes of the tables that grow, and how often they were vacuumed by themselves."""
    sizes: dict[str, dict[str, float]] = {}
    for database in DATABASES:
        with _cursor(stack.database_url(database)) as cursor:
            cursor.execute(
                "SELECT relname, n_dead_tup, pg_total_relation_size(relid), autovacuum_count"
                " FROM pg_stat_user_tables WHERE pg_total_relation_size(relid) > 1000000"
            )
            found = cursor.fetchall()
            for table, dead, size, vacuumed in found:
                cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a name from the catalogue
                facts = {"rows": cursor.fetchone()[0], "dead": dead, "mb": round(size / 2**20, 1)}
                sizes[f"{database}.{table}"] = {**facts, "autovacuums": vacuumed}
    return sizes


async def measure_soak(options: argparse.Namespace) -> tuple[list[Side], dict[str, Any]]:
    """Compare a full stack with an empty one, then one that deletes."""
    tables: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with running("empty") as empty:
            async with running("a day of orders", folder=folder) as full:
                await seed(full.stack, options.orders)
                await in_turn([empty, full], options)
                tables["full"] = table_sizes(full.stack)
            async with running("while it is deleted", folder=folder, environ=RETENTION) as deleting:
                await eventually(partial(_is_deleting, deleting.stack, options.orders), "deletion", 120.0, every_s=0.5)
                started_s = time.monotonic()
                await in_turn([deleting], options)
                tables["deleting"] = table_sizes(deleting.stack)
                tables["deleting_s"] = round(time.monotonic() - started_s)
    return [empty, full, deleting], tables


async def measure_day(options: argparse.Namespace) -> Side:
    """Have one stack handle a day's orders, in runs."""
    load = argparse.Namespace(rate=0, seconds=options.seconds, saturate=DAY_CLIENTS)
    async with running("a day") as side:
        while sum(run["accepted"] for run in side.runs) < DAY_ORDERS:
            await side.run(load)
    return side


def show_day(side: Side) -> None:
    """Print the memory of each process, run by run."""
    names = (*SERVICES, "postgres")
    table = Table("orders so far", "CPU ms an order", *(f"{name.removesuffix('-service')} MB" for name in names))
    for placed, run in zip(accumulate(run["accepted"] for run in side.runs), side.runs, strict=True):
        table.add_row(f"{placed:,}", f"{run['services']:.2f}", *(str(run["memory_mb"][name]) for name in names))
    Console().print(table)


def show(sides: list[Side]) -> list[dict[str, Any]]:
    """Print a table of the medians; return them."""
    table = Table("", "POST p50 ms", "end p50 ms", "end p99 ms", "CPU ms an order", "idle ms/s", "PostgreSQL", "MB")
    medians = [
        {
            "name": side.name,
            "post_p50_ms": side.median("post_ms", "p50"),
            "end_p50_ms": side.median("end_ms", "p50"),
            "end_p99_ms": side.median("end_ms", "p99"),
            "services_ms": round(side.median("services"), 2),
            "idle_ms_per_s": round(side.idle_ms_per_s, 1),
            "postgres_ms": round(side.median("postgres"), 2),
            "memory_mb": round(sum(side.median("memory_mb", name) for name in SERVICES), 1),
        }
        for side in sides
    ]
    for each in medians:
        table.add_row(*map(str, each.values()))
    Console().print(table)
    return medians


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the parts that were asked for."""
    result: dict[str, Any] = {"rate": options.rate, "seconds": options.seconds, "rounds": options.rounds}
    sides: list[Side] = []
    parts = (options.part,) if options.part else PARTS
    if "replicas" in parts:
        sides += (replicas := await measure_replicas(options))
        result["replicas"] = show(replicas)
    if "soak" in parts:
        soak, result["tables"] = await measure_soak(options)
        sides += soak
        result["soak"] = show(soak)
        result["orders"] = options.orders
    if "day" in parts:
        sides.append(day := await measure_day(options))
        show_day(day)
    result["faults"] = sum(run["faults"] for side in sides for run in side.runs)
    result["runs"] = {side.name: side.runs for side in sides}
    return result


def main() -> None:
    """Parse the arguments, measure, print; exit 1 when a notification was lost or doubled."""
    parser = argparse.ArgumentParser(prog="./run bench scale", description=__doc__)
    parser.add_argument("--part", choices=PARTS, help="one of them only")
    parser.add_argument("--rate", type=float, default=20, help="orders a second, open loop (20)")
    parser.add_argument("--seconds", type=float, default=20, help="of each run (20)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--orders", type=int, default=1_000_000, help="of the day in the soak (1,000,000)")
    result = asyncio.run(measure(parser.parse_args()))
    sys.stdout.write(orjson.dumps(result).decode() + "\n")
    sys.exit(1 if result["faults"] else 0)


if __name__ == "__main__":
    main()
