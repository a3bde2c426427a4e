"""Composition root of the notification service: the only module that imports all others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeAlias

from aiohttp import web

from service_common.auth import TICKETS, Tickets
from service_common.dead_letters import DEAD_LETTERS, DeadLetters
from service_common.events import split_batch
from service_common.http_client import RetryingClient
from service_common.http_server import METRICS, READINESS, max_connections, new_app
from service_common.lifecycle import Retention, background
from service_common.postgres import Database, migrate
from service_common.sqs import Poller, PollerSettings, Sqs, measuring_depths

from . import NAME
from .access import Disconnector, SqlAccess
from .config import Config
from .feed import (
    AntiEntropy,
    BusCounters,
    BusExchange,
    FeedAppender,
    FeedTailer,
    History,
    HttpChangedOrders,
    ListenNotify,
    LogChannel,
    NotificationConsumer,
    Notifier,
    RedisStream,
    SqlFeed,
)
from .http import API, BROADCASTER, DISCONNECTOR, HISTORY
from .notification import Notification
from .push import (
    Entry,
    Heartbeats,
    PushCounters,
    PushGauges,
    PushLimits,
    encode,
    entry_of,
    open_broadcaster,
    record_of,
)

__all__ = ["CONFIG", "NOTIFIER", "Resource", "comparing", "consuming", "create_app", "pushing"]

logger = logging.getLogger(__name__)

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]

CONFIG = web.AppKey("config", Config)
DATABASE = web.AppKey("database", Database)
NOTIFIER = web.AppKey("notifier", Notifier)
SHUTDOWN = web.AppKey("shutdown", asyncio.Event)

# shares of the grace period, which run at the same time: for the streams, and for the poller
DRAIN_SHARE = 0.4
STOP_SHARE = 0.65
TICKET_RETENTION_S = 60.0
DISCONNECTION_KEPT_S = 3_600.0


async def pushing(app: web.Application) -> AsyncIterator[None]:
    """Open the feed on PostgreSQL, follow it, and push it to the clients."""
    config, readiness = app[CONFIG], app[READINESS]
    await migrate(config.database_url, "notification_service.migrations")
    async with Database.open(config.database_url, size=config.pool_size, name=NAME) as database:
        feed = SqlFeed(database)
        state = await feed.open()
        limits = _within_open_files(config.push)
        broadcaster = await open_broadcaster(feed, state, limits, PushCounters(app[METRICS]))
        tailer = FeedTailer(
            feed,
            state,
            encode,
            broadcaster.publish,
            broadcaster.reset,
            poll_s=config.feed_poll_s,
            wait_s=broadcaster.wait_s,
        )
        broadcaster.delayed_ms = tailer.delayed_ms
        access = SqlAccess(database)
        disconnector = Disconnector(access, broadcaster.disconnect, poll_s=config.feed_poll_s)
        await disconnector.open()
        listen_notify = ListenNotify(feed, tailer, alone_s=config.feed_poll_s, wake_others=disconnector.wake)
        retention = Retention(
            partial(feed.expire, config.feed_retention_s),
            name="notifications",
            interval_s=config.feed_retention_s / 100,
        )
        # a connection that was open before a request that old has reached its maximum age
        expire_access = partial(access.expire, DISCONNECTION_KEPT_S + 2 * config.push.age_s)
        access_retention = Retention(expire_access, name="tickets", interval_s=TICKET_RETENTION_S)
        readiness.add("database", database.check)
        database.expose(app[METRICS])
        app[METRICS].register(PushGauges(broadcaster, lambda: tailer.lag))
        app[DATABASE], app[BROADCASTER], app[HISTORY] = database, broadcaster, History(feed)
        app[TICKETS], app[DISCONNECTOR] = Tickets(access), disconnector
        async with (
            _telling_others(app, tailer, listen_notify) as appended,
            background(readiness, "tail", tailer.run),
            background(readiness, "wake-ups sent", listen_notify.notify),
            background(readiness, "wake-ups heard", partial(listen_notify.listen, database)),
            background(readiness, "sweep", Heartbeats(broadcaster).run),
            background(readiness, "disconnections", disconnector.run),
            background(readiness, "retention", retention.run),
            background(readiness, "retention of tickets", access_retention.run),
        ):
            appender = FeedAppender(feed, appended, broadcaster.wait_s)
            app[NOTIFIER] = Notifier(appender, (LogChannel(),))
            yield
            await appender.close()
            await broadcaster.close()


@asynccontextmanager
async def _telling_others(
    app: web.Application, tailer: FeedTailer[Entry], listen_notify: ListenNotify[Entry]
) -> AsyncIterator[Callable[[Sequence[Notification]], None]]:
    """Yield what is to be called with each append: it tells the other replicas over the bus, if there is one."""
    url, readiness, counters = app[CONFIG].feed_bus_url, app[READINESS], BusCounters(app[METRICS])
    if url is None:
        yield listen_notify.appended
        return
    async with RedisStream.open(url) as bus:
        exchange = BusExchange(bus, tailer, listen_notify, record_of, entry_of, counters=counters)
        async with (
            background(readiness, "bus sent", exchange.send),
            background(readiness, "bus heard", exchange.receive),
        ):
            yield exchange.appended


async def consuming(app: web.Application) -> AsyncIterator[None]:
    """Consume the notification queue until the application shuts down."""
    config, readiness, queue = app[CONFIG], app[READINESS], app[CONFIG].notification_queue
    async with Sqs.open(config.aws, metrics=app[METRICS]) as sqs:
        poller = Poller(
            sqs,
            queue,
            NotificationConsumer(app[NOTIFIER], queue),
            settings=PollerSettings(concurrency=config.consumers, stop_grace_s=config.shutdown_grace_s * STOP_SHARE),
            gate=app[DATABASE].wait_available,
            split=split_batch,
            consumer=NAME,
            metrics=app[METRICS],
        )
        readiness.add(queue, partial(sqs.check, queue))
        app[DEAD_LETTERS] = DeadLetters(sqs, queue)
        async with measuring_depths(sqs, queue, app[METRICS]), background(readiness, "poller", poller.run):
            stopped = asyncio.create_task(_stop_on_shutdown(poller, app[SHUTDOWN]))
            yield
            app[SHUTDOWN].set()  # aiohttp sends no on_shutdown when a later step of the start-up failed
            await stopped


async def comparing(app: web.Application) -> AsyncIterator[None]:
    """Restore lost notifications until the application shuts down, if it knows the order service."""
    config, metrics = app[CONFIG], app[METRICS]
    if not config.order_urls:
        logger.warning("comparison disabled", extra={"reason": "ORDER_URL is not set"})
        yield
        return
    async with RetryingClient(
        config.order_urls, name="order-service", token=config.service_token, metrics=metrics
    ) as client:
        anti_entropy = AntiEntropy(
            HttpChangedOrders(client),
            SqlFeed(app[DATABASE]),
            app[NOTIFIER].notify,
            metrics,
            after_s=config.reconcile_after_s,
            keep_s=config.feed_retention_s,
        )
        async with background(app[READINESS], "comparison", anti_entropy.run):
            yield


async def _stop_on_shutdown(poller: Poller, shutdown: asyncio.Event) -> None:
    await shutdown.wait()
    await poller.stop()


async def _shut_down(app: web.Application) -> None:
    # stopping the poller takes as long as the drain: begin both here, wait for the poller in its resource
    app[SHUTDOWN].set()
    await app[BROADCASTER].drain(app[CONFIG].shutdown_grace_s * DRAIN_SHARE)


def create_app(config: Config, resources: Sequence[Resource] = (pushing, consuming, comparing)) -> web.Application:
    """Compose the service; tests replace *resources* by in-memory ones."""
    app = new_app(NAME)
    app[CONFIG] = config
    app[SHUTDOWN] = asyncio.Event()
    app.cleanup_ctx.extend(resources)
    app.on_shutdown.append(_shut_down)
    API.serve(app, config)
    return app


def _within_open_files(configured: PushLimits) -> PushLimits:
    limits = configured.within(max_connections())
    if limits is not configured:
        logger.warning(
            "push connection limit lowered",
            extra={
                "connections": limits.connections,
                "configured": configured.connections,
                "reason": "the limit of open files",
            },
        )
    return limits
