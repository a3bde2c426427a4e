"""`./run bench orders --observability`: what logging, metrics and traces cost an order.

Stacks without any of them, with the log on stdout and in CloudWatch and with metrics, and with all traces too have the
same load at the same time, so that whatever else the machine does falls on all of them: in turn, the cost varied by a
third.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from rich.console import Console
from rich.table import Table

from orderstream_local.stack import Stack

from .orders import SERVICES, Callers, drive, metered, running, stock_up

UNMETERED = Path(__file__).parent / "unmetered"
BASE = "none"


@dataclass(frozen=True, slots=True)
class Variant:
    """A running stack, and what an order cost it in each round, in ms of CPU."""

    stack: Stack
    products: list[str]
    costs: list[float]


def variants(collector: str) -> Mapping[str, Mapping[str, str]]:
    """Return the environment of each."""
    return {
        BASE: {"LOG_LEVEL": "CRITICAL", "CLOUDWATCH": "false", "PYTHONPATH": str(UNMETERED)},
        "log to stdout and CloudWatch, metrics": {"CLOUDWATCH": "true"},
        "all traces too": {"CLOUDWATCH": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector},
    }


@asynccontextmanager
async def collector() -> AsyncIterator[str]:
    """Accept spans and forget them."""

    async def accept(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/traces", accept)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def load(variant: Variant, callers: Callers, options: argparse.Namespace) -> None:
    """Place orders for a round, and note what one of them cost the services."""
    result, cpu_s, _ = await metered(variant.stack, variant.products, callers, options)
    services_s = sum(seconds for name, seconds in cpu_s.items() if name.startswith(SERVICES))
    variant.costs.append(1000 * services_s / max(1, result["accepted"]))


async def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Start the stacks, warm them, and load them round by round."""
    callers = Callers()
    async with AsyncExitStack() as exits:
        url = await exits.enter_async_context(collector())
        compared: dict[str, Variant] = {}
        for name, environ in variants(url).items():
            folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            stack = await exits.enter_async_context(running(folder, environ, stub=options.queue == "stub"))
            products = await stock_up(stack.url("inventory-service"), callers)
            await drive(stack, products, callers, argparse.Namespace(rate=20, seconds=5, saturate=0))
            compared[name] = Variant(stack, products, [])
        for _ in range(options.observability):
            await asyncio.gather(*(load(variant, callers, options) for variant in compared.values()))
            said = [f"{name}: {variant.costs[-1]:.2f} ms" for name, variant in compared.items()]
            Console(stderr=True).print(", ".join(said), style="dim")
    base = compared[BASE].costs
    return {
        name: {
            "ms_an_order": [round(cost, 2) for cost in variant.costs],
            "more_percent": [round(100 * (cost / less - 1), 1) for cost, less in zip(variant.costs, base, strict=True)],
        }
        for name, variant in compared.items()
    }


def show(result: Mapping[str, Mapping[str, list[float]]]) -> None:
    """Print the table: medians of the rounds, and their quartiles."""
    table = Table("on", "CPU ms an order", "% more than without, median", "quartiles")
    for name, row in result.items():
        more = row["more_percent"]
        quartiles = statistics.quantiles(more, n=4) if len(more) > 1 else more * 3
        table.add_row(
            name,
            f"{statistics.median(row['ms_an_order']):.2f}",
            f"{statistics.median(more):.1f}",
            f"{quartiles[0]:.1f} to {quartiles[2]:.1f}",
        )
    Console().print(table)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure and print."""
    result = asyncio.run(compare(options))
    show(result)
    return result
