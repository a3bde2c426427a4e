"""Runs the steps of a claimed saga and writes their outcomes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic

from service_common.observability import Metrics, span, tracing

from .ports import Claim, OrderGateway, SagaRepository, StockGateway
from .saga import (
    RETRY_BACKOFF,
    FailedAttempt,
    FailureKind,
    Saga,
    SagaState,
    SagaStep,
    StepOutcome,
    Succeeded,
    Unanswered,
)

__all__ = ["Runner"]

logger = logging.getLogger(__name__)

# seconds; a saga lasts as long as the other services are unavailable
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Runner:
    """Runs the steps of a saga; each step is idempotent.

    The outcome of a step is written before the next step starts, with one exception: STOCK_TAKEN is written together
    with the outcome of closing the order, which saves most orders a commit. After a crash in between the step is
    repeated, and the inventory answers with its stored outcome.

    Args:
        sagas: stores them.
        stock: takes and releases stock.
        orders: confirms, closes and fails orders.
        announce: called after a commit that wrote an event to the outbox.
        metrics: of the service.
    """

    def __init__(
        self,
        sagas: SagaRepository,
        stock: StockGateway,
        orders: OrderGateway,
        announce: Callable[[], None],
        metrics: Metrics,
    ) -> None:
        self._sagas = sagas
        self._stock = stock
        self._orders = orders
        self._announce = announce
        self._seconds = metrics.histogram(
            "saga_seconds", "From the start of a saga to its end.", ("state",), buckets=_BUCKETS_S
        )
        self._unanswered = metrics.counter("saga_steps_unanswered_total", "Steps whose outcome is unknown.", ("step",))

    async def run(self, claim: Claim) -> float | None:
        """Run the saga until it ends, a step is unanswered, or the claim is lost.

        Returns:
            The delay until the next attempt, in seconds; None when this engine has nothing more to do.

        Raises:
            TransientError: the outcome of the last step may not be written; the step is repeated after the lease.
        """
        started_s = monotonic()
        saga = claim.saga
        entered: dict[SagaState, datetime] = {}
        with tracing(saga.traceparent, saga.tracestate, name="saga") as current:
            current.set("order.id", saga.order_id)
            current.set("order.version", saga.version)
            while not saga.ended:
                step_started_s = monotonic()
                with span(f"saga step {saga.step.value}") as step:
                    outcome = await self._run_step(saga)
                    if isinstance(outcome, Unanswered):
                        step.fail("unanswered", outcome.error)
                before, saga = saga, saga.after(outcome)
                delay_s: float | None = None
                failed: FailedAttempt | None = None
                if (failure := before.failure(outcome)) is not None:
                    failed = before.failed_attempt(failure, datetime.now(UTC), monotonic() - step_started_s)
                    delay_s = RETRY_BACKOFF.delay_s(saga.failures, floor_s=failure.retry_after_s)
                else:
                    entered[saga.state] = datetime.now(UTC)
                    if saga.state is SagaState.STOCK_TAKEN:
                        continue
                if not await self._sagas.save(claim, saga, entered, delay_s, failed):
                    logger.warning("saga claim lost", extra=saga.facts)
                    return None
                if delay_s is not None:
                    self._report_delay(before.step, saga, delay_s)
                    return delay_s
            current.set("saga.state", saga.state.value)
            self._report_end(saga, claim.age_s + monotonic() - started_s)
        return None

    async def _run_step(self, saga: Saga) -> StepOutcome:
        try:
            match saga.step:
                case SagaStep.TAKE_STOCK:
                    return await self._take_stock(saga)
                case SagaStep.CLOSE_ORDER:
                    return await self._orders.close(saga.order_id, saga.version)
                case SagaStep.FAIL_ORDER:
                    return await self._orders.fail(saga.order_id, saga.version, saga.reason or "no reason was given")
                case SagaStep.RELEASE_STOCK:
                    return await self._stock.release(saga.operation_id)
        except Exception as error:
            logger.exception("saga step crashed", extra=saga.facts)
            # which anybody may read, its words only in the log
            return Unanswered(type(error).__name__, kind=FailureKind.CRASHED)

    async def _take_stock(self, saga: Saga) -> StepOutcome:
        if saga.restarts:  # by reconciliation, or by a duplicate of the event of an order that was rightly withdrawn
            confirmed = await self._orders.confirm(saga.order_id, saga.version)
            if not isinstance(confirmed, Succeeded):
                return confirmed
        return await self._stock.take(saga.operation_id, saga.items)

    def _report_delay(self, step: SagaStep, saga: Saga, delay_s: float) -> None:
        self._unanswered.labels(step.value).inc()
        logger.warning(
            "saga step unanswered",
            extra={
                **saga.facts,
                "step": step.value,
                "attempts": saga.attempts,
                "error": saga.last_error,
                "delay_s": round(delay_s, 3),
            },
        )

    def _report_end(self, saga: Saga, age_s: float) -> None:
        if saga.event is not None:
            self._announce()
        self._seconds.labels(saga.state.value).observe(age_s)
        logger.info("saga ended", extra={**saga.facts, "reason": saga.reason, "seconds": round(age_s, 3)})
