"""What a run left behind, gathered from outside: over HTTP, from the streams, the metrics and the logs."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import orjson

from tests.chaos.plan import Planned
from tests.chaos.stage import PROCESSES, QUEUES, Poison, Stage, Stop, place_of
from tests.support.load import Customers, Ledger
from tests.support.waiting import eventually
from tests.support.watcher import Watcher, head_of_feed

__all__ = ["Evidence", "Line", "Struck", "epoch_s", "gather", "settled"]

# orders whose key is used once more at the end
MAX_REPEATS = 300
CONCURRENT = 8
CANARY_WITHIN_S = 20.0
_WRITTEN = re.compile(r'^orderstream_log_lines_total\{outcome="written"\} (\S+)', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault as it happened, in seconds since the epoch."""

    planned: Planned
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log of a process."""

    process: str
    fields: dict[str, Any]


@dataclass(slots=True)
class Evidence:
    """All that the verdict is about.

    Attributes:
        orders: by id, as the order service answers.
        sagas: by order id, one for each version.
        repeated: Idempotency-Key to the order that a repeat at the end was answered with.
        shelves: product to its stock now; `lowest` is the least that any product was ever seen with.
        notifications: the whole feed.
        watchers: push clients that came back again and again.
        lines: of all logs of the services; `torn` counts those of a process that are no JSON.
        counted: process to (lines that it says it wrote, lines that its log has since its start).
        exits: how processes ended, as their supervisor tells it, with the time.
        letters: bodies in the dead-letter queues.
        unrecovered: what was not there again a minute after a fault.
        alive: process to what is wrong with it; empty when it works.
        peak_rss_mb: process to the most memory it was seen with.
        delivered: services whose last log lines arrived in CloudWatch Logs.
    """

    ledger: Ledger
    struck: list[Struck] = field(default_factory=list)
    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    sagas: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    repeated: dict[str, int | None] = field(default_factory=dict)
    shelves: dict[str, int] = field(default_factory=dict)
    lowest: int = 0
    notifications: list[dict[str, Any]] = field(default_factory=list)
    watchers: Sequence[Watcher] = ()
    lines: list[Line] = field(default_factory=list)
    torn: dict[str, int] = field(default_factory=dict)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    exits: list[tuple[float, str]] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    queues_lost_at: float = 0.0
    stops: list[Stop] = field(default_factory=list)
    recovered: list[tuple[float, float]] = field(default_factory=list)
    orphaned: int = 0
    unrecovered: list[str] = field(default_factory=list)
    alive: dict[str, str] = field(default_factory=dict)
    peak_rss_mb: dict[str, float] = field(default_factory=dict)
    delivered: set[str] = field(default_factory=set)


def epoch_s(text: str) -> float:
    """Parse a time of the wire contracts."""
    return datetime.fromisoformat(text).timestamp()


async def settled(stage: Stage, ledger: Ledger, watchers: Sequence[Watcher], within_s: float) -> str:
    """Wait until nothing is under way any more; return what still is when the time is over."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            left = await _under_way(stage, ledger, watchers)
        except (aiohttp.ClientError, TimeoutError, KeyError, TypeError) as error:
            left = f"a service does not answer: {error!r}"
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.5)


async def _under_way(stage: Stage, ledger: Ledger, watchers: Sequence[Watcher]) -> str:
    system = stage.system
    open_orders = (await system.call("order", "GET", "/orders?status=CREATED&limit=200")).json["orders"]
    if open_orders:
        return f"{len(open_orders)} orders are CREATED, such as {open_orders[-1]['id']}"
    for queue in QUEUES:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await stage.sqs("GetQueueAttributes", queue, AttributeNames=names)
        if any(int(count) for count in answer["Attributes"].values()):
            return f"{queue}: {answer['Attributes']}"
    if orphaned := stage.deliveries.orphaned:  # they come back after their visibility timeout
        return f"{orphaned} messages of killed consumers are not processed"
    told = {each["orderId"] for each in watchers[0].told.values() if each["kind"] not in {"CREATED", "UPDATED"}}
    untold = set(ledger.accepted.values()) - told
    if untold:
        return f"{len(untold)} orders have no terminal notification, such as {min(untold)}"
    head = await head_of_feed(system)
    return "".join(f"{each.protocol} is at {each.last_id} of {head}" for each in watchers if each.last_id != head)


async def gather(stage: Stage, customers: Customers, evidence: Evidence) -> None:
    """Complete the *evidence* when all has settled."""
    ledger = evidence.ledger
    works = await asyncio.gather(*(_alive(stage, ledger, process) for process in PROCESSES))
    evidence.alive = dict(zip(PROCESSES, works, strict=True))
    limit = asyncio.Semaphore(CONCURRENT)

    async def repeat(key: str) -> None:
        async with limit:
            answer = await customers.ask(key)
        evidence.repeated[key] = answer.json["id"] if answer.status == 201 else None

    await asyncio.gather(*map(repeat, [*ledger.unanswered, *list(ledger.accepted)[:MAX_REPEATS]]))
    evidence.orders = {each["id"]: each async for each in _pages(stage, "order", "/orders", "orders")}
    evidence.shelves = await stock(stage, ledger.stocked)
    evidence.notifications = await _feed(stage)
    await _gather_sagas(stage, evidence)
    for queue in QUEUES:
        while messages := (await stage.sqs("ReceiveMessage", f"{queue}-dlq", MaxNumberOfMessages=10)).get("Messages"):
            evidence.letters += [each["Body"] for each in messages]
    evidence.poison, evidence.queues_lost_at = stage.poison, stage.queues_lost_at
    evidence.stops, evidence.recovered = stage.stops, stage.deliveries.recovered
    evidence.orphaned = stage.deliveries.orphaned
    await _gather_delivered(stage, evidence)
    for process in PROCESSES:
        await _gather_log(stage, evidence, process)


