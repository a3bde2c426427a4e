"""A proxy in front of an emulator of AWS that records which right each call needs, as IAM names action and resource."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

__all__ = ["Call", "Recorder"]

Call = tuple[str, str]

_SERVICES = {"AmazonSQS": "sqs", "Logs_20140328": "logs", "GraniteServiceVersion20100801": "cloudwatch"}
_ACCOUNT = "us-east-1:000000000000"


@dataclass
class Recorder:
    """The proxy.

    Attributes:
        calls: action and ARN, or ``*`` for actions that know no resource.
    """

    target: str
    calls: set[Call] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Yield the URL at which it stands in for AWS."""
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False) as session:

            async def pass_on(request: web.Request) -> web.Response:
                body = await request.read()
                self.calls |= _calls(request, body)
                headers = {name: value for name, value in request.headers.items() if name != "Content-Length"}
                async with session.post(self.target + request.path_qs, data=body, headers=headers) as answer:
                    kept = {
                        name: answer.headers[name]
                        for name in ("Content-Type", "smithy-protocol")
                        if name in answer.headers
                    }
                    return web.Response(body=await answer.read(), status=answer.status, headers=kept)

            app = web.Application(client_max_size=4 * 2**20)
            app.router.add_post("/{tail:.*}", pass_on)
            async with TestServer(app) as server:
                yield str(server.make_url("")).rstrip("/")


def _calls(request: web.Request, body: bytes) -> set[Call]:
    target = request.headers.get("X-Amz-Target", "")
    if not target and request.path.startswith("/service/"):  # Smithy RPC
        _, _, service, _, operation = request.path.split("/")
        return {(f"{_SERVICES[service]}:{operation}", "*")}
    if not target:  # the query protocol: of the services here, CloudWatch's
        return {(f"cloudwatch:{parse_qs(body.decode())['Action'][0]}", "*")}
    service, _, operation = target.partition(".")
    action = f"{_SERVICES[service]}:{operation.removesuffix('Batch')}"
    return {(action, resource) for resource in _resources(_SERVICES[service], operation, orjson.loads(body or b"{}"))}


def _resources(service: str, operation: str, asked: Mapping[str, Any]) -> list[str]:
    if service == "sqs":
        name = asked.get("QueueName") or asked["QueueUrl"].rpartition("/")[2]
        return [f"arn:aws:sqs:{_ACCOUNT}:{name}"]
    if operation == "DescribeLogGroups":
        return [f"arn:aws:logs:{_ACCOUNT}:log-group:*"]
    names = asked.get("logGroupNames") or ([asked["logGroupName"]] if "logGroupName" in asked else [])
    return [f"arn:aws:logs:{_ACCOUNT}:log-group:{name}:*" for name in names] or ["*"]
