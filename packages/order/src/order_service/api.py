"""The HTTP interface of the order service: the declaration of each endpoint."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from order_contracts.items import ItemSchema
from service_common.auth import Caller, InsufficientScopeError
from service_common.errors import MalformedError, UnavailableError
from service_common.openapi import (
    AnnouncedEventsSchema,
    Answer,
    AnswerSchema,
    Api,
    Operation,
    ViolationSchema,
    problem_schema,
)

from . import handlers
from .config import NAME
from .domain import (
    KeyReusedError,
    OrderNotFoundError,
    OrderStateError,
    OrderStatus,
    OrderVersionError,
    ShortStockError,
    StaleOrderError,
    UnknownProductError,
)
from .schemas import (
    MAX_KEY,
    ChangesQuerySchema,
    ClosingsSchema,
    EventsQuerySchema,
    FailureSchema,
    ItemsSchema,
    OrderPathSchema,
    OrdersQuerySchema,
    VersionSchema,
)

__all__ = ["API"]


class _PlacingSchema(Schema):
    idempotency_key = fields.Str(data_key="Idempotency-Key", validate=validate.Length(1, MAX_KEY))


class _ChangeSchema(Schema):
    if_match = fields.Str(data_key="If-Match")


class _OrderItemSchema(AnswerSchema):
    id = fields.Int(required=True)
    product_id = fields.Str(data_key="productId", required=True)
    quantity = fields.Int(required=True)


class _StatusSchema(AnswerSchema):
    id = fields.Int(required=True)
    status = fields.Enum(OrderStatus, by_value=True, required=True)


class _ChangedOrderSchema(_StatusSchema):
    version = fields.Int(required=True, metadata={"description": "Rises from 1 with each change of the items."})
    created_at = fields.AwareDateTime(data_key="createdAt", required=True)
    updated_at = fields.AwareDateTime(data_key="updatedAt", required=True)
    failure_reason = fields.Str(data_key="failureReason", required=True, allow_none=True)
    customer_id = fields.Str(data_key="customerId", required=True)


class _OrderSchema(_ChangedOrderSchema):
    items = fields.List(fields.Nested(_OrderItemSchema), data_key="orderItems", required=True)


class _PageSchema(AnswerSchema):
    orders = fields.List(fields.Nested(_OrderSchema), required=True)
    next = fields.Int(
        required=True, allow_none=True, metadata={"description": "The value of `after` for the next page."}
    )


class _ChangesSchema(AnswerSchema):
    changes = fields.List(fields.Nested(_ChangedOrderSchema), required=True)
    next = fields.Str(required=True, metadata={"description": "The value of `after` for the next page."})


class _ViolationSchema(ViolationSchema):
    product_id = fields.Str(data_key="productId")
    requested = fields.Int()
    stock = fields.Int()
    status = fields.Enum(OrderStatus, by_value=True)
    version = fields.Int()


class _ClosingOutcomeSchema(AnswerSchema):
    id = fields.Int()
    status = fields.Enum(OrderStatus, by_value=True)
    problem = fields.Nested(problem_schema(_ViolationSchema), metadata={"description": "Why it was not closed."})


class _OutcomesSchema(AnswerSchema):
    outcomes = fields.List(fields.Nested(_ClosingOutcomeSchema), required=True)


_READERS = Caller.CUSTOMER | Caller.OPERATOR | Caller.VIEWER
_BUYERS = Caller.CUSTOMER | Caller.OPERATOR
_OF_ORDER = {"path": OrderPathSchema}
_OF_VERSION = {"path": OrderPathSchema, "header": _ChangeSchema}

API = Api(
    name=NAME,
    description="Accepts orders and announces their changes.",
    violation=_ViolationSchema,
    names={
        ItemsSchema: "NewOrder",
        ItemSchema: "NewOrderItem",
        VersionSchema: "Closing",
        FailureSchema: "Failing",
        _StatusSchema: "OrderState",
        _PageSchema: "OrderPage",
        _ChangesSchema: "ChangedOrderPage",
    },
    own_operations=(
        Operation(
            "POST",
            "/orders",
            handlers.place,
            name="placeOrder",
            access=_BUYERS,
            parameters={"header": _PlacingSchema},
            body=ItemsSchema,
            answers={
                201: Answer("The order", _OrderSchema, ("ETag", "Idempotent-Replayed", "Location", "Server-Timing"))
            },
            errors=(ShortStockError, UnknownProductError, KeyReusedError, UnavailableError),
        ),
        Operation(
            "GET",
            "/orders",
            handlers.page,
            name="getOrders",
            access=_READERS,
            parameters={"query": OrdersQuerySchema},
            answers={200: Answer("A page of orders", _PageSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            "GET",
            "/orders/{order_id}",
            handlers.get,
            name="getOrder",
            access=_READERS | Caller.SERVICE,
            parameters=_OF_ORDER,
            answers={200: Answer("The order", _OrderSchema, ("ETag",))},
            errors=(OrderNotFoundError, UnavailableError),
        ),
        Operation(
            "PUT",
            "/orders/{order_id}",
            handlers.amend,
            name="amendOrder",
            access=_BUYERS,
            parameters=_OF_VERSION,
            body=ItemsSchema,
            answers={200: Answer("The order in its next version", _OrderSchema, ("ETag",))},
            errors=(
                OrderNotFoundError,
                OrderStateError,
                ShortStockError,
                StaleOrderError,
                UnknownProductError,
                UnavailableError,
            ),
        ),
        Operation(
            "DELETE",
            "/orders/{order_id}",
            handlers.cancel,
            name="cancelOrder",
            access=_BUYERS,
            parameters=_OF_VERSION,
            answers={200: Answer("The cancelled order", _OrderSchema, ("ETag",))},
            errors=(MalformedError, OrderNotFoundError, OrderStateError, StaleOrderError, UnavailableError),
        ),
        Operation(
            "GET",
            "/order/changes",
            handlers.changes,
            name="getChanges",
            access=Caller.SERVICE,
            parameters={"query": ChangesQuerySchema},
            answers={200: Answer("A page of changed orders", _ChangesSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            "GET",
            "/order/events",
            handlers.events,
            name="getEvents",
            access=_READERS | Caller.SERVICE,
            parameters={"query": EventsQuerySchema},
            answers={200: Answer("The events in the outbox", AnnouncedEventsSchema)},
            errors=(InsufficientScopeError, OrderNotFoundError, UnavailableError),
        ),
        Operation(
            "POST",
            "/order/close/{order_id}",
            handlers.close,
            name="closeOrder",
            access=Caller.SERVICE,
            parameters=_OF_ORDER,
            body=VersionSchema,
            answers={200: Answer("The closed order", _StatusSchema)},
            errors=(OrderNotFoundError, OrderStateError, OrderVersionError, UnavailableError),
        ),
        Operation(
            "POST",
            "/order/close",
            handlers.close_each,
            name="closeEach",
            access=Caller.SERVICE,
            body=ClosingsSchema,
            answers={200: Answer("What each came to, in their order", _OutcomesSchema)},
        ),
        Operation(
            "POST",
            "/order/fail/{order_id}",
            handlers.fail,
            name="failOrder",
            access=Caller.SERVICE,
            parameters=_OF_ORDER,
            body=FailureSchema,
            answers={200: Answer("The failed order", _StatusSchema)},
            errors=(OrderNotFoundError, OrderStateError, OrderVersionError, UnavailableError),
        ),
    ),
)
