"""Client of the inventory service: reads stock over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from order_contracts.limits import MAX_ITEMS
from service_common.call_batcher import CallBatcher
from service_common.http_client import Call, RefusedError, RetryingClient

__all__ = ["HttpStockReader"]


def _is_product(data: object) -> bool:
    match data:
        case {"productId": str(), "stock": int()}:
            return True
    return False


def _is_list_of_products(data: object) -> bool:
    match data:
        case {"items": list(products)}:
            return all(map(_is_product, products))
    return False


_ONE = Call(
    "GET",
    "/inventory/{product_id}",
    idempotent=True,
    refusals=frozenset({"product-not-found"}),
    shape=_is_product,
)
_MANY = Call("GET", "/inventory", idempotent=True, shape=_is_list_of_products)


class HttpStockReader:
    """A `StockReader` on the inventory service: one call for one order.

    Queries for a single product that arrive while a call is in flight are batched into the next call, under the trace
    of the first. A call without an answer delays the queries behind it by at most its deadline.
    """

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._queries = CallBatcher[str, Mapping[str, int]](self._query_all, max_items=MAX_ITEMS, name="stock query")

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products that exist, and perhaps of others.

        Raises:
            UnavailableError: the inventory service does not answer.
        """
        if len(product_ids) == 1:
            return await self._queries.submit(product_ids[0])
        return await self._fetch(product_ids)

    async def close(self) -> None:
        """Wait for the queries in flight."""
        await self._queries.close()

    async def _query_all(self, product_ids: Sequence[str]) -> Sequence[Mapping[str, int]]:
        return [await self._fetch(list(dict.fromkeys(product_ids)))] * len(product_ids)

    async def _fetch(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        products = await (self._fetch_one(product_ids[0]) if len(product_ids) == 1 else self._fetch_many(product_ids))
        return {product["productId"]: product["stock"] for product in products}

    async def _fetch_one(self, product_id: str) -> Sequence[Mapping[str, Any]]:
        try:
            return [(await self._client.request(_ONE, path={"product_id": product_id})).data]
        except RefusedError:
            return []

    async def _fetch_many(self, product_ids: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        reply = await self._client.request(_MANY, query=[("productId", product_id) for product_id in product_ids])
        products: list[Mapping[str, Any]] = reply.data["items"]
        return products
