"""Records a run of the whole system: each log line, and what SQS would tell CloudWatch of its queues."""

from __future__ import annotations

import asyncio
import lzma
import socket
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp
import orjson

from orderstream_local.layout import ROOT
from orderstream_local.ports import Ports
from orderstream_local.stack import StackOptions
from tests.alarms.scenarios import Scenario
from tests.chaos.deliveries import Deliveries
from tests.chaos.network import AWS, CALLS, Network, Request, Response, Wire
from tests.chaos.runner import WiredStack
from tests.chaos.stage import QUEUES, Stage, replica_name
from tests.support.folders import reachable_folder
from tests.support.load import Customers, Ledger
from tests.support.system import System
from tests.support.waiting import meanwhile

__all__ = ["record"]

# healthy before the fault, the fault, and the time for all alarms to be OK again
BEFORE_S, FAULT_S, AFTER_S = 120.0, 330.0, 240.0
ORDERS_PER_S = 0.25
SAMPLE_EVERY_S = 15.0
SAMPLE_LIMIT_S = 5.0


class QueueAges:
    """When the messages of each queue were sent, seen on the wires to SQS: the emulator does not tell."""

    def __init__(self) -> None:
        self._sent: dict[str, dict[str, float]] = defaultdict(dict)
        self._message_of: dict[str, str] = {}

    def oldest_s(self, queue: str) -> float:
        """Return the age of the oldest message that is not deleted, 0 without one."""
        return time.time() - min(self._sent[queue].values(), default=time.time())

    def observe(self, _wire: Wire, request: Request, response: Response) -> None:
        """Note an answer of SQS."""
        _, _, operation = request.operation.partition("AmazonSQS.")
        if response.status != 200 or not operation:
            return
        body, answer = orjson.loads(request.body), orjson.loads(response.body or b"{}")
        queue = str(body.get("QueueUrl", "")).rpartition("/")[2]
        if operation.startswith("SendMessage"):
            sent = answer.get("Successful") or [answer]
            self._sent[queue] |= {entry["MessageId"]: time.time() for entry in sent if "MessageId" in entry}
        elif operation == "ReceiveMessage":
            found = answer.get("Messages") or ()
            self._message_of |= {each["ReceiptHandle"]: each["MessageId"] for each in found}
        elif operation.startswith("DeleteMessage"):
            for entry in body.get("Entries") or [body]:
                self._sent[queue].pop(self._message_of.get(entry["ReceiptHandle"], ""), None)


async def record(scenario: Scenario) -> bytes:
    """Run the system, strike it, and return what was logged, a line each, by time, compressed."""
    ages = QueueAges()
    async with AsyncExitStack() as entered:
        data = entered.enter_context(reachable_folder("alarms-"))
        network = await entered.enter_async_context(
            Network(1, lambda name, _: stack.aws_endpoint if name == AWS else stack.url(name), ages.observe)
        )
        stack = WiredStack(StackOptions(data=data, ports=Ports.free(), web=False), network, {}, None)
        await entered.enter_async_context(stack)
        session = await entered.enter_async_context(aiohttp.ClientSession())
        stage = Stage(System(stack, session), network, Deliveries())
        ledger = Ledger()
        customers = Customers(stage.system, ledger, seed=1)
        await customers.stock_up()
        stage.locked = next(iter(ledger.stocked))
        samples: list[dict[str, Any]] = []
        began = time.time()
        async with meanwhile(_sample(stage, ages, samples)), asyncio.TaskGroup() as group:
            group.create_task(customers.order(ORDERS_PER_S, BEFORE_S + FAULT_S + AFTER_S))
            struck, mended = await _strike(scenario, stage)
        ended = time.time()
        times = {"began": began, "struck": struck, "mended": mended, "ended": ended}
        lines = [*samples, *_lines(stack, {str(data): "", str(ROOT): "", socket.gethostname(): "host"})]
    first: dict[str, Any] = {"what": scenario.what} | {name: _text(at) for name, at in times.items()}
    kept = sorted((line for line in lines if first["began"] <= line["time"] <= first["ended"]), key=_time)
    return lzma.compress(b"\n".join(map(orjson.dumps, [first, *kept])), preset=9)


async def _strike(scenario: Scenario, stage: Stage) -> tuple[float, float]:
    await asyncio.sleep(BEFORE_S)
    struck = time.time()
    async with scenario.strike(stage):
        await asyncio.sleep(struck + FAULT_S - time.time())
    mended = time.time()
    await asyncio.sleep(AFTER_S)
    return struck, mended


async def _sample(stage: Stage, ages: QueueAges, samples: list[dict[str, Any]]) -> None:
    while True:
        for queue in (name for main in QUEUES for name in (main, f"{main}-dlq")):
            try:
                async with asyncio.timeout(SAMPLE_LIMIT_S):
                    visible = ["ApproximateNumberOfMessages"]
                    answer = await stage.sqs("GetQueueAttributes", queue, AttributeNames=visible)
            except (aiohttp.ClientError, TimeoutError):  # no SQS, no metrics of it
                continue
            number = int(answer["Attributes"][visible[0]])
            age_s = ages.oldest_s(queue)
            samples.append({"time": _text(time.time()), "queue": queue, "visible": number, "oldestS": round(age_s, 3)})
        await asyncio.sleep(SAMPLE_EVERY_S)


def _lines(stack: WiredStack, hidden: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the log lines of all services, without what only this machine has."""
    for service in CALLS:
        text = stack.processes[replica_name(service, 0)].log.read_text("utf-8")
        for secret, instead in hidden.items():
            text = text.replace(secret, instead)
        yield from map(orjson.loads, text.splitlines())


def _text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _time(line: dict[str, Any]) -> str:
    return str(line["time"])
