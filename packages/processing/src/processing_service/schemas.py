"""What the HTTP payloads of the processing service look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields, validate

from service_common.timestamps import rfc3339

from .ports import SagaRecord
from .saga import State

__all__ = ["SearchSchema", "sagas_payload"]

MAX_PAGE = 200


class SearchSchema(Schema):
    """``?state=&late=true&limit=``."""

    state = fields.Enum(State, by_value=True, load_default=None)
    late = fields.Bool(load_default=None)
    limit = fields.Int(load_default=50, validate=validate.Range(1, MAX_PAGE))


def sagas_payload(records: Sequence[SagaRecord]) -> dict[str, Any]:
    """Return sagas as they are answered."""
    return {"sagas": [_saga(record) for record in records]}


def _saga(record: SagaRecord) -> dict[str, Any]:
    return {
        "orderId": record.order_id,
        "version": record.version,
        "state": record.state.value,
        "late": record.late,
        "attempts": record.attempts,
        "lastError": record.last_error,
        "reason": record.reason,
        "nextRunAt": rfc3339(record.next_run_at) if record.next_run_at else None,
        "steps": [{"state": state.value, "at": rfc3339(at)} for state, at in record.entered.items()],
    }
