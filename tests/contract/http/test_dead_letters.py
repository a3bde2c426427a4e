"""Dead letters over HTTP: listed, shown, redriven and discarded by operators, at each service that consumes a queue."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
import pytest_asyncio
from aiohttp import web

from service_common.dead_letters import DEAD_LETTERS, DeadLetters
from service_common.sqs import Attribute, Sqs
from tests.support.http_service import HttpService, serving
from tests.support.in_memory.services import SERVICES
from tests.support.in_memory.sqs import InMemorySqs
from tests.support.problems import refused

from .conftest import IN_MEMORY, WIRE

if TYPE_CHECKING:
    from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVENT = '{"specversion":"1.0","type":"order-closed","subject":"7"}'
REASON = "not-for-processing: order-closed"


@dataclass(frozen=True, slots=True)
class Buried:
    """A service, and what puts a letter into its dead-letter queue."""

    service: HttpService
    bury: Callable[[str], str]


@pytest_asyncio.fixture(loop_scope="session")
async def in_memory() -> AsyncIterator[Buried]:
    sqs = InMemorySqs()

    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[DEAD_LETTERS] = DeadLetters(cast(Sqs, sqs), "queue")
        yield

    attributes = {"reason": Attribute(REASON), "bytes": Attribute(b"\x00\xff", "Binary")}
    async with serving(SERVICES["processing"].app(opened), lambda: repr(sqs.messages)) as service:
        yield Buried(service, lambda body: sqs.bury("queue", body, attributes))


@pytest.fixture
def wire(system: System) -> Buried:
    sqs = system.sqs()
    url = sqs.get_queue_url(QueueName="processing-queue-dlq")["QueueUrl"]
    attributes: Any = {
        "reason": {"DataType": "String", "StringValue": REASON},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }

    def bury(body: str) -> str:
        return sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)["MessageId"]

    return Buried(system.service("processing"), bury)


@pytest.fixture(params=[IN_MEMORY, WIRE])
def buried(request: pytest.FixtureRequest) -> Buried:
    found: Buried = request.getfixturevalue(request.param)
    return found


async def listed(service: HttpService) -> set[str]:
    return {letter["id"] for letter in (await service.call("GET", "/dead-letters?limit=200")).json["letters"]}


async def test_letters_are_listed_and_shown_until_they_are_discarded(buried: Buried) -> None:
    service, letter_id = buried.service, buried.bury(EVENT)
    for _ in range(2):
        [letter] = [
            each for each in (await service.call("GET", "/dead-letters")).json["letters"] if each["id"] == letter_id
        ]
        shown = (await service.call("GET", f"/dead-letters/{letter_id}")).json
    assert (letter["reason"], letter["type"], letter["subject"]) == (REASON, "order-closed", "7")
    assert (shown["body"], shown["attributes"]["bytes"]) == (EVENT, {"DataType": "Binary", "BinaryValue": "AP8="})
    answer = await service.call("POST", "/dead-letters/discard", json={"ids": [letter_id, "unknown"]})
    assert (answer.status, answer.json) == (200, {"done": [letter_id], "failed": [], "unseen": ["unknown"]})
    assert letter_id not in await listed(service)
    refused(await service.call("GET", f"/dead-letters/{letter_id}"), 404, "dead-letter-not-found")


async def test_redriven_letter_leaves_the_others(in_memory: Buried) -> None:
    service, letter_id, other = in_memory.service, in_memory.bury(EVENT), in_memory.bury("nothing")
    answer = await service.call("POST", "/dead-letters/redrive", json={"ids": [letter_id]})
    assert answer.json == {"done": [letter_id], "failed": [], "unseen": []}
    assert await listed(service) == {other}


async def test_each_act_is_logged_with_who_did_it(in_memory: Buried, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    letter_id = in_memory.bury(EVENT)
    for verb in ("redrive", "discard"):
        await in_memory.service.call("POST", f"/dead-letters/{verb}", json={"ids": [letter_id]})
    lines = [vars(record) for record in caplog.records if record.getMessage().startswith("dead letters")]
    assert [(line["principal"], line["letters"], line["unseen"]) for line in lines] == [
        ("anonymous", [letter_id], []),
        ("anonymous", [], [letter_id]),
    ]


@pytest.mark.parametrize("verb", ["redrive", "discard"])
@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": ["x"] * 101}, {"ids": [""]}, {"ids": ["x" * 101]}, {"ids": "x"}, {"ids": [1]}]
)
async def test_request_that_names_no_letters_is_refused(in_memory: Buried, verb: str, body: dict[str, Any]) -> None:
    refused(await in_memory.service.call("POST", f"/dead-letters/{verb}", json=body), 422)


async def test_act_of_a_form_is_refused(in_memory: Buried) -> None:
    for verb in ("redrive", "discard"):
        refused(await in_memory.service.call("POST", f"/dead-letters/{verb}", data={"ids": "x"}), 415)
