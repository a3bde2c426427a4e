"""Keeps messages invisible to other consumers for as long as their handlers run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from ..errors import ServiceError
from .client import MAX_BATCH, Queue, Sqs
from .in_flight import Lease, Leases

__all__ = ["Heartbeat"]

logger = logging.getLogger(__name__)


class Heartbeat:
    """Extends the visibility of each message whose handler runs, at a third of its timeout, ten in a request.

    Args:
        sqs: the connection.
        queue: gives the queue of the moment.
        leases: the messages.
        handler_limit_s: a handler that runs longer is stopped, so that none keeps its permit for ever.
        lost: called for each message whose lease SQS says is over.
    """

    def __init__(
        self,
        sqs: Sqs,
        queue: Callable[[], Queue],
        leases: Leases,
        *,
        handler_limit_s: float,
        lost: Callable[[], None],
    ) -> None:
        self._sqs = sqs
        self._queue = queue
        self._leases = leases
        self._handler_limit_s = handler_limit_s
        self._lost = lost

    async def run(self) -> None:
        """Beat until cancelled; without messages in flight it does nothing at all."""
        loop = asyncio.get_running_loop()
        while True:
            await self._leases.wait_some()
            interval_s = self._queue().visibility_timeout_s / 3
            now_s = loop.time()
            self._stop_overdue(now_s)
            # a little early, so that messages received one after the other share a request
            due = [lease for lease in self._leases if now_s - lease.renewed_at >= interval_s * 0.75]
            for start in range(0, len(due), MAX_BATCH):
                await self._beat(due[start : start + MAX_BATCH], loop)
            oldest = min((lease.renewed_at for lease in self._leases), default=loop.time())
            await asyncio.sleep(max(oldest + interval_s - loop.time(), interval_s / 10))

    def _stop_overdue(self, now_s: float) -> None:
        for lease in list(self._leases):
            if now_s - lease.received_at > self._handler_limit_s and lease.task and not lease.overdue:
                lease.overdue = True
                lease.task.cancel()

    async def _beat(self, batch: Sequence[Lease], loop: asyncio.AbstractEventLoop) -> None:
        batch = [lease for lease in batch if lease.working]  # some ended while the batch before was under way
        if not batch:
            return
        queue = self._queue()
        answered: asyncio.Future[None] = loop.create_future()
        for lease in batch:
            lease.beat = answered
        sent_at = loop.time()
        try:
            refused = await self._sqs.change_visibility(
                queue, [(lease.handle, queue.visibility_timeout_s) for lease in batch]
            )
        except ServiceError as error:
            logger.warning("heartbeat failed", extra={"queue": queue.name, "error": str(error)})
            return  # still due: the next turn of the loop tries again
        finally:
            answered.set_result(None)
            for lease in batch:
                lease.beat = None
        for position, lease in enumerate(batch):
            refusal = refused.get(position)
            if refusal is None or refusal.sender_fault:
                lease.renewed_at = max(lease.renewed_at, sent_at)
            if refusal is not None:
                self._lost()
                logger.warning(
                    "visibility not extended: the message may be delivered again",
                    extra={"queue": queue.name, "messageId": lease.message.id, "error": str(refusal)},
                )
