"""The endpoints of a service that consumes a queue: its dead letters, for operators."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from marshmallow import Schema, fields, validate

from .auth import PRINCIPAL, Caller
from .errors import NotFoundError, UnavailableError
from .fields import BoundedList, PathString, page_limit
from .http_server import json_response
from .openapi import Answer, AnswerSchema, Operation
from .sqs import DeadLetterQueue, LetterFilter, NoDeadLetterQueueError, Outcome, Sqs, dead_letter_queues

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["DEAD_LETTERS", "DEAD_LETTER_OPERATIONS", "DeadLetters", "LetterNotFoundError"]

logger = logging.getLogger(__name__)

MAX_LETTERS = 100  # of one request
MAX_ID = 100  # characters of a MessageId
PASS_LIMIT_S = 10.0  # a request ends after it, however many letters there are


class LetterNotFoundError(NotFoundError):
    """The dead letter is gone, or another reader has received it."""

    slug = "dead-letter-not-found"

    def __init__(self, letter_id: str) -> None:
        super().__init__(f"There is no dead letter {letter_id}, or another reader has just received it.")


class DeadLetters:
    """The dead letters of the queue *name*, of which one request of a replica at a time reads: readers hide them."""

    def __init__(self, sqs: Sqs, name: str) -> None:
        self._sqs = sqs
        self._name = name
        self._reading = asyncio.Lock()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[DeadLetterQueue]:
        """The dead-letter queue, for one request.

        Raises:
            NoDeadLetterQueueError: the queue has none.
            UnavailableError: SQS is, or the queue does not exist.
        """
        async with self._reading:
            [queue] = await dead_letter_queues(self._sqs, [self._name], [self._name], limit_s=PASS_LIMIT_S)
            yield queue


DEAD_LETTERS = web.AppKey("dead_letters", DeadLetters)


class _ListQuerySchema(Schema):
    """``?limit=``."""

    limit = page_limit()


class _LetterPathSchema(Schema):
    """``{letter_id}``."""

    letter_id = PathString(required=True)


class _LettersSchema(Schema):
    """``{"ids": ["…"]}``."""

    ids = BoundedList(fields.Str(validate=validate.Length(1, MAX_ID)), at_least=1, at_most=MAX_LETTERS, required=True)


class _LetterSchema(AnswerSchema):
    id = fields.Str(required=True)
    queue = fields.Str(required=True, metadata={"description": "Where it goes when it is redriven."})
    sent_at = fields.AwareDateTime(data_key="sentAt", required=True)
    receive_count = fields.Int(data_key="receiveCount", required=True)
    size_bytes = fields.Int(data_key="sizeBytes", required=True)
    reason = fields.Str(required=True, allow_none=True)
    trace_id = fields.Str(data_key="traceId", required=True, allow_none=True)
    type = fields.Str(required=True, allow_none=True)
    subject = fields.Str(required=True, allow_none=True)


class _AttributeSchema(AnswerSchema):
    data_type = fields.Str(data_key="DataType", required=True)
    string_value = fields.Str(data_key="StringValue")
    binary_value = fields.Str(data_key="BinaryValue", metadata={"description": "In Base64."})


class _WholeLetterSchema(_LetterSchema):
    facts = fields.Dict(keys=fields.Str(), required=True)
    body = fields.Str(required=True)
    attributes = fields.Dict(keys=fields.Str(), values=fields.Nested(_AttributeSchema), required=True)


class _ListSchema(AnswerSchema):
    letters = fields.List(fields.Nested(_LetterSchema), required=True)
    hidden = fields.Int(required=True, metadata={"description": "How many others have received, approximately."})


class _FailureSchema(AnswerSchema):
    id = fields.Str(required=True)
    detail = fields.Str(required=True)


class _OutcomeSchema(AnswerSchema):
    done = fields.List(fields.Str(), required=True)
    failed = fields.List(fields.Nested(_FailureSchema), required=True)
    unseen = fields.List(fields.Str(), required=True, metadata={"description": "Gone, or received by others."})


async def list_letters(request: web.Request, limit: int) -> web.Response:
    """Dead letters: why each failed, and what it is about."""
    async with request.app[DEAD_LETTERS].opened() as queue:
        letters = await queue.find(LetterFilter(), limit)
        hidden = await queue.hidden()
    return json_response({"letters": [letter.summary for letter in letters], "hidden": hidden})


async def show_letter(request: web.Request, letter_id: str) -> web.Response:
    """A dead letter, whole."""
    async with request.app[DEAD_LETTERS].opened() as queue:
        letters = await queue.find(LetterFilter(frozenset({letter_id})))
    if not letters:
        raise LetterNotFoundError(letter_id)
    return json_response(_with_text(letters[0].document))


async def redrive(request: web.Request, ids: Sequence[str]) -> web.Response:
    """Send dead letters back to their queue."""
    async with request.app[DEAD_LETTERS].opened() as queue:
        return _report(request, "dead letters redriven", queue, await queue.redrive(set(ids)))


async def discard(request: web.Request, ids: Sequence[str]) -> web.Response:
    """Delete dead letters."""
    async with request.app[DEAD_LETTERS].opened() as queue:
        return _report(request, "dead letters discarded", queue, await queue.discard(set(ids)))


def _report(request: web.Request, act: str, queue: DeadLetterQueue, outcome: Outcome) -> web.Response:
    facts = {"principal": request[PRINCIPAL].subject, "queue": queue.name, "letters": outcome.done}
    logger.info(act, extra=facts | {"failed": outcome.failed, "unseen": outcome.unseen})
    failed = [{"id": letter, "detail": detail} for letter, detail in outcome.failed.items()]
    return json_response({"done": outcome.done, "failed": failed, "unseen": outcome.unseen})


def _with_text(document: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {
        name: {key: b64encode(value).decode() if isinstance(value, bytes) else value for key, value in each.items()}
        for name, each in document["attributes"].items()
    }
    return {**document, "attributes": attributes}


_ERRORS = (NoDeadLetterQueueError, UnavailableError)
DEAD_LETTER_OPERATIONS = (
    Operation(
        "GET",
        "/dead-letters",
        list_letters,
        name="getDeadLetters",
        access=Caller.OPERATOR,
        parameters={"query": _ListQuerySchema},
        answers={200: Answer("The letters", _ListSchema)},
        errors=_ERRORS,
    ),
    Operation(
        "GET",
        "/dead-letters/{letter_id}",
        show_letter,
        name="getDeadLetter",
        access=Caller.OPERATOR,
        parameters={"path": _LetterPathSchema},
        answers={200: Answer("The letter", _WholeLetterSchema)},
        errors=(LetterNotFoundError, *_ERRORS),
    ),
    Operation(
        "POST",
        "/dead-letters/redrive",
        redrive,
        name="redriveDeadLetters",
        access=Caller.OPERATOR,
        body=_LettersSchema,
        answers={200: Answer("What became of each", _OutcomeSchema)},
        errors=_ERRORS,
    ),
    Operation(
        "POST",
        "/dead-letters/discard",
        discard,
        name="discardDeadLetters",
        access=Caller.OPERATOR,
        body=_LettersSchema,
        answers={200: Answer("What became of each", _OutcomeSchema)},
        errors=_ERRORS,
    ),
)
