"""A poller whose loop died runs again: permits, messages in flight, acknowledgements are as if it had not died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from service_common.lifecycle import Readiness, background
from service_common.sqs import Message, Poller, PollerSettings, Queue
from service_common.sqs.messages import Received, Refusal
from tests.support.waiting import PATIENCE_S, eventually

CONCURRENCY = 4
QUEUE = Queue("orders", "http://sqs/orders", "orders-dlq", 1)


class FakeSqs:
    """Delivers *backlog*; the next call of what is in *defects* raises that instead."""

    def __init__(self) -> None:
        self.backlog: list[str] = []
        self.deleted: list[str] = []
        self.extended = 0
        self.defects: dict[str, BaseException] = {}
        self.arrived = asyncio.Event()

    def send(self, *ids: str) -> None:
        self.backlog += ids
        self.arrived.set()

    async def queue(self, _: str) -> Queue:
        self._raise("queue")
        return QUEUE

    async def receive(self, _: Queue, limit: int, wait_s: int) -> list[Received]:
        self.arrived.clear()
        self._raise("receive")
        if not self.backlog:
            try:
                async with asyncio.timeout(wait_s):
                    await self.arrived.wait()
            except TimeoutError:
                return []
            self._raise("receive")
        received, self.backlog = self.backlog[:limit], self.backlog[limit:]
        return [Received(Message(each, "", 1, {}, datetime.now(UTC)), f"handle of {each}") for each in received]

    async def delete(self, _: Queue, handles: Sequence[str]) -> Mapping[int, Refusal]:
        await asyncio.sleep(0)
        self._raise("delete")
        self.deleted += handles
        return {}

    async def change_visibility(self, _: Queue, timeouts: Sequence[tuple[str, int]]) -> Mapping[int, Refusal]:
        await asyncio.sleep(0)
        self._raise("change_visibility")
        self.extended += len(timeouts)
        return {}

    def _raise(self, call: str) -> None:
        if (defect := self.defects.pop(call, None)) is not None:
            raise defect


@pytest.fixture
def sqs() -> FakeSqs:
    return FakeSqs()


class Handler:
    """Handlers that end when they are told."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.release = asyncio.Event()

    async def __call__(self, message: Message) -> None:
        self.begun.append(message.id)
        await self.release.wait()


def poller_of(sqs: FakeSqs, handler: Handler) -> Poller:
    settings = PollerSettings(concurrency=CONCURRENCY, wait_s=1, acknowledge_linger_s=0.01)
    return Poller(sqs, QUEUE.name, handler, settings=settings)  # type: ignore[arg-type]  # as much of it as is used


async def until(condition: Callable[[], object], what: str) -> None:
    async def look() -> bool | None:
        return bool(condition()) or None

    await eventually(look, what)


@pytest.mark.parametrize("call", ["queue", "receive", "change_visibility"])
@pytest.mark.parametrize("defect", [KeyError("QueueUrl"), asyncio.CancelledError()], ids=repr)
async def test_messages_in_flight_outlive_the_death_of_a_loop(sqs: FakeSqs, call: str, defect: BaseException) -> None:
    readiness = Readiness()
    handler = Handler()
    poller = poller_of(sqs, handler)
    async with asyncio.timeout(PATIENCE_S), background(readiness, "poller", poller.run):
        sqs.send("1", "2")
        await until(lambda: handler.begun == ["1", "2"], "two messages in flight")
        sqs.defects[call] = defect
        sqs.arrived.set()
        await until(lambda: not sqs.defects, "the death")
        sqs.send("3", "4", "5", "6")
        await until(lambda: handler.begun == ["1", "2", "3", "4"], "all permits in use")
        extended = sqs.extended
        await until(lambda: sqs.extended >= extended + 4, "the heartbeat of all")
        assert handler.begun == ["1", "2", "3", "4"]
        handler.release.set()
        await until(lambda: len(sqs.deleted) == 6, "all acknowledged")
        readiness.draining = True
        await poller.stop()
    assert poller._receive_loops._limit.free == CONCURRENCY
    assert not len(poller._in_flight)


async def test_message_whose_acknowledgement_crashes_gives_its_permit_back(sqs: FakeSqs) -> None:
    handler = Handler()
    handler.release.set()
    poller = poller_of(sqs, handler)
    async with asyncio.timeout(PATIENCE_S), background(Readiness(), "poller", poller.run):
        sqs.defects["delete"] = KeyError("Failed")
        sqs.send("1")
        await until(lambda: "delete" not in sqs.defects, "the crash")
        await until(lambda: not len(poller._in_flight), "the message to be given up")
        sqs.send("1")  # SQS delivers it again
        await until(lambda: sqs.deleted, "the second acknowledgement")
    assert handler.begun == ["1", "1"]
    assert poller._receive_loops._limit.free >= CONCURRENCY - 1


async def test_message_whose_handler_is_cancelled_before_it_begins_is_handed_back(sqs: FakeSqs) -> None:
    handler = Handler()
    poller = poller_of(sqs, handler)
    async with asyncio.timeout(PATIENCE_S), background(Readiness(), "poller", poller.run):
        await until(lambda: poller._receive_loops.queue, "the queue")
        poller._dispatch([Received(Message("1", "", 1, {}, datetime.now(UTC)), "handle")])
        poller._cancel_handlers()
        await until(lambda: not len(poller._in_flight), "the message to be handed back")
    assert handler.begun == []
    assert sqs.extended == 1
