"""Composition root of the notification service: the one module that sees all others."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TypeAlias

from aiohttp import web

from service_common.apps import allow_origins, new_app
from service_common.background import background
from service_common.keys import METRICS, READINESS
from service_common.migrate import migrate
from service_common.poller import Poller, PollerSettings
from service_common.postgres import Database
from service_common.sqs import Sqs

from .broadcaster import open_broadcaster
from .channels import LogChannel
from .config import NAME, Config
from .consumers import NotificationConsumer
from .drain import drain
from .feed import SqlFeed
from .gauges import PushGauges
from .handlers import ROUTES
from .keys import ALLOWED_ORIGINS, BROADCASTER, CONFIG, HISTORY
from .meter import PushMeter
from .retention import Retention
from .service import History, Notifier
from .sweep import Sweep
from .tail import Tail
from .wakeup import Wakeup

__all__ = ["create_app", "notifications"]

Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]

# of the time to stop in: what the clients have to go
DRAIN_SHARE = 0.4
STOP_SHARE = 0.2


async def notifications(app: web.Application) -> AsyncIterator[None]:
    """Open the feed on PostgreSQL, the hub over it, and the queue that fills it."""
    config, readiness = app[CONFIG], app[READINESS]
    await migrate(config.database_url, "notification_service.migrations")
    async with (
        Database.open(config.database_url, size=config.pool_size, name=NAME) as database,
        Sqs.open(config.aws) as sqs,
        AsyncExitStack() as stack,
    ):
        feed = SqlFeed(database)
        readiness.add("database", database.ping)
        readiness.add(config.notification_queue, partial(sqs.check, config.notification_queue))
        wakeup = await stack.enter_async_context(pushing(app, database, feed))
        notifier = Notifier(feed, (LogChannel("Email"), LogChannel("SMS")), wakeup.appended)
        poller = Poller(
            sqs,
            config.notification_queue,
            NotificationConsumer(notifier),
            settings=PollerSettings(concurrency=config.consumers),
            gate=database.wait_available,
            metrics=app[METRICS],
        )
        retention = Retention(feed, keep_s=config.feed_retention_s, interval_s=config.feed_retention_s / 100)
        await stack.enter_async_context(background(readiness, "retention", retention.run))
        stack.push_async_callback(notifier.close)
        await stack.enter_async_context(background(readiness, "poller", poller.run))
        stack.push_async_callback(poller.stop)
        yield


@asynccontextmanager
async def pushing(app: web.Application, database: Database, feed: SqlFeed) -> AsyncIterator[Wakeup]:
    """Follow the feed and push it to the clients while the block runs."""
    config, readiness = app[CONFIG], app[READINESS]
    state = await feed.open()
    broadcaster = await open_broadcaster(feed, state, config.push, PushMeter(app[METRICS]))
    tail = Tail(feed, broadcaster.publish, broadcaster.restart, poll_s=config.feed_poll_s)
    wakeup = Wakeup(feed, tail)
    app[METRICS].register(PushGauges(broadcaster, tail))
    app[BROADCASTER], app[HISTORY] = broadcaster, History(feed)
    async with (
        background(readiness, "tail", partial(tail.run, state)),
        background(readiness, "wake-ups sent", wakeup.tell),
        background(readiness, "wake-ups heard", partial(wakeup.hear, database)),
        background(readiness, "sweep", Sweep(broadcaster).run),
    ):
        try:
            yield wakeup
        finally:
            await broadcaster.close()


async def say_goodbye(app: web.Application) -> None:
    """End all streams before the server waits for their handlers."""
    broadcaster = app.get(BROADCASTER)  # none when it did not come so far
    if broadcaster is not None:
        await drain(broadcaster, app[CONFIG].shutdown_grace_s * DRAIN_SHARE)


def create_app(config: Config, resources: Sequence[Resource] = (notifications,)) -> web.Application:
    """Compose the service; tests replace *resources* by in-memory ones."""
    app = new_app(NAME, config)
    app[CONFIG] = config
    app[ALLOWED_ORIGINS] = config.allowed_origins
    app.cleanup_ctx.extend(resources)
    app.on_shutdown.append(say_goodbye)
    app.add_routes(ROUTES)
    allow_origins(app, config.allowed_origins)
    raise_open_files()
    return app


def raise_open_files() -> None:
    """Let this process have as many connections as it is allowed at all: the usual soft limit is 1,024."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
