"""What a proxy does to requests to SQS, and what it learns from them."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest

from tests.chaos.deliveries import VISIBILITY_TIMEOUT_S, Deliveries
from tests.chaos.meddlers import cut_answers, duplicates, half_batches, reordering, resets
from tests.chaos.network import ConnectionCutError, Request, Response, Wire

QUEUE = "http://127.0.0.1:1/000000000000/processing-queue"
FIRST, SECOND = Wire("processing-service", "emulator", 0), Wire("processing-service-2", "emulator", 0)


def ask(operation: str, **members: Any) -> Request:
    return Request("POST", "/", {"X-Amz-Target": f"AmazonSQS.{operation}"}, orjson.dumps({"QueueUrl": QUEUE} | members))


def answer(**members: Any) -> Response:
    return Response(200, orjson.dumps(members))


class Queue:
    """An SQS that succeeds at everything, and gives a new message to each receive."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, request: Request) -> Response:
        body = orjson.loads(request.body)
        self.asked.append(body)
        number = len(self.asked)
        if request.operation.endswith("ReceiveMessage"):
            return answer(Messages=[{"MessageId": f"m{number}", "ReceiptHandle": f"r{number}"}])
        return answer(Successful=[{"Id": entry["Id"]} for entry in body["Entries"]])


async def test_half_a_batch_fails_and_only_the_rest_is_sent() -> None:
    queue = Queue()
    entries = [{"Id": str(number)} for number in range(10)]
    response = await half_batches(random.Random(1))(ask("SendMessageBatch", Entries=entries), queue)
    told = orjson.loads(response.body)
    succeeded, failed = ({each["Id"] for each in told[name]} for name in ("Successful", "Failed"))
    assert succeeded
    assert failed
    assert succeeded | failed == {str(number) for number in range(10)}
    assert {entry["Id"] for entry in queue.asked[0]["Entries"]} == succeeded


async def test_a_received_message_is_delivered_once_more() -> None:
    meddler, queue = duplicates(random.Random(1)), Queue()
    bodies = [orjson.loads((await meddler(ask("ReceiveMessage"), queue)).body) for _ in range(3)]
    assert [body["Messages"][0]["MessageId"] for body in bodies] == ["m1", "m1", "m2"]


async def test_messages_become_visible_at_different_times() -> None:
    queue = Queue()
    entries = [{"Id": str(number)} for number in range(10)]
    await reordering(random.Random(1))(ask("SendMessageBatch", Entries=entries), queue)
    assert len({entry["DelaySeconds"] for entry in queue.asked[0]["Entries"]}) > 1


async def test_an_answer_is_cut_after_the_work_and_a_reset_comes_before() -> None:
    for make, worked in ((cut_answers, True), (resets, False)):
        queue = Queue()
        meddler = make(random.Random(1))
        with pytest.raises(ConnectionCutError):
            await meddler(ask("ReceiveMessage"), queue)
        assert bool(queue.asked) is worked


def test_messages_of_a_killed_consumer_are_followed_until_another_deletes_them() -> None:
    seen = Deliveries()
    message = {"MessageId": "m", "ReceiptHandle": "r1"}
    seen.observe(FIRST, ask("ReceiveMessage"), answer(Messages=[message]))
    assert seen.held("processing-service") == 1
    seen.killed("processing-service")
    assert (seen.orphaned, seen.recovered) == (1, [])
    seen.observe(SECOND, ask("ReceiveMessage"), answer(Messages=[message | {"ReceiptHandle": "r2"}]))
    deletion = ask("DeleteMessageBatch", Entries=[{"Id": "0", "ReceiptHandle": "r2"}])
    seen.observe(SECOND, deletion, answer(Successful=[], Failed=[{"Id": "0"}]))
    assert seen.orphaned == 1
    seen.observe(SECOND, deletion, answer(Successful=[{"Id": "0"}]))
    assert (seen.orphaned, len(seen.recovered)) == (0, 1)


@pytest.mark.parametrize(("timeout_s", "held"), [(VISIBILITY_TIMEOUT_S, 1), (0, 0), (7, 0)])
def test_a_consumer_holds_a_message_that_it_extends_and_not_one_that_it_returns(timeout_s: int, held: int) -> None:
    seen = Deliveries()
    seen.observe(FIRST, ask("ReceiveMessage"), answer(Messages=[{"MessageId": "m", "ReceiptHandle": "r"}]))
    change = ask(
        "ChangeMessageVisibilityBatch", Entries=[{"Id": "0", "ReceiptHandle": "r", "VisibilityTimeout": timeout_s}]
    )
    seen.observe(FIRST, change, answer(Successful=[{"Id": "0"}]))
    assert seen.held("processing-service") == held
