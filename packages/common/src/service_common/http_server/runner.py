"""Runs a service as a process: start, listen, serve until SIGTERM, stop within the grace period."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from aiohttp import web

from ..config import ConfigError, ServiceConfig, TracesConfig
from ..lifecycle import Measurements, background
from ..logs import CloudWatchOptions, LogPipeline, configure_logging
from .app_keys import METRICS, READINESS, VERSION
from .connection_limits import ConnectionLimiter, ConnectionLimits, max_connections, raise_file_limit
from .event_loop import EventLoop
from .limited_server import LimitedRunner
from .watchdog import EXIT_FAILED, Watchdog

if TYPE_CHECKING:
    from ..otlp import SpanExporter

__all__ = ["run"]

logger = logging.getLogger(__name__)

C = TypeVar("C", bound=ServiceConfig)

EXIT_CONFIG = 2
# large, for the clients that reconnect after a deployment: TCP retries a refused one only after 1, 3, 7 … s
BACKLOG = 4096
# a request leaves few reference cycles: the default thresholds cost 3 % of all CPU
GC_THRESHOLDS = (20_000, 20, 20)
# share of the grace period for handlers, which aiohttp may spend twice; the rest is for the application's cleanup
HANDLERS_SHARE = 0.25
# for the last spans, within the grace period
EXPORT_LIMIT_S = 1.0
WATCHDOG_MARGIN_S = 0.25


class _ListenError(Exception):
    """Listening on the address failed."""


def run(
    name: str,
    load_config: Callable[[Mapping[str, str]], C],
    create_app: Callable[[C], web.Application],
) -> NoReturn:
    """Serve the application until SIGTERM or SIGINT, then exit.

    Exit status: 0 after an orderly stop; 1 when it failed to start, or to stop within ``shutdown_grace_s``, when a
    background task kept dying or the event loop was blocked; 2 when the environment is invalid, with all problems on
    stderr. A process that a C function blocked is ended by SIGVTALRM.

    Args:
        name: as in ``billing-service``.
        load_config: reads the environment.
        create_app: composes the application.
    """
    try:
        config = load_config(os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{name}: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None
    cloudwatch = CloudWatchOptions(config.log_group, config.aws.region, config.aws.endpoint_url)
    with configure_logging(name, config.log_level, cloudwatch if config.cloudwatch else None) as log:
        status = _run(name, config, create_app, log)
    raise SystemExit(status)


def _run(
    name: str,
    config: C,
    create_app: Callable[[C], web.Application],
    log: LogPipeline,
) -> int:
    watchdog = Watchdog(config.shutdown_grace_s, log)
    raise_file_limit()
    exporter = _export(name, config.traces) if config.traces else None
    try:
        with asyncio.Runner(loop_factory=EventLoop) as runner:
            app = create_app(config)
            log.expose(app[METRICS])
            if exporter:
                exporter.expose(app[METRICS])
            logger.info("service starting", extra={"version": app[VERSION], "config": config.masked()})
            runner.run(_serve(app, config, watchdog))
    except _ListenError as error:
        logger.critical("%s cannot listen: %s", name, error)
        return EXIT_FAILED
    except Exception:
        logger.critical("%s failed", name, exc_info=True)
        return EXIT_FAILED
    finally:
        if exporter:
            exporter.close(min(EXPORT_LIMIT_S, watchdog.left_s - WATCHDOG_MARGIN_S))
        watchdog.cancel()
    logger.info("service stopped")
    return EXIT_FAILED if app[READINESS].failed else 0


def _export(name: str, config: TracesConfig) -> SpanExporter:
    from ..otlp import SpanExporter  # noqa: PLC0415 - slow to import, and used by few

    return SpanExporter(name, config)


async def _serve(app: web.Application, config: ServiceConfig, watchdog: Watchdog) -> None:
    readiness, metrics = app[READINESS], app[METRICS]
    stop = readiness.stop
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    watchdog.start(metrics)
    limits = ConnectionLimits(files=max_connections(), head_s=config.header_timeout_s, body_s=config.body_timeout_s)
    limiter = ConnectionLimiter(limits, metrics)
    runner = LimitedRunner(
        app,
        limiter,
        access_log=None,
        shutdown_timeout=config.shutdown_grace_s * HANDLERS_SHARE,
    )
    # first, so that a port in use is reported before any work is done
    with _bind(config.host, config.port) as listener:
        async with background(readiness, "edge", limiter.run):
            try:
                if await _run_unless(stop, runner.setup(), watchdog):
                    await _listen(runner, listener)
                    gc.freeze()  # objects made at start-up live on: a full collection need not visit them
                    gc.set_threshold(*GC_THRESHOLDS)
                    async with background(readiness, "measurements", Measurements(metrics, readiness).run):
                        await stop.wait()
            finally:
                watchdog.stopping()
                logger.info("service stopping")
                readiness.draining = True
                await runner.cleanup()


async def _listen(runner: web.AppRunner, listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with _listen_errors(host, port):
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
    logger.info("service listening", extra={"host": host, "port": port})


def _bind(host: str, port: int) -> socket.socket:
    with _listen_errors(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with ExitStack() as on_failure:
            listener = on_failure.enter_context(socket.socket(family, kind, protocol))
            # allows a port whose last owner has just died, but none that is still in use
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            on_failure.pop_all()
    return listener


@contextmanager
def _listen_errors(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = f"{host} port {port}: {error.strerror or error}"
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} of {host} is in use by another process"
        raise _ListenError(reason) from error


async def _run_unless(stop: asyncio.Event, work: Coroutine[object, object, None], watchdog: Watchdog) -> bool:
    """Return whether *work* ended before *stop* was set, which cancels it."""
    task = asyncio.create_task(work)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        watchdog.stopping()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    task.result()
    return True
