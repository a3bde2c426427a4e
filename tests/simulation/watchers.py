"""Clients of the live push: they resume with the last id that they saw, on any replica, and must miss nothing (I6).
A customer hears what is its own (I11).

The stream is the real one from the admission of a client to the bytes that are written to its connection; what carries
the bytes is simulated: connections that break and such as take nothing for a while.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, cast

from aiohttp import web

from notification_service.http import BROADCASTER
from notification_service.http.sse import _SseConnection
from notification_service.notification import EventId, Selection
from notification_service.push import Framing, Subscription
from service_common.auth.principal import EVERYBODY
from service_common.scope import Scope
from tests.simulation.deployment import Deployment
from tests.simulation.world import Node

__all__ = ["Watcher"]

_BLOCK = re.compile(rb"(?:^event: (?P<event>\w+)\n)?^id: \w+-(?P<seq>\d+)\n", re.MULTILINE)
RETRY_S = 0.5


class _Transport:
    """A connection to a watcher.

    Attributes:
        ended: done when it is closed; fails when the process that serves it is killed.
    """

    def __init__(self, watcher: Watcher, ended: asyncio.Future[None]) -> None:
        self.ended = ended
        self._watcher = watcher

    def write(self, data: bytes) -> None:
        if not self.ended.done():
            self._watcher.hear(data)

    def abort(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    close = abort


class Watcher:
    """One client; it has seen every notification in its scope up to *seen*.

    Attributes:
        problems: notifications that it missed or got twice, and resets, for which there is no reason here.
    """

    def __init__(self, deployment: Deployment, scope: Scope) -> None:
        self.seen = 0
        self._scope = scope
        self.problems: list[str] = []
        self._deployment = deployment

    def unfinished(self) -> Iterator[str]:
        """Yield whether there is something that it has not seen."""
        if due := self._due(len(self._deployment.feed._rows)):
            yield f"a push client of {self._scope} has seen {self.seen}; {due} are due"

    def hear(self, data: bytes) -> None:
        """Take bytes of the stream."""
        for block in _BLOCK.finditer(data):
            seq = int(block["seq"])
            if block["event"] == b"reset":
                self.problems.append(f"I6: a push client that has seen {self.seen} was reset to {seq}")
            elif block["event"] is None and not self._scope.includes(self._deployment.feed._rows[seq - 1].customer_id):
                self.problems.append(f"I11: a push client of {self._scope} got {seq}")
            elif seq < self.seen or self._due(seq) != [seq] * (block["event"] is None):
                what = "was moved to" if block["event"] else "got"
                self.problems.append(f"I6: a push client that has seen {self.seen} {what} {seq}")
            self.seen = seq

    def _due(self, up_to: int) -> list[int]:
        """Return the notifications in its scope that it has not seen."""
        rows = self._deployment.feed._rows[self.seen : up_to]
        return [row.seq for row in rows if self._scope.includes(row.customer_id)]

    async def watch(self) -> None:
        """Watch, connecting again whenever the connection ends."""
        world = self._deployment.world
        replicas = [node for node in world.nodes.values() if node.service == "notification"]
        while True:
            node = world.decisions.choice("which stream", replicas)
            await world.reach(f"stream of {node.name}")
            if node.app is None or node.process is None:
                await asyncio.sleep(RETRY_S)
                continue
            ended = world.loop.create_future()
            node.calls.add(ended)
            world.loop.start_task(node.process, self._serve(node, node.app, ended))
            try:
                await ended
            except ConnectionResetError:
                await asyncio.sleep(RETRY_S)
            finally:
                node.calls.discard(ended)

    async def _serve(self, node: Node, app: web.Application, ended: asyncio.Future[None]) -> None:
        """Do what the handler of ``GET /stream`` does, in the process of *node*."""
        world, broadcaster, last_seen = self._deployment.world, app[BROADCASTER], EventId("epoch", self.seen)
        refusal, cursor = await broadcaster.admit("watcher", last_seen)
        if refusal is not None or ended.done():
            _Transport(self, ended).abort()
            return
        transport = cast(Any, _Transport(self, ended))
        subscription = Subscription(Framing.SSE_UNCHUNKED, transport, Selection(self._scope))
        connection = _SseConnection(broadcaster, transport, "watcher", EVERYBODY, subscription)
        broadcaster.attach(connection, last_seen, cursor)
        where = f"stream from {node.name}"
        while not ended.done():
            await asyncio.wait([ended], timeout=1.0)
            if world.happens("push connection lost", where):
                transport.abort()
            elif world.happens("push connection stalls", where):
                connection.pause_writing()
                await asyncio.wait([ended], timeout=world.decisions.uniform("stall", 0.1, 5.0))
                connection.resume_writing()
        connection.connection_lost(None)
