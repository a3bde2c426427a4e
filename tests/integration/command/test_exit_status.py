"""How the command ends when it can't do what it is told."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.command import orderstream

NOWHERE = "http://127.0.0.1:9"  # the port of the discard service, where nothing listens
URLS = ("ORDER_URL", "INVENTORY_URL", "PROCESSING_URL", "NOTIFICATION_URL")


@pytest.mark.parametrize(
    ("environ", "arguments", "status", "says"),
    [
        ({"AWS_ENDPOINT_URL": "nonsense"}, "dlq list", 2, "AWS_ENDPOINT_URL"),
        ({}, "dlq lst", 2, "No such command"),
        ({}, "order trace", 2, "Give IDs or --customer"),
        ({}, "order trace nonsense", 2, "neither the number of an order nor a trace id"),
        ({}, "logs query order", 2, "needs --order"),
        ({}, "logs query hurt --from 5m --to 10m", 2, "is not before --to,"),
        (dict.fromkeys(URLS, NOWHERE), "order trace 1", 1, "missing: order: order-service is away"),
        ({"AWS_ENDPOINT_URL": NOWHERE}, "dlq list", 3, "SQS gave no answer"),
        ({"AWS_ENDPOINT_URL": NOWHERE}, "logs tail", 3, "CloudWatch Logs"),
        ({"PROCESSING_URL": f"{NOWHERE},{NOWHERE}"}, "saga list", 3, "processing-service is away"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_status_and_sentence_say_what_is_wrong(
    environ: dict[str, str], arguments: str, status: int, says: str
) -> None:
    done = await orderstream(environ, *arguments.split(), status=status)
    assert done.out == ""
    assert says in done.err
    assert "Traceback" not in done.err
    assert "no service knows" not in done.err


async def test_status_of_nothing_that_runs_is_broken_and_still_an_answer() -> None:
    urls = dict.fromkeys(URLS, NOWHERE)
    done = await orderstream({"AWS_ENDPOINT_URL": NOWHERE, **urls}, "status", "--json", status=1)
    assert {each["state"] for each in done.json["replicas"]} == {"away"}
    assert all(each["error"] for each in done.json["queues"])


async def test_status_does_not_pass_over_what_it_may_not_see() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"detail": "The token has expired."}, status=401)

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"status": "ready"})

    app = web.Application()
    app.add_routes([web.get("/metrics", refuse), web.get("/health/ready", ready)])
    async with TestServer(app) as service:
        url = str(service.make_url("")).rstrip("/")
        environ = {"AWS_ENDPOINT_URL": NOWHERE, "PROCESSING_URL": url}
        done = await orderstream(environ, "status", "--json", status=1)
    text = f"processing-service at {url} was not measured: /metrics answered 401: The token has expired."
    assert {"level": "degraded", "text": text} in done.json["troubles"]
