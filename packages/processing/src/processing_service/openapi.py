"""What the processing service says of its HTTP interface."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import UnavailableError
from service_common.openapi import Answer, AnswerSchema, Api, Operation

from .config import NAME
from .handlers import SagaNotFoundError
from .saga import State
from .schemas import SearchSchema

__all__ = ["API"]


class _PathSchema(Schema):
    order_id = fields.Int(required=True, validate=validate.Range(1, MAX_ORDER_ID))


class _StepSchema(AnswerSchema):
    state = fields.Enum(State, by_value=True, required=True)
    at = fields.AwareDateTime(required=True, metadata={"description": "When the saga came to this state."})


class _SagaSchema(AnswerSchema):
    order_id = fields.Int(data_key="orderId", required=True)
    version = fields.Int(required=True)
    state = fields.Enum(State, by_value=True, required=True)
    late = fields.Bool(required=True)
    attempts = fields.Int(required=True, metadata={"description": "Of all steps together."})
    last_error = fields.Str(data_key="lastError", required=True, allow_none=True)
    reason = fields.Str(required=True, allow_none=True)
    next_run_at = fields.AwareDateTime(data_key="nextRunAt", required=True, allow_none=True)
    steps = fields.List(fields.Nested(_StepSchema), required=True)


class _SagasSchema(AnswerSchema):
    sagas = fields.List(fields.Nested(_SagaSchema), required=True)


API = Api(
    name=NAME,
    description="Fulfils each order through a durable saga.",
    operations=(
        Operation(
            method="GET",
            path="/sagas",
            name="getSagas",
            summary="Sagas, those of the newest orders first",
            parameters={"query": SearchSchema},
            answers={200: Answer("The sagas", _SagasSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            method="GET",
            path="/sagas/{order_id}",
            name="getSagasOfOrder",
            summary="The saga of each version of an order",
            parameters={"path": _PathSchema},
            answers={200: Answer("The sagas", _SagasSchema)},
            errors=(SagaNotFoundError, UnavailableError),
        ),
    ),
)
