"""Deletes sagas that ended long ago, and what the inventory keeps for them."""

from __future__ import annotations

from service_common.errors import UnavailableError

from .ports import EndedSagas, StockOperations
from .saga import Unanswered

__all__ = ["SagaRetention"]

_BATCH = 200


class SagaRetention:
    """Forgets sagas that ended more than *age_s* seconds ago, a batch at a time; several replicas may do it.

    The inventory forgets their operations first: of a saga that is there, however often the rest fails, and that never
    asks for them again, because it has ended.
    """

    def __init__(self, sagas: EndedSagas, stock: StockOperations, *, age_s: float, batch: int = _BATCH) -> None:
        self._sagas = sagas
        self._stock = stock
        self._age_s = age_s
        self._batch = batch

    async def expire(self) -> int:
        """Forget all that have expired; return how many.

        Raises:
            TransientError: the database or the inventory is unavailable; what was forgotten until then is.
        """
        total = 0
        while expired := await self._sagas.expired(self._age_s, self._batch):
            forgotten = await self._stock.forget([each for saga in expired for each in saga.operation_ids])
            if isinstance(forgotten, Unanswered):
                raise UnavailableError(forgotten.error)
            deleted = await self._sagas.forget(expired)
            total += deleted
            if not deleted:
                break
        return total
