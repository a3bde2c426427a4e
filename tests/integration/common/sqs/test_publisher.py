from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from service_common.observability import Metrics
from service_common.sqs import Attribute, Outgoing, Publisher, Sqs
from service_common.sqs.limits import MAX_BATCH_BYTES

if TYPE_CHECKING:
    from tests.integration.common.conftest import Answer, Call, FaultySqs, TestQueue


def numbered(count: int) -> list[Outgoing]:
    return [Outgoing(f"key-{number}", f"body-{number}") for number in range(count)]


async def test_messages_are_sent_in_batches_of_ten(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    messages = numbered(25)
    outcome = await Publisher(sqs).send(queue.name, messages)
    assert outcome.sent == {message.key for message in messages}
    assert not outcome.failed
    assert sorted(len(call.entries) for call in faulty.of("SendMessageBatch")) == [5, 10, 10]
    assert await queue.counts() == (25, 0)


async def test_no_message_is_no_request(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    outcome = await Publisher(sqs).send(queue.name, [])
    assert (outcome.sent, outcome.failed) == (frozenset(), {})
    assert not faulty.of("SendMessageBatch")


async def test_failed_entry_is_not_reported_as_sent(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.next("SendMessageBatch", faulty.refuse(2))
    outcome = await Publisher(sqs).send(queue.name, numbered(5))
    assert outcome.sent == {"key-2", "key-3", "key-4"}
    assert outcome.failed == {"key-0": "InternalError", "key-1": "InternalError"}
    assert await queue.counts() == (3, 0)


async def test_ids_in_a_request_do_not_depend_on_keys(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    keys = ["a b/ü", "x" * 200]
    outcome = await Publisher(sqs).send(queue.name, [Outgoing(key, "body") for key in keys])
    assert outcome.sent == set(keys)
    assert [entry["Id"] for entry in faulty.of("SendMessageBatch")[0].entries] == ["0", "1"]


async def test_failed_request_fails_its_messages_alone(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    faulty.next("SendMessageBatch", faulty.fail(503, "ServiceUnavailable"))
    outcome = await Publisher(sqs).send(queue.name, numbered(15))
    assert len(outcome.sent) + len(outcome.failed) == 15
    assert len(outcome.sent) in {5, 10}
    assert await queue.counts() == (len(outcome.sent), 0)


async def test_outage_is_returned_and_neither_raised_nor_logged(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, caplog: pytest.LogCaptureFixture
) -> None:
    faulty.away = True
    outcome = await Publisher(sqs).send(queue.name, numbered(3))
    assert not outcome.sent
    assert outcome.failed.keys() == {"key-0", "key-1", "key-2"}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    faulty.away = False
    assert len((await Publisher(sqs).send(queue.name, numbered(3))).sent) == 3


async def test_message_that_is_too_large_fails_alone(sqs: Sqs, queue: TestQueue) -> None:
    messages = [Outgoing("small", "x"), Outgoing("large", "x" * (MAX_BATCH_BYTES + 1)), Outgoing("other", "x")]
    outcome = await Publisher(sqs).send(queue.name, messages)
    assert outcome.sent == {"small", "other"}
    assert outcome.failed.keys() == {"large"}


async def test_attributes_are_sent(sqs: Sqs, queue: TestQueue) -> None:
    attributes = {
        "text": Attribute("größer"),
        "number": Attribute("7", "Number"),
        "bytes": Attribute(bytes(range(256)), "Binary"),
    }
    await Publisher(sqs).send(queue.name, [Outgoing("key", "body", attributes)])
    received = await sqs.receive(await sqs.queue(queue.name), 1, 1)
    assert received[0].message.attributes == attributes


async def test_ids_of_sent_messages_are_those_the_receiver_sees(sqs: Sqs, queue: TestQueue) -> None:
    outcome = await Publisher(sqs).send(queue.name, numbered(1))
    received = await sqs.receive(await sqs.queue(queue.name), 1, 1)
    assert outcome.ids == {"key-0": received[0].message.id}


@pytest.mark.parametrize("answered", [0, 2])
async def test_message_that_the_answer_lacks_is_not_reported_as_sent(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, answered: int
) -> None:
    async def incomplete(call: Call) -> Answer:
        status, answer = await call.forward(call.body)
        return status, {"Successful": answer["Successful"][:answered]} if answered else {}

    faulty.next("SendMessageBatch", incomplete)
    outcome = await Publisher(sqs).send(queue.name, numbered(3))
    assert len(outcome.sent) == answered
    assert len(outcome.failed) == 3 - answered


async def test_url_of_a_deleted_queue_is_looked_up_again(
    sqs: Sqs, queue: TestQueue, make_queue: Callable[..., TestQueue]
) -> None:
    publisher = Publisher(sqs)
    assert (await publisher.send(queue.name, numbered(1))).sent
    await queue.delete()
    assert "does not exist" in (await publisher.send(queue.name, numbered(1))).failed["key-0"]
    assert "does not exist" in (await publisher.send(queue.name, numbered(1))).failed["key-0"]
    make_queue(queue.name)
    assert (await publisher.send(queue.name, numbered(1))).sent


async def test_sent_and_failed_messages_are_counted(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    metrics = Metrics()
    faulty.next("SendMessageBatch", faulty.refuse(1))
    await Publisher(sqs, metrics).send(queue.name, numbered(3))
    labels = {"queue": queue.name}
    assert metrics.registry.get_sample_value("orderstream_sqs_sent_total", labels) == 2
    assert metrics.registry.get_sample_value("orderstream_sqs_send_failed_total", labels) == 1