async def stock(stage: Stage, products: Iterable[str]) -> dict[str, int]:
    """Return what is on the shelves; nothing while the inventory service refuses to say."""
    query = "&".join(f"productId={product}" for product in products)
    answer = await stage.system.call("inventory", "GET", f"/inventory?{query}", timeout=aiohttp.ClientTimeout(total=5))
    return {each["productId"]: each["stock"] for each in answer.json["items"]} if answer.status == 200 else {}


async def _alive(stage: Stage, ledger: Ledger, process: str) -> str:
    """Return what is wrong with a process that should do its work: readiness, an order through it, its poller."""
    service, replica = place_of(process)
    system = stage.system
    answer = await system.call(service, "GET", "/health/ready", replica=replica)
    if answer.status != 200:
        return f"not ready: {answer.json}"
    if service in {"processing", "notification"} and time.time() - stage.deliveries.received_at.get(process, 0) > 25:
        return "receives no messages"
    if service == "order":
        item: dict[str, Any] = {"productId": next(iter(ledger.stocked)), "quantity": 1}
        headers = {"Idempotency-Key": process}
        placed = await system.call(
            service, "POST", "/orders", replica=replica, json={"orderItems": [item]}, headers=headers
        )
        if placed.status != 201:
            return f"takes no order: {placed.status} {placed.json}"
        ledger.wanted[process] = {item["productId"]: 1}
        ledger.accepted[process] = placed.json["id"]
        try:
            await system.ended(placed.json["id"], CANARY_WITHIN_S)
        except AssertionError as error:
            return str(error)
    return ""


async def _gather_sagas(stage: Stage, evidence: Evidence) -> None:
    limit = asyncio.Semaphore(CONCURRENT)

    async def of(order_id: int) -> None:
        async with limit:
            answer = await stage.system.call("processing", "GET", f"/sagas/{order_id}")
            evidence.sagas[order_id] = answer.json["sagas"] if answer.status == 200 else []

    await asyncio.gather(*(of(order_id) for order_id in evidence.orders))
    newest = (await stage.system.call("processing", "GET", "/sagas?limit=200")).json["sagas"]
    for saga in newest:
        evidence.sagas.setdefault(saga["orderId"], [saga])


async def _gather_delivered(stage: Stage, evidence: Evidence) -> None:
    """See which services' log lines of the last order reached CloudWatch Logs."""
    last = max(evidence.ledger.accepted.values())
    since = epoch_s(evidence.orders[last]["createdAt"]) - 5
    facts = {"order": ("orderId", last), "inventory": ("operationId", f"{last}:1")}
    facts |= dict.fromkeys(("processing", "notification"), facts["order"])

    async def all_there() -> bool | None:
        for service, fact in facts.items():
            query = {"logGroupName": f"{service}-service-logs", "startTime": round(since * 1000)}
            events = (await stage.aws("Logs_20140328.FilterLogEvents", query)).get("events", [])
            if any(fact in orjson.loads(event["message"]).items() for event in events):
                evidence.delivered.add(service)
        return evidence.delivered == set(facts) or None

    with suppress(AssertionError):
        await eventually(all_there, "the last order in CloudWatch Logs", CANARY_WITHIN_S)


async def _gather_log(stage: Stage, evidence: Evidence, process: str) -> None:
    service, replica = place_of(process)
    metrics = (await stage.system.call(service, "GET", "/metrics", replica=replica)).body.decode()
    evidence.torn[process] = since_start = 0
    for raw in stage.system.stack.processes[process].log.read_bytes().splitlines():
        try:
            fields = orjson.loads(raw)
        except orjson.JSONDecodeError:
            evidence.torn[process] += 1
            continue
        since_start = 1 if fields.get("message") == "service starting" else since_start + 1
        evidence.lines.append(Line(process, fields))
    evidence.counted[process] = (int(float(_WRITTEN.search(metrics)[1])), since_start)  # type: ignore[index]  # it is there


async def _feed(stage: Stage) -> list[dict[str, Any]]:
    return [each async for each in _pages(stage, "notification", "/notifications", "notifications")]


async def _pages(stage: Stage, service: str, path: str, name: str) -> Any:
    query = "?limit=200"
    while True:
        page = (await stage.system.call(service, "GET", path + query)).json
        for each in page[name]:
            yield each
        if page["next"] is None:
            return
        query = f"?limit=200&after={page['next']}"
