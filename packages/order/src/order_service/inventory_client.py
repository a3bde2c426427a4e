"""Client of the inventory service: reads stock over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from order_contracts.limits import MAX_ITEMS
from service_common.call_batcher import CallBatcher
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient
from service_common.observability import TraceContext, current_trace, tracing

__all__ = ["HttpStockReader"]

_ONE = Call("GET", "/inventory/{product_id}", idempotent=True)
_MANY = Call("GET", "/inventory", idempotent=True)
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class _StockQuery:
    product_id: str
    trace: TraceContext | None


class HttpStockReader:
    """A `StockReader` on the inventory service: one call for one order.

    Queries for a single product that arrive while a call is in flight are batched into the next call, under the trace
    of the first. A call without an answer delays the queries behind it by at most its deadline.
    """

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._queries = CallBatcher[_StockQuery, Mapping[str, int]](self._query_all, max_items=MAX_ITEMS)

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products that exist, and perhaps of others.

        Raises:
            UnavailableError: the inventory service does not answer, or its answer is invalid.
        """
        if len(product_ids) == 1:
            return await self._queries.submit(_StockQuery(product_ids[0], current_trace()))
        return await self._fetch(product_ids)

    async def close(self) -> None:
        """Wait for the queries in flight."""
        await self._queries.close()

    async def _query_all(self, queries: Sequence[_StockQuery]) -> Sequence[Mapping[str, int]]:
        trace = queries[0].trace
        with tracing(trace.traceparent if trace else None):
            stock = await self._fetch(list(dict.fromkeys(query.product_id for query in queries)))
        return [stock] * len(queries)

    async def _fetch(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        products = await (self._fetch_one(product_ids[0]) if len(product_ids) == 1 else self._fetch_many(product_ids))
        try:
            return {product["productId"]: int(product["stock"]) for product in products}
        except (KeyError, TypeError, ValueError) as error:
            raise _invalid_answer() from error

    async def _fetch_one(self, product_id: str) -> Sequence[Mapping[str, Any]]:
        try:
            return [(await self._client.request(_ONE, path={"product_id": product_id})).data]
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return []
            raise

    async def _fetch_many(self, product_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        reply = await self._client.request(_MANY, query=[("productId", product_id) for product_id in product_ids])
        match reply.data:
            case {"items": list(products)}:
                return products
            case _:
                raise _invalid_answer()


def _invalid_answer() -> UnavailableError:
    return UnavailableError("The inventory service gave an invalid answer.")
