"""What a visitor of the demo may break with a click: requests of the page to its own server.

``POST /demo/orders`` places 100 orders, ``/demo/freeze-inventory`` suspends every replica of the inventory service for
20 s, ``/demo/kill-processing`` kills those of the processing service, which the runner starts again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

__all__ = ["add_demo_controls"]

ORDERS = 100
ORDERS_AT_ONCE = 10
FREEZE_S = 20
ORDER_LIMIT_S = 30.0
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PRODUCT = "123"

SESSION = web.AppKey("session", aiohttp.ClientSession)
SERVICES: web.AppKey[Mapping[str, str]] = web.AppKey("services")
PIDS = web.AppKey("pids", Path)
THAWS: web.AppKey[dict[int, float]] = web.AppKey("thaws")


def add_demo_controls(app: web.Application, services: Mapping[str, str], pids: Path, *, signed_in: bool) -> None:
    """Add the controls to the server of the page.

    Args:
        app: the server.
        services: their base URLs.
        pids: the folder of the runner's pid files.
        signed_in: whether only operators may use them.
    """
    app[SERVICES], app[PIDS], app[THAWS] = services, pids, {}
    app.cleanup_ctx.append(_session)
    for name, handler in (
        ("orders", _place_orders),
        ("freeze-inventory", _freeze_inventory),
        ("kill-processing", _kill_processing),
    ):
        app.router.add_post(f"/demo/{name}", _guarded(handler, signed_in=signed_in))


def _guarded(handler: Handler, *, signed_in: bool) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        _require_own_page(request)
        if signed_in:
            await _require_operator(request)
        return await handler(request)

    return guarded


def _require_own_page(request: web.Request) -> None:
    # a name that another page has pointed at this machine is none of these (DNS rebinding)
    if urlsplit(f"//{request.host}").hostname not in _LOOPBACK:
        raise web.HTTPForbidden(text="The controls are for a browser on this machine.")
    if request.headers.get("Origin") != f"http://{request.host}":
        raise web.HTTPForbidden(text="The controls are for the page of this server.")
    # a form of another page can't send it
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="The body has to be application/json.")


async def _require_operator(request: web.Request) -> None:
    # no order has this number: an operator is told so, everybody else is refused
    url = f"{request.app[SERVICES]['processing']}/sagas/0/retry"
    async with request.app[SESSION].post(url, headers=_authorization(request)) as answer:
        if answer.status != 404:
            raise web.HTTPForbidden(text="The controls are for operators.")


async def _place_orders(request: web.Request) -> web.Response:
    url = f"{request.app[SERVICES]['order']}/orders"
    permits = asyncio.Semaphore(ORDERS_AT_ONCE)
    body = {"orderItems": [{"productId": _PRODUCT, "quantity": 1}]}

    async def place() -> int:
        async with permits:
            try:
                async with request.app[SESSION].post(url, json=body, headers=_authorization(request)) as answer:
                    return answer.status
            except (aiohttp.ClientError, TimeoutError):
                return 0

    statuses = Counter(await asyncio.gather(*(place() for _ in range(ORDERS))))
    return web.json_response({"placed": statuses[201], "refused": ORDERS - statuses[201]})


async def _freeze_inventory(request: web.Request) -> web.Response:
    pids = _pids(request.app, "inventory")
    if not pids:
        raise web.HTTPConflict(text="The inventory service does not run.")
    # a process without a parent, and first: they go on after the time whatever becomes of this one
    thaw = f'(sleep {FREEZE_S}; kill -CONT "$@") >/dev/null & echo $!'
    starter = await asyncio.create_subprocess_exec(
        "sh", "-c", thaw, "sh", *map(str, pids), stdout=asyncio.subprocess.PIPE, start_new_session=True
    )
    answer, _ = await starter.communicate()
    # an earlier freeze would end this one with itself; the pid of one that is over may be another process
    thaws, now = request.app[THAWS], time.monotonic()
    _signal([pid for pid, until in thaws.items() if now < until], signal.SIGKILL)
    thaws.clear()
    thaws[int(answer)] = now + FREEZE_S
    _signal(pids, signal.SIGSTOP)
    return web.json_response({"frozen": len(pids), "seconds": FREEZE_S})


async def _kill_processing(request: web.Request) -> web.Response:
    pids = _pids(request.app, "processing")
    _signal(pids, signal.SIGKILL)
    return web.json_response({"killed": len(pids)})


def _pids(app: web.Application, service: str) -> list[int]:
    return [int(each.read_text().split()[0]) for each in sorted(app[PIDS].glob(f"{service}-service*.pid"))]


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # it has ended since


def _authorization(request: web.Request) -> dict[str, str]:
    return {name: value for name in ("Authorization",) if (value := request.headers.get(name))}


async def _session(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ORDER_LIMIT_S)) as app[SESSION]:
        yield
