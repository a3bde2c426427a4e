"""The OpenAPI 3.1 document of a service, from the schemas that it parses requests with.

A service declares `Operation`s in an `Api`; `document_route` serves the document at ``/openapi.json``.
"""

from __future__ import annotations

from .answers import AnswerSchema, ViolationSchema
from .operations import Answer, Api, Operation
from .serving import document_route

__all__ = ["Answer", "AnswerSchema", "Api", "Operation", "ViolationSchema", "document_route"]
