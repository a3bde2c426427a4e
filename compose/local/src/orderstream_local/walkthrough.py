"""`./run demo --once`: runs the use cases over HTTP, SSE and WebSocket, and prints each step with its time."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp
from rich.console import Console
from rich.table import Table

from .checks import Checks, milliseconds
from .cloudwatch import read_logs
from .people_walkthrough import walk_people
from .running_system import RunningSystem
from .sign_in import CUSTOMER, OPERATOR
from .steps import STEPS, Evidence, Step
from .watcher import Watcher, watching

__all__ = ["walk"]

PRODUCT = "123"
QUANTITY = 2
_TIMEOUT_S = 20.0
_POLL_S = 0.1
_CANCELLATIONS = 10


async def walk(stack: RunningSystem, console: Console) -> int:
    """Run a success, a refusal and a cancellation; return 0 when all checks passed, else 1.

    Where people sign in, a customer does that, and then what is whose is checked.
    """
    checks = Checks(console)
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
        watching(session, stack.url("notification"), partial(stack.authorization, CUSTOMER)) as watcher,
    ):
        walkthrough = _Walkthrough(
            stack, checks, session, watcher, await stack.authorization(CUSTOMER), await stack.authorization(OPERATOR)
        )
        await walkthrough.success()
        await walkthrough.refusal()
        await walkthrough.cancellation()
        if stack.sign_in:
            await walk_people(stack, stack.sign_in, checks, session)
    return checks.conclude()


@dataclass(slots=True)
class _Walkthrough:
    """The use cases of a customer.

    Attributes:
        customer: header of the customer's requests.
        operator: header of the requests for what only operators see and do.
    """

    stack: RunningSystem
    checks: Checks
    session: aiohttp.ClientSession
    watcher: Watcher
    customer: Mapping[str, str]
    operator: Mapping[str, str]

    async def success(self) -> None:
        self.checks.heading("An order is fulfilled")
        await self._ensure_stock()
        before = await self._stock()
        trace_id, posted_at = secrets.token_hex(16), datetime.now(UTC)
        status, order = await self._place(PRODUCT, QUANTITY, trace_id)
        self.checks.check(status == 201, f"POST /orders answers 201 with the order, {order.get('id')}")
        if status != 201:
            return
        done = await self.watcher.wait_for(order["id"], "CLOSED", _TIMEOUT_S)
        evidence = await self._evidence(order["id"], trace_id, posted_at)
        self._show(evidence)
        self.checks.check(done, "CREATED and CLOSED were pushed, over SSE and over WebSocket")
        self.checks.check(self._exactly_once(order["id"], ["CREATED", "CLOSED"]), "each exactly once, CREATED first")
        await self._check_end(order["id"], "CLOSED", "DONE", stock=before - QUANTITY)

    async def refusal(self) -> None:
        self.checks.heading("An order above the stock is refused")
        product_id, quantity, stock = await self._excessive_order()
        newest = await self._newest_order()
        posted_at = datetime.now(UTC)
        status, problem = await self._place(product_id, quantity, secrets.token_hex(16))
        self.checks.line(posted_at, f"POST /orders: {quantity} of {product_id}, with {stock} in stock")
        self.checks.line(posted_at, f"{status} {problem.get('detail')}", datetime.now(UTC))
        self.checks.check(status == 409, "POST /orders answers 409")
        short = problem.get("errors", [{}])[0]
        self.checks.check(
            (short.get("productId"), short.get("requested"), short.get("stock")) == (product_id, quantity, stock),
            "it names the product, the requested quantity and the stock",
        )
        self.checks.check(await self._newest_order() == newest, "no order was stored")

    async def cancellation(self) -> None:
        self.checks.heading("An order is cancelled")
        before = await self._stock()
        for _ in range(_CANCELLATIONS):
            posted_at = datetime.now(UTC)
            _, order = await self._place(PRODUCT, QUANTITY, secrets.token_hex(16))
            placed_at = datetime.now(UTC)
            status, _ = await self._call("DELETE", f"{self.stack.url('order')}/orders/{order['id']}")
            if status == 200:
                break
            before -= QUANTITY  # it was fulfilled before the cancellation
        self.checks.line(posted_at, f"POST /orders: order {order['id']}", placed_at)
        self.checks.line(posted_at, f"DELETE /orders/{order['id']}: {status}", datetime.now(UTC))
        self.checks.check(status == 200, "DELETE /orders/{id} answers 200")
        pushed = await self.watcher.wait_for(order["id"], "CANCELLED", _TIMEOUT_S)
        for push in self.watcher.pushes(order["id"]):
            self.checks.line(posted_at, f"{push.kind} is pushed over {push.protocol}", push.at)
        self.checks.check(pushed, "CANCELLED was pushed, over SSE and over WebSocket")
        await self._check_end(order["id"], "CANCELLED", "RELEASED", stock=before)
        self.checks.check(self._exactly_once(order["id"], ["CREATED", "CANCELLED"]), "each exactly once, CREATED first")

    async def _check_end(self, order_id: int, status: str, state: str, *, stock: int) -> None:
        """Check the order, its saga and the stock, which reach their final state after the push."""

        async def saga_state() -> str | None:
            code, saga = await self._call("GET", f"{self.stack.url('processing')}/sagas/{order_id}", self.operator)
            return saga["sagas"][-1]["state"] if code == 200 else None

        self.checks.check(await _becomes(saga_state, state), f"GET /sagas/{order_id}: {state}")
        _, order = await self._call("GET", f"{self.stack.url('order')}/orders/{order_id}")
        self.checks.check(order.get("status") == status, f"GET /orders/{order_id}: {status}")
        self.checks.check(await _becomes(self._stock, stock), f"GET /inventory/{PRODUCT}: {stock} in stock")

    async def _evidence(self, order_id: int, trace_id: str, posted_at: datetime) -> Evidence:
        """Collect the evidence of the order; the last log lines reach CloudWatch Logs with a delay."""
        deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
        while True:
            records = await read_logs(self.session, self.stack.aws_endpoint, posted_at)
            evidence = Evidence(
                order_id=order_id,
                product_id=PRODUCT,
                posted_at=posted_at,
                records=[record for record in records if record.facts.get("traceId") == trace_id],
                pushes=self.watcher.pushes(order_id),
            )
            if all(step.find(evidence) for step in STEPS) or asyncio.get_running_loop().time() > deadline:
                return evidence
            await asyncio.sleep(_POLL_S)

    def _show(self, evidence: Evidence) -> None:
        table = Table("", "ms", "step", "evidence", box=None, header_style="bold", pad_edge=False)
        for step in STEPS:
            table.add_row(str(step.number), *_cells(step, evidence))
        table.columns[0].justify = table.columns[1].justify = "right"
        self.checks.table(table)
        self.checks.check(all(step.find(evidence) for step in STEPS), f"all {len(STEPS)} steps were observed")

    def _exactly_once(self, order_id: int, kinds: list[str]) -> bool:
        return all(self.watcher.kinds(order_id, protocol) == kinds for protocol in ("SSE", "WebSocket"))

    async def _place(self, product_id: str, quantity: int, trace_id: str) -> tuple[int, Any]:
        return await self._call(
            "POST",
            f"{self.stack.url('order')}/orders",
            {**self.customer, "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
            json={"orderItems": [{"productId": product_id, "quantity": quantity}]},
        )

    async def _stock(self) -> int:
        _, product = await self._call("GET", f"{self.stack.url('inventory')}/inventory/{PRODUCT}")
        return int(product["stock"])

    async def _ensure_stock(self) -> None:
        """Add stock for the use cases if earlier runs have used it up."""
        url = f"{self.stack.url('inventory')}/inventory/{PRODUCT}"
        status, product = await self._call("GET", url)
        wanted = 100 * QUANTITY
        if status == 404:
            await self._call(
                "POST",
                f"{self.stack.url('inventory')}/inventory",
                self.operator,
                json={"productId": PRODUCT, "stock": wanted},
            )
        elif product["stock"] < _CANCELLATIONS * QUANTITY:
            await self._call(
                "PUT", url, {**self.operator, "If-Match": f'"{product["version"]}"'}, json={"stock": wanted}
            )

    async def _excessive_order(self) -> tuple[str, int, int]:
        """Return the product with the least stock, a quantity above its stock, and its stock."""
        _, page = await self._call("GET", f"{self.stack.url('inventory')}/inventory?limit=200")
        scarce = min(page["items"], key=lambda product: product["stock"])
        return scarce["productId"], scarce["stock"] + 1, scarce["stock"]

    async def _newest_order(self) -> int | None:
        _, page = await self._call("GET", f"{self.stack.url('order')}/orders?limit=1")
        return page["orders"][0]["id"] if page["orders"] else None

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, **options: Any
    ) -> tuple[int, Any]:
        async with self.session.request(method, url, headers=headers or self.customer, **options) as response:
            return response.status, await response.json(content_type=None)


async def _becomes(read: Callable[[], Awaitable[object]], wanted: object) -> bool:
    """Poll *read* until it returns *wanted*; return whether it did in time."""
    deadline = asyncio.get_running_loop().time() + _TIMEOUT_S
    while await read() != wanted:
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _cells(step: Step, evidence: Evidence) -> tuple[str, str, str]:
    observation = step.find(evidence)
    return (
        (milliseconds(observation.at - evidence.posted_at), step.title, observation.description)
        if observation
        else ("-", step.title, "not observed")
    )
