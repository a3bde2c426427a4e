"""AWS with its permissions: a proxy in front of an emulator, which has none, that allows what a policy allows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

__all__ = ["Right", "Warden", "rights_of"]

Right = tuple[str, str]


def rights_of(policy: Mapping[str, Any], names: Mapping[str, str]) -> frozenset[Right]:
    """Return (action, resource) for all that a policy of the template allows, resources called what *names* says."""
    return frozenset(
        (action, names[resource["GetAtt"].removesuffix(".Arn")])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        for resource in _listed(statement["Resource"])
    )


def _listed(resource: Any) -> list[Any]:
    return resource if isinstance(resource, list) else [resource]


@dataclass
class Warden:
    """The proxy; it denies what is not in *rights*.

    Attributes:
        used: what was asked for and allowed.
        denied: what was asked for and not allowed.
    """

    target: str
    rights: frozenset[Right]
    used: set[Right] = field(default_factory=set)
    denied: set[Right] = field(default_factory=set)

    @asynccontextmanager
    async def on_duty(self) -> AsyncIterator[str]:
        """Yield the URL at which it stands in for AWS."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def pass_on(request: web.Request) -> web.Response:
                body = await request.read()
                right = _right_of(request.headers["X-Amz-Target"], orjson.loads(body))
                if right not in self.rights:
                    self.denied.add(right)
                    denial = {"__type": "AccessDeniedException", "message": f"not authorized to perform {right}"}
                    return web.json_response(denial, status=400)
                self.used.add(right)
                headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
                async with session.post(self.target, data=body, headers=headers) as answer:
                    kind = {"Content-Type": answer.headers["Content-Type"]}
                    return web.Response(body=await answer.read(), status=answer.status, headers=kind)

            app = web.Application(client_max_size=4 * 2**20)
            app.router.add_post("/{tail:.*}", pass_on)
            async with TestServer(app) as server:
                yield str(server.make_url("")).rstrip("/")


def _right_of(target: str, request: Mapping[str, Any]) -> Right:
    """Return what an operation needs: those on a batch need the right to the operation on one."""
    service, _, operation = target.partition(".")
    if service == "AmazonSQS":
        queue = request.get("QueueName") or request["QueueUrl"].rpartition("/")[2]
        return f"sqs:{operation.removesuffix('Batch')}", queue
    return f"logs:{operation}", request.get("logGroupName", "*")
