"""What every refusal of every service looks like, and what it must not leave behind."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.http_service import Answer, HttpService

__all__ = ["JSON", "nothing_stored", "refused"]

JSON = {"Content-Type": "application/json"}
MEMBERS = {"type", "title", "status", "detail", "instance", "traceId", "errors"}
TYPE = re.compile(r"about:blank|urn:orderstream:problem:[a-z]+(-[a-z]+)*")
TRACE_ID = re.compile(r"[0-9a-f]{32}")
POINTER = re.compile(r"(/([^~/]|~[01])*)*")  # RFC 6901, 3
INTERNALS = re.compile(r"Traceback|psycopg|\.py\b|SELECT |INSERT ")


def refused(answer: Answer, status: int, slug: str | None = None) -> dict[str, Any]:
    """Check that an answer is a whole problem document and return it; *slug* is the last part of its type."""
    document = answer.json
    assert answer.status == status, (answer.status, document)
    assert answer.headers["Content-Type"].partition(";")[0] == "application/problem+json"
    assert document.keys() == MEMBERS
    assert document["status"] == status
    assert TYPE.fullmatch(document["type"])
    assert document["title"]
    assert document["detail"]
    assert document["instance"].startswith("/")
    assert TRACE_ID.fullmatch(document["traceId"])
    assert answer.headers["traceparent"].split("-")[1] == document["traceId"]
    for error in document["errors"]:
        assert {"pointer", "detail"} <= error.keys()
        assert POINTER.fullmatch(error["pointer"]), error
    assert not INTERNALS.search(str(document))
    if slug is not None:
        assert document["type"] == f"urn:orderstream:problem:{slug}"
    return dict(document)


@asynccontextmanager
async def nothing_stored(service: HttpService) -> AsyncIterator[None]:
    """Check that the block stores nothing: no order, no event, no key, no product and no operation."""
    before = service.stored()
    yield
    assert service.stored() == before
