"""Visibility heartbeat: keeps messages invisible to other consumers while their handlers run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ..errors import ServiceError
from .client import Sqs
from .in_flight import InFlightMessage, InFlightMessages
from .limits import MAX_BATCH
from .messages import Queue

__all__ = ["Heartbeat"]

logger = logging.getLogger(__name__)


class Heartbeat:
    """Extends the visibility timeout of each message whose handler runs, every third of it, ten messages a request.

    Args:
        sqs: the connection.
        queue: returns the current queue.
        in_flight: the messages.
        handler_limit_s: time limit of a handler, so that none keeps its permit for ever.
        lost: called for each message whose visibility timeout SQS did not extend.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue: Callable[[], Queue],
        in_flight: InFlightMessages,
        *,
        handler_limit_s: float,
        lost: Callable[[], None],
    ) -> None:
        self._sqs = sqs
        self._queue = queue
        self._in_flight = in_flight
        self._handler_limit_s = handler_limit_s
        self._lost = lost

    async def run(self) -> None:
        """Extend visibility timeouts until cancelled; idle while no message is in flight."""
        loop = asyncio.get_running_loop()
        while True:
            await self._in_flight.wait_some()
            interval_s = self._queue().visibility_timeout_s / 3
            now_s = loop.time()
            self._stop_overdue(now_s)
            # a little early, so that messages received one after the other share a request
            due = [entry for entry in self._in_flight if now_s - entry.extended_at >= interval_s * 0.75]
            for start in range(0, len(due), MAX_BATCH):
                await self._extend(due[start : start + MAX_BATCH], loop)
            oldest = min((entry.extended_at for entry in self._in_flight), default=loop.time())
            await asyncio.sleep(max(oldest + interval_s - loop.time(), interval_s / 10))

    def _stop_overdue(self, now_s: float) -> None:
        for entry in list(self._in_flight):
            if now_s - entry.received_at > self._handler_limit_s and entry.task and not entry.overdue:
                entry.overdue = True
                entry.task.cancel()

    async def _extend(self, batch: Sequence[InFlightMessage], loop: asyncio.AbstractEventLoop) -> None:
        batch = [entry for entry in batch if entry.working]  # some ended while the batch before was under way
        if not batch:
            return
        queue = self._queue()
        answered: asyncio.Future[None] = loop.create_future()
        for entry in batch:
            entry.heartbeat = answered
        sent_at = loop.time()
        try:
            refused = await self._sqs.change_visibility(
                queue, [(entry.receipt_handle, queue.visibility_timeout_s) for entry in batch]
            )
        except ServiceError as error:
            logger.warning("visibility heartbeat failed", extra={"queue": queue.name, "reason": error.detail})
            return  # still due: the next iteration tries again
        finally:
            answered.set_result(None)
            for entry in batch:
                entry.heartbeat = None
        for position, entry in enumerate(batch):
            refusal = refused.get(position)
            if refusal is None or refusal.sender_fault:
                entry.extended_at = max(entry.extended_at, sent_at)
            if refusal is not None:
                self._lost()
                logger.warning(
                    "message visibility lost",
                    extra={"queue": queue.name, "messageId": entry.message.id, "reason": str(refusal)},
                )
