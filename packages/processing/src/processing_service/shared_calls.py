"""Calls to another service that share a request when several are due at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import orjson

from order_contracts.limits import MAX_BATCH
from service_common.call_batcher import AloneError, CallBatcher
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient
from service_common.http_server import MAX_BODY_BYTES, Problem

from .saga import Succeeded, Unanswered

__all__ = ["Body", "SharedCalls"]

R = TypeVar("R")
Body: TypeAlias = Mapping[str, object]


class SharedCalls(Generic[R]):
    """Makes calls of one operation, each by itself; those that are due at the same time, or during a request, in one.

    What the shared request does not decide finally, such as a call for a row that another transaction holds, is asked
    by itself. Only when no answer comes, all are unanswered.

    Args:
        client: of the other service.
        path, member: of the batch form, and the member of its body.
        alone: makes one call.
        succeeded: whether an outcome is that of a call which did what it was to do.
        refusals: slugs of the problem documents by which the service refuses a call.
        refused: makes the result of such a document.
    """

    def __init__(
        self,
        client: RetryingClient,
        path: str,
        member: str,
        *,
        alone: Callable[[Body], Awaitable[Succeeded | R | Unanswered]],
        succeeded: Callable[[object], bool],
        refusals: frozenset[str],
        refused: Callable[[Problem], R],
    ) -> None:
        self._call = Call(
            "POST",
            path,
            idempotent=True,
            attempt_timeout_s=2.0,
            deadline_s=4.0,
            # "": from a replica of a former version, which has no batch form, or from a proxy
            refusals=frozenset({"", "invalid"}),
            shape=_is_list_of_outcomes,
        )
        self._client = client
        self._member = member
        self._succeeded, self._refusals, self._refused = succeeded, refusals, refused
        self._batcher = CallBatcher[Body, Succeeded | R | Unanswered](
            self._send, max_items=MAX_BATCH, alone=alone, name=f"shared {self._call}"
        )

    async def __call__(self, body: Body) -> Succeeded | R | Unanswered:
        """Make the call with *body*."""
        return await self._batcher.submit(body)

    async def _send(self, bodies: Sequence[Body]) -> list[Succeeded | R | Unanswered | Exception]:
        document = {self._member: bodies}
        if len(orjson.dumps(document)) > MAX_BODY_BYTES:  # of the largest orders, a few dozen
            return [AloneError()] * len(bodies)
        try:
            reply = await self._client.request(self._call, json=document)
        except RefusedError:
            outcomes = []
        except UnavailableError as error:
            return [Unanswered.by(error)] * len(bodies)
        else:
            outcomes = reply.data["outcomes"]
        if len(outcomes) != len(bodies):
            return [AloneError()] * len(bodies)
        return [self._result(outcome) for outcome in outcomes]

    def _result(self, outcome: Any) -> Succeeded | R | AloneError:
        match outcome:
            case {"problem": {"status": int(status)} as document}:
                problem = Problem.of_document(status, document)
                return self._refused(problem) if problem.slug in self._refusals else AloneError()
        return Succeeded() if self._succeeded(outcome) else AloneError()


def _is_list_of_outcomes(data: object) -> bool:
    match data:
        case {"outcomes": list()}:
            return True
    return False
