"""Runs sagas: the new ones at once, the others when they are due, each by one engine at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from service_common.errors import TransientError

from .ports import Claim, SagaRepository
from .runner import Runner
from .saga import Saga

__all__ = ["Engine", "EngineSettings"]

logger = logging.getLogger(__name__)

HAND_BACK_LIMIT_S = 1.0


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How much at once and how often.

    Attributes:
        concurrency: sagas in flight beyond which no more are looked for.
        poll_s: how often to look for due sagas without a reason to, in seconds.
        spacing_s: the least time between two looks, in seconds: sagas that come due meanwhile share a statement.
    """

    concurrency: int = 64
    poll_s: float = 1.0
    spacing_s: float = 0.05


class Engine:
    """Claims sagas and has them run.

    A claim is a lease with a fence. An engine that dies leaves its sagas to whoever looks after the lease has ended;
    an engine that was only slow then finds its fence outdated and writes nothing. What it asked of other services
    meanwhile has no second effect: every step carries the saga's operation id.

    Args:
        sagas: where they are kept.
        runner: takes them through their steps.
        settings: the limits.
    """

    def __init__(self, sagas: SagaRepository, runner: Runner, settings: EngineSettings | None = None) -> None:
        self._sagas = sagas
        self._runner = runner
        self._settings = settings or EngineSettings()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._starting = 0
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    async def start(self, saga: Saga) -> bool:
        """Store a new saga and begin to run it; return whether it was new. When this returns, it can't be lost.

        Raises:
            TransientError: it may or may not be stored; the same again is safe.
        """
        claimed = self._free > 0 and not self._stopping.is_set()
        self._starting += claimed
        try:
            admission = await self._sagas.start(saga, claimed=claimed)
        finally:
            self._starting -= claimed
            self._update_room()
        if admission.claim is not None:
            self._begin(admission.claim)
        elif admission.new:
            self._wake.set()
        return admission.new

    async def wait_room(self) -> None:
        """Return when another saga could be run at once."""
        await self._room.wait()

    async def run(self) -> None:
        """Look for due sagas and run them until :meth:`stop`; at once for those that an earlier process left."""
        self._ended.clear()
        try:
            while not self._stopping.is_set():
                await self._room.wait()
                self._wake.clear()
                if await self._claim_due():
                    await self._pause(self._wake, self._settings.poll_s)
                await self._pause(self._stopping, self._settings.spacing_s)
        finally:
            self._ended.set()

    async def stop(self, within_s: float) -> None:
        """Let the sagas in flight end for *within_s* seconds, then hand back the rest."""
        self._stopping.set()
        self._wake.set()
        self._room.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ended.wait()
                while self._running:
                    await asyncio.wait(self._running)
        left = dict(self._running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        if left:
            await self._hand_back(list(left.values()))

    @property
    def _free(self) -> int:
        return self._settings.concurrency - len(self._running) - self._starting

    def _update_room(self) -> None:
        if self._free > 0 or self._stopping.is_set():
            self._room.set()
        else:
            self._room.clear()

    async def _claim_due(self) -> bool:
        """Run what is due, as far as there is room; return whether that was all."""
        limit = max(self._free, 1)
        try:
            claims = await self._sagas.claim(limit)
        except TransientError as error:
            logger.warning("sagas not read", extra={"reason": str(error)})
            return True
        for claim in claims:
            self._begin(claim)
        return len(claims) < limit

    async def _hand_back(self, claims: Sequence[Claim]) -> None:
        try:
            async with asyncio.timeout(HAND_BACK_LIMIT_S):
                await self._sagas.hand_back(claims)
        except (TransientError, TimeoutError) as error:
            logger.warning("sagas left to their leases", extra={"count": len(claims), "reason": str(error)})

    async def _pause(self, event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(self._drive(claim))
        self._running[task] = claim
        task.add_done_callback(self._finished)
        self._update_room()

    async def _drive(self, claim: Claim) -> None:
        try:
            delay_s = await self._runner.run(claim)
        except TransientError as error:
            facts = {"orderId": claim.saga.order_id, "version": claim.saga.version}
            logger.warning("saga left to its lease", extra={**facts, "reason": str(error)})
        else:
            if delay_s is not None:
                asyncio.get_running_loop().call_later(delay_s, self._wake.set)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._update_room()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.critical("saga interrupted by a fault, left to its lease", exc_info=error)
