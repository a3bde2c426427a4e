"""What a message costs the poller, beside the loop one would write without it; both on messages that wait already.

Starts an emulator of its own, unless --endpoint says which SQS to take. Rates depend on the machine and on who else
uses it: quote ratios of one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from aiobotocore.session import get_session
from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.table import Table

from service_common.config import AwsConfig
from service_common.sqs import Message, Outgoing, Poller, PollerSettings, Publisher, Sqs

from .emulator import emulator

if TYPE_CHECKING:
    from types_aiobotocore_sqs import SQSClient

BODY = json.dumps({"specversion": "1.0", "type": "order-created", "data": {"orderId": 1, "padding": "x" * 300}})


@dataclass(frozen=True, slots=True)
class Result:
    """One consumer's run."""

    consumer: str
    messages: int
    messages_per_s: float
    cpu_us_a_message: float
    left: int


class Countdown:
    """A handler that does nothing but see when all messages have come."""

    def __init__(self, total: int) -> None:
        self._left = total
        self.done = asyncio.Event()

    async def __call__(self, _message: object) -> None:
        """Count a message."""
        self._left -= 1
        if self._left <= 0:
            self.done.set()


Consume = Callable[[AwsConfig, str, Countdown], Awaitable[None]]


async def poller(aws: AwsConfig, queue: str, handler: Countdown) -> None:
    """Ours, every feature on: permits, heartbeat, leases, verified batches, metrics, logs."""

    async def handle(message: Message) -> None:
        await handler(message)

    async with Sqs.open(aws) as sqs:
        consumer = Poller(sqs, queue, handle, settings=PollerSettings(wait_s=1))
        running = asyncio.ensure_future(consumer.run())
        await handler.done.wait()
        await consumer.stop()
        await running


async def naive(aws: AwsConfig, queue: str, handler: Countdown) -> None:
    """Receive, handle and delete one after the other, as tutorials do."""
    async with get_session().create_client("sqs", region_name=aws.region, endpoint_url=aws.endpoint_url) as client:
        url = (await client.get_queue_url(QueueName=queue))["QueueUrl"]
        while not handler.done.is_set():
            answer = await client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", ()):
                await handler(message)
                await client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


async def featureless(aws: AwsConfig, queue: str, handler: Countdown) -> None:
    """Four loops that delete in batches and look at nothing: stock aiobotocore's least."""

    async def loop(client: SQSClient, url: str) -> None:
        while not handler.done.is_set():
            answer = await client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = answer.get("Messages", [])
            for message in messages:
                await handler(message)
            entries = [{"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)]
            if entries:
                await client.delete_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]

    async with get_session().create_client("sqs", region_name=aws.region, endpoint_url=aws.endpoint_url) as client:
        url = (await client.get_queue_url(QueueName=queue))["QueueUrl"]
        await asyncio.gather(*(loop(client, url) for _ in range(4)))


async def measure(consume: Consume, aws: AwsConfig, messages: int) -> Result:
    """Fill a queue of its own, consume it, and say what that took."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    async with (
        get_session().create_client("sqs", region_name=aws.region, endpoint_url=aws.endpoint_url) as admin,
        Sqs.open(aws) as sqs,
    ):
        url = (await admin.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "30"}))["QueueUrl"]
        await Publisher(sqs).send(name, [Outgoing(str(number), BODY) for number in range(messages)])
        handler = Countdown(messages)
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        consuming = asyncio.ensure_future(consume(aws, name, handler))
        await handler.done.wait()
        wall_s = time.perf_counter() - wall_s
        await consuming  # what is still to be acknowledged belongs to the cost
        cpu_s = time.process_time() - cpu_s
        counts = (await admin.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]))["Attributes"]
        left = int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])
        await admin.delete_queue(QueueUrl=url)
    return Result(consume.__name__, messages, round(messages / wall_s), round(cpu_s / messages * 1e6), left)


async def measure_all(given: argparse.Namespace) -> list[Result]:
    """Measure each consumer in turn, as often as was asked for."""
    consumers: list[Consume] = [each for each in (poller, naive, featureless) if given.only in {None, each.__name__}]
    async with nullcontext(given.endpoint) if given.endpoint else emulator() as endpoint:
        aws = AwsConfig("us-east-1", endpoint)
        # on the loop that the services run on, which can't start the emulator: it knows no users
        return [
            await asyncio.to_thread(uvloop.run, measure(consume, aws, given.messages))
            for consume in consumers * given.rounds
        ]


def main() -> None:
    """Measure, and print a table and one JSON line."""
    arguments = argparse.ArgumentParser(
        prog="./run bench poller", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--endpoint", help="URL of an SQS (an emulator of its own)")
    arguments.add_argument("--messages", type=int, default=3000, help="for each consumer (3000)")
    arguments.add_argument("--rounds", type=int, default=1, help="how often (1)")
    arguments.add_argument("--only", choices=("poller", "naive", "featureless"), help="measure one consumer alone")
    given = arguments.parse_args()
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    table = Table("consumer", "messages/s", "CPU µs a message", "left behind")
    with Path(os.devnull).open("w") as nowhere:  # a line costs what it costs, wherever it goes
        log = logging.StreamHandler(nowhere)
        log.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        logging.basicConfig(level=logging.INFO, handlers=[log])
        results = [asdict(result) for result in asyncio.run(measure_all(given))]
    for result in results:
        table.add_row(*(str(value) for name, value in result.items() if name != "messages"))
    Console().print(table)
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
