from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from service_common.backoff import Backoff
from service_common.errors import PermanentError, ServiceError, TransientError
from service_common.observability import Metrics
from service_common.sqs import (
    Attribute,
    Gate,
    Message,
    MessageHandler,
    Outgoing,
    Poller,
    PollerSettings,
    Publisher,
    Sqs,
)
from service_common.sqs.limits import MAX_BATCH_BYTES
from service_common.sqs.messages import attributes_of, size_bytes
from service_common.sqs.receive_loop import BACKOFF
from tests.support.waiting import PATIENCE_S, eventually

if TYPE_CHECKING:
    from tests.integration.common.conftest import FaultySqs, TestQueue

# without long polls a stop does not wait
QUICK = PollerSettings(wait_s=0, stop_grace_s=3.0, acknowledge_linger_s=0.02, retry=Backoff(1.0, 1.0))
PARKED = dataclasses.replace(QUICK, wait_s=1)
RECEIVE = "ReceiveMessage"
DELETE = "DeleteMessageBatch"
EXTEND = "ChangeMessageVisibilityBatch"
SEND = "SendMessageBatch"


class Recorder:
    """A handler that records its messages and behaves as the test says for a body."""

    def __init__(self, **on: Callable[[Message], Awaitable[None]]) -> None:
        self.seen: list[Message] = []
        self.running = 0
        self.most_running = 0
        self._on = on
        self._changed = asyncio.Condition()

    @property
    def bodies(self) -> list[str]:
        return [message.body for message in self.seen]

    async def __call__(self, message: Message) -> None:
        self.seen.append(message)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self._notify()
        try:
            if message.body in self._on:
                await self._on[message.body](message)
        finally:
            self.running -= 1
            await self._notify()

    async def until(self, condition: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        async with asyncio.timeout(limit_s), self._changed:
            await self._changed.wait_for(condition)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def polling(
    sqs: Sqs,
    queue: TestQueue,
    handler: MessageHandler,
    settings: PollerSettings = QUICK,
    *,
    gate: Gate | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[Poller]:
    poller = Poller(sqs, queue.name, handler, settings=settings, gate=gate, metrics=metrics)
    running = asyncio.create_task(poller.run())
    try:
        yield poller
    finally:
        await poller.stop()
        await running


def blocked_by(event: asyncio.Event) -> Callable[[Message], Awaitable[None]]:
    async def wait(_message: Message) -> None:
        await event.wait()

    return wait


def failing(*errors: BaseException) -> Callable[[Message], Awaitable[None]]:
    """Raise each of *errors* once, then succeed."""
    left = list(errors)

    async def fail(_message: Message) -> None:
        if left:
            raise left.pop(0)

    return fail


async def test_every_message_is_handled_once_and_deleted_in_tens(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    bodies = [f"body-{number}" for number in range(40)]
    await queue.send(*bodies)
    handler = Recorder()
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 40)
    assert sorted(handler.bodies) == sorted(
        bodies
    )  # no receive counts: moto may give a message to two receives at once
    assert await queue.counts() == (0, 0)
    assert len(faulty.of(DELETE)) <= 6


async def test_messages_in_flight_are_at_most_the_concurrency(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    await queue.send(*["wait"] * 12)
    go_on = asyncio.Event()
    handler = Recorder(wait=blocked_by(go_on))
    async with polling(sqs, queue, handler, PollerSettings(concurrency=3, wait_s=0)):
        await handler.until(lambda: handler.running == 3)
        assert await queue.counts() == (9, 3)
        assert faulty.under_way(RECEIVE) == 0
        go_on.set()
        await handler.until(lambda: len(handler.seen) == 12)
    assert handler.most_running == 3
    assert {call.body["MaxNumberOfMessages"] for call in faulty.of(RECEIVE)} <= {1, 2, 3}


async def test_slow_message_does_not_delay_others(sqs: Sqs, queue: TestQueue) -> None:
    go_on = asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    await queue.send("slow", *[f"body-{number}" for number in range(30)])
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 31 and handler.running == 1)
        go_on.set()
    assert await queue.counts() == (0, 0)


async def test_backlog_is_received_by_several_and_an_idle_queue_by_one(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    await queue.send(*["body"] * 80)
    handler = Recorder()
    together = 0
    async with polling(sqs, queue, handler, PARKED):

        def seen_all() -> bool:
            nonlocal together
            together = max(together, faulty.under_way(RECEIVE))
            return len(handler.seen) == 80

        await faulty.until(seen_all)
        await faulty.until(lambda: sum(len(call.entries) for call in faulty.of(DELETE)) >= 80)
        await faulty.until(lambda: faulty.under_way(RECEIVE) == 1 and not faulty.under_way(DELETE))
        idle_from = len(faulty.calls)
        await faulty.until(lambda: len(faulty.calls) >= idle_from + 3)
        assert all(call.operation == RECEIVE for call in faulty.calls[idle_from:])
        assert faulty.under_way(RECEIVE) == 1
    assert together >= 2


async def test_heartbeat_keeps_a_slow_message_from_being_delivered_again(
    sqs: Sqs, faulty: FaultySqs, make_queue: Callable[..., TestQueue]
) -> None:
    queue = make_queue(visibility_timeout_s=2)
    go_on = asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    await queue.send("slow", "slow")
    async with polling(sqs, queue, handler):
        await faulty.until(lambda: len(faulty.of(EXTEND)) >= 5)  # well beyond the visibility timeout
        go_on.set()
    assert len(handler.seen) == 2
    assert all(len(call.entries) == 2 for call in faulty.of(EXTEND))
    assert await queue.counts() == (0, 0)


async def test_failed_heartbeat_is_retried_in_time(
    sqs: Sqs, faulty: FaultySqs, make_queue: Callable[..., TestQueue]
) -> None:
    queue = make_queue(visibility_timeout_s=2)
    go_on = asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    faulty.next(EXTEND, faulty.fail(503, "ServiceUnavailable"), faulty.refuse(1))
    await queue.send("slow")
    async with polling(sqs, queue, handler):
        await faulty.until(lambda: len(faulty.of(EXTEND)) >= 6)
        go_on.set()
    assert len(handler.seen) == 1
    assert await queue.counts() == (0, 0)


async def test_acknowledgement_waits_for_the_heartbeat_under_way(
    sqs: Sqs, faulty: FaultySqs, make_queue: Callable[..., TestQueue]
) -> None:
    queue = make_queue(visibility_timeout_s=2)
    go_on, answer = asyncio.Event(), asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    faulty.next(EXTEND, faulty.hold(answer))
    await queue.send("slow", "quick")
    async with polling(sqs, queue, handler):
        await faulty.until(lambda: faulty.under_way(EXTEND) == 1)
        go_on.set()
        await handler.until(lambda: not handler.running)
        receives = len(faulty.of(RECEIVE))
        await faulty.until(lambda: len(faulty.of(RECEIVE)) > receives)  # there was time enough
        assert [len(call.entries) for call in faulty.of(DELETE)] == [1]  # the quick one
        answer.set()
        await faulty.until(lambda: len(faulty.of(DELETE)) == 2)
    assert await queue.counts() == (0, 0)


async def test_refused_entries_of_an_acknowledgement_are_retried(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.next(DELETE, faulty.refuse(3), faulty.fail(503, "ServiceUnavailable"))
    await queue.send(*["body"] * 10)
    handler = Recorder()
    async with polling(sqs, queue, handler):
        await faulty.until(lambda: len(faulty.of(DELETE)) == 3)
    assert [[entry["Id"] for entry in call.entries] for call in faulty.of(DELETE)][1:] == [["0", "1", "2"]] * 2
    assert len(handler.seen) == 10
    assert await queue.counts() == (0, 0)


async def test_acknowledgement_with_an_expired_receipt_is_given_up(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    metrics = Metrics()
    faulty.next(DELETE, faulty.refuse(1, sender_fault=True, code="ReceiptHandleIsInvalid"))
    await queue.send("body")
    handler = Recorder()
    async with polling(sqs, queue, handler, metrics=metrics):
        await faulty.until(lambda: bool(faulty.of(DELETE)) and not faulty.under_way(DELETE))
        await queue.send("another")
        await handler.until(lambda: len(handler.seen) == 2)
    labels = {"queue": queue.name}
    assert metrics.registry.get_sample_value("orderstream_sqs_unsettled_total", labels) == 1
    assert metrics.registry.get_sample_value("orderstream_sqs_acknowledged_total", labels) == 1
    assert metrics.registry.get_sample_value("orderstream_sqs_in_flight", labels) == 0


async def test_message_delivered_again_in_flight_is_handled_once_and_deleted_by_its_newest_handle(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    go_on = asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    metrics = Metrics()

    async def duplicate() -> bool | None:
        return metrics.registry.get_sample_value("orderstream_sqs_duplicates_total", {"queue": queue.name}) == 1 or None

    await queue.send("slow")
    async with polling(sqs, queue, handler, metrics=metrics):
        await handler.until(lambda: handler.running == 1)
        first = answered_messages(faulty)[0]
        await queue.show_again(first["ReceiptHandle"])
        await eventually(duplicate, "the second delivery is noticed")
        go_on.set()
        await faulty.until(lambda: bool(faulty.of(DELETE)))
    newest = answered_messages(faulty)[1]["ReceiptHandle"]
    assert newest != first["ReceiptHandle"]
    assert [entry["ReceiptHandle"] for call in faulty.of(DELETE) for entry in call.entries] == [newest]
    assert len(handler.seen) == 1
    assert await queue.counts() == (0, 0)


async def test_message_delivered_again_while_it_is_acknowledged_is_deleted_by_its_newest_handle(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    handler = Recorder()
    go_on = asyncio.Event()
    faulty.next(DELETE, faulty.hold(go_on, answered=False))
    await queue.send("body")
    async with polling(sqs, queue, handler):
        await faulty.until(lambda: faulty.under_way(DELETE) == 1)
        first = answered_messages(faulty)[0]["ReceiptHandle"]
        await queue.show_again(first)
        await faulty.until(lambda: len(answered_messages(faulty)) == 2)
        go_on.set()
        await faulty.until(lambda: len(faulty.of(DELETE)) == 2)
    newest = answered_messages(faulty)[1]["ReceiptHandle"]
    assert [call.entries[0]["ReceiptHandle"] for call in faulty.of(DELETE)] == [first, newest]
    assert len(handler.seen) == 1


def parked(faulty: FaultySqs, wait_s: int) -> bool:
    return any(call.body["WaitTimeSeconds"] == wait_s and call.answer is None for call in faulty.of(RECEIVE))


def answered_messages(faulty: FaultySqs) -> list[dict[str, str]]:
    answers = [call.answer[1] for call in faulty.of(RECEIVE) if call.answer]
    return [message for answer in answers for message in answer.get("Messages") or ()]


@pytest.mark.parametrize(
    "error", [TransientError("later"), ZeroDivisionError("a defect"), asyncio.CancelledError(), TimeoutError()]
)
async def test_failed_message_is_received_again_after_a_delay(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, error: BaseException
) -> None:
    handler = Recorder(body=failing(error))
    await queue.send("body")
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 2)
    assert [message.receive_count for message in handler.seen] == [1, 2]
    assert [entry["VisibilityTimeout"] for call in faulty.of(EXTEND) for entry in call.entries] == [1]
    assert await queue.counts() == (0, 0)


async def test_failed_delay_is_retried(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.next(EXTEND, faulty.fail(500, "InternalFailure"), faulty.refuse(1))
    handler = Recorder(body=failing(TransientError("later")))
    await queue.send("body")
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 2)
    assert len(faulty.of(EXTEND)) == 3


async def test_hanging_handler_is_stopped_and_its_message_retried(
    sqs: Sqs, make_queue: Callable[..., TestQueue]
) -> None:
    queue = make_queue(visibility_timeout_s=1)
    never = asyncio.Event()
    attempts = 0

    async def hang_once(_message: Message) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await never.wait()

    handler = Recorder(body=hang_once)
    await queue.send("body")
    async with polling(sqs, queue, handler, dataclasses.replace(QUICK, handler_limit_s=0.5)):
        await handler.until(lambda: len(handler.seen) == 2 and not handler.running)
    assert await queue.counts() == (0, 0)


async def test_poison_message_is_dead_lettered_with_its_reason(sqs: Sqs, queue: TestQueue) -> None:
    handler = Recorder(poison=failing(PermanentError("not JSON")))
    await queue.send("before", "poison", "after")
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 3)
    assert await queue.counts() == (0, 0)
    [letter] = await queue.dead_letters()
    reason, origin = (letter["MessageAttributes"][name]["StringValue"] for name in ("reason", "origin"))
    assert (letter["Body"], reason, origin) == ("poison", "permanent: not JSON", queue.name)


async def test_poison_message_of_the_largest_size_is_dead_lettered_whole_at_its_first_receive(
    sqs: Sqs, queue: TestQueue, caplog: pytest.LogCaptureFixture
) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    body = f'{{"traceparent":"00-{trace_id}-00f067aa0ba902b7-01",'.ljust(MAX_BATCH_BYTES - 9_000, "x")
    text = {f"text-{number}": Attribute("x" * 600) for number in range(8)}
    attributes = {**text, "number": Attribute("1", "Number"), "bytes": Attribute(bytes(range(256)), "Binary.seal")}
    message = Outgoing("key", body, attributes)
    message = dataclasses.replace(message, body=body + "x" * (MAX_BATCH_BYTES - 300 - size_bytes(message)))
    assert (await Publisher(sqs).send(queue.name, [message])).sent
    poison = Recorder(**{message.body: failing(PermanentError("a reason " * 100))})
    async with polling(sqs, queue, poison):
        await poison.until(lambda: len(poison.seen) == 1)
    assert await queue.counts() == (0, 0)
    [letter] = await queue.dead_letters()
    [line] = [record for record in caplog.records if record.getMessage() == "message dead-lettered"]
    assert letter["Body"] == message.body
    assert letter["MessageAttributes"] == attributes_of(attributes)
    assert vars(line)["letterId"] == letter["MessageId"]
    assert vars(line)["messageId"] == poison.seen[0].id
    assert vars(line)["traceId"] == trace_id


async def test_poison_message_stays_until_it_is_dead_lettered(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.next(SEND, faulty.fail(503, "ServiceUnavailable"))
    handler = Recorder(poison=failing(*[PermanentError("not JSON")] * 2))
    await queue.send("poison")
    async with polling(sqs, queue, handler):
        await handler.until(lambda: len(handler.seen) == 2)
        assert not faulty.of(DELETE)
        await faulty.until(lambda: bool(faulty.of(DELETE)))
    assert len(await queue.dead_letters()) == 1
    assert await queue.counts() == (0, 0)


async def test_poller_of_an_empty_queue_is_ready_at_once(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    async with polling(sqs, queue, Recorder(), PollerSettings(wait_s=20, stop_grace_s=3.0)) as poller:
        with pytest.raises(ServiceError, match="nothing received yet"):
            await poller.check()
        await faulty.until(lambda: parked(faulty, 2))  # what a stop has the time to wait for
        await poller.check()


async def test_nothing_is_received_before_the_gate_opens(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    opened, asked = asyncio.Event(), asyncio.Event()

    async def gate() -> None:
        asked.set()
        await opened.wait()

    handler = Recorder()
    await queue.send("body")
    async with polling(sqs, queue, handler, gate=gate):
        async with asyncio.timeout(PATIENCE_S):
            await asked.wait()
        assert await queue.counts() == (1, 0)
        assert not faulty.of(RECEIVE)
        opened.set()
        await handler.until(lambda: len(handler.seen) == 1)
    assert handler.seen[0].receive_count == 1


async def test_stop_does_not_wait_for_the_gate(sqs: Sqs, queue: TestQueue) -> None:
    async with polling(sqs, queue, Recorder(), gate=asyncio.Event().wait):
        began_s = time.monotonic()
    assert time.monotonic() - began_s < QUICK.stop_grace_s


async def test_receives_back_off_in_an_outage_and_recover(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, caplog: pytest.LogCaptureFixture
) -> None:
    faulty.away = True
    handler = Recorder()
    began_s = time.monotonic()
    async with polling(sqs, queue, handler) as poller:
        await faulty.until(lambda: faulty.dropped == 4)
        waited_s = time.monotonic() - began_s
        failed = [vars(each) for each in caplog.records if each.message == "sqs receive failed"][:3]
        assert [each["failures"] for each in failed] == [1, 2, 3]
        assert all(each["delay_s"] <= BACKOFF.bound_s(each["failures"]) for each in failed)
        assert waited_s >= sum(each["delay_s"] for each in failed) - 0.02  # logged in steps of 0.01 s
        with pytest.raises(ServiceError):
            await poller.check()
        await queue.send("body")
        faulty.away = False
        await handler.until(lambda: len(handler.seen) == 1)
        await faulty.until(lambda: bool(faulty.of(DELETE)))
        await poller.check()


async def test_acknowledgements_are_retried_through_an_outage(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    go_on = asyncio.Event()
    handler = Recorder(body=blocked_by(go_on))
    await queue.send("body")
    async with polling(sqs, queue, handler):
        await handler.until(lambda: handler.running == 1)
        faulty.away = True
        go_on.set()
        await faulty.until(lambda: faulty.dropped >= 5)
        faulty.away = False
        await faulty.until(lambda: bool(faulty.of(DELETE)))
    assert len(handler.seen) == 1
    assert await queue.counts() == (0, 0)


async def test_deleted_queue_is_received_from_when_it_exists_again(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, make_queue: Callable[..., TestQueue]
) -> None:
    handler = Recorder()
    async with polling(sqs, queue, handler) as poller:
        await faulty.until(lambda: bool(faulty.of(RECEIVE)))
        await queue.delete()
        await faulty.until(lambda: len(faulty.of("GetQueueUrl")) >= 4)  # asked again, more than once
        with pytest.raises(ServiceError, match="does not exist"):
            await poller.check()
        again = make_queue(queue.name)
        await again.send("body")
        await handler.until(lambda: len(handler.seen) == 1)


async def test_stop_lets_the_parked_poll_return_and_hands_back_its_messages(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    handler = Recorder()
    poller = Poller(sqs, queue.name, handler, settings=PollerSettings(wait_s=5, stop_grace_s=8))
    running = asyncio.create_task(poller.run())
    await faulty.until(lambda: parked(faulty, 5))
    stopping = asyncio.create_task(poller.stop())
    await queue.send("late")
    await stopping
    await running
    assert handler.seen == []
    assert {call.answer[0] for call in faulty.of(RECEIVE) if call.answer} == {200}
    assert await queue.counts() == (1, 0)  # visible, not in flight


async def test_stop_lets_handlers_end_and_flushes_acknowledgements(sqs: Sqs, queue: TestQueue) -> None:
    go_on = asyncio.Event()
    handler = Recorder(slow=blocked_by(go_on))
    await queue.send("slow", "quick")
    poller = Poller(sqs, queue.name, handler, settings=PollerSettings(wait_s=0, acknowledge_linger_s=60))
    running = asyncio.create_task(poller.run())
    await handler.until(lambda: len(handler.seen) == 2)
    stopping = asyncio.create_task(poller.stop())
    go_on.set()
    await stopping
    await running
    assert await queue.counts() == (0, 0)


async def test_stop_hands_back_messages_of_handlers_that_do_not_end(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    handler = Recorder(stuck=blocked_by(asyncio.Event()))
    faulty.receive_once()
    await queue.send("stuck")
    poller = Poller(sqs, queue.name, handler, settings=PollerSettings(wait_s=0, stop_grace_s=0.2))
    running = asyncio.create_task(poller.run())
    await handler.until(lambda: handler.running == 1)
    await poller.stop()
    await running
    assert await queue.counts() == (1, 0)


async def test_stop_is_bounded_while_sqs_does_not_answer(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    never = asyncio.Event()
    faulty.next(DELETE, faulty.hold(never))
    faulty.next(RECEIVE, lambda call: call.forward(call.body), faulty.hold(never))
    await queue.send("body")
    poller = Poller(
        sqs, queue.name, Recorder(), settings=PollerSettings(wait_s=20, stop_grace_s=0.3, acknowledge_linger_s=0.0)
    )
    running = asyncio.create_task(poller.run())
    await faulty.until(lambda: faulty.under_way(DELETE) == 1 and parked(faulty, 1))
    began_s = time.monotonic()
    await poller.stop()
    await running
    assert time.monotonic() - began_s < 10


async def test_run_raises_the_error_of_a_receive_loop(sqs: Sqs, queue: TestQueue) -> None:
    async def gate() -> None:
        raise ZeroDivisionError("a defect")

    poller = Poller(sqs, queue.name, Recorder(), gate=gate)
    with pytest.raises(ZeroDivisionError):
        await poller.run()
    await poller.stop()


async def test_cancelled_run_hands_back_messages_in_flight(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    handler = Recorder(stuck=blocked_by(asyncio.Event()))
    faulty.receive_once()
    await queue.send("stuck")
    poller = Poller(sqs, queue.name, handler, settings=PollerSettings(wait_s=0))
    running = asyncio.create_task(poller.run())
    await handler.until(lambda: handler.running == 1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await faulty.until(lambda: bool(faulty.of(EXTEND)) and not faulty.under_way(EXTEND))
    assert await queue.counts() == (1, 0)


async def test_messages_are_counted_by_outcome(sqs: Sqs, queue: TestQueue) -> None:
    metrics = Metrics()
    handler = Recorder(poison=failing(PermanentError("no")), weak=failing(TransientError("later")))
    await queue.send("good", "poison", "weak")
    async with polling(sqs, queue, handler, metrics=metrics):
        await handler.until(lambda: len(handler.seen) == 4)
    samples = {
        name: metrics.registry.get_sample_value(f"orderstream_sqs_{name}", {"queue": queue.name})
        for name in ("received_total", "acknowledged_total", "retried_total", "dead_lettered_total", "in_flight")
    }
    assert samples == {
        "received_total": 4,
        "acknowledged_total": 3,
        "retried_total": 1,
        "dead_lettered_total": 1,
        "in_flight": 0,
    }
    assert metrics.registry.get_sample_value("orderstream_sqs_handler_seconds_count", {"queue": queue.name}) == 4
