"""`./run bench orders`: what an order costs, how long it takes, and how many the embedded stack takes.

The stack, the load (`driver.py`) and this meter are processes of their own. Prints a table, then one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.table import Table

from orderstream_local.ports import Ports
from orderstream_local.stack import Stack, StackOptions
from tests.support.issuer import AUDIENCE, bearer, issuer
from tests.support.ports import free_port

from .sqs_stub import sqs_stub
from .usage import Meter

SERVICES = ("order-service", "inventory-service", "processing-service", "notification-service")
PRODUCTS = 12
STOCK = 1_000_000
CUSTOMERS = 20


@dataclass(frozen=True, slots=True)
class Callers:
    """Who places the orders and who watches, by access tokens; without any, the services run in open mode."""

    environ: Mapping[str, str] = field(default_factory=dict)
    operator: str = ""
    customers: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the operator's requests."""
        return bearer(self.operator) if self.operator else {}


@asynccontextmanager
async def signed_in(*, auth: bool) -> AsyncIterator[Callers]:
    """Serve an issuer for the block if there is to be one."""
    if not auth:
        yield Callers()
        return
    async with issuer() as tokens:
        environ = {
            "AUTH_MODE": "oidc",
            "AUTH_ISSUER": tokens.url,
            "AUTH_AUDIENCE": AUDIENCE,
            "REQUEST_LIMIT_ADDRESS_RATE": "1000000",  # counts each request, refuses none
        }
        customers = tuple(tokens.token(f"customer-{number}") for number in range(CUSTOMERS))
        yield Callers(environ, tokens.token("olga", "operator"), customers)


async def stock_up(url: str, callers: Callers) -> list[str]:
    """Put products of this run on the shelf."""
    run = uuid.uuid4().hex[:8]
    products = [f"bench-{run}-{number}" for number in range(PRODUCTS)]
    async with aiohttp.ClientSession(raise_for_status=True, headers=callers.headers) as session:
        for product in products:
            async with session.post(f"{url}/inventory", json={"productId": product, "stock": STOCK}):
                pass
    return products


async def stock_left(url: str, products: list[str], callers: Callers) -> int:
    """Count what is still on the shelf."""
    async with aiohttp.ClientSession(raise_for_status=True, headers=callers.headers) as session:
        total = 0
        for product in products:
            async with session.get(f"{url}/inventory/{product}") as response:
                total += (await response.json())["stock"]
        return total


async def drive(
    stack: Stack,
    products: list[str],
    callers: Callers,
    options: argparse.Namespace,
    *,
    orders_url: str | None = None,
) -> dict[str, Any]:
    """Run the driver as a process and return what it measured; *orders_url* is that of a balancer."""
    arguments = [
        *("--orders", orders_url or stack.url("order-service"), "--notifications", stack.url("notification-service")),
        *("--products", ",".join(products), "--rate", str(options.rate)),
        *("--seconds", str(options.seconds), "--clients", str(options.saturate)),
        *("--operator", callers.operator, "--customers", ",".join(callers.customers)),
    ]
    driver = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.driver", *arguments, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await driver.communicate()
    if driver.returncode:
        sys.exit(f"the driver ended with {driver.returncode}")
    result: dict[str, Any] = orjson.loads(output)
    return result


async def sqs_requests(stack: Stack) -> dict[str, float]:
    """Return how many requests to SQS the services have made, by operation, as SQS bills them."""
    counted: dict[str, float] = defaultdict(float)
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        for service in SERVICES:
            async with session.get(f"{stack.url(service)}/metrics") as response:
                for family in text_string_to_metric_families(await response.text()):
                    for sample in family.samples:
                        if sample.name == "orderstream_sqs_requests_total":
                            counted[sample.labels["operation"]] += sample.value
    return counted


@asynccontextmanager
async def running(folder: Path, environ: Mapping[str, str], *, stub: bool) -> AsyncIterator[Stack]:
    """Run the stack, with the emulator's queues or with those of the stub."""
    async with AsyncExitStack() as exits:
        if stub:
            url = await exits.enter_async_context(sqs_stub(free_port(), lambda: stack.aws_endpoint))
            environ = {**environ, "AWS_ENDPOINT_URL": url}
        stack = Stack(StackOptions(data=folder, ports=Ports.free(), environ=environ, web=False))
        yield await exits.enter_async_context(stack)


