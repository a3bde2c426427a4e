"""The stock as the inventory service tells it over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service_common.call_batcher import CallBatcher
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient
from service_common.observability import TraceContext, current_trace, tracing

__all__ = ["HttpStock"]

_ONE = Call("GET", "/inventory/{product_id}", idempotent=True)
_MANY = Call("GET", "/inventory", idempotent=True)
_NOT_FOUND = 404
# of one call: as many as an order may have lines, so no longer an address than an order's
MAX_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class _Question:
    product_id: str
    trace: TraceContext | None


class HttpStock:
    """Asks the inventory service: for one product by its path, for many in one call.

    Questions after one product that come while another is being answered are asked together, under the trace of the
    first: at its limit the service asks once for many orders. One that gets no answer keeps those behind it waiting for
    at most the deadline of its call.
    """

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._questions = CallBatcher[_Question, Mapping[str, int]](self._answer, max_items=MAX_TOGETHER)

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products that exist, and perhaps of others.

        Raises:
            UnavailableError: the inventory service gives no answer, or none that can be understood.
        """
        if len(product_ids) == 1:
            return await self._questions.submit(_Question(product_ids[0], current_trace()))
        return await self._ask(product_ids)

    async def close(self) -> None:
        """Return when what was asked is answered."""
        await self._questions.close()

    async def _answer(self, questions: Sequence[_Question]) -> Sequence[Mapping[str, int]]:
        trace = questions[0].trace
        with tracing(trace.traceparent if trace else None):
            stock = await self._ask(list(dict.fromkeys(question.product_id for question in questions)))
        return [stock] * len(questions)

    async def _ask(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        products = await (self._one(product_ids[0]) if len(product_ids) == 1 else self._many(product_ids))
        try:
            return {product["productId"]: int(product["stock"]) for product in products}
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable() from error

    async def _one(self, product_id: str) -> Sequence[Mapping[str, Any]]:
        try:
            return [(await self._client.request(_ONE, path={"product_id": product_id})).data]
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return []
            raise

    async def _many(self, product_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        reply = await self._client.request(_MANY, query=[("productId", product_id) for product_id in product_ids])
        match reply.data:
            case {"items": list(products)}:
                return products
            case _:
                raise _unreadable()


def _unreadable() -> UnavailableError:
    return UnavailableError("The inventory service answers something that is no stock.")
