from __future__ import annotations

from datetime import datetime
from unittest.mock import patch

import aiohttp
import pytest
from aiobotocore.credentials import AioCredentials
from aiohttp import web
from aiohttp.test_utils import TestServer
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from service_common.sqs.fast_path import FastPath, parse

KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
REGION = "eu-central-1"


class Sqs:
    """Keeps the last request."""

    def __init__(self) -> None:
        self.request: web.Request | None = None
        self.body = b""

    async def handle(self, request: web.Request) -> web.Response:
        self.request, self.body = request, await request.read()
        return web.json_response({"Messages": []})

    def signature(self, token: str | None) -> tuple[str, str]:
        """Return the signature that came, and the one that belongs to what came."""
        assert self.request is not None
        headers = self.request.headers
        came = headers["Authorization"]
        signed = came.partition("SignedHeaders=")[2].partition(",")[0].split(";")
        request = AWSRequest(
            "POST",
            f"http://{headers['Host']}{self.request.path}",
            {name: headers[name] for name in signed if name not in {"host", "x-amz-date", "x-amz-security-token"}},
            self.body,
        )
        stamp = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
        with patch("botocore.auth.get_current_datetime", return_value=stamp):
            SigV4Auth(ReadOnlyCredentials(*KEYS, token), "sqs", REGION).add_auth(request)
        return came, str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize(
    "body", [b"{}", '{"QueueUrl":"é"}'.encode(), b"x" * (2**20 + 1)], ids=["empty", "text", "large"]
)
async def test_request_arrives_as_it_was_signed(body: bytes, token: str | None) -> None:
    sqs = Sqs()
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/{tail:.*}", sqs.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        path = FastPath(AioCredentials(*KEYS, token), REGION, session, session)
        params = {
            "url": str(server.make_url("/")),
            "headers": {
                "X-Amz-Target": "AmazonSQS.ReceiveMessage",
                "Content-Type": "application/x-amz-json-1.0",
                "User-Agent": "orderstream",
            },
            "body": body,
        }
        response, parsed = await path(params)
    came, belongs = sqs.signature(token)
    assert came == belongs
    assert sqs.body == body
    assert (response.status_code, parsed["Messages"]) == (200, [])


def test_answer_is_parsed() -> None:
    answer, parsed = parse(200, b'{"Messages":[]}')
    assert answer.status_code == 200
    assert parsed["Messages"] == []


@pytest.mark.parametrize("kind", ["com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"])
def test_error_has_its_code_and_message(kind: str) -> None:
    answer, parsed = parse(400, b'{"__type":"%s","message":"gone"}' % kind.encode())
    assert answer.status_code == 400
    assert parsed["Error"] == {"Code": "QueueDoesNotExist", "Message": "gone"}


@pytest.mark.parametrize(
    "body", [b"", b"<html>maintenance</html>", b'"text"', b"\xff", b'{"QueueUrl":"http://sqs', b"<Response><Id>1</Id>"]
)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_answer_that_is_not_from_sqs_is_a_502(status: int, body: bytes) -> None:
    answer, parsed = parse(status, body)
    assert answer.status_code >= 502
    assert parsed["Error"]["Code"] == str(answer.status_code)


def test_error_that_names_no_type_is_not_from_sqs() -> None:
    assert parse(404, b'{"message":"no route"}')[0].status_code == 502
