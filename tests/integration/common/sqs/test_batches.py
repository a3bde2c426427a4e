"""Messages of several parts: each part is processed, retried or dead-lettered alone."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
import pytest

from service_common.backoff import Backoff
from service_common.errors import PermanentError, TransientError
from service_common.events import split_batch
from service_common.sqs import Message, Poller, PollerSettings, Sqs
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.integration.common.conftest import FaultySqs, TestQueue

# without long polls a stop does not wait
QUICK = PollerSettings(wait_s=0, stop_grace_s=3.0, acknowledge_linger_s=0.02, retry=Backoff(1.0, 1.0))
DELETE = "DeleteMessageBatch"
SEND = "SendMessageBatch"


class Handler:
    """Records each part, and raises what is left for it."""

    def __init__(self, **errors: Sequence[Exception]) -> None:
        self.seen: list[tuple[str, int]] = []
        self.done: Counter[str] = Counter()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self._changed = asyncio.Condition()
        self._errors = {name: list(each) for name, each in errors.items()}

    async def __call__(self, message: Message) -> None:
        name = orjson.loads(message.body)
        self.seen.append((name, message.receive_count))
        await self._notify()
        await self.may_end.wait()
        if errors := self._errors.get(name):
            raise errors.pop(0)
        self.done[name] += 1
        await self._notify()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def polling(
    sqs: Sqs, queue: TestQueue, handler: Handler, settings: PollerSettings = QUICK
) -> AsyncIterator[Poller]:
    poller = Poller(sqs, queue.name, handler, settings=settings, split=split_batch)
    running = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        await poller.stop()
        await running


async def test_every_part_is_handled_once_and_the_message_deleted(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    await queue.send('["a","b","c"]', '"d"', "[]")
    handler = Handler()
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done == Counter("abcd"))
    assert await queue.counts() == (0, 0)
    assert not faulty.of(SEND)


async def test_part_that_can_never_be_processed_is_dead_lettered_alone(sqs: Sqs, queue: TestQueue) -> None:
    await queue.send('["a","b","c"]')
    handler = Handler(b=[PermanentError("no invoice")])
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done == Counter("ac"))
    [letter] = await queue.dead_letters()
    assert letter["Body"] == '"b"'
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "permanent: no invoice"
    assert await queue.counts() == (0, 0)


async def test_part_that_failed_is_retried_alone_and_counts_its_receives(sqs: Sqs, queue: TestQueue) -> None:
    await queue.send('["a","b","c"]')
    handler = Handler(b=[TransientError("later"), TransientError("later")])
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done == Counter("abc"))
    assert [receives for name, receives in handler.seen if name == "b"] == [1, 2, 3]
    assert [name for name, _ in handler.seen if name != "b"] == ["a", "c"]
    assert await queue.counts() == (0, 0)


async def test_batch_of_which_nothing_was_processed_is_retried_as_it_is(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    await queue.send('["a","b"]')
    handler = Handler(a=[TransientError("later")], b=[TransientError("later")])
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done == Counter("ab"))
    assert sorted(handler.seen) == [("a", 1), ("a", 2), ("b", 1), ("b", 2)]
    assert not faulty.of(SEND)


async def test_batch_that_keeps_failing_is_separated_so_that_one_part_ends_no_other(sqs: Sqs, queue: TestQueue) -> None:
    await queue.send('["a","b"]')
    handler = Handler(a=[TransientError("later")] * 2, b=[TransientError("later")] * 3)
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done == Counter("ab"))
    # the third receive is that of the batch, which no handler saw
    assert [receives for name, receives in handler.seen if name == "a"] == [1, 2, 4]
    assert [receives for name, receives in handler.seen if name == "b"] == [1, 2, 4, 5]
    assert await queue.counts() == (0, 0)


async def test_when_a_part_can_not_be_sent_the_batch_comes_again(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    await queue.send('["a","b"]')
    faulty.next(SEND, faulty.refuse(1))
    handler = Handler(b=[TransientError("later")])
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.done["b"] == 1)
    assert handler.done == Counter(a=2, b=1)  # at least once
    assert await queue.counts() == (0, 0)


async def test_parts_count_as_messages_in_flight(sqs: Sqs, queue: TestQueue) -> None:
    await queue.send('["a","b","c","d"]')
    handler = Handler()
    handler.may_end.clear()
    async with polling(sqs, queue, handler, dataclasses.replace(QUICK, concurrency=3)):
        await handler.until(lambda: len(handler.seen) == 4)
        await queue.send('"e"')
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await handler.until(lambda: len(handler.seen) == 5)
        handler.may_end.set()
        await handler.until(lambda: handler.done == Counter("abcde"))


async def test_stop_hands_a_batch_back_whole(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.receive_once()
    await queue.send('["a","b"]')
    handler = Handler()
    handler.may_end.clear()
    async with polling(sqs, queue, handler, dataclasses.replace(QUICK, stop_grace_s=0.1)):
        await handler.until(lambda: len(handler.seen) == 2)
    assert await queue.counts() == (1, 0)


async def test_part_that_runs_too_long_is_stopped_and_retried_alone(sqs: Sqs, queue: TestQueue) -> None:
    await queue.send('["a","slow"]')
    handler = Handler()

    async def handle(message: Message) -> None:
        await handler(message)
        if message.body == '"slow"' and message.receive_count == 1:
            await asyncio.sleep(2 * PATIENCE_S)

    poller = Poller(
        sqs, queue.name, handle, settings=dataclasses.replace(QUICK, handler_limit_s=0.2), split=split_batch
    )
    running = asyncio.create_task(poller.run())
    await handler.until(lambda: handler.done == Counter({"a": 1, "slow": 2}))
    await poller.stop()
    await running
    assert await queue.counts() == (0, 0)
