"""The stock as the inventory service tells it over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service_common.client import Call, RefusedError, RetryingClient
from service_common.errors import UnavailableError

__all__ = ["HttpStock"]

_ONE = Call("GET", "/inventory/{product_id}", idempotent=True)
_MANY = Call("GET", "/inventory", idempotent=True)
_NOT_FOUND = 404


class HttpStock:
    """Asks the inventory service: for one product by its path, for many in one call."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products that exist.

        Raises:
            UnavailableError: the inventory service gives no answer, or none that can be understood.
        """
        if len(product_ids) == 1:
            products = await self._one(product_ids[0])
        else:
            products = await self._many(product_ids)
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
