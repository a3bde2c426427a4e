"""The four services in the simulated world: their real applications on simulated I/O, some with several replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from aiohttp import web
from aiohttp.typedefs import Handler

import inventory_service.app
import inventory_service.config
import notification_service.app
import notification_service.config
import order_service.app
import order_service.config
import processing_service.app
import processing_service.config
from service_common.auth import PRINCIPAL, Caller, Principal
from service_common.http_client.transport import Transport
from service_common.http_server import READINESS
from service_common.sqs import Sqs
from tests.simulation.database import Server, SimulatedDatabase
from tests.simulation.http import SimulatedSession, serve
from tests.simulation.loop import current_process
from tests.simulation.sqs import SimulatedQueues, SimulatedSqs
from tests.simulation.world import Node, World
from tests.support.in_memory.access import InMemoryAccess
from tests.support.in_memory.database import (
    access_statements,
    feed_statements,
    order_statements,
    saga_statements,
    stock_statements,
)
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.in_memory.order import InMemoryOrders
from tests.support.in_memory.processing import InMemorySagas

__all__ = ["QUEUES", "RECONCILE_AFTER_S", "TOKEN", "Deployment"]

TOKEN = "secret"
QUEUES = ("processing-queue", "notification-queue")
RECONCILE_AFTER_S = 10
GRACE_S = 6
MODULES = {
    "order": (order_service.app, order_service.config.Config),
    "inventory": (inventory_service.app, inventory_service.config.Config),
    "processing": (processing_service.app, processing_service.config.Config),
    "notification": (notification_service.app, notification_service.config.Config),
}


@web.middleware
async def _signed_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Take a header for the access token of a customer: a simulation signs nothing."""
    if (name := request.headers.get("X-Customer")) is not None:
        request[PRINCIPAL] = Principal(Caller.CUSTOMER, name)
    return await handler(request)


class Deployment:
    """The services, and what they keep when their processes are killed.

    Attributes:
        servers: the database of each service.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.queues = SimulatedQueues(world, QUEUES)
        self.orders = InMemoryOrders(processing_queue=QUEUES[0], notification_queue=QUEUES[1])
        self.sagas = InMemorySagas(destination=QUEUES[1])
        self.stock = InMemoryStock()
        self.feed = InMemoryFeed("epoch")
        notifications = {**feed_statements(self.feed), **access_statements(InMemoryAccess())}
        self.servers = {
            "order": Server(world, "order", order_statements(self.orders)),
            "inventory": Server(world, "inventory", stock_statements(self.stock)),
            "processing": Server(world, "processing", saga_statements(self.sagas)),
            "notification": Server(world, "notification", notifications),
        }
        for service in MODULES:
            replicas = 1 + world.decisions.happens(f"second {service}", 0.3)
            for number in range(1, replicas + 1):
                name = f"{service}-{number}"
                world.nodes[name] = Node(name, service, self._run)
        self._environment = {
            "SERVICE_TOKEN": TOKEN,
            "AUTH_MODE": "open",
            "ALLOWED_HOSTS": "*",
            "REQUEST_LIMIT_ADDRESS_RATE": "0",
            "DATABASE_URL": "postgresql://simulated/database",
            "RECONCILE_AFTER_S": str(RECONCILE_AFTER_S),
            "SHUTDOWN_GRACE_S": str(GRACE_S),
            "EVENTS_PER_MESSAGE": "50" if world.decisions.happens("batches", 0.7) else "1",
            "ORDER_URL": self.urls("order"),
            "INVENTORY_URL": self.urls("inventory"),
        }

    def urls(self, service: str) -> str:
        """Return the base URLs of the replicas of *service*."""
        return ",".join(f"http://{node.name}" for node in self.world.nodes.values() if node.service == service)

    def start(self) -> None:
        """Start all processes."""
        for node in self.world.nodes.values():
            self.world.start(node)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Give the services simulated I/O."""

        async def migrate(*_: object) -> None:
            await self.world.reach("migrations")

        async def enter(transport: Transport) -> Transport:
            transport._session = cast(Any, SimulatedSession(self.world, transport._headers))
            return transport

        with ExitStack() as stack:
            for module, _ in MODULES.values():
                stack.enter_context(patch.object(module, "migrate", migrate))
                stack.enter_context(patch.object(module, "Database", SimpleNamespace(open=self._database)))
                if hasattr(module, "Sqs"):
                    stack.enter_context(patch.object(module, "Sqs", SimpleNamespace(open=self._sqs)))
            stack.enter_context(patch.object(Transport, "__aenter__", enter))
            yield

    async def _run(self, node: Node) -> None:
        module, config = cast(Any, MODULES[node.service])
        app: web.Application = module.create_app(config.from_environ(self._environment))
        app.middlewares.append(_signed_in)
        app.freeze()
        await app.startup()
        node.app, node.serve = app, serve(app)
        self.world.note(node.name, "serves")
        node.told_to_stop = app[READINESS].stop
        await node.told_to_stop.wait()
        node.app = node.serve = None
        stopping_at = self.world.loop.time()
        await app.shutdown()
        await app.cleanup()
        took_s = self.world.loop.time() - max(stopping_at, current_process().frozen_until)
        if took_s > GRACE_S:
            self.world.problems.append(f"I10: {node.name} took {took_s:.1f} s to stop")

    @asynccontextmanager
    async def _database(self, *_: object, **__: object) -> AsyncIterator[SimulatedDatabase]:
        database = SimulatedDatabase(self.servers[self.world.nodes[current_process().name].service])
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def _sqs(self, *_: object, **__: object) -> AsyncIterator[Sqs]:
        yield Sqs(SimulatedSqs(self.queues))
