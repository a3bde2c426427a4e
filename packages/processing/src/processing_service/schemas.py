"""The HTTP payloads of the processing service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from marshmallow import Schema, ValidationError, fields, validate

from order_contracts.limits import MAX_ORDER_ID
from service_common.fields import DecimalInteger, customer, page_limit
from service_common.timestamps import rfc3339

from .ports import SagaRecord
from .saga import FailedAttempt, SagaNotFoundError, SagaState

__all__ = ["SagaEventsQuerySchema", "SagasPathSchema", "SagasQuerySchema", "sagas_payload"]


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


class SagaEventsQuerySchema(Schema):
    """``?event=``: only this; ``data=true``: with what the events say."""

    event = fields.UUID(load_default=None)
    data = fields.Bool(load_default=False)


def sagas_payload(records: Sequence[SagaRecord], *, errors: bool) -> dict[str, Any]:
    """Return sagas as a JSON document; without *errors*, no text of an error is in it."""
    return {"sagas": [_saga(record, errors=errors) for record in records]}


def _attempt(attempt: FailedAttempt, *, error: bool) -> dict[str, Any]:
    return {
        "step": attempt.step.value,
        "at": rfc3339(attempt.at),
        "seconds": attempt.seconds,
        "kind": attempt.kind.value,
        "error": attempt.error if error else None,
    }


def _saga(record: SagaRecord, *, errors: bool) -> dict[str, Any]:
    document = {
        "orderId": record.order_id,
        "customerId": record.customer_id,
        "version": record.version,
        "state": record.state.value,
        "late": record.late,
        "attempts": record.attempts,
        "lastError": record.last_error if errors else None,
        "reason": record.reason,
        "nextRunAt": rfc3339(record.next_run_at) if record.next_run_at else None,
        "steps": [{"state": state.value, "at": rfc3339(at)} for state, at in record.entered.items()],
    }
    if record.failed_attempts is not None:
        document["failedAttempts"] = [_attempt(each, error=errors) for each in record.failed_attempts]
    return document
