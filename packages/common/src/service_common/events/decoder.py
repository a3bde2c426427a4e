"""Reading an event off a queue: the envelope is validated, the data is for whoever knows the type."""

from __future__ import annotations

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from .event import Event, UnreadableEventError

__all__ = ["EnvelopeSchema", "decode"]


class EnvelopeSchema(Schema):
    """A CloudEvent, as far as it is read."""

    class Meta:
        """Members may be added."""

        unknown = EXCLUDE

    specversion = fields.Str(required=True, validate=validate.Equal("1.0"))
    id = fields.Str(required=True, validate=validate.Length(1))
    source = fields.Str(required=True, validate=validate.Length(1))
    type = fields.Str(required=True, validate=validate.Length(1))
    subject = fields.Str(load_default=None, validate=validate.Length(1))
    time = fields.AwareDateTime(format="iso", load_default=None)
    traceparent = fields.Str(load_default=None)
    data = fields.Dict(required=True, keys=fields.Str())


_ENVELOPE = EnvelopeSchema()


def decode(body: str) -> Event:
    """Read the body of a message; members that are not known are ignored.

    Raises:
        UnreadableEventError: it is no JSON, no CloudEvent, or its data is no JSON object.
    """
    try:
        envelope = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEventError(f"not JSON: {error}") from error
    if not isinstance(envelope, dict):
        raise UnreadableEventError("not a CloudEvent: the body is no JSON object")
    try:
        members = _ENVELOPE.load(envelope)
    except ValidationError as error:
        raise UnreadableEventError(f"not a valid event: {error}") from error
    del members["specversion"]
    return Event(**members)
