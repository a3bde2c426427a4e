"""Batches concurrent calls: many submitters share one statement or one request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Generic, TypeAlias, TypeVar

from .errors import UnavailableError
from .observability import Attributes, Span, SpanKind, batched, current_trace

__all__ = ["AloneError", "CallBatcher"]

T = TypeVar("T")
R = TypeVar("R")
_Entry: TypeAlias = tuple[T, asyncio.Future[R], Span | None]


class AloneError(Exception):
    """The result of an item that has to be carried out alone."""


class CallBatcher(Generic[T, R]):
    """Batches the items of concurrent submitters and flushes them together, one flush at a time.

    A batch holds the items that were submitted in the same iteration of the event loop, during a flush, or within
    *linger_s* of the first. It is flushed in the trace of its first submitter, as a span of its own with links to those
    of the others.

    Args:
        flush: takes the items in the order of submission and returns one result for each, in that order; a result that
            is an exception is raised at its submitter alone, an exception that is raised, at all of them.
        max_items: maximum items of one batch.
        linger_s: maximum batching delay after the first item, in seconds.
        apart: errors that one item may cause for all: after one, the items are flushed one by one, in their order.
        alone: carries out an item without company, and one whose result is `AloneError`; others do not wait for it.
        name, kind, attributes: of the span of a batch.
    """

    def __init__(
        self,
        flush: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        max_items: int = 100,
        linger_s: float = 0.0,
        apart: tuple[type[Exception], ...] = (),
        alone: Callable[[T], Awaitable[R]] | None = None,
        name: str = "batch",
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
    ) -> None:
        self._flush = flush
        self._max_items = max_items
        self._linger_s = linger_s
        self._apart = apart
        self._alone = alone
        self._span = (name, kind, attributes)
        self._waiting: list[_Entry[T, R]] = []
        self._full = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, item: T) -> R:
        """Flush *item* with the next batch and return its result; cancelling it leaves the others alone.

        Raises:
            UnavailableError: the batcher is closed.
        """
        if self._closed:
            raise UnavailableError("stopping")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((item, future, current_trace()))
        if len(self._waiting) >= self._max_items:
            self._full.set()
        if self._worker is None:
            # in a context of its own: each batch is in the trace of its first submitter
            self._worker = loop.create_task(self._work(), context=Context())
        try:
            return await future
        except AloneError:
            if self._alone is None:
                raise
        return await self._alone(item)

    async def close(self) -> None:
        """Refuse new items and return when the submitted ones have their results."""
        self._closed = True
        self._full.set()
        if self._worker is not None:
            await asyncio.shield(self._worker)

    async def _work(self) -> None:
        try:
            while self._waiting:
                if self._linger_s and not self._full.is_set():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._linger_s):
                            await self._full.wait()
                await self._flush_batch(self._take())
        finally:
            self._worker = None

    async def _flush_batch(self, batch: Sequence[_Entry[T, R]]) -> None:
        if not batch:
            return
        if len(batch) == 1 and self._alone is not None:
            _fail(batch[0][1], AloneError())
            return
        name, kind, attributes = self._span
        try:
            with batched(name, [trace for _, _, trace in batch], kind, attributes) as span:
                span.set("batch.size", len(batch))
                results = await self._flush([item for item, _, _ in batch])
            _resolve([future for _, future, _ in batch], results)
        except BaseException as error:
            if len(batch) > 1 and isinstance(error, self._apart):
                for entry in batch:
                    await self._flush_batch([entry])
                return
            for _, future, _ in batch:
                _fail(future, error)
            # else nobody requested the cancellation, and those who still wait have a turn
            if not isinstance(error, Exception) and ((task := asyncio.current_task()) is None or task.cancelling()):
                raise

    def _take(self) -> list[_Entry[T, R]]:
        taken, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
        if len(self._waiting) < self._max_items and not self._closed:
            self._full.clear()
        return [entry for entry in taken if not entry[1].done()]


def _resolve(futures: Sequence[asyncio.Future[R]], results: Sequence[R | Exception]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)


def _fail(future: asyncio.Future[R], error: BaseException) -> None:
    if future.done():
        return
    future.set_exception(error if isinstance(error, Exception) else UnavailableError("cancelled"))
