"""10,000 clients that each follow an order of their own, beside 10: a notification costs what its readers cost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from order_contracts import EventType, OrderEvent

from ..backends import Backends
from ..cost import cpu_s
from ..crowd import Group, Job, Question
from ..crowds import connected
from ..feeder import Feeder, feeder
from ..ours import PATHS, number_after
from ..service import Service, notification_service
from .outcome import Outcome, Row, broken

__all__ = ["filtered", "wishes"]

MANY, FEW = 10_000, 10
ROUNDS = 2
RATE_PER_S = 40
SECONDS = 10
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one crowd cost the service.

    Attributes:
        idle_ms: CPU milliseconds a second while there is nothing to tell.
        notification_us: CPU microseconds a notification, all that the service does included.
    """

    clients: int
    idle_ms: float
    notification_us: float


async def filtered(backends: Backends) -> Outcome:
    """Measure both in turn, twice: the machine is never as quiet as one would like."""
    costs: list[Cost] = []
    faults: list[str] = []
    for _ in range(ROUNDS):
        for clients in (FEW, MANY):
            cost, wrong = await _followed(backends, clients)
            costs.append(cost)
            faults += wrong
    rows: list[Row] = [
        {
            "clients": cost.clients,
            "idle, CPU ms a second": round(cost.idle_ms, 1),
            "CPU µs a notification": round(cost.notification_us),
            f"beside {FEW}": round(cost.notification_us / costs[number - number % 2].notification_us, 2),
        }
        for number, cost in enumerate(costs)
    ]
    return Outcome(f"{RATE_PER_S} notifications a second on {FEW} orders, each of one client", rows, faults)


async def _followed(backends: Backends, clients: int) -> tuple[Cost, list[str]]:
    async with notification_service(backends) as service, feeder(backends) as source:
        orders = source.reserved(clients)
        job = Job(service.port, (await number_after(source)).decode(), _groups(orders))
        # of both protocols: the first half speaks the one, the second the other
        told = [*orders[: FEW // 2], *orders[clients // 2 : clients // 2 + FEW // 2]]
        await source.over_table([source.event(EventType.ORDER_CREATED, order) for order in told], 1_000, FEW)
        async with connected(job) as crowd:
            await asyncio.sleep(SETTLE_S)
            idle_s = await _idle_cpu_s(service)
            before = await source.head()
            cpu = cpu_s([service.pid])
            sent = await source.over_queue(_updates(source, told), RATE_PER_S)
            question = Question({str(number): at for number, at in sent.items()}, await wishes(source, orders, before))
            await crowd.settled(question)
            cpu = cpu_s([service.pid]) - cpu
            faults = list(broken(f"{clients} clients", await crowd.report(), service))
    return Cost(clients, idle_s * 1e3 / SECONDS, cpu * 1e6 / len(sent)), faults


def _groups(orders: range) -> list[Group]:
    half = len(orders) // 2
    return [
        Group(protocol, f"{path}?orderId={{client}}", half, first)
        for (protocol, path), first in zip(PATHS.items(), (orders[0], orders[half]), strict=True)
    ]


def _updates(source: Feeder, orders: list[int]) -> list[OrderEvent]:
    each = RATE_PER_S * SECONDS // len(orders)
    return [source.event(EventType.ORDER_UPDATED, order, 2 + version) for version in range(each) for order in orders]


async def _idle_cpu_s(service: Service) -> float:
    cpu = cpu_s([service.pid])
    await asyncio.sleep(SECONDS)
    return cpu_s([service.pid]) - cpu


async def wishes(source: Feeder, orders: range, before: int) -> dict[str, list[int]]:
    """Return the places after *before* of the notifications of each client, the first of which follows orders[0]."""
    places: dict[str, list[int]] = {}
    for place, order in sorted((await source.orders_beyond(before)).items()):
        places.setdefault(str(order - orders[0]), []).append(place)
    return places
