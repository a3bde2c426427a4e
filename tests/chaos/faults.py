"""The faults: each is an asynchronous context manager that strikes its target for the time of its block."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import psycopg2

from tests.chaos.clients import deaf, garbage, hang_up
from tests.chaos.meddlers import AWS_FAULTS, HTTP_FAULTS, MakeMeddler
from tests.chaos.network import AWS, CALLS, Forward, Meddler, Request, Response
from tests.chaos.stage import PROCESSES, QUEUES, RECOVERED_WITHIN_S, REPLICAS, Poison, Stage, Stop
from tests.support.processes import frozen
from tests.support.waiting import eventually, meanwhile

__all__ = ["FAULTS", "Fault"]

ROLES = ("orders", "inventory", "processing", "notifications")
EXITED_WITHIN_S = 15.0
BUSY_WITHIN_S = 3.0
FEW_CONNECTIONS = 3
POISON = (
    "no JSON",
    "{}",
    '{"specversion":"1.0","type":"order-created"}',
    '{"specversion":"1.0","id":"1","source":"/x","type":1}',
)


Strike = Callable[[Stage, str, random.Random], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault.

    Attributes:
        what: one line for the list of faults.
        strike: makes the context manager.
        targets: what it may strike.
        seconds: the shortest and the longest time that it lasts.
    """

    name: str
    what: str
    strike: Strike
    targets: Sequence[str]
    seconds: tuple[float, float] = (3.0, 8.0)


