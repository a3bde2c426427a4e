"""The terms in which a service describes its interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marshmallow import Schema

from ..errors import ForbiddenError, InvalidError, MalformedError, ServiceError, UnauthorizedError
from .answers import LiveSchema, NameSchema, ReadySchema, ViolationSchema

__all__ = ["COMMON_OPERATIONS", "Answer", "Api", "Operation"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back when nothing is wrong.

    Attributes:
        says: in a few words.
        schema: of its JSON; None when it is another thing.
        headers: that it has besides.
        media_type: of its body; None when it has none.
    """

    says: str
    schema: type[Schema] | None = None
    headers: tuple[str, ...] = ()
    media_type: str | None = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked of a service.

    Attributes:
        method: of HTTP, in capitals.
        path: as the router has it.
        name: unlike that of any other operation of the service.
        answers: by status.
        parameters: schemas by the place that they are read from: ``path``, ``query``, ``header``.
        body: the schema of the JSON object that is sent.
        errors: what it refuses with, beside what follows from its parameters and its body.
        internal: whether it is for the services themselves.
    """

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, Answer]
    parameters: Mapping[str, type[Schema]] = field(default_factory=dict)
    body: type[Schema] | None = None
    errors: tuple[type[ServiceError], ...] = ()
    internal: bool = False

    @property
    def refusals(self) -> tuple[type[ServiceError], ...]:
        """All that it refuses with."""
        return (
            *((UnauthorizedError, ForbiddenError) if self.internal else ()),
            *((MalformedError,) if self.body else ()),
            *((InvalidError,) if self.body or "query" in self.parameters else ()),
            *self.errors,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The whole interface of a service.

    Attributes:
        name: as in ``billing-service``.
        operations: those that are its own.
        violation: the schema of the entries of ``errors`` in its problem documents.
        names: what schemas are called whose classes are called otherwise.
        unions: schemas of which a message has one, told apart by their ``type``.
        schemas: what else it sends or reads.
    """

    name: str
    description: str
    operations: tuple[Operation, ...]
    violation: type[Schema] = ViolationSchema
    names: Mapping[type[Schema], str] = field(default_factory=dict)
    unions: Mapping[str, tuple[type[Schema], ...]] = field(default_factory=dict)
    schemas: tuple[type[Schema], ...] = ()


COMMON_OPERATIONS = (
    Operation(
        method="GET",
        path="/",
        name="getName",
        summary="Who answers here",
        answers={200: Answer("Its name", NameSchema)},
    ),
    Operation(
        method="GET",
        path="/health/live",
        name="getLiveness",
        summary="Whether the process answers",
        answers={200: Answer("It does", LiveSchema)},
    ),
    Operation(
        method="GET",
        path="/health/ready",
        name="getReadiness",
        summary="Whether it can do its work",
        answers={200: Answer("It can", ReadySchema), 503: Answer("It can not, and why", ReadySchema)},
    ),
    Operation(
        method="GET",
        path="/metrics",
        name="getMetrics",
        summary="Its numbers, in the text format of Prometheus",
        answers={200: Answer("The numbers", media_type="text/plain")},
    ),
    Operation(
        method="GET",
        path="/openapi.json",
        name="getDocument",
        summary="This document",
        answers={200: Answer("OpenAPI 3.1")},
    ),
)
