"""Composition root of the processing service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeAlias

from aiohttp import web

from service_common.dead_letters import DEAD_LETTERS, DeadLetters
from service_common.events import split_batch
from service_common.http_client import RetryingClient
from service_common.http_server import METRICS, READINESS, new_app
from service_common.lifecycle import Retention, background
from service_common.outbox import OutboxRelay, OutboxTable
from service_common.postgres import Database, migrate
from service_common.sqs import Poller, PollerSettings, Publisher, Sqs, measuring_depths

from .api import API
from .app_keys import CONFIG, OUTBOX, SAGAS
from .config import NAME, Config
from .consumers import OrderConsumer
from .engine import Engine
from .inventory_client import HttpStockGateway
from .lateness import Lateness
from .order_client import HttpOrderGateway
from .postgres import MIGRATIONS, SqlSagas
from .retention import SagaRetention
from .step_runner import Runner

__all__ = ["create_app", "processing"]

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]

SOURCE = f"/{NAME}"
# shares of the grace period: first for the long poll, messages and sagas in flight, then for the events in the outbox
STOP_SHARE = 0.65
RELAY_SHARE = 0.15
RETENTION_INTERVAL_S = 600.0


async def processing(app: web.Application) -> AsyncIterator[None]:
    """Open the engine on PostgreSQL, SQS and the clients of the other services, and run it."""
    config, readiness, metrics = app[CONFIG], app[READINESS], app[METRICS]
    token = config.service_token
    await migrate(config.database_url, *MIGRATIONS)
    async with (
        Database.open(config.database_url, size=config.pool_size, name=NAME) as database,
        Sqs.open(config.aws, metrics=metrics) as sqs,
        RetryingClient(config.inventory_urls, name="inventory-service", token=token, metrics=metrics) as inventory,
        RetryingClient(config.order_urls, name="order-service", token=token, metrics=metrics) as orders,
    ):
        readiness.add("database", database.check)
        database.expose(metrics)
        for queue in (config.processing_queue, config.notification_queue):
            readiness.add(queue, partial(sqs.check, queue))
        sagas = SqlSagas(database, config.notification_queue, *config.subscriber_queues)
        relay = OutboxRelay(
            database, Publisher(sqs, metrics), SOURCE, events_per_message=config.events_per_message, metrics=metrics
        )
        stock = HttpStockGateway(inventory)
        runner = Runner(sagas, stock, HttpOrderGateway(orders), relay.wake, metrics)
        engine = Engine(sagas, runner)
        retention = Retention(
            SagaRetention(sagas, stock, age_s=config.saga_retention_s).expire,
            name="sagas",
            interval_s=min(config.saga_retention_s / 100, RETENTION_INTERVAL_S),
        )
        poller = Poller(
            sqs,
            config.processing_queue,
            OrderConsumer(engine, config.processing_queue),
            settings=PollerSettings(concurrency=256, stop_grace_s=config.shutdown_grace_s * STOP_SHARE),
            gate=partial(_gate, engine, database),
            split=split_batch,
            consumer=NAME,
            metrics=metrics,
        )
        async with (
            measuring_depths(sqs, config.processing_queue, metrics),
            background(readiness, "lateness", Lateness(sagas, metrics).run),
            relay.running(readiness, stop_within_s=config.shutdown_grace_s * RELAY_SHARE),
            background(readiness, "engine", engine.run),
            background(readiness, "retention", retention.run),
            background(readiness, "poller", poller.run),
        ):
            app[SAGAS], app[OUTBOX] = sagas, OutboxTable(database)
            app[DEAD_LETTERS] = DeadLetters(sqs, config.processing_queue)
            yield
            # sagas of messages that still arrive are stored for the next engine
            await asyncio.gather(poller.stop(), engine.stop(config.shutdown_grace_s * STOP_SHARE))
            await sagas.close()


async def _gate(engine: Engine, database: Database) -> None:
    """Wait until the saga of the next message could be stored and run."""
    await engine.wait_for_slot()
    await database.wait_available()


def create_app(config: Config, resources: Sequence[Resource] = (processing,)) -> web.Application:
    """Make the application; tests pass in-memory *resources*."""
    app = new_app(NAME)
    app[CONFIG] = config
    app.cleanup_ctx.extend(resources)
    API.serve(app, config)
    return app
