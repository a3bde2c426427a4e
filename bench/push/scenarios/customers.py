"""1,000 customers who hear their own notifications, beside 1,000 clients that each follow an order; then 10,000."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from order_contracts import EventType
from tests.support.issuer import AUDIENCE, Issuer, issuer

from ..backends import Backends
from ..cost import cpu_s, rss_bytes
from ..crowd import Group, Job, Question
from ..crowds import connected
from ..feeder import Feeder, feeder
from ..ours import PATHS, number_after
from ..service import notification_service
from .filtered import wishes
from .outcome import Outcome, Row, broken

__all__ = ["customers"]

LISTENERS, MANY = 1_000, 10_000
ROUNDS = 2
HEARING, VERSIONS, RATE_PER_S, BURST = 1_000, 5, 300, 10
SETTLE_S = 2.0

# what a client hears: the notifications of an order, as an operator, or those of its own
Way: TypeAlias = Literal["by order", "own"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one crowd cost the service; its memory counts from the start of the process."""

    way: Way
    clients: int
    join_us: float
    rss_kb: float
    delivery_us: float


async def customers(backends: Backends) -> Outcome:
    """Measure both in turn, twice: the machine is never as quiet as one would like."""
    costs: list[Cost] = []
    faults: list[str] = []
    ways: tuple[Way, ...] = ("by order", "own")
    async with issuer() as tokens:
        for clients in (*[LISTENERS] * ROUNDS, MANY):
            for way in ways:
                cost, wrong = await _heard(backends, tokens, way, clients)
                costs.append(cost)
                faults += wrong
    rows: list[Row] = [
        {
            "hears": cost.way,
            "clients": cost.clients,
            "CPU µs a join": round(cost.join_us),
            "RSS KB a client": round(cost.rss_kb, 1),
            "CPU µs a delivery": round(cost.delivery_us, 1),
            "beside by order": round(cost.delivery_us / costs[number - number % 2].delivery_us, 2),
        }
        for number, cost in enumerate(costs)
    ]
    return Outcome(f"{VERSIONS} notifications each of {HEARING:,} clients", rows, faults)


async def _heard(backends: Backends, tokens: Issuer, way: Way, clients: int) -> tuple[Cost, list[str]]:
    sign_in = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
    async with notification_service(backends, sign_in) as service, feeder(backends) as source:
        orders = source.reserved(clients)
        job = Job(service.port, (await number_after(source)).decode(), _groups(tokens, way, orders))
        memory, cpu = rss_bytes([service.pid]), cpu_s([service.pid])
        async with connected(job) as crowd:
            await asyncio.sleep(SETTLE_S)
            memory, join_s = rss_bytes([service.pid]) - memory, cpu_s([service.pid]) - cpu
            before, cpu = await source.head(), cpu_s([service.pid])
            sent = await _created(source, orders)
            question = Question({str(number): at for number, at in sent.items()}, await wishes(source, orders, before))
            await crowd.settled(question)
            cpu = cpu_s([service.pid]) - cpu
            faults = list(broken(f"{clients} clients, {way}", await crowd.report(), service))
    return Cost(way, clients, join_s * 1e6 / clients, memory / 1024 / clients, cpu * 1e6 / len(sent)), faults


def _groups(tokens: Issuer, way: Way, orders: range) -> list[Group]:
    half = len(orders) // 2
    operator = [tokens.token("operator", "operator")]
    return [
        Group(
            protocol,
            f"{path}?orderId={{client}}" if way == "by order" else path,
            half,
            first,
            operator if way == "by order" else [tokens.token(_customer(order)) for order in range(first, first + half)],
        )
        for (protocol, path), first in zip(PATHS.items(), (orders[0], orders[half]), strict=True)
    ]


async def _created(source: Feeder, orders: Sequence[int]) -> dict[int, int]:
    types = [EventType.ORDER_CREATED, *[EventType.ORDER_UPDATED] * (VERSIONS - 1)]
    events = [
        source.event(event_type, order, version, customer=_customer(order))
        for version, event_type in enumerate(types, start=1)
        for order in orders[:: len(orders) // HEARING]
    ]
    return await source.over_table(events, RATE_PER_S, BURST)


def _customer(order: int) -> str:
    return f"customer-{order}"
