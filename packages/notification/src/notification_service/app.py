"""Composition root of the notification service: the one module that sees all others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import TypeAlias

from aiohttp import web

from service_common.http_server import METRICS, READINESS, allow_origins, connections_allowed, new_app
from service_common.lifecycle import background
from service_common.openapi import document_route
from service_common.postgres import Database, migrate
from service_common.sqs import Poller, PollerSettings, Sqs, measuring_depths

from .config import NAME, Config
from .feed import History, LogChannel, NotificationConsumer, Notifier, Retention, SqlFeed, Tail, Wakeup
from .http import ALLOWED_ORIGINS, API, BROADCASTER, CONFIG, DATABASE, HISTORY, NOTIFIER, POLLER, ROUTES
from .push import PushGauges, PushLimits, PushMeter, Sweep, drain, open_broadcaster

__all__ = ["Resource", "consuming", "create_app", "pushing"]

logger = logging.getLogger(__name__)

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]

# of the time to stop in: for the clients to go, and at the same time for the parked poll and the messages to end
DRAIN_SHARE = 0.4
STOP_SHARE = 0.65


async def pushing(app: web.Application) -> AsyncIterator[None]:
    """Open the feed on PostgreSQL, follow it, and push it to the clients."""
    config, readiness = app[CONFIG], app[READINESS]
    await migrate(config.database_url, "notification_service.migrations")
    async with Database.open(config.database_url, size=config.pool_size, name=NAME) as database:
        feed = SqlFeed(database)
        state = await feed.open()
        broadcaster = await open_broadcaster(feed, state, _affordable(config.push), PushMeter(app[METRICS]))
        tail = Tail(feed, state, broadcaster.publish, broadcaster.restart, poll_s=config.feed_poll_s)
        wakeup = Wakeup(feed, tail, alone_s=config.feed_poll_s)
        retention = Retention(feed, keep_s=config.feed_retention_s, interval_s=config.feed_retention_s / 100)
        readiness.add("database", database.ping)
        app[METRICS].register(PushGauges(broadcaster, tail))
        app[DATABASE], app[BROADCASTER], app[HISTORY] = database, broadcaster, History(feed)
        app[NOTIFIER] = Notifier(feed, (LogChannel("Email"), LogChannel("SMS")), wakeup.appended)
        async with (
            background(readiness, "tail", tail.run),
            background(readiness, "wake-ups sent", wakeup.tell),
            background(readiness, "wake-ups heard", partial(wakeup.hear, database)),
            background(readiness, "sweep", Sweep(broadcaster).run),
            background(readiness, "retention", retention.run),
        ):
            yield
            await app[NOTIFIER].close()
            await broadcaster.close()


async def consuming(app: web.Application) -> AsyncIterator[None]:
    """Take down what arrives in the queue."""
    config, readiness, queue = app[CONFIG], app[READINESS], app[CONFIG].notification_queue
    async with Sqs.open(config.aws) as sqs:
        poller = Poller(
            sqs,
            queue,
            NotificationConsumer(app[NOTIFIER]),
            settings=PollerSettings(concurrency=config.consumers, stop_grace_s=config.shutdown_grace_s * STOP_SHARE),
            gate=app[DATABASE].wait_available,
            metrics=app[METRICS],
        )
        readiness.add(queue, partial(sqs.check, queue))
        async with measuring_depths(sqs, queue, app[METRICS]), background(readiness, "poller", poller.run):
            app[POLLER] = poller
            yield
            await poller.stop()


async def say_goodbye(app: web.Application) -> None:
    """End all streams before the server waits for their handlers, and the consuming meanwhile: both take their time."""
    broadcaster, poller = app.get(BROADCASTER), app.get(POLLER)  # none when it did not come so far
    async with asyncio.TaskGroup() as ending:
        if broadcaster is not None:
            ending.create_task(drain(broadcaster, app[CONFIG].shutdown_grace_s * DRAIN_SHARE))
        if poller is not None:
            ending.create_task(poller.stop())


def create_app(config: Config, resources: Sequence[Resource] = (pushing, consuming)) -> web.Application:
    """Compose the service; tests replace *resources* by in-memory ones."""
    app = new_app(NAME, config)
    app[CONFIG] = config
    app[ALLOWED_ORIGINS] = config.allowed_origins
    app.cleanup_ctx.extend(resources)
    app.on_shutdown.append(say_goodbye)
    app.add_routes((*ROUTES, document_route(API)))
    allow_origins(app, config.allowed_origins)
    return app


def _affordable(limits: PushLimits) -> PushLimits:
    affordable = limits.within(connections_allowed())
    if affordable is not limits:
        logger.warning(
            "fewer push connections than configured: the limit of open files is too low",
            extra={"connections": affordable.connections, "configured": limits.connections},
        )
    return affordable
