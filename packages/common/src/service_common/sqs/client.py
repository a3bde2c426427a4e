"""SQS client: queues by name, batches of up to ten with the failure of each entry, errors of our own."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import orjson
from aiobotocore.session import AioSession, get_session
from botocore.exceptions import ClientError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from yarl import URL

from ..config import AwsConfig
from ..errors import UnavailableError
from ..observability import Metrics
from .fast_path import FastPath
from .messages import (
    Outgoing,
    Queue,
    QueueDepth,
    QueueMissingError,
    Received,
    Refusal,
    SqsRefusedError,
    SqsUnavailableError,
    entry_of,
    received_of,
    refusals_of,
)

__all__ = ["Sqs"]

USER_AGENT = {"User-Agent": "orderstream"}
CALL_LIMIT_S = 5.0  # of a request, beside its long poll
CONNECT_LIMIT_S = 2.0
KEEPALIVE_S = 12.0  # SQS closes an idle connection after about 20 s; aiobotocore's own default
_MISSING = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})
_THROTTLED = frozenset({"RequestThrottled", "ThrottlingException", "Throttling", "OverLimit", "KmsThrottled"})


class Sqs:
    """A connection to SQS, shared by everything in a process.

    Long polls have a connection pool of their own. Nothing is retried here: that is the caller's decision.
    Every method raises `SqsUnavailableError`, `QueueMissingError` or `SqsRefusedError`, and nothing else.

    Args:
        request: sends an operation with its parameters, and returns the answer; see `FastPath`.
    """

    def __init__(self, request: Callable[..., Awaitable[Any]]) -> None:
        self._request = request
        self._urls: dict[str, str] = {}
        self._queues: dict[str, Queue] = {}
        self._resolving = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, aws: AwsConfig, *, max_polls: int = 16, max_calls: int = 32, metrics: Metrics | None = None
    ) -> AsyncIterator[Sqs]:
        """Open without a request, so that a service starts during an outage of SQS.

        Args:
            aws: region and endpoint.
            max_polls: maximum connections for receives.
            max_calls: maximum connections for other requests.
            metrics: where requests are counted.
        """
        requests = (metrics or Metrics()).counter(
            "sqs_requests_total", "Requests that SQS answered, as it bills them: one for each 64 KB.", ("operation",)
        )
        session = get_session()
        async with session.create_client("sqs", region_name=aws.region, endpoint_url=aws.endpoint_url) as client:
            url, region = URL(client.meta.endpoint_url), client.meta.region_name
        credentials = await session.get_credentials()
        if credentials is None:
            text = "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            raise SqsRefusedError(text, code="NoCredentials")
        tls = _tls(session) if url.scheme == "https" else True
        async with (
            _http(url, max_polls, None, tls) as polls,  # `receive` limits the time
            _http(url, max_calls, CALL_LIMIT_S, tls) as calls,
        ):
            yield cls(
                FastPath(
                    credentials,
                    url,
                    region,
                    polls,
                    calls,
                    count=lambda operation, billed: requests.labels(operation).inc(billed),
                )
            )

    async def url(self, name: str) -> str:
        """Return the URL of the queue *name*, cached until SQS says that the queue is missing.

        Sending needs no more, so a sender needs no permission to read attributes.
        """
        known = self._urls.get(name)
        if known is not None:
            return known
        async with self._resolving:
            if name not in self._urls:
                with self._translated(name):
                    self._urls[name] = (await self._request("GetQueueUrl", QueueName=name))["QueueUrl"]
            return self._urls[name]

    async def queue(self, name: str) -> Queue:
        """Return the queue *name* with its attributes, cached as its `url`."""
        known = self._queues.get(name)
        if known is None:
            known = self._queues[name] = await self._describe(name, await self.url(name))
        return known

    async def check(self, name: str) -> None:
        """Raise unless the queue *name* exists."""
        with self._translated(name):
            await self._request("GetQueueUrl", QueueName=name)

    async def depth(self, name: str) -> QueueDepth:
        """Return the approximate number of messages in the queue *name*."""
        url = await self.url(name)
        with self._translated(name):
            answer = await self._request(
                "GetQueueAttributes",
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "ApproximateNumberOfMessagesDelayed",
                ],
            )
            attributes = answer["Attributes"]
            return QueueDepth(
                visible=int(attributes["ApproximateNumberOfMessages"]),
                in_flight=int(attributes["ApproximateNumberOfMessagesNotVisible"]),
                delayed=int(attributes["ApproximateNumberOfMessagesDelayed"]),
            )

    async def receive(self, queue: Queue, limit: int, wait_s: int) -> list[Received]:
        """Receive up to *limit* (1 to 10) messages, waiting up to *wait_s* (0 to 20) seconds for the first.

        When cancelled, messages that SQS delivers meanwhile stay invisible until their visibility timeout.
        """
        with self._translated(queue.name):
            async with asyncio.timeout(wait_s + CALL_LIMIT_S):
                answer = await self._request(
                    "ReceiveMessage",
                    QueueUrl=queue.url,
                    MaxNumberOfMessages=limit,
                    WaitTimeSeconds=wait_s,
                    VisibilityTimeout=queue.visibility_timeout_s,  # as the heartbeat knows it, even if it was changed
                    MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                    MessageAttributeNames=["All"],
                )
            return [received_of(raw) for raw in answer.get("Messages") or ()]

    async def send(self, name: str, url: str, batch: Sequence[Outgoing]) -> dict[int, str | Refusal]:
        """Send up to ten messages; return the MessageId or the failure of each by position. *name* is for the error."""
        with self._translated(name):
            answer = await self._request(
                "SendMessageBatch",
                QueueUrl=url,
                Entries=[entry_of(position, each) for position, each in enumerate(batch)],
            )
            ids = {int(each["Id"]): each["MessageId"] for each in answer.get("Successful") or ()}
            return {**ids, **refusals_of(answer, len(batch))}

    async def delete(self, queue: Queue, handles: Sequence[str]) -> dict[int, Refusal]:
        """Delete up to ten messages; return the failures by position."""
        with self._translated(queue.name):
            answer = await self._request(
                "DeleteMessageBatch",
                QueueUrl=queue.url,
                Entries=[{"Id": str(position), "ReceiptHandle": handle} for position, handle in enumerate(handles)],
            )
            return refusals_of(answer, len(handles))

    async def change_visibility(self, queue: Queue, timeouts: Sequence[tuple[str, int]]) -> dict[int, Refusal]:
        """Set the visibility timeout of up to ten messages, as (handle, seconds); return the failures by position."""
        with self._translated(queue.name):
            answer = await self._request(
                "ChangeMessageVisibilityBatch",
                QueueUrl=queue.url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                    for position, (handle, seconds) in enumerate(timeouts)
                ],
            )
            return refusals_of(answer, len(timeouts))

    async def _describe(self, name: str, url: str) -> Queue:
        with self._translated(name):
            answer = await self._request(
                "GetQueueAttributes", QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]
            )
            attributes = answer["Attributes"]
            policy = attributes.get("RedrivePolicy")
            redrive = orjson.loads(policy) if policy else {}
            dead_letters = redrive["deadLetterTargetArn"].rpartition(":")[2] if redrive else None
            most = redrive.get("maxReceiveCount")  # a number or its text
            return Queue(name, url, dead_letters, int(attributes["VisibilityTimeout"]), int(most) if most else None)

    @contextmanager
    def _translated(self, name: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._translate(name, error) from error
        except Exception as error:  # RuntimeError: credentials that refresh to expired ones; KeyError: another answer
            reason = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise SqsUnavailableError(f"{name}: SQS gave no answer: {reason}") from error

    def _translate(self, name: str, error: ClientError) -> UnavailableError | SqsRefusedError:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _MISSING:
            self._urls.pop(name, None)
            self._queues.pop(name, None)
            return QueueMissingError(f"queue {name} does not exist")
        if code in _THROTTLED or status >= 500:
            return SqsUnavailableError(f"{name}: {error}")
        return SqsRefusedError(f"{name}: {error}", code=code)


def _tls(session: AioSession) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=session.get_config_variable("ca_bundle") or get_cert_path(True))


def _http(url: URL, connections: int, limit_s: float | None, tls: ssl.SSLContext | bool) -> aiohttp.ClientSession:
    # the proxy is looked up once: aiohttp's trust_env reads environment and netrc again for each request
    proxy = get_environ_proxies(str(url)).get(url.scheme)
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEPALIVE_S, ssl=tls)
    limits = aiohttp.ClientTimeout(total=limit_s, sock_connect=CONNECT_LIMIT_S)
    return aiohttp.ClientSession(connector=connector, timeout=limits, proxy=proxy, headers=USER_AGENT)
