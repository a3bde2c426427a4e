"""The HTTP interface of the notification service, each endpoint once, and what it pushes."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from order_contracts import EventType
from service_common.auth import Caller, OriginError
from service_common.dead_letters import DEAD_LETTER_OPERATIONS
from service_common.errors import UnavailableError
from service_common.openapi import Answer, AnswerSchema, Api, Operation

from .. import NAME
from ..notification import WrongEventIdError
from ..push import ByeReason
from .access import disconnect, issue_ticket
from .history import history
from .schemas import DisconnectSchema, HistorySchema, StreamSchema, SubscribeSchema
from .sse import stream
from .websocket import websocket

__all__ = ["API"]


class _ResumingSchema(Schema):
    last_event_id = fields.Str(data_key="Last-Event-ID")


class _NotificationSchema(AnswerSchema):
    id = fields.Str(required=True)
    type = fields.Enum(EventType, by_value=True, required=True)
    kind = fields.Str(required=True, validate=validate.OneOf([each.kind for each in EventType]))
    order_id = fields.Int(data_key="orderId", required=True)
    customer_id = fields.Str(data_key="customerId", required=True)
    version = fields.Int(required=True)
    message = fields.Str(required=True)
    occurred_at = fields.AwareDateTime(data_key="occurredAt", required=True)
    trace_id = fields.Str(data_key="traceId", required=True)
    reason = fields.Str()


class _RecordedNotificationSchema(_NotificationSchema):
    recorded_at = fields.AwareDateTime(
        data_key="recordedAt", required=True, metadata={"description": "When it was taken down."}
    )


class _TicketSchema(AnswerSchema):
    ticket = fields.Str(required=True, metadata={"description": "Good once, for `ticket=`."})
    expires_at = fields.AwareDateTime(data_key="expiresAt", required=True)


class _DisconnectionSchema(AnswerSchema):
    customer_id = fields.Str(data_key="customerId", required=True)
    tickets = fields.Int(required=True, metadata={"description": "Tickets of the customer that were deleted."})
    replicas = fields.Int(
        required=True, metadata={"description": "Replicas that listen, and end the connections within a second."}
    )


class _PageSchema(AnswerSchema):
    notifications = fields.List(fields.Nested(_RecordedNotificationSchema), required=True)
    next = fields.Str(
        required=True, allow_none=True, metadata={"description": "`after`, or `before`, of the page that follows."}
    )
    head = fields.Str(required=True)
    reset = fields.Bool(required=True)


def _delayed_ms() -> fields.Int:
    return fields.Int(
        data_key="delayedMs",
        metadata={"description": "How long ago the feed was last read; only while it can't be, and nothing comes."},
    )


def _type(name: str) -> fields.Str:
    return fields.Str(required=True, validate=validate.Equal(name))


class _WelcomeSchema(AnswerSchema):
    type = _type("welcome")
    id = fields.Str(required=True, metadata={"description": "Everything up to this was seen."})
    head = fields.Str(required=True, metadata={"description": "The newest."})
    resumed = fields.Bool(required=True, metadata={"description": "Whether what was missed follows."})
    heartbeat_ms = fields.Int(
        data_key="heartbeatMs", required=True, metadata={"description": "From one heartbeat to the next."}
    )
    delayed_ms = _delayed_ms()


class _EventSchema(AnswerSchema):
    type = _type("event")
    id = fields.Str(required=True)
    data = fields.Nested(_NotificationSchema, required=True)


class _HeartbeatSchema(AnswerSchema):
    type = _type("heartbeat")
    id = fields.Str(required=True)
    delayed_ms = _delayed_ms()


class _ResetSchema(AnswerSchema):
    type = _type("reset")
    id = fields.Str(required=True)


class _ByeSchema(AnswerSchema):
    type = _type("bye")
    reason = fields.Enum(ByeReason, by_value=True, required=True)
    retry_ms = fields.Int(data_key="retryMs", required=True)


class _ErrorSchema(AnswerSchema):
    type = _type("error")
    detail = fields.Str(required=True)


_LISTENERS = Caller.CUSTOMER | Caller.OPERATOR | Caller.VIEWER
_FRAMES = (_WelcomeSchema, _EventSchema, _HeartbeatSchema, _ResetSchema, _ByeSchema, _ErrorSchema)

API = Api(
    name=NAME,
    description=(
        "Keeps the feed of notifications and pushes it. The data of an event of /stream without a name is a "
        "Notification, of one with a name the Frame of that type. Each text message of /ws is a Frame, and takes a "
        "Subscribe."
    ),
    names={
        _PageSchema: "NotificationPage",
        DisconnectSchema: "DisconnectRequest",
        **{frame: frame.__name__.strip("_").removesuffix("Schema") + "Frame" for frame in _FRAMES},
    },
    schemas=(_NotificationSchema, SubscribeSchema),
    unions={"Frame": _FRAMES},
    own_operations=(
        Operation(
            "GET",
            "/notifications",
            history,
            name="getNotifications",
            access=_LISTENERS,
            parameters={"query": HistorySchema},
            answers={200: Answer("A page of it", _PageSchema)},
            errors=(WrongEventIdError, UnavailableError),
        ),
        Operation(
            "GET",
            "/stream",
            stream,
            name="stream",
            access=_LISTENERS,
            parameters={"query": StreamSchema, "header": _ResumingSchema},
            answers={200: Answer("The stream", media_type="text/event-stream")},
            errors=(WrongEventIdError, UnavailableError),
            allow_head=False,
            by_ticket=True,
        ),
        Operation(
            "GET",
            "/ws",
            websocket,
            name="openWebSocket",
            access=_LISTENERS,
            parameters={"query": StreamSchema},
            answers={101: Answer("It is open", media_type=None)},
            errors=(WrongEventIdError, OriginError, UnavailableError),
            allow_head=False,
            by_ticket=True,
        ),
        Operation(
            "POST",
            "/tickets",
            issue_ticket,
            name="issueTicket",
            access=_LISTENERS,
            answers={201: Answer("The ticket", _TicketSchema)},
            errors=(UnavailableError,),
        ),
        Operation(
            "POST",
            "/connections/disconnect",
            disconnect,
            name="disconnectCustomer",
            access=Caller.OPERATOR,
            body=DisconnectSchema,
            answers={202: Answer("The replicas are told", _DisconnectionSchema)},
            errors=(UnavailableError,),
        ),
        *DEAD_LETTER_OPERATIONS,
    ),
)