@asynccontextmanager
async def kill(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    process = stage.system.stack.processes[target]
    restarts = process.restarts
    await _busy(stage, target)
    process.kill()
    stage.deliveries.killed(target)
    yield
    await _restarted(stage, target, restarts)


@asynccontextmanager
async def terminate(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    process = stage.system.stack.processes[target]
    await _busy(stage, target)
    restarts, pid, began = process.restarts, process.pid, time.time()
    process.send(signal.SIGTERM)

    async def exited() -> bool | None:
        return process.pid != pid or None

    with suppress(AssertionError):  # the verdict says how long it took
        await eventually(exited, f"the exit of {target}", EXITED_WITHIN_S)
    now = time.time()
    stage.stops.append(Stop(target, now - began, stage.deliveries.held(target), now))
    if process.pid == pid:
        process.kill()
    yield
    await _restarted(stage, target, restarts)


async def _busy(stage: Stage, target: str) -> None:
    """Wait for the moment at which a consumer receives a message, so that it ends with something in its hands."""
    if target.startswith(("processing", "notification")):
        await stage.deliveries.receipt(target, BUSY_WITHIN_S)


async def _restarted(stage: Stage, target: str, restarts: int) -> None:
    async def again() -> bool | None:
        return stage.system.stack.processes[target].restarts > restarts or None

    await eventually(again, f"{target} started again")
    await stage.ready(target)


@asynccontextmanager
async def freeze(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    with frozen(stage.system, target):
        yield


@asynccontextmanager
async def postgres_kill(stage: Stage, _target: str, _: random.Random) -> AsyncIterator[None]:
    stage.system.stack.processes["postgres"].kill()
    yield
    await stage.sql("SELECT 1")


@asynccontextmanager
async def postgres_read_only(stage: Stage, _target: str, _: random.Random) -> AsyncIterator[None]:
    await stage.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    await stage.sql("SELECT pg_reload_conf()")
    yield
    await stage.sql("ALTER SYSTEM RESET default_transaction_read_only")
    await stage.sql("SELECT pg_reload_conf()")


@asynccontextmanager
async def postgres_cut(stage: Stage, _target: str, _: random.Random) -> AsyncIterator[None]:
    async def cut() -> None:
        while True:
            await stage.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> 'postgres'")
            await asyncio.sleep(0.7)

    async with meanwhile(cut()):
        yield


@asynccontextmanager
async def postgres_limit(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    await stage.sql(f"ALTER ROLE {target} CONNECTION LIMIT {FEW_CONNECTIONS}")
    await stage.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{target}'")  # noqa: S608
    yield
    await stage.sql(f"ALTER ROLE {target} CONNECTION LIMIT -1")


@asynccontextmanager
async def row_lock(stage: Stage, _target: str, _: random.Random) -> AsyncIterator[None]:
    def lock() -> psycopg2.extensions.connection | None:
        try:
            connection = stage.superuser("inventory")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM inventory WHERE product_id = %s FOR UPDATE", (stage.locked,))
        except psycopg2.OperationalError:  # another fault has PostgreSQL
            return None
        return connection

    connection = await eventually(lambda: asyncio.to_thread(lock), "the lock of a product", RECOVERED_WITHIN_S)
    yield
    connection.close()


@asynccontextmanager
async def sqs_kill(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    process = stage.system.stack.processes[target]
    restarts = process.restarts
    process.kill()
    stage.deliveries.lost()
    stage.queues_lost_at = time.time()
    yield

    async def there() -> bool | None:
        if process.restarts == restarts:
            return None
        with suppress(aiohttp.ClientError, TimeoutError):
            return all([await stage.sqs("GetQueueUrl", queue) for queue in QUEUES]) or None
        return None

    await eventually(there, "the queues, made again", RECOVERED_WITHIN_S)
    stage.deliveries.lost()
    stage.queues_lost_at = time.time()


@asynccontextmanager
async def poison(stage: Stage, target: str, chance: random.Random) -> AsyncIterator[None]:
    for _ in range(3):
        body = chance.choice(POISON)
        with suppress(aiohttp.ClientError, TimeoutError):
            if await stage.sqs("SendMessage", target, MessageBody=body):
                stage.poison.append(Poison(target, body, time.time()))
    yield


@asynccontextmanager
async def clock(stage: Stage, target: str, chance: random.Random) -> AsyncIterator[None]:
    stage.clocks[target].write_text(f"{chance.choice((-3600, -45, 45, 3600)):+d}\n", encoding="ascii")
    yield
    stage.clocks[target].write_text("+0\n", encoding="ascii")


def _on_wire(make: MakeMeddler, prefix: str = "") -> Strike:
    """Meddle with the requests of the wires of a target, with AWS those of operations with the *prefix* only."""

    @asynccontextmanager
    async def strike(stage: Stage, target: str, chance: random.Random) -> AsyncIterator[None]:
        caller, _, callee = target.partition(">")
        meddler = make(chance)
        with ExitStack() as wires:
            for wire in stage.network.between(caller, callee):
                wires.enter_context(wire.meddling(_only(prefix, meddler)))
            yield

    return strike


def _only(prefix: str, meddler: Meddler) -> Meddler:
    async def selective(request: Request, forward: Forward) -> Response:
        return await (meddler(request, forward) if request.operation.startswith(prefix) else forward(request))

    return selective


def _catalogue() -> list[Fault]:
    edges = [f"{caller}>{target}" for caller, targets in CALLS.items() for target in targets if target != AWS]
    short = (0.5, 2.0)
    found = [
        Fault("kill", "SIGKILL of a service's process", kill, PROCESSES, short),
        Fault("terminate", "SIGTERM of a service's process", terminate, PROCESSES, short),
        Fault("freeze", "SIGSTOP of a service's process, then SIGCONT", freeze, PROCESSES, (4.0, 9.0)),
        Fault("clock-step", "a process's clock jumps by 45 s or an hour, and back", clock, PROCESSES[1::REPLICAS]),
        Fault("postgres-kill", "SIGKILL of PostgreSQL", postgres_kill, ["postgres"], short),
        Fault("postgres-freeze", "SIGSTOP of PostgreSQL and its sessions", freeze, ["postgres"]),
        Fault(
            "postgres-read-only",
            "all transactions are read-only, as after a failover",
            postgres_read_only,
            ["postgres"],
        ),
        Fault("postgres-cut", "all sessions are terminated, again and again", postgres_cut, ["postgres"]),
        Fault("postgres-limit", "a role may have 3 sessions (CONNECTION LIMIT)", postgres_limit, ROLES),
        Fault("row-lock", "an open transaction holds the row of a product", row_lock, ["product"], (6.0, 15.0)),
        Fault("sqs-freeze", "SIGSTOP of the AWS emulator", freeze, [AWS], (4.0, 12.0)),
        Fault("sqs-kill", "SIGKILL of the AWS emulator: all messages are lost", sqs_kill, [AWS], short),
        Fault("poison", "messages that no consumer understands", poison, QUEUES, short),
        Fault("clients-hang-up", "150 clients reset their connection after the request", hang_up, PROCESSES, short),
        Fault("clients-deaf", "40 clients read nothing of the stream that they asked for", deaf, PROCESSES[-REPLICAS:]),
        Fault("clients-garbage", "60 clients send what is no proper request, and wait", garbage, PROCESSES),
    ]
    found += [Fault(name, _first_line(make), _on_wire(make), edges) for name, make in HTTP_FAULTS.items()]
    found += [
        Fault(
            name,
            _first_line(make),
            _on_wire(make, "Logs" if name.startswith("cloudwatch") else "AmazonSQS"),
            [f">{AWS}"],
        )
        for name, make in AWS_FAULTS.items()
    ]
    return found


def _first_line(make: MakeMeddler) -> str:
    return (make.__doc__ or "").rstrip(".")


FAULTS = {fault.name: fault for fault in _catalogue()}
