"""Runs sagas: new ones at once, others when they are due, each by one engine at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from service_common.errors import TransientError
from service_common.gathering import GatheringPolicy, RecentRate
from service_common.lifecycle import uncancelled

from .ports import Claim, SagaRepository
from .saga import Saga
from .step_runner import Runner

__all__ = ["Engine", "EngineSettings"]

logger = logging.getLogger(__name__)

RELEASE_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Limits of the engine.

    Attributes:
        concurrency: the number of running sagas from which no more are claimed.
        poll_s: the longest time between two claims, in seconds.
        spacing_s: the time between two claims under load, in seconds: sagas that fall due meanwhile share a statement.
    """

    concurrency: int = 256
    poll_s: float = 1.0
    spacing_s: float = 0.05


class Engine:
    """Claims sagas and runs them.

    A claim is a lease with a fence. When an engine dies, another claims its sagas after the lease; an engine that was
    only slow then holds an outdated fence, and its writes change nothing. Its calls to other services are idempotent:
    each carries the saga's operation id.

    Args:
        sagas: stores and leases them.
        runner: runs a claimed saga.
        settings: the limits.
    """

    def __init__(self, sagas: SagaRepository, runner: Runner, settings: EngineSettings | None = None) -> None:
        self._sagas = sagas
        self._runner = runner
        self._settings = settings or EngineSettings()
        self._spacing = GatheringPolicy(self._settings.spacing_s)
        self._rate = RecentRate()
        self._running: dict[asyncio.Task[None], Claim] = {}
        self._starting = 0
        self._wake = asyncio.Event()
        self._slot_free = asyncio.Event()
        self._slot_free.set()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    async def start(self, saga: Saga) -> bool:
        """Store or restart a saga and run it in the background; return False for a duplicate.

        Raises:
            TransientError: the saga may not be stored; the call can be repeated.
        """
        claimed = self._free > 0 and not self._stopping.is_set()
        self._starting += claimed
        try:
            started = await self._sagas.start(saga, claimed=claimed)
        finally:
            self._starting -= claimed
            self._update_slots()
        if started.restarts:
            logger.warning("saga restarted", extra={**saga.facts, "restarts": started.restarts})
        if started.claim is not None:
            self._begin(started.claim)
        elif started.new:
            self._wake_up()
        return started.new

    async def wait_for_slot(self) -> None:
        """Return when another saga could run at once."""
        await self._slot_free.wait()

    async def run(self) -> None:
        """Claim and run due sagas until :meth:`stop`."""
        self._ended.clear()
        try:
            while not self._stopping.is_set():
                await self._slot_free.wait()
                self._wake.clear()
                if await self._claim_due():
                    await self._pause(self._wake, self._settings.poll_s)
                    rate_per_s = self._rate.per_s(asyncio.get_running_loop().time())
                    await self._pause(self._stopping, self._spacing.delay_s(rate_per_s))
        finally:
            self._ended.set()

    async def stop(self, within_s: float) -> None:
        """Wait up to *within_s* seconds for the running sagas, then cancel the others and release their claims."""
        self._stopping.set()
        self._wake.set()
        self._slot_free.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ended.wait()
                while self._running:
                    await asyncio.wait(self._running)
        cancelled = dict(self._running)
        for task in cancelled:
            task.cancel()
        await asyncio.gather(*cancelled, return_exceptions=True)
        if cancelled:
            await self._release(list(cancelled.values()))

    @property
    def _free(self) -> int:
        return self._settings.concurrency - len(self._running) - self._starting

    def _update_slots(self) -> None:
        if self._free > 0 or self._stopping.is_set():
            self._slot_free.set()
        else:
            self._slot_free.clear()

    async def _claim_due(self) -> bool:
        """Run due sagas in the free slots; return whether there are no more."""
        limit = max(self._free, 1)
        try:
            claims = await self._sagas.claim(limit)
        except TransientError as error:
            logger.warning("saga claim failed", extra={"reason": str(error)})
            return True
        for claim in claims:
            self._begin(claim)
        return len(claims) < limit

    def _wake_up(self) -> None:
        self._rate.add(asyncio.get_running_loop().time())
        self._wake.set()

    async def _release(self, claims: Sequence[Claim]) -> None:
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT_S):
                await self._sagas.release_claims(claims)
        except (TransientError, TimeoutError) as error:
            logger.warning("saga claim release failed", extra={"count": len(claims), "reason": str(error)})

    async def _pause(self, event: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    def _begin(self, claim: Claim) -> None:
        task = asyncio.create_task(uncancelled(self._drive, claim))
        self._running[task] = claim
        task.add_done_callback(self._finished)
        self._update_slots()

    async def _drive(self, claim: Claim) -> None:
        try:
            delay_s = await self._runner.run(claim)
        except TransientError as error:
            logger.warning("saga save failed", extra={**claim.saga.facts, "reason": str(error)})
        else:
            if delay_s is not None:
                asyncio.get_running_loop().call_later(delay_s, self._wake_up)

    def _finished(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._update_slots()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.critical("saga task crashed", exc_info=error)
