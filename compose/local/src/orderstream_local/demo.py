"""`./run demo`: runs the system, prints its addresses and then each notification."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console
from rich.text import Text

from .banner import show_banner
from .environment import trace_settings
from .feed_client import follow_sse
from .instance import AlreadyRunningError, DataFolderError
from .ports import PortInUseError, Ports
from .process import CommandFailedError
from .sign_in import OPERATOR, PEOPLE, SignInError
from .stack import NotReadyError, Stack, StackOptions
from .walkthrough import walk

__all__ = ["DemoOptions", "demo"]

_WIDTH = 140  # columns, when the output is a file or a pipe
_STYLE = {"CREATED": "cyan", "UPDATED": "blue", "CLOSED": "green", "FAILED": "red", "CANCELLED": "yellow"}


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """The options of the command line.

    Attributes:
        once: run the use cases and exit.
        auth: with people who sign in.
        fresh: delete the data of earlier runs.
        scale: service to its number of replicas.
        free_ports: use free ports instead of the fixed ones.
    """

    data: Path
    once: bool = False
    auth: bool = False
    fresh: bool = False
    scale: Mapping[str, int] = field(default_factory=dict)
    free_ports: bool = False


def demo(options: DemoOptions) -> int:
    """Run until SIGINT or SIGTERM (or, with ``once``, to the end) and return the exit status.

    The status is 0 on success, 1 when a check or the start failed, 2 when the system can't run here.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # its encoding may lack characters of the output
        sys.stdout.reconfigure(errors="replace")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    try:
        return asyncio.run(_run_until_signal(_demo(options, console)))
    except (AlreadyRunningError, DataFolderError, PortInUseError, ValueError) as error:
        return _fail(console, error, 2)
    except (CommandFailedError, NotReadyError, SignInError) as error:
        return _fail(console, error, 1)


async def _run_until_signal(work: Coroutine[Any, Any, int]) -> int:
    """Await *work*, or cancel it at the first signal and return 0; later signals are ignored during the clean-up."""
    task = asyncio.ensure_future(work)
    stop_requested = asyncio.Event()

    def stop() -> None:
        if not stop_requested.is_set():
            stop_requested.set()
            task.cancel()

    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stop)
    try:
        return await task
    except asyncio.CancelledError:
        if not stop_requested.is_set():
            raise
        return 0


async def _demo(options: DemoOptions, console: Console) -> int:
    started = time.monotonic()
    stack = Stack(
        StackOptions(
            data=options.data,
            ports=Ports.free() if options.free_ports else Ports.default(),
            scale=options.scale,
            token=os.environ.get("SERVICE_TOKEN") or None,
            environ=trace_settings(os.environ),
            web=not options.once,
            auth=options.auth,
            fresh=options.fresh,
            progress=lambda what: _progress(console, started, what),
        )
    )
    async with stack:
        try:
            if options.once:
                return await walk(stack, console)
            show_banner(stack, await _tokens(stack), console)
            console.print(
                f"ready after {time.monotonic() - started:.1f} s; Ctrl-C stops everything", style="bold green"
            )
            return await _show_feed(stack, console)
        finally:
            console.print("stopping …", style="dim")


def _progress(console: Console, started: float, what: str) -> None:
    console.print(f"{time.monotonic() - started:6.1f} s  {what}", style="dim", markup=False)


def _fail(console: Console, error: Exception, status: int) -> int:
    console.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
    return status


async def _tokens(stack: Stack) -> Mapping[str, str]:
    return {each.name: await stack.sign_in.access_token(each.name) for each in PEOPLE} if stack.sign_in else {}


async def _show_feed(stack: Stack, console: Console) -> int:
    async with aiohttp.ClientSession() as session:
        authorize = partial(stack.authorization, OPERATOR)
        async for each in follow_sse(session, stack.url("notification"), authorize, asyncio.Event()):
            at = datetime.fromisoformat(each["occurredAt"]).astimezone()
            line = Text(f"{at:%H:%M:%S.%f}"[:-3] + f"  order {each['orderId']:<6} ")
            line.append(f"{each['kind']:<10}", style=_STYLE.get(each["kind"], ""))
            line.append(f"{each['message']}{_reason(each)}  trace {each['traceId']}", style="dim")
            console.print(line, soft_wrap=True)
    return 0


def _reason(notification: Mapping[str, Any]) -> str:
    return f": {notification['reason']}" if notification.get("reason") else ""
