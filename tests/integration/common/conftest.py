"""The configuration of any service; SQS with faults that the emulator lacks: a proxy in front, controlled by tests."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

import aiohttp
import boto3
import orjson
import pytest
from aiohttp import web

from service_common.config import AuthConfig, AwsConfig, RateLimit, ServiceConfig
from service_common.sqs import Sqs
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

REGION = "us-east-1"

Answer = tuple[int, dict[str, Any]]


@dataclass(slots=True)
class Call:
    """A request of the code under test; *answer* is None while it is under way."""

    operation: str
    body: dict[str, Any]
    forward: Callable[[dict[str, Any]], Awaitable[Answer]]
    answer: Answer | None = None

    @property
    def entries(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.body["Entries"]
        return entries


Fault = Callable[[Call], Awaitable[Answer]]


@dataclass(slots=True)
class FaultySqs:
    """The proxy.

    Attributes:
        url: where it is.
        calls: every request so far.
        away: it drops every connection without an answer.
        carries_on: with requests whose client has ended, as SQS does; their answers are in *calls*.
    """

    target: str
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    away: bool = False
    carries_on: bool = False
    dropped: int = 0
    _next: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _session: aiohttp.ClientSession | None = None

    def next(self, operation: str, *faults: Fault) -> None:
        """Have the next calls of *operation* answered by *faults*, one each."""
        self._next[operation].extend(faults)

    def receive_once(self) -> None:
        """Keep the second receive from the emulator, where an abandoned one may still take what is handed back."""
        self.next("ReceiveMessage", lambda call: call.forward(call.body), self.hold(asyncio.Event(), answered=False))

    def of(self, operation: str) -> list[Call]:
        """Return the calls of one operation so far."""
        return [call for call in self.calls if call.operation == operation]

    def under_way(self, operation: str) -> int:
        return sum(call.answer is None for call in self.of(operation))

    async def until(self, condition: Callable[[], bool], limit_s: float = PATIENCE_S) -> None:
        """Wait until *condition* holds; it is looked at after each begin and end of a call."""
        async with asyncio.timeout(limit_s), self._changed:
            await self._changed.wait_for(condition)

    async def handle(self, request: web.Request) -> web.Response:
        if self.away:
            self.dropped += 1
            await self._notify()
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]

        async def forward(body: dict[str, Any]) -> Answer:
            assert self._session is not None
            headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
            async with self._session.post(self.target, data=BytesIO(orjson.dumps(body)), headers=headers) as response:
                return response.status, orjson.loads(await response.read() or b"{}")

        call = Call(operation, orjson.loads(await request.read()), forward)
        self.calls.append(call)
        await self._notify()
        faults = self._next[operation]
        answering = asyncio.ensure_future(self._answer(call, faults.popleft() if faults else None))
        try:
            answer = await (asyncio.shield(answering) if self.carries_on else answering)
        except asyncio.CancelledError:
            if not self.carries_on:
                call.answer = (499, {})
            raise
        return web.json_response(answer[1], status=answer[0], dumps=lambda data: orjson.dumps(data).decode())

    async def _answer(self, call: Call, fault: Fault | None) -> Answer:
        call.answer = answer = await (fault(call) if fault else call.forward(call.body))
        await self._notify()
        return answer

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[FaultySqs]:
        app = web.Application(client_max_size=4 * 2**20)
        app.router.add_post("/{tail:.*}", self.handle)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self._session:
            yield self
            await runner.cleanup()

    @staticmethod
    def refuse(count: int, *, sender_fault: bool = False, code: str = "InternalError") -> Fault:
        """Let the first *count* entries of a batch fail; the others go through."""

        async def fault(call: Call) -> Answer:
            refused, rest = call.entries[:count], call.entries[count:]
            status, answer = await call.forward(call.body | {"Entries": rest}) if rest else (200, {"Successful": []})
            failed = [{"Id": each["Id"], "Code": code, "SenderFault": sender_fault} for each in refused]
            return status, answer | {"Failed": failed}

        return fault

    @staticmethod
    def fail(status: int, code: str) -> Fault:
        """Answer with an error."""

        async def fault(_call: Call) -> Answer:
            return status, {"__type": f"com.amazonaws.sqs#{code}", "message": "as the test wants it"}

        return fault

    @staticmethod
    def hold(until: asyncio.Event, *, answered: bool = True) -> Fault:
        """Forward the call, or only its answer when *answered*, after *until* is set."""

        async def fault(call: Call) -> Answer:
            if answered:
                answer = await call.forward(call.body)
                await until.wait()
                return answer
            await until.wait()
            return await call.forward(call.body)

        return fault


@dataclass(frozen=True, slots=True)
class TestQueue:
    """A queue with its dead-letter queue, accessed without the proxy."""

    __test__ = False

    name: str
    url: str
    dead_letter_url: str
    _admin: SQSClient

    async def send(self, *bodies: str) -> None:
        for start in range(0, len(bodies), 10):
            entries: list[Any] = [
                {"Id": str(at), "MessageBody": body} for at, body in enumerate(bodies[start : start + 10])
            ]
            await asyncio.to_thread(self._admin.send_message_batch, QueueUrl=self.url, Entries=entries)

    async def counts(self) -> tuple[int, int]:
        """Return how many messages wait and how many are in flight."""
        names: list[Any] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = await asyncio.to_thread(self._admin.get_queue_attributes, QueueUrl=self.url, AttributeNames=names)
        waiting, in_flight = (int(answer["Attributes"][name]) for name in names)
        return waiting, in_flight

    async def show_again(self, handle: str) -> None:
        """End the visibility timeout of a message, as if it had run out."""
        await asyncio.to_thread(
            self._admin.change_message_visibility, QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=0
        )

    async def delete(self) -> None:
        await asyncio.to_thread(self._admin.delete_queue, QueueUrl=self.url)

    async def dead_letters(self) -> list[MessageTypeDef]:
        """Return what is in the dead-letter queue."""
        answer = await asyncio.to_thread(
            self._admin.receive_message,
            QueueUrl=self.dead_letter_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
        )
        return answer.get("Messages", [])


@pytest.fixture
def service_config() -> ServiceConfig:
    """The configuration of an application that stands for any service."""
    return ServiceConfig(
        host="127.0.0.1",
        port=0,
        database_url="postgresql://nowhere/none",
        pool_size=1,
        service_token="right",
        auth=AuthConfig(issuer=None),
        aws=AwsConfig("us-east-1"),
        log_level="INFO",
        cloudwatch=False,
        log_group="any-service-logs",
        shutdown_grace_s=2.0,
        allowed_origins=("http://localhost:4200",),
        principal_limit=RateLimit(0, 1),
        address_limit=RateLimit(0, 1),  # the clients of a test have one address
    )


@pytest.fixture
async def faulty(aws_endpoint: str) -> AsyncIterator[FaultySqs]:
    async with FaultySqs(aws_endpoint).serving() as proxy:
        yield proxy


@pytest.fixture
async def sqs(faulty: FaultySqs) -> AsyncIterator[Sqs]:
    async with Sqs.open(AwsConfig(REGION, faulty.url)) as connection:
        yield connection


@pytest.fixture(scope="session")
def sqs_admin(aws_endpoint: str) -> Iterator[SQSClient]:
    admin: SQSClient = boto3.client("sqs", region_name=REGION, endpoint_url=aws_endpoint)
    yield admin
    admin.close()


@pytest.fixture
def make_queue(sqs_admin: SQSClient) -> Callable[..., TestQueue]:
    def make(name: str | None = None, *, visibility_timeout_s: int = 30) -> TestQueue:
        name = name or f"queue-{uuid.uuid4().hex}"
        dead_letter_url = sqs_admin.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:123456789012:{name}-dlq"
        redrive = orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 50}).decode()
        attributes: dict[Any, str] = {"VisibilityTimeout": str(visibility_timeout_s), "RedrivePolicy": redrive}
        url = sqs_admin.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return TestQueue(name, url, dead_letter_url, sqs_admin)

    return make


@pytest.fixture
def queue(make_queue: Callable[..., TestQueue]) -> TestQueue:
    return make_queue()
