"""The HTTP payloads of the processing service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, validate

from order_contracts.limits import MAX_ORDER_ID
from service_common.fields import DecimalInteger, customer, page_limit
from service_common.timestamps import rfc3339

from .ports import SagaRecord
from .saga import SagaNotFoundError, SagaState

__all__ = ["SagasPathSchema", "SagasQuerySchema", "sagas_payload"]


class SagasPathSchema(Schema):
    """``{order_id}``: an invalid id has no saga."""

    order_id = DecimalInteger(required=True, validate=validate.Range(1, MAX_ORDER_ID))

    def handle_error(self, error: ValidationError, data: Mapping[str, str], **_: object) -> NoReturn:
        """Answer 404.

        Raises:
            SagaNotFoundError: always.
        """
        raise SagaNotFoundError(data["order_id"]) from error


class SagasQuerySchema(Schema):
    """``?customer=&orderId=&state=&late=true&limit=``."""

    customer = customer()
    order_id = DecimalInteger(
        data_key="orderId",
        load_default=None,
        validate=validate.Range(1, MAX_ORDER_ID),
        metadata={"description": "Only of this order, the oldest version first; empty before its first event came."},
    )
    state = fields.Enum(SagaState, by_value=True, load_default=None)
    late = fields.Bool(load_default=None)
    limit = page_limit()


def sagas_payload(records: Sequence[SagaRecord]) -> dict[str, Any]:
    """Return sagas as a JSON document."""
    return {"sagas": [_saga(record) for record in records]}


def _saga(record: SagaRecord) -> dict[str, Any]:
    return {
        "orderId": record.order_id,
        "customerId": record.customer_id,
        "version": record.version,
        "state": record.state.value,
        "late": record.late,
        "attempts": record.attempts,
        "lastError": record.last_error,
        "reason": record.reason,
        "nextRunAt": rfc3339(record.next_run_at) if record.next_run_at else None,
        "steps": [{"state": state.value, "at": rfc3339(at)} for state, at in record.entered.items()],
    }
