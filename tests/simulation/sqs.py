"""SQS at the level of requests: at least once, in any order, with receipt handles that expire.

Answers may be lost after the work was done, refuse a part of a batch or be empty; queues may be lost with what is in
them; credentials may expire.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from tests.simulation.clock import START
from tests.simulation.loop import current_process
from tests.simulation.world import World

__all__ = ["SimulatedQueues", "SimulatedSqs"]

VISIBILITY_S = 10.0
MAX_RECEIVES = 5
CALL_LIMIT_S = 5.0  # of the sessions under the client
Answer = dict[str, Any]


@dataclass(eq=False)
class StoredMessage:
    """A message in a queue."""

    id: str
    body: str
    attributes: Mapping[str, Any]
    sent_at: float
    visible_at: float = 0.0
    receives: int = 0
    handle: str = ""


@dataclass
class StoredQueue:
    """A queue; it does not exist before *missing_until*."""

    name: str
    dead_letters: str | None = None
    messages: list[StoredMessage] = field(default_factory=list)
    missing_until: float = 0.0
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class SimulatedQueues:
    """The queues by name, each with a dead-letter queue."""

    def __init__(self, world: World, names: Sequence[str]) -> None:
        self.world = world
        self.queues = {f"{name}-dlq": StoredQueue(f"{name}-dlq") for name in names}
        self.queues |= {name: StoredQueue(name, f"{name}-dlq") for name in names}
        self.lost = False
        self._number = 0

    def put(self, queue: StoredQueue, body: str, attributes: Mapping[str, Any], delay_s: float = 0.0) -> str:
        """Add a message and return its id."""
        self._number += 1
        now = self.world.loop.time()
        message = StoredMessage(f"m{self._number}", body, attributes, now, now + delay_s)
        if self.world.happens("sqs delivers late", queue.name):
            message.visible_at += self.world.decisions.uniform("late", 0.5, 12.0)
        queue.messages.append(message)
        while queue.waiting:
            _wake(queue.waiting.pop())
        return message.id

    def receive(self, queue: StoredQueue, limit: int, visibility_s: float) -> list[StoredMessage]:
        """Return visible messages, which are invisible for *visibility_s* then; those received too often are moved."""
        world, now = self.world, self.world.loop.time()
        found: list[StoredMessage] = []
        visible = [message for message in queue.messages if message.visible_at <= now]
        while visible and len(found) < limit:
            mixed = world.happens("sqs out of order", queue.name) if len(visible) > 1 else False
            message = visible.pop(world.decisions.below("which message", len(visible)) if mixed else 0)
            message.receives += 1
            if message.receives > MAX_RECEIVES and queue.dead_letters is not None:
                queue.messages.remove(message)
                world.note(queue.name, f"moves {message.id} to its dead-letter queue")
                self.queues[queue.dead_letters].messages.append(message)
                continue
            self._number += 1
            message.handle = f"{message.id}/{self._number}"
            twice = world.happens("sqs delivers twice", queue.name)
            message.visible_at = now if twice else now + visibility_s
            found.append(message)
        return found

    def lose(self, queue: StoredQueue) -> None:
        """Lose a queue with its messages; it exists again a little later."""
        self.lost = True
        queue.messages.clear()
        queue.missing_until = self.world.loop.time() + self.world.decisions.uniform("missing", 0.0, 8.0)


class SimulatedSqs:
    """Answers the requests of `service_common.sqs.Sqs`, in place of its `FastPath`."""

    def __init__(self, queues: SimulatedQueues) -> None:
        self._all = queues
        self._world = queues.world
        self._operations: Mapping[str, Callable[..., Awaitable[Answer]]] = {
            "GetQueueUrl": self._get_queue_url,
            "GetQueueAttributes": self._get_queue_attributes,
            "ReceiveMessage": self._receive_message,
            "SendMessageBatch": self._send_message_batch,
            "DeleteMessageBatch": self._delete_message_batch,
            "ChangeMessageVisibilityBatch": self._change_message_visibility_batch,
        }

    async def __call__(self, operation: str, **parameters: Any) -> Answer:
        return await self._operations[operation](**parameters)

    async def _get_queue_url(self, *, QueueName: str) -> Answer:  # noqa: N803 - as SQS has it
        return await self._call("GetQueueUrl", QueueName, lambda queue: {"QueueUrl": queue.name})

    async def _get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> Answer:  # noqa: N803, ARG002
        def work(queue: StoredQueue) -> Answer:
            attributes = {"VisibilityTimeout": str(int(VISIBILITY_S))}
            if queue.dead_letters:
                arn = f"arn:aws:sqs:us-east-1:1:{queue.dead_letters}"
                target = {"deadLetterTargetArn": arn, "maxReceiveCount": MAX_RECEIVES}
                attributes["RedrivePolicy"] = json.dumps(target)
            return {"Attributes": attributes}

        return await self._call("GetQueueAttributes", QueueUrl, work)

    async def _receive_message(self, **request: Any) -> Answer:
        deadline = self._world.loop.time() + request["WaitTimeSeconds"]
        queue = self._all.queues[request["QueueUrl"]]

        def work(_: StoredQueue) -> Answer:
            found = self._all.receive(queue, request["MaxNumberOfMessages"], request["VisibilityTimeout"])
            if found:
                self._world.note(current_process().name, f"receives {' '.join(message.handle for message in found)}")
            return {"Messages": [_received(message) for message in found]} if found else {}

        await self._world.reach(f"receive from {queue.name}")
        while self._world.loop.time() < deadline:
            now = self._world.loop.time()
            if any(message.visible_at <= now for message in queue.messages):
                break
            await self._arrival(queue, deadline)
        return await self._call("ReceiveMessage", queue.name, work)

    async def _send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Answer:  # noqa: N803
        def send(queue: StoredQueue, entry: Mapping[str, Any]) -> Answer:
            sent = (entry["MessageBody"], entry.get("MessageAttributes", {}), entry.get("DelaySeconds", 0))
            return {"MessageId": self._all.put(queue, *sent)}

        return await self._batch("SendMessageBatch", QueueUrl, Entries, send)

    async def _delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> Answer:  # noqa: N803
        def delete(queue: StoredQueue, entry: Mapping[str, Any]) -> Answer | None:
            message = _held(queue, entry["ReceiptHandle"])
            if message is None:  # an expired handle: SQS may say so, or say nothing and keep the message
                return None if self._world.decisions.below("expired handle", 2) else {}
            if message in queue.messages:
                queue.messages.remove(message)
            return {}

        return await self._batch("DeleteMessageBatch", QueueUrl, Entries, delete)

    async def _change_message_visibility_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> Answer:
        def change(queue: StoredQueue, entry: Mapping[str, Any]) -> Answer | None:
            message = _held(queue, entry["ReceiptHandle"])
            if message is None:
                return None
            message.visible_at = self._world.loop.time() + entry["VisibilityTimeout"]
            return {}

        return await self._batch("ChangeMessageVisibilityBatch", QueueUrl, Entries, change)

    async def _arrival(self, queue: StoredQueue, deadline: float) -> None:
        """Wait for a message to become visible, or to arrive, no longer than until *deadline*."""
        loop = self._world.loop
        arrived = loop.create_future()
        queue.waiting.append(arrived)
        due = [message.visible_at for message in queue.messages if message.visible_at > loop.time()]
        timer = loop.call_at(min([deadline, *due]), _wake, arrived)
        await arrived
        timer.cancel()

    async def _batch(
        self,
        operation: str,
        name: str,
        entries: Sequence[Mapping[str, Any]],
        work: Callable[[StoredQueue, Mapping[str, Any]], Answer | None],
    ) -> Answer:
        def all_entries(queue: StoredQueue) -> Answer:
            answer: Answer = {"Successful": [], "Failed": []}
            for entry in entries:
                if self._world.happens("sqs part refused", f"{operation} {name}"):
                    refusal = {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
                    answer["Failed"].append(refusal)
                elif (done := work(queue, entry)) is None:
                    refusal = {"Id": entry["Id"], "Code": "ReceiptHandleIsInvalid", "SenderFault": True}
                    answer["Failed"].append(refusal)
                else:
                    answer["Successful"].append({"Id": entry["Id"], **done})
            return answer

        return await self._call(operation, name, all_entries)

    async def _call(self, operation: str, name: str, work: Callable[[StoredQueue], Answer]) -> Answer:
        world, queue = self._world, self._all.queues.get(name)
        where = f"{operation} {name}"
        await world.reach(where)
        if world.happens("credentials expire", where):
            raise world.decisions.choice(
                "expiry",
                [
                    RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired."),
                    NoCredentialsError(),
                    _error(operation, "ExpiredToken", 403),
                ],
            )
        if world.happens("sqs hangs", where):
            await asyncio.sleep(CALL_LIMIT_S)
            raise TimeoutError
        if world.happens("sqs refuses", where):
            raise world.decisions.choice(
                "refusal",
                [
                    EndpointConnectionError(endpoint_url="http://sqs"),
                    aiohttp.ClientOSError("reset"),
                    _error(operation, "RequestThrottled", 400),
                    _error(operation, "InternalError", 500),
                ],
            )
        if queue is not None and world.happens("sqs queue lost", name):
            self._all.lose(queue)
        if queue is None or queue.missing_until > world.loop.time():
            raise _error(operation, "AWS.SimpleQueueService.NonExistentQueue", 400)
        answer = work(queue)
        await world.reach(where)
        if world.happens("sqs answer lost", where):
            raise aiohttp.ServerDisconnectedError
        return {} if world.happens("sqs answer empty", where) else answer


def _wake(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)


def _received(message: StoredMessage) -> Answer:
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.handle,
        "Body": message.body,
        "Attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int((START.timestamp() + message.sent_at) * 1000)),
        },
        "MessageAttributes": message.attributes,
    }


def _held(queue: StoredQueue, handle: str) -> StoredMessage | None:
    return next((message for message in queue.messages if message.handle == handle), None)


def _error(operation: str, code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "simulated"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )
