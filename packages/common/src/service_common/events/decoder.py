"""Decodes the body of a message: the envelope is validated, the data is left to the consumer of the type."""

from __future__ import annotations

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from .event import Event, UnreadableEventError

__all__ = ["EnvelopeSchema", "decode"]


class EnvelopeSchema(Schema):
    """The members of a CloudEvent that are read."""

    class Meta:
        """Unknown members are ignored."""

        unknown = EXCLUDE

    specversion = fields.Str(required=True, validate=validate.Equal("1.0"))
    id = fields.Str(required=True, validate=validate.Length(1))
    source = fields.Str(required=True, validate=validate.Length(1))
    type = fields.Str(required=True, validate=validate.Length(1))
    subject = fields.Str(load_default=None, validate=validate.Length(1))
    time = fields.AwareDateTime(format="iso", load_default=None)
    traceparent = fields.Str(load_default=None)
    tracestate = fields.Str(load_default=None)
    data = fields.Dict(required=True, keys=fields.Str())


_ENVELOPE = EnvelopeSchema()


def decode(body: str) -> Event:
    """Decode the body of a message.

    Raises:
        UnreadableEventError: it is not JSON, not a CloudEvent, or its data is not a JSON object.
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEventError(f"not JSON: {error}") from error
    if not isinstance(envelope, dict):
        raise UnreadableEventError("not a CloudEvent: the body is not a JSON object")
    try:
        members = _ENVELOPE.load(envelope)
    except ValidationError as error:
        raise UnreadableEventError(f"not a valid event: {error}") from error
    del members["specversion"]
    return Event(**members)
