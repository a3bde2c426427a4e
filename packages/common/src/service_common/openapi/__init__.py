"""What a service says of its own HTTP interface: OpenAPI 3.1, from the schemas that it reads requests with."""

from __future__ import annotations

from service_common.openapi.answers import AnswerSchema, ViolationSchema
from service_common.openapi.operations import Answer, Api, Operation
from service_common.openapi.serving import document_route

__all__ = ["Answer", "AnswerSchema", "Api", "Operation", "ViolationSchema", "document_route"]