async def metered(
    stack: Stack, products: list[str], callers: Callers, options: argparse.Namespace
) -> tuple[dict[str, Any], dict[str, float], Meter]:
    """Load the stack; return what the driver measured, and the CPU seconds of each process."""
    meter = Meter({name: process.pid for name, process in stack.processes.items() if process.pid})
    meter.start()
    sampler = asyncio.create_task(meter.sample())
    result = await drive(stack, products, callers, options)
    sampler.cancel()
    return result, meter.cpu_s(), meter


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Start the stack, warm it, load it, and hold the books against each other."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with (
            signed_in(auth=options.auth) as callers,
            running(Path(folder), callers.environ, stub=options.queue == "stub") as stack,
        ):
            products = await stock_up(stack.url("inventory-service"), callers)
            warm_up = argparse.Namespace(rate=20, seconds=3, saturate=0)
            warmed = await drive(stack, products, callers, warm_up)
            before = await sqs_requests(stack)
            result, cpu, meter = await metered(stack, products, callers, options)
            after = await sqs_requests(stack)
            left = await stock_left(stack.url("inventory-service"), products, callers)
    sold = PRODUCTS * STOCK - left
    accepted = result["accepted"]
    per_order = {name: round(1000 * seconds / max(1, accepted), 2) for name, seconds in cpu.items()}
    return {
        **result,
        "stock_sold_but_not_ordered": sold - accepted - warmed["accepted"],
        "cpu_ms_per_order": per_order,
        "cpu_ms_per_order_services": round(
            sum(cost for name, cost in per_order.items() if name.startswith(SERVICES)), 2
        ),
        "sqs_requests_per_order": {
            operation: round((count - before.get(operation, 0)) / max(1, accepted), 3)
            for operation, count in after.items()
        },
        "peak_rss_mb": meter.peak_rss_mb(),
        "python": platform.python_version(),
        "rate": options.rate if not options.saturate else None,
        "clients": options.saturate or None,
        "auth": options.auth,
        "queue": options.queue,
        "seconds": options.seconds,
    }


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    console = Console()
    times = Table("from the order's time in the schedule", "p50 ms", "p95 ms", "p99 ms", "max ms")
    rows = {
        "POST answered": result["post_ms"],
        "CREATED seen over SSE": result["sse"]["created_ms"],
        "end seen over SSE": result["sse"]["terminal_ms"],
        "CREATED seen over WebSocket": result["ws"]["created_ms"],
        "end seen over WebSocket": result["ws"]["terminal_ms"],
    }
    for name, row in rows.items():
        times.add_row(name, *(str(row.get(column, "-")) for column in ("p50", "p95", "p99", "max")))
    console.print(times)
    costs = Table("process", "CPU ms an order", "peak memory MB")
    for name, cost in result["cpu_ms_per_order"].items():
        costs.add_row(name, str(cost), str(result["peak_rss_mb"][name]))
    costs.add_row("the services together", str(result["cpu_ms_per_order_services"]), "")
    console.print(costs)
    requests = result["sqs_requests_per_order"]
    console.print(f"requests to SQS an order: {sum(requests.values()):.2f}; {requests}")
    lost = result["sse"]["lost"] + result["ws"]["lost"]
    twice = result["sse"]["duplicates"] + result["ws"]["duplicates"]
    console.print(
        f"{result['accepted']} orders accepted, {result['accepted_per_s']}/s; finished {result['finished_per_s']}/s; "
        f"refused {result['refused'] or 'none'}; pushes lost {lost}, doubled {twice}"
    )


def main() -> None:
    """Parse the arguments, measure, print; exit 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="./run bench orders", description=__doc__)
    parser.add_argument("--rate", type=float, default=50, help="orders a second, open loop (50)")
    parser.add_argument("--seconds", type=float, default=60, help="how long (60)")
    parser.add_argument(
        "--saturate", type=int, default=0, metavar="CLIENTS", help="closed loop of so many clients instead"
    )
    parser.add_argument("--auth", action="store_true", help="with access tokens of twenty customers, and all limits")
    parser.add_argument(
        "--queue",
        choices=("emulator", "stub"),
        default="emulator",
        help="the emulator, or queues in the memory of this process",
    )
    parser.add_argument(
        "--observability",
        type=int,
        default=0,
        metavar="ROUNDS",
        help="compare stacks with and without log, metrics and traces, each at --rate, so many times --seconds",
    )
    options = parser.parse_args()
    if options.observability:
        from .observability import run

        sys.stdout.write(orjson.dumps(run(options)).decode() + "\n")
        return
    result = asyncio.run(measure(options))
    show(result)
    sys.stdout.write(orjson.dumps(result).decode() + "\n")
    broken = sum(result[proto][fault] for proto in ("sse", "ws") for fault in ("lost", "duplicates"))
    sys.exit(1 if broken or result["stock_sold_but_not_ordered"] else 0)


if __name__ == "__main__":
    main()
