"""Ends the connections of a customer on every replica."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from service_common.errors import TransientError

__all__ = ["Disconnection", "DisconnectionStore", "Disconnector"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Disconnection:
    """What a request to end the connections of a customer has done so far.

    Attributes:
        tickets: tickets of the customer that were deleted.
        replicas: replicas that listen for requests; one that does not at the moment reads the request later.
    """

    tickets: int
    replicas: int


class DisconnectionStore(Protocol):
    """Port: the requests, in commit order, shared by all replicas."""

    async def disconnect(self, customer: str) -> Disconnection:
        """Store a request, delete the tickets of *customer*, and wake the replicas, in one transaction.

        Raises:
            UnavailableError: the store can't be reached; the outcome is unknown and repeating is safe.
        """

    async def disconnections(self, after: int) -> tuple[int, Sequence[str]]:
        """Return the position of the newest request, and the customers of those after the position *after*.

        Raises:
            UnavailableError: the store can't be reached.
        """


class Disconnector:
    """Follows the requests, and ends the connections of this process.

    Args:
        store: has the requests.
        end_connections: ends the connections of a customer and returns how many there were.
        poll_s: the longest time between reads; wake-ups only shorten it.
    """

    def __init__(
        self, store: DisconnectionStore, end_connections: Callable[[str], int], *, poll_s: float = 1.0
    ) -> None:
        self._store = store
        self._end_connections = end_connections
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._position = 0

    async def open(self) -> None:
        """Begin after the requests that there are; call it before the first connection.

        Raises:
            UnavailableError: the store can't be reached.
        """
        self._position, _ = await self._store.disconnections(self._position)

    async def disconnect(self, customer: str) -> Disconnection:
        """End the connections of *customer*, here and on the other replicas; see :class:`DisconnectionStore`."""
        disconnection = await self._store.disconnect(customer)
        self.wake()
        return disconnection

    def wake(self) -> None:
        """Read now."""
        self._woken.set()

    async def run(self) -> None:
        """Follow the requests until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
            self._woken.clear()
            try:
                # lower than before when the database was restored: its next request comes after that
                self._position, customers = await self._store.disconnections(self._position)
            except TransientError as error:
                logger.warning("disconnections read failed", extra={"reason": str(error)})
                continue
            if customers:
                ended = sum(map(self._end_connections, dict.fromkeys(customers)))
                logger.info("connections ended", extra={"requests": len(customers), "connections": ended})
