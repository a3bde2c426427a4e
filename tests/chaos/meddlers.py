"""What may happen to a request on its way: each takes the request and the way on, and returns what the caller gets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import orjson

from tests.chaos.network import ConnectionCutError, Forward, Meddler, Request, Response

__all__ = ["AWS_FAULTS", "HTTP_FAULTS", "MakeMeddler"]

MakeMeddler = Callable[[random.Random], Meddler]

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_JSON = {"Content-Type": "application/x-amz-json-1.0"}
_BATCHES = ("SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch")
# the queue has them in its own order anyway; after this long the next change of an order has overtaken
_MAX_DELAY_S = 3


def latency(chance: random.Random) -> Meddler:
    """Take up to two seconds longer."""

    async def slow(request: Request, forward: Forward) -> Response:
        await asyncio.sleep(chance.uniform(0.05, 2.0))
        return await forward(request)

    return slow


def resets(chance: random.Random) -> Meddler:
    """Reset two connections in three before the request arrives."""

    async def reset(request: Request, forward: Forward) -> Response:
        if chance.random() < 0.67:
            raise ConnectionCutError
        return await forward(request)

    return reset


def cut_answers(chance: random.Random) -> Meddler:
    """Carry the request out, and reset two connections in three instead of passing the answer on."""

    async def cut(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        if chance.random() < 0.67:
            raise ConnectionCutError
        return response

    return cut


def black_hole(_chance: random.Random) -> Meddler:
    """Accept the request and never answer: the caller has to give up by itself."""

    async def swallow(_request: Request, _forward: Forward) -> Response:
        await asyncio.Event().wait()
        raise ConnectionCutError

    return swallow


def server_errors(chance: random.Random) -> Meddler:
    """Answer 500, 502, 503 or 504 with a page, half the time after the work was done."""

    async def fail(request: Request, forward: Forward) -> Response:
        if chance.random() < 0.5:
            await forward(request)
        return Response(chance.choice((500, 502, 503, 504)), b"<html>upstream error</html>", _HTML)

    return fail


def foreign_answers(chance: random.Random) -> Meddler:
    """Answer as an ingress does that has lost its backends: pages with 404 and other statuses, also 200."""

    async def answer(_request: Request, _forward: Forward) -> Response:
        status = chance.choice((404, 404, 404, 200, 302, 403, 409, 422))
        headers = {**_HTML, "Location": "/login"} if status == 302 else _HTML
        return Response(status, b"<html><body>default backend</body></html>", headers)

    return answer


def truncated_answers(chance: random.Random) -> Meddler:
    """Carry the request out and pass on only the beginning of the answer's body."""

    async def truncate(request: Request, forward: Forward) -> Response:
        response = await forward(request)
        return Response(response.status, response.body[: chance.randrange(len(response.body) + 1)], response.headers)

    return truncate


def empty_answers(_chance: random.Random) -> Meddler:
    """Answer 200 with an empty body."""

    async def answer(_request: Request, _forward: Forward) -> Response:
        return Response(200, b"", _JSON)

    return answer


def half_batches(chance: random.Random) -> Meddler:
    """Fail half of the entries of each batch, as SQS may do with any of them."""

    async def halve(request: Request, forward: Forward) -> Response:
        if not request.operation.endswith(_BATCHES):
            return await forward(request)
        body = orjson.loads(request.body)
        failed = [entry for entry in body["Entries"] if chance.random() < 0.5]
        body["Entries"] = [entry for entry in body["Entries"] if entry not in failed]
        answer: dict[str, Any] = {"Successful": []}
        if body["Entries"]:
            response = await forward(_with_body(request, body))
            if response.status != 200:
                return response
            answer = orjson.loads(response.body)
        answer["Failed"] = [
            *answer.get("Failed", []),
            *({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in failed),
        ]
        return Response(200, orjson.dumps(answer), _JSON)

    return halve


def duplicates(chance: random.Random) -> Meddler:
    """Deliver received messages once more, to any consumer of the queue, and send every third batch twice."""
    again: dict[str, list[dict[str, Any]]] = {}

    async def duplicate(request: Request, forward: Forward) -> Response:
        if request.operation.endswith("SendMessageBatch") and chance.random() < 0.33:
            await forward(request)
        if not request.operation.endswith("ReceiveMessage"):
            return await forward(request)
        body = orjson.loads(request.body)
        waiting = again.setdefault(body["QueueUrl"].rpartition("/")[2], [])
        if waiting:
            copies = [waiting.pop() for _ in range(min(len(waiting), body.get("MaxNumberOfMessages", 1)))]
            return Response(200, orjson.dumps({"Messages": copies}), _JSON)
        response = await forward(request)
        waiting += (orjson.loads(response.body or b"{}").get("Messages") or []) if response.status == 200 else []
        return response

    return duplicate


def reordering(chance: random.Random) -> Meddler:
    """Let each message become visible at another time, and shuffle what is received."""

    async def reorder(request: Request, forward: Forward) -> Response:
        if request.operation.endswith("SendMessageBatch"):
            body = orjson.loads(request.body)
            for entry in body["Entries"]:
                entry["DelaySeconds"] = chance.randint(0, _MAX_DELAY_S)
            return await forward(_with_body(request, body))
        response = await forward(request)
        if not request.operation.endswith("ReceiveMessage") or response.status != 200:
            return response
        answer = orjson.loads(response.body or b"{}")
        chance.shuffle(answer.get("Messages") or [])
        return Response(200, orjson.dumps(answer), _JSON)

    return reorder


def _with_body(request: Request, body: dict[str, Any]) -> Request:
    return Request(request.method, request.path, request.headers, orjson.dumps(body))


HTTP_FAULTS: dict[str, MakeMeddler] = {
    "http-latency": latency,
    "http-resets": resets,
    "http-black-hole": black_hole,
    "http-5xx": server_errors,
    "http-foreign": foreign_answers,
    "http-truncated": truncated_answers,
    "http-cut-answers": cut_answers,
}
AWS_FAULTS: dict[str, MakeMeddler] = {
    "sqs-slow": latency,
    "sqs-resets": resets,
    "sqs-5xx": server_errors,
    "sqs-foreign": foreign_answers,
    "sqs-empty": empty_answers,
    "sqs-truncated": truncated_answers,
    "sqs-cut-answers": cut_answers,
    "sqs-half-batches": half_batches,
    "sqs-duplicates": duplicates,
    "sqs-reordering": reordering,
    "cloudwatch-hang": black_hole,
}
