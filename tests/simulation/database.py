"""PostgreSQL as the services see it: each statement is one transaction, whose outcome may be unknown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from service_common.errors import BusyError
from service_common.postgres import Row
from service_common.postgres.availability import Availability
from service_common.postgres.errors import DatabaseUnavailableError, DatabaseUnwritableError, StatementTimeoutError
from tests.simulation.loop import Process, current_process
from tests.simulation.world import World
from tests.support.in_memory.database import NAMES, READS, InMemoryDatabase, Statements

__all__ = ["Server", "SimulatedDatabase", "UnforeseenError"]

ANSWER_LIMIT_S = 6.0
FULL = "could not extend file: No space left on device"


class UnforeseenError(Exception):
    """What nobody handles: the task in which it is raised dies, the request is answered with 500."""


class Server:
    """The server of one service: what is committed, and whether it answers."""

    def __init__(self, world: World, service: str, statements: Statements) -> None:
        self.world = world
        self.service = service
        self.statements = statements
        self.away_until = 0.0
        self.read_only_until = 0.0
        self.full_until = 0.0
        self.listeners: dict[Process, asyncio.Queue[str]] = {}

    def end_faults(self) -> None:
        """Answer again."""
        self.away_until = self.read_only_until = self.full_until = 0.0


class SimulatedDatabase(InMemoryDatabase):
    """The database of one process."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.statements)
        self._server = server
        self._world = server.world
        self._availability = Availability(self._probe)
        self._writes = Availability(self._probe_write)

    @property
    def available(self) -> bool:
        """Whether the database answers, as far as is known."""
        return self._availability.up

    async def wait_available(self) -> None:
        await self._availability.wait()
        await self._writes.wait()

    def expose(self, metrics: object) -> None:
        """Have no pool to show."""

    async def close(self) -> None:
        """Stop looking for the server."""
        await self._availability.close()
        await self._writes.close()

    async def check(self) -> None:
        """Check for readiness."""
        if self._writes.reason is not None:
            raise DatabaseUnwritableError(self._writes.reason)
        await self._probe()

    async def _probe(self) -> None:
        await self._world.latency("ping")
        if self._server.away_until > self._world.loop.time():
            raise DatabaseUnavailableError("the server is away")

    async def _probe_write(self) -> None:
        await self._probe()
        if self._server.full_until > self._world.loop.time():
            raise DatabaseUnwritableError(FULL)

    async def fetch(self, sql: str, params: Any = ()) -> list[Row]:
        name = NAMES[sql]
        where = f"{self._server.service} {name}"
        await self._world.reach(where)
        self._fail_before(where, name)
        if name not in READS and self._world.happens("database rows locked", where):
            if name == "settle_free_orders":
                return [(order_id, False, False, *[None] * 10) for order_id in params["order_ids"]]
            if name != "take_stock" or params[1]:
                raise BusyError("canceling statement due to lock timeout")
            return [("busy", list(operation["items"])) for operation in params[0].adapted]
        rows = self.run(sql, params)
        if name not in READS and rows:
            self._world.note(self._server.service, name)
        if rows:
            await self._world.reach(where)
        if self._world.happens("database answer lost", where):
            raise self._lost("connection closed by the server")
        return rows

    async def listen(self, _channel: str) -> AsyncGenerator[str, None]:
        heard: asyncio.Queue[str] = asyncio.Queue()
        self._server.listeners[current_process()] = heard
        yield ""
        while True:
            yield await heard.get()

    def run(self, sql: str, params: Any = ()) -> list[Row]:
        if NAMES[sql] != "notify_replicas":
            return super().run(sql, params)
        listeners = [heard for process, heard in self._server.listeners.items() if not process.killed]
        for heard in listeners:
            heard.put_nowait(str(params["head"]))
        return [(len(listeners), "")]

    def _fail_before(self, where: str, name: str) -> None:
        world, server, now = self._world, self._server, self._world.loop.time()
        if world.happens("database away", where):
            server.away_until = now + world.decisions.uniform("away", 0.5, 8.0)
        if world.happens("database read-only", where):
            server.read_only_until = now + world.decisions.uniform("read-only", 0.5, 8.0)
        if world.happens("database disk full", where):
            server.full_until = now + world.decisions.uniform("full", 0.5, 60.0)
        if server.away_until > now:
            raise self._lost("the server is away")
        if server.read_only_until > now and name not in READS:
            raise self._lost("cannot execute in a read-only transaction")
        if server.full_until > now and name not in READS:
            self._writes.lost(FULL)
            raise DatabaseUnwritableError(FULL)
        if world.happens("database error unforeseen", where):
            raise UnforeseenError
        if world.happens("database refuses", where):
            if world.decisions.below("refusal", 2):
                raise StatementTimeoutError("canceling statement due to statement timeout")
            raise self._lost("server closed the connection unexpectedly")

    def _lost(self, reason: str) -> DatabaseUnavailableError:
        self._availability.lost(reason)
        return DatabaseUnavailableError(reason)
