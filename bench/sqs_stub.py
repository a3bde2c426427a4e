"""Queues in memory: show what is left of a latency without the emulator's own time.

They serve the operations that the services use, without redrive, and pass on what is not for SQS to the emulator, if
there is one.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web

__all__ = ["sqs_stub"]

VISIBILITY_S = 30.0


@dataclass(slots=True, eq=False)
class _Message:
    body: str
    attributes: dict[str, Any]
    delay_s: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    receives: int = 0
    handle: str = ""
    timer: asyncio.TimerHandle | None = None


class _Queue:
    def __init__(self) -> None:
        self.visible: deque[_Message] = deque()
        self.in_flight: dict[str, _Message] = {}
        self._some = asyncio.Condition()

    async def show(self, message: _Message) -> None:
        self.in_flight.pop(message.handle, None)
        self.visible.append(message)
        async with self._some:
            self._some.notify()

    def hide(self, message: _Message, seconds: float) -> None:
        if message.timer is not None:
            message.timer.cancel()
        loop = asyncio.get_running_loop()
        message.timer = loop.call_later(seconds, lambda: loop.create_task(self.show(message)))

    async def receive(self, most: int, wait_s: float) -> list[_Message]:
        async with self._some:
            try:
                async with asyncio.timeout(wait_s):
                    await self._some.wait_for(lambda: bool(self.visible))
            except TimeoutError:
                return []
            taken = [self.visible.popleft() for _ in range(min(most, len(self.visible)))]
        for message in taken:
            message.receives += 1
            message.handle = uuid.uuid4().hex
            self.in_flight[message.handle] = message
        return taken

    def forget(self, handle: str) -> None:
        message = self.in_flight.pop(handle, None)
        if message is not None and message.timer is not None:
            message.timer.cancel()


class _Sqs:
    def __init__(self, emulator: Callable[[], str] | None, session: aiohttp.ClientSession) -> None:
        self._emulator = emulator
        self._session = session
        self._queues: dict[str, _Queue] = {}

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request for SQS; pass any other on."""
        target = request.headers.get("X-Amz-Target", "")
        body = await request.read()
        if not target.startswith("AmazonSQS."):
            if self._emulator is None:
                raise web.HTTPNotFound
            headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            url = f"{self._emulator()}{request.path_qs}"
            async with self._session.request(request.method, url, data=body, headers=headers) as response:
                answer = await response.read()
                return web.Response(body=answer, status=response.status, content_type=response.content_type)
        asked = orjson.loads(body)
        name = asked.get("QueueName") or asked["QueueUrl"].rpartition("/")[2]
        queue = self._queues.setdefault(name, _Queue())
        answered = await getattr(self, target.partition(".")[2])(queue, asked, name, request)
        return web.Response(body=orjson.dumps(answered), content_type="application/x-amz-json-1.0")

    async def GetQueueUrl(self, _queue: _Queue, _asked: Any, name: str, request: web.Request) -> Any:  # noqa: N802
        return {"QueueUrl": f"http://{request.host}/000000000000/{name}"}

    async def GetQueueAttributes(self, queue: _Queue, _asked: Any, name: str, _: web.Request) -> Any:  # noqa: N802
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}-dlq"
        return {
            "Attributes": {
                "VisibilityTimeout": str(int(VISIBILITY_S)),
                "RedrivePolicy": orjson.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 20}).decode(),
                "ApproximateNumberOfMessages": str(len(queue.visible)),
                "ApproximateNumberOfMessagesNotVisible": str(len(queue.in_flight)),
                "ApproximateNumberOfMessagesDelayed": "0",
            }
        }

    async def SendMessageBatch(self, queue: _Queue, asked: Any, _name: str, _: web.Request) -> Any:  # noqa: N802
        sent = []
        for entry in asked["Entries"]:
            attributes = entry.get("MessageAttributes", {})
            message = _Message(entry["MessageBody"], attributes, entry.get("DelaySeconds", 0))
            if message.delay_s:
                queue.hide(message, message.delay_s)
            else:
                await queue.show(message)
            digest = hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest()
            sent.append({"Id": entry["Id"], "MessageId": message.id, "MD5OfMessageBody": digest})
        return {"Successful": sent, "Failed": []}

    async def ReceiveMessage(self, queue: _Queue, asked: Any, _name: str, _: web.Request) -> Any:  # noqa: N802
        received = await queue.receive(asked["MaxNumberOfMessages"], asked.get("WaitTimeSeconds", 0))
        for message in received:
            queue.hide(message, asked.get("VisibilityTimeout", VISIBILITY_S))
        return {"Messages": [self._shown(message) for message in received]}

    async def DeleteMessageBatch(self, queue: _Queue, asked: Any, _name: str, _: web.Request) -> Any:  # noqa: N802
        for entry in asked["Entries"]:
            queue.forget(entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    async def ChangeMessageVisibilityBatch(  # noqa: N802
        self, queue: _Queue, asked: Any, _name: str, _: web.Request
    ) -> Any:
        for entry in asked["Entries"]:
            message = queue.in_flight.get(entry["ReceiptHandle"])
            if message is not None:
                queue.hide(message, entry["VisibilityTimeout"])
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]], "Failed": []}

    @staticmethod
    def _shown(message: _Message) -> dict[str, Any]:
        return {
            "MessageId": message.id,
            "ReceiptHandle": message.handle,
            "Body": message.body,
            "Attributes": {
                "ApproximateReceiveCount": str(message.receives),
                "SentTimestamp": str(message.sent_ms),
            },
            **({"MessageAttributes": message.attributes} if message.attributes else {}),
        }


@asynccontextmanager
async def sqs_stub(port: int, emulator: Callable[[], str] | None = None) -> AsyncIterator[str]:
    """Serve it on *port* and yield its URL; *emulator* returns that of the emulator, None without one."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        app = web.Application(client_max_size=2**22)
        app.router.add_route("*", "/{path:.*}", _Sqs(emulator, session).handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()
