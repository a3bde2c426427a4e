"""The HTTP interface of the processing service: the declaration of each endpoint."""

from __future__ import annotations

from marshmallow import fields, validate

from service_common.auth import Caller, InsufficientScopeError
from service_common.dead_letters import DEAD_LETTER_OPERATIONS
from service_common.errors import UnavailableError
from service_common.openapi import AnnouncedEventsSchema, Answer, AnswerSchema, Api, Operation

from . import handlers
from .config import NAME
from .saga import MAX_FAILED_ATTEMPTS, FailureKind, SagaEndedError, SagaNotFoundError, SagaState, SagaStep
from .schemas import SagaEventsQuerySchema, SagasPathSchema, SagasQuerySchema

__all__ = ["API"]


class _StepSchema(AnswerSchema):
    state = fields.Enum(SagaState, by_value=True, required=True)
    at = fields.AwareDateTime(required=True, metadata={"description": "When the saga came to this state."})


class _FailedAttemptSchema(AnswerSchema):
    step = fields.Str(required=True, validate=validate.OneOf([step.value for step in SagaStep]))
    at = fields.AwareDateTime(required=True, metadata={"description": "When it ended."})
    seconds = fields.Float(required=True, metadata={"description": "How long it took."})
    kind = fields.Enum(FailureKind, by_value=True, required=True)
    error = fields.Str(required=True, allow_none=True, metadata={"description": "Null for a customer."})


class _SagaSchema(AnswerSchema):
    order_id = fields.Int(data_key="orderId", required=True)
    customer_id = fields.Str(data_key="customerId", required=True)
    version = fields.Int(required=True)
    state = fields.Enum(SagaState, by_value=True, required=True)
    late = fields.Bool(required=True)
    attempts = fields.Int(required=True, metadata={"description": "Of all steps together."})
    last_error = fields.Str(data_key="lastError", required=True, allow_none=True)
    reason = fields.Str(required=True, allow_none=True)
    next_run_at = fields.AwareDateTime(data_key="nextRunAt", required=True, allow_none=True)
    steps = fields.List(fields.Nested(_StepSchema), required=True)
    failed_attempts = fields.List(
        fields.Nested(_FailedAttemptSchema),
        data_key="failedAttempts",
        metadata={"description": f"Of the sagas of one order: the newest {MAX_FAILED_ATTEMPTS}, the oldest first."},
    )


class _SagasSchema(AnswerSchema):
    sagas = fields.List(fields.Nested(_SagaSchema), required=True)


_READERS = Caller.CUSTOMER | Caller.OPERATOR | Caller.VIEWER | Caller.SERVICE

API = Api(
    name=NAME,
    description="Fulfils each order through a durable saga.",
    own_operations=(
        Operation(
            "GET",
            "/sagas",
            handlers.search,
            name="getSagas",
            access=_READERS,
            parameters={"query": SagasQuerySchema},
            answers={200: Answer("The sagas", _SagasSchema)},
            errors=(InsufficientScopeError, UnavailableError),
        ),
        Operation(
            "GET",
            "/sagas/{order_id}",
            handlers.sagas_of_order,
            name="getSagasOfOrder",
            access=_READERS,
            parameters={"path": SagasPathSchema},
            answers={200: Answer("The sagas", _SagasSchema)},
            errors=(SagaNotFoundError, UnavailableError),
        ),
        Operation(
            "GET",
            "/sagas/{order_id}/events",
            handlers.events_of_order,
            name="getEventsOfOrder",
            access=_READERS,
            parameters={"path": SagasPathSchema, "query": SagaEventsQuerySchema},
            answers={200: Answer("The events in the outbox", AnnouncedEventsSchema)},
            errors=(SagaNotFoundError, UnavailableError),
        ),
        Operation(
            "POST",
            "/sagas/{order_id}/retry",
            handlers.retry,
            name="retrySagasOfOrder",
            access=Caller.OPERATOR,
            parameters={"path": SagasPathSchema},
            answers={200: Answer("The sagas, due now", _SagasSchema)},
            errors=(SagaNotFoundError, SagaEndedError, UnavailableError),
        ),
        *DEAD_LETTER_OPERATIONS,
    ),
)
