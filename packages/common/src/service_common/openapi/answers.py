"""Schemas of the answers of every service: health, name, problem documents."""

from __future__ import annotations

from functools import cache

from marshmallow import EXCLUDE, Schema, fields, validate

__all__ = [
    "AnnouncedEventsSchema",
    "AnswerSchema",
    "LiveSchema",
    "NameSchema",
    "ReadySchema",
    "ViolationSchema",
    "problem_schema",
]


class AnswerSchema(Schema):
    """An answer, to which members may be added."""

    class Meta:
        """Unknown members are ignored."""

        unknown = EXCLUDE


class LiveSchema(AnswerSchema):
    """``GET /health/live``."""

    status = fields.Str(required=True, validate=validate.Equal("live"))


class ReadySchema(AnswerSchema):
    """``GET /health/ready``."""

    status = fields.Str(required=True, validate=validate.OneOf(("ready", "not ready")))
    checks = fields.Dict(keys=fields.Str(), values=fields.Str())
    version = fields.Str()
    started_at = fields.AwareDateTime(data_key="startedAt", metadata={"description": "When this process started."})


class NameSchema(AnswerSchema):
    """``GET /``."""

    name = fields.Str(required=True)
    version = fields.Str()


class _AnnouncedEventSchema(AnswerSchema):
    id = fields.Str(required=True, metadata={"description": "Of the CloudEvent."})
    key = fields.Str(required=True, metadata={"description": "The fact: type, order, version."})
    type = fields.Str(required=True)
    subject = fields.Str(required=True, allow_none=True)
    queue = fields.Str(required=True)
    trace_id = fields.Str(data_key="traceId", required=True, allow_none=True)
    occurred_at = fields.AwareDateTime(data_key="occurredAt", required=True)
    stored_at = fields.AwareDateTime(data_key="storedAt", required=True)
    sent_at = fields.AwareDateTime(data_key="sentAt", required=True, allow_none=True)
    set_aside = fields.Bool(data_key="setAside", required=True)
    attempts = fields.Int(required=True)
    data = fields.Dict(metadata={"description": "What it says, when the request asks for that."})


class AnnouncedEventsSchema(AnswerSchema):
    """Events in an outbox."""

    events = fields.List(fields.Nested(_AnnouncedEventSchema), required=True)


class ViolationSchema(AnswerSchema):
    """A violation; a service adds its facts."""

    pointer = fields.Str(required=True)
    detail = fields.Str(required=True)


@cache
def problem_schema(violation: type[Schema]) -> type[Schema]:
    """Return the schema of a problem document (RFC 9457) with errors of the schema *violation*."""

    class ProblemSchema(AnswerSchema):
        type = fields.Str(required=True)
        title = fields.Str(required=True)
        status = fields.Int(required=True)
        detail = fields.Str(required=True)
        instance = fields.Str(required=True)
        trace_id = fields.Str(data_key="traceId", required=True)
        errors = fields.List(fields.Nested(violation), required=True)

    return ProblemSchema
