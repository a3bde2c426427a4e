"""Dead letters are found, shown, redriven and discarded as they are; none is lost when the command is killed."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.integration.command.conftest import Queues
from tests.integration.common.conftest import Answer, Call

if TYPE_CHECKING:
    from tests.support.command import Done, Forked

BODIES = {
    "text": "this is no event",
    "blank": " ",
    "tabs": "a\tb\t\tc",
    "lines": "\nfirst\r\nsecond\n\n",
    "file": "file:///etc/passwd",
    "address": "https://example.invalid/?a=1&b=2",
    "emoji": "\N{PARTY POPPER} \N{RIGHT-TO-LEFT OVERRIDE}abc",
    "quotes": "\"'`$(id)\\n%s",
    "controls": "\x7f\x85\u2028",
    "event": '{"specversion":"1.0","type":"order-created","subject":"7"}',
    "256 KiB": "x" * (256 * 1024 - 700),
    "umlauts": "ä" * 100_000,
}
ATTRIBUTES: dict[str, Any] = {
    "reason": {"DataType": "String", "StringValue": "unreadable-event: not JSON"},
    "count": {"DataType": "Number", "StringValue": "007.50"},
    "labelled": {"DataType": "String.tab", "StringValue": "a\tb\n\N{PARTY POPPER}"},
    "bytes": {"DataType": "Binary.png", "BinaryValue": bytes(range(256))},
    **{f"n{number}": {"DataType": "String", "StringValue": "file://x"} for number in range(6)},
}
BEFORE, AFTER = "before SQS", "after SQS"  # has done it
KILLED_AT = [
    ("ReceiveMessage", 2, AFTER),  # while it looks
    ("ReceiveMessage", 8, AFTER),  # while it redrives
    ("SendMessageBatch", 1, BEFORE),
    ("SendMessageBatch", 1, AFTER),
    ("SendMessageBatch", 4, AFTER),
    ("DeleteMessageBatch", 1, AFTER),
    ("DeleteMessageBatch", 3, BEFORE),
    ("ChangeMessageVisibilityBatch", 1, BEFORE),
]


def bury_all(queues: Queues) -> list[Counter[tuple[str, str]]]:
    """Put poison of every kind into both dead-letter queues and return what is there."""
    for queue in queues.both:
        for body in BODIES.values():
            queues.bury(queue, body, ATTRIBUTES)
    return [queues.contents(queue.dead_letter_url) for queue in queues.both]


async def test_letters_are_listed_with_the_facts_of_their_failure(queues: Queues) -> None:
    processing, notification = queues.both
    facts = orjson.dumps({"messageId": "m", "traceId": "a" * 32}).decode()
    attributes = {"deadLetter": {"DataType": "String", "StringValue": facts}, "reason": ATTRIBUTES["reason"]}
    known = queues.bury(processing, BODIES["event"], attributes)
    unknown = queues.bury(notification, "no\x1b[2Jthing")
    listed = (await queues.command("dlq", "list", "--json")).json
    assert listed["hidden"] == {f"{queue.name}-dlq": 0 for queue in queues.both}
    first, second = listed["letters"]
    assert {name: first[name] for name in ("queue", "id", "reason", "traceId", "type", "subject")} == {
        "queue": processing.name,
        "id": known,
        "reason": "unreadable-event: not JSON",
        "traceId": "a" * 32,
        "type": "order-created",
        "subject": "7",
    }
    assert (second["queue"], second["id"], second["reason"]) == (notification.name, unknown, None)
    text = (await queues.command("dlq", "list")).out
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [
        [processing.name, known],
        [notification.name, unknown],
    ]
    assert "\x1b" not in (await queues.command("dlq", "show", unknown)).out


async def test_shown_letter_is_whole_and_can_be_redriven_at_once(queues: Queues) -> None:
    ids = {name: queues.bury(queues.both[0], body, ATTRIBUTES) for name, body in BODIES.items()}
    for _ in range(2):
        shown = (await queues.command("dlq", "show", *ids.values(), "--json")).json["letters"]
        assert {letter["id"]: letter["body"] for letter in shown} == {ids[name]: body for name, body in BODIES.items()}
    assert all(letter["attributes"].keys() == ATTRIBUTES.keys() for letter in shown)
    assert (await queues.both[0].counts())[1] == 0
    assert len((await queues.command("dlq", "redrive", "--yes", "--json")).json["done"]) == len(BODIES)


async def test_redriven_letters_are_the_same_in_their_own_queues(queues: Queues) -> None:
    before = bury_all(queues)
    outcome = (await queues.command("dlq", "redrive", "--yes", "--json")).json
    assert (len(outcome["done"]), outcome["failed"], outcome["unseen"]) == (2 * len(BODIES), {}, [])
    assert [queues.contents(queue.url) for queue in queues.both] == before
    assert [queues.contents(queue.dead_letter_url) for queue in queues.both] == [Counter(), Counter()]


async def test_letters_are_chosen_by_id_reason_age_and_queue(queues: Queues) -> None:
    processing, notification = queues.both
    other = {"reason": {"DataType": "String", "StringValue": "not-for-processing: order-closed"}}
    ids = [
        queues.bury(processing, "1", ATTRIBUTES),
        queues.bury(processing, "2", other),
        queues.bury(notification, "3", other),
    ]

    async def chosen(*options: str) -> set[str]:
        done = await queues.command("dlq", "redrive", "--dry-run", "--json", *options)
        return {letter["id"] for letter in done.json["letters"]}

    assert await chosen() == set(ids)
    assert await chosen("--reason", "not-for") == {ids[1], ids[2]}
    assert await chosen("--reason", "not-for", "--queue", processing.name) == {ids[1]}
    assert await chosen("--queue", f"{notification.name}-dlq") == {ids[2]}
    assert await chosen("--id", ids[0], "--id", ids[2]) == {ids[0], ids[2]}
    assert await chosen("--older-than", "1h") == set()
    assert await chosen("--newer-than", "1h") == set(ids)
    await queues.command("dlq", "discard", "--yes", "--reason", "not-for")
    assert await chosen() == {ids[0]}


async def test_letter_that_is_not_there_is_reported(queues: Queues) -> None:
    here = queues.bury(queues.both[0], "x")
    for command in (["show", "gone", here], ["redrive", "--yes", "--id", "gone", "--id", here]):
        done = await queues.command("dlq", *command, status=1)
        assert "gone: not found" in done.err
        assert here not in done.err


async def test_nothing_happens_without_a_confirmation(queues: Queues) -> None:
    before = bury_all(queues)
    for verb in ("redrive", "discard"):
        done = await queues.command("dlq", verb, status=1)
        assert f"{verb.capitalize()} {2 * len(BODIES)} letters?" in done.err
    assert [queues.contents(queue.dead_letter_url) for queue in queues.both] == before


async def test_missing_queue_and_one_without_dead_letters_are_told_apart(queues: Queues) -> None:
    queues.admin.create_queue(QueueName="alone")
    assert "queue none does not exist" in (await queues.command("dlq", "list", "-q", "none", status=3)).err
    assert "alone has no dead-letter queue" in (await queues.command("dlq", "list", "-q", "alone", status=1)).err


async def test_letter_that_sqs_refuses_stays(queues: Queues) -> None:
    before = bury_all(queues)
    queues.proxy.next("SendMessageBatch", queues.proxy.refuse(2, sender_fault=True, code="InvalidMessageContents"))
    queues.proxy.next("DeleteMessageBatch", queues.proxy.fail(500, "InternalError"))
    outcome = (await queues.command("dlq", "redrive", "--yes", "--json", status=1)).json
    why = sorted(outcome["failed"].values())
    assert [each.partition(":")[0] for each in why[-2:]] == [f"not sent to {queues.both[0].name}"] * 2
    await queues.show_all()
    left = [queues.contents(queue.dead_letter_url) for queue in queues.both]
    arrived = [queues.contents(queue.url) for queue in queues.both]
    assert [there + here >= all_ for there, here, all_ in zip(arrived, left, before, strict=True)] == [True, True]
    assert left[0].total() == len(outcome["failed"])


@pytest.mark.parametrize(("operation", "occurrence", "when"), KILLED_AT)
async def test_killed_redrive_loses_nothing(queues: Queues, operation: str, occurrence: int, when: str) -> None:
    before = bury_all(queues)
    process: list[Forked] = []

    async def kill(call: Call) -> Answer:
        answer: Answer = await call.forward(call.body) if when == AFTER else (500, {})
        process[0].send(signal.SIGKILL)
        return answer

    for _ in range(occurrence - 1):
        queues.proxy.next(operation, lambda call: call.forward(call.body))
    queues.proxy.next(operation, kill)
    process.append(queues.start("dlq", "redrive", "--yes"))
    await process[0].end(-signal.SIGKILL)

    await queues.show_all()
    for queue, all_ in zip(queues.both, before, strict=True):
        assert queues.contents(queue.url) + queues.contents(queue.dead_letter_url) >= all_
    await queues.command("dlq", "redrive", "--yes")
    for queue, all_ in zip(queues.both, before, strict=True):
        arrived = queues.contents(queue.url)
        assert arrived >= all_
        assert (arrived - all_).total() <= 10  # those of the batch that was under way come twice
        assert queues.contents(queue.dead_letter_url) == Counter()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signal_makes_letters_visible_before_the_end(queues: Queues, number: signal.Signals) -> None:
    bury_all(queues)
    await signalled(queues, number, "list", "ReceiveMessage")
    assert [queues.contents(queue.dead_letter_url).total() for queue in queues.both] == [len(BODIES)] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_interrupted_redrive_says_that_some_may_be_done_and_loses_nothing(
    queues: Queues, number: signal.Signals
) -> None:
    before = bury_all(queues)
    done = await signalled(queues, number, "redrive", "SendMessageBatch", "--yes")
    assert (done.out, done.err) == (
        "",
        "interrupted: some letters may be done; `dlq list` has the others, `redrive` goes on\n",
    )
    for queue, all_ in zip(queues.both, before, strict=True):
        assert queues.contents(queue.url) + queues.contents(queue.dead_letter_url) >= all_
    await queues.command("dlq", "redrive", "--yes")
    assert [queues.contents(queue.dead_letter_url) for queue in queues.both] == [Counter()] * 2


async def signalled(queues: Queues, number: signal.Signals, verb: str, operation: str, *options: str) -> Done:
    """Send the command a signal during its second *operation*."""
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def hold(call: Call) -> Answer:
        reached.set()
        await go_on.wait()
        return await call.forward(call.body)

    queues.proxy.next(operation, lambda call: call.forward(call.body), hold)
    process = queues.start("dlq", verb, *options)
    await reached.wait()
    process.send(number)
    go_on.set()
    return await process.end(128 + number)
