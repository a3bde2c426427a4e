"""Whatever the AWS SDK raises, at whichever call, and whatever SQS answers, comes out as a ServiceError."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import botocore.exceptions
import pytest
from botocore.exceptions import ClientError

from service_common.errors import ServiceError
from service_common.sqs import Outgoing, Queue, QueueMissingError, Sqs, SqsRefusedError, SqsUnavailableError

QUEUE = Queue("orders", "http://sqs/orders", "orders-dlq", 30)
CALLS: dict[str, Callable[[Sqs], Awaitable[object]]] = {
    "url": lambda sqs: sqs.url("orders"),
    "queue": lambda sqs: sqs.queue("orders"),
    "attributes": lambda sqs: sqs._describe("orders", QUEUE.url),
    "check": lambda sqs: sqs.check("orders"),
    "depth": lambda sqs: sqs.depth("orders"),
    "receive": lambda sqs: sqs.receive(QUEUE, 10, 0),
    "send": lambda sqs: sqs.send("orders", QUEUE.url, [Outgoing("key", "body")]),
    "delete": lambda sqs: sqs.delete(QUEUE, ["handle"]),
    "change_visibility": lambda sqs: sqs.change_visibility(QUEUE, [("handle", 0)]),
}
# what a client of AWS has been seen to raise beside the SDK's own
FOREIGN: tuple[Exception, ...] = (
    RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
    KeyError("QueueUrl"),
    IndexError(),
    ValueError("Invalid header value"),
    TypeError("'NoneType' object is not subscriptable"),
    AttributeError("'str' object has no attribute 'get'"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    AssertionError(),
    MemoryError(),
    StopAsyncIteration(),
    OSError(24, "Too many open files"),
    ConnectionResetError(104, "Connection reset by peer"),
    TimeoutError(),
)
# of a proxy, cut short, of another operation, of another type
ANSWERS: tuple[Any, ...] = (
    None,
    "maintenance",
    [],
    {"Attributes": None},
    {"Attributes": {"VisibilityTimeout": "soon", "ApproximateNumberOfMessages": "many"}},
    {"Attributes": {"VisibilityTimeout": "30", "RedrivePolicy": "{"}},
    {"Messages": [{}]},
    {"Messages": [{"MessageId": "1", "Body": "", "ReceiptHandle": "h", "Attributes": {"SentTimestamp": "now"}}]},
    {"Messages": "none"},
    {"Successful": [{"Id": "first"}]},
    {"Successful": [{}], "Failed": [{"Id": "0"}]},
)


class Requests:
    """Every request ends in *outcome*."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome

    async def __call__(self, _operation: str, **_: object) -> Any:
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def sqs(outcome: Any) -> Sqs:
    return Sqs(Requests(outcome))


def sdk_errors() -> Iterator[Exception]:
    """Yield an error of each class of the SDK and of the HTTP client below it."""
    for module in (botocore.exceptions, aiohttp):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception):
                # made without what each class wants to be told
                plain: Any = type(kind.__name__, (kind,), {"__str__": lambda _: "the SDK's words", "response": {}})
                yield plain.__new__(plain)


@pytest.mark.parametrize("call", CALLS)
async def test_error_of_the_sdk_is_an_error_of_the_services(call: str) -> None:
    outcomes = {type(error).__name__: await error_of(call, error) for error in (*sdk_errors(), *FOREIGN)}
    assert len(outcomes) > 100
    assert [raised for raised, error in outcomes.items() if not isinstance(error, ServiceError)] == []


async def error_of(call: str, outcome: Any) -> Exception | None:
    try:
        await CALLS[call](sqs(outcome))
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
@pytest.mark.parametrize("call", CALLS)
async def test_answer_of_another_shape_is_an_outage_or_an_answer(call: str, answer: Any) -> None:
    assert isinstance(await error_of(call, answer), SqsUnavailableError | None)


@pytest.mark.parametrize("call", ["url", "queue", "attributes", "depth"])
async def test_empty_answer_to_a_question_is_an_outage(call: str) -> None:
    with pytest.raises(SqsUnavailableError):
        await CALLS[call](sqs({}))


async def test_outage_leaves_nothing_cached() -> None:
    requests = Requests({})
    connection = Sqs(requests)
    with pytest.raises(SqsUnavailableError):
        await connection.queue("orders")
    requests.outcome = {"QueueUrl": QUEUE.url, "Attributes": {"VisibilityTimeout": "30"}}
    assert (await connection.queue("orders")).url == QUEUE.url


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "QueueDoesNotExist", QueueMissingError),
        (400, "RequestThrottled", SqsUnavailableError),
        (503, "ServiceUnavailable", SqsUnavailableError),
        (403, "AccessDenied", SqsRefusedError),
    ],
)
async def test_error_of_sqs_is_told_by_its_code(status: int, code: str, kind: type[ServiceError]) -> None:
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Send")  # type: ignore[typeddict-item]
    with pytest.raises(kind):
        await CALLS["send"](sqs(error))
