"""Events made by hand, and the queues to put them on."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from order_contracts import EventType, message
from service_common.events import split_batch
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef

__all__ = ["NOBODYS_ORDER", "Queues", "event"]

T = TypeVar("T")

# ids far above those that the order service gives out
NOBODYS_ORDER = itertools.count(10**15)


def event(
    event_type: str,
    order_id: int,
    version: int = 1,
    *,
    time: str = "2026-03-01T12:30:15.000000Z",
    items: Sequence[tuple[str, int]] = (("123", 1),),
) -> dict[str, Any]:
    """Return a whole event of its type."""
    data: dict[str, Any] = {"orderId": order_id, "version": version}
    if event_type in {"order-created", "order-updated"}:
        data["orderItems"] = [{"productId": product, "quantity": quantity} for product, quantity in items]
    if event_type == "order-failed":
        data["reason"] = "sold out"
    data["message"] = message(EventType(event_type), order_id)
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": "/order-service",
        "type": event_type,
        "subject": str(order_id),
        "time": time,
        "datacontenttype": "application/json",
        "data": data,
    }


class Queues:
    """The queues as any SQS client sees them."""

    def __init__(self, client: SQSClient) -> None:
        self._client = client
        self._urls: dict[str, str] = {}

    async def send(self, queue: str, body: str) -> None:
        """Put a message on a queue."""
        await asyncio.to_thread(self._client.send_message, QueueUrl=await self._url(queue), MessageBody=body)

    async def waiting(self, queue: str) -> int:
        """Count the messages that are on a queue or being worked on."""
        return await self._count(queue, "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    async def hidden(self, queue: str) -> int:
        """Count the messages that are being worked on."""
        return await self._count(queue, "ApproximateNumberOfMessagesNotVisible")

    async def drain(self, queue: str, count: int, within_s: float = PATIENCE_S) -> list[MessageTypeDef]:
        """Take messages off a queue until there are *count* of them.

        Raises:
            AssertionError: there are not so many in time.
        """
        return await self._take(queue, count, within_s, lambda message: [message])

    async def events(self, queue: str, count: int, within_s: float = PATIENCE_S) -> list[str]:
        """Take messages off a queue until they have *count* events, which may share them, and return these.

        Raises:
            AssertionError: there are not so many in time.
        """
        return await self._take(
            queue, count, within_s, lambda message: split_batch(message["Body"]) or [message["Body"]]
        )

    async def _take(
        self, queue: str, count: int, within_s: float, parts: Callable[[MessageTypeDef], list[T]]
    ) -> list[T]:
        taken: list[T] = []
        deadline = time.monotonic() + within_s
        url = await self._url(queue)
        while len(taken) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"not {count} on {queue} within {within_s:g} s but {taken}")
            answer = await asyncio.to_thread(
                self._client.receive_message,
                QueueUrl=url,
                MaxNumberOfMessages=10,
                WaitTimeSeconds=1,
                MessageAttributeNames=["All"],
            )
            for each in answer.get("Messages", []):
                taken += parts(each)
                await asyncio.to_thread(self._client.delete_message, QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return taken

    async def _count(self, queue: str, *attributes: QueueAttributeNameType) -> int:
        """Sum up *attributes*, at one moment: messages go from one to the other."""
        answer = await asyncio.to_thread(
            self._client.get_queue_attributes, QueueUrl=await self._url(queue), AttributeNames=attributes
        )
        return sum(int(answer["Attributes"][each]) for each in attributes)

    async def _url(self, queue: str) -> str:
        if queue not in self._urls:
            answer = await asyncio.to_thread(self._client.get_queue_url, QueueName=queue)
            self._urls[queue] = answer["QueueUrl"]
        return self._urls[queue]
