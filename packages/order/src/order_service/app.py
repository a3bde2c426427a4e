"""Composition root of the order service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeAlias

from aiohttp import web

from service_common.http_client import RetryingClient
from service_common.http_server import METRICS, READINESS, new_app
from service_common.lifecycle import background
from service_common.outbox import OutboxRelay, OutboxTable
from service_common.postgres import Database, migrate
from service_common.sqs import Publisher, Sqs

from .api import API
from .app_keys import CONFIG, OUTBOX, SERVICE
from .config import NAME, Config
from .inventory_client import HttpStockReader
from .postgres import MIGRATIONS, SqlOrders
from .reconcile import Reconciliation
from .service import OrderService

__all__ = ["create_app", "orders"]

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]

SOURCE = f"/{NAME}"


async def orders(app: web.Application) -> AsyncIterator[None]:
    """Open the use cases on PostgreSQL, SQS and the inventory service."""
    config, readiness, metrics = app[CONFIG], app[READINESS], app[METRICS]
    await migrate(config.database_url, *MIGRATIONS)
    async with (
        Database.open(config.database_url, size=config.pool_size, name=NAME) as database,
        Sqs.open(config.aws, metrics=metrics) as sqs,
        RetryingClient(
            config.inventory_urls, name="inventory-service", token=config.service_token, metrics=metrics
        ) as client,
    ):
        relay = OutboxRelay(
            database, Publisher(sqs, metrics), SOURCE, events_per_message=config.events_per_message, metrics=metrics
        )
        repository = SqlOrders(
            database,
            processing_queue=config.processing_queue,
            notification_queue=config.notification_queue,
            subscriber_queues=config.subscriber_queues,
        )
        reconciliation = Reconciliation(repository, relay.wake, after_s=config.reconcile_after_s)
        readiness.add("database", database.check)
        database.expose(metrics)
        for queue in (config.processing_queue, config.notification_queue):
            readiness.add(queue, partial(sqs.check, queue))
        async with (
            relay.running(readiness, stop_within_s=config.shutdown_grace_s / 4),
            background(readiness, "reconciliation", reconciliation.run),
        ):
            app[OUTBOX] = OutboxTable(database)
            stock = HttpStockReader(client)
            app[SERVICE] = OrderService(repository, stock, relay.wake)
            yield
            await stock.close()
            await repository.close()


def create_app(config: Config, resources: Sequence[Resource] = (orders,)) -> web.Application:
    """Make the application; tests pass in-memory *resources*."""
    app = new_app(NAME)
    app[CONFIG] = config
    app.cleanup_ctx.extend(resources)
    API.serve(app, config)
    return app
