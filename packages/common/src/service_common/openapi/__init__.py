"""The HTTP interface of a service: its routes, and the OpenAPI 3.1 document that describes them.

A service declares each endpoint once, as an `Operation` of its `Api`. Routes and document, which is served at
``/openapi.json``, are derived from it.
"""

from __future__ import annotations

from .answers import AnnouncedEventsSchema, AnswerSchema, ViolationSchema, problem_schema
from .api import Api
from .operations import Answer, Operation

__all__ = [
    "AnnouncedEventsSchema",
    "Answer",
    "AnswerSchema",
    "Api",
    "Operation",
    "ViolationSchema",
    "problem_schema",
]
