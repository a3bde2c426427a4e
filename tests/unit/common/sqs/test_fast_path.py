from __future__ import annotations

import json
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
from botocore.exceptions import ClientError

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

    def signature(self, access_key: str, secret_key: str, token: str | None) -> tuple[str, str]:
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
            SigV4Auth(ReadOnlyCredentials(access_key, secret_key, token), "sqs", REGION).add_auth(request)
        return came, str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize("text", ["", "é", "x" * (2**20 + 1)], ids=["empty", "text", "large"])
async def test_request_arrives_as_it_was_signed(text: str, token: str | None) -> None:
    sqs = Sqs()
    app = web.Application(client_max_size=2**22)
    app.router.add_post("/{tail:.*}", sqs.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        request = FastPath(AioCredentials(*KEYS, token), server.make_url("/"), REGION, session, session)
        answer = await request("ReceiveMessage", QueueUrl=text, Bytes=b"\xff")
    came, belongs = sqs.signature(*KEYS, token)
    assert came == belongs
    assert json.loads(sqs.body) == {"QueueUrl": text, "Bytes": "/w=="}
    assert answer == {"Messages": []}


async def test_credentials_that_were_renewed_sign_the_next_request() -> None:
    sqs, credentials = Sqs(), AioCredentials(*KEYS, "first")
    app = web.Application()
    app.router.add_post("/", sqs.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        request = FastPath(credentials, server.make_url("/"), REGION, session, session)
        await request("ReceiveMessage")
        credentials.access_key, credentials.secret_key, credentials.token = renewed = ("AKIDNEXT", "next", "second")
        await request("ReceiveMessage")
    came, belongs = sqs.signature(*renewed)
    assert came == belongs


@pytest.mark.parametrize("status", [302, 307])
async def test_redirection_is_not_followed(status: int) -> None:
    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    elsewhere = Sqs()
    app = web.Application()
    app.router.add_post("/", redirect)
    app.router.add_route("*", "/elsewhere", elsewhere.handle)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        request = FastPath(AioCredentials(*KEYS), server.make_url("/"), REGION, session, session)
        with pytest.raises(ClientError) as raised:
            await request("DeleteMessageBatch")
    assert elsewhere.request is None
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 502


def test_answer_is_parsed() -> None:
    assert parse("ReceiveMessage", 200, b'{"Messages":[]}') == {"Messages": []}


@pytest.mark.parametrize("kind", ["com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"])
def test_error_has_its_code_and_message(kind: str) -> None:
    assert error(400, b'{"__type":"%s","message":"gone"}' % kind.encode()) == (400, "QueueDoesNotExist", "gone")


@pytest.mark.parametrize(
    "body", [b"", b"<html>maintenance</html>", b'"text"', b"\xff", b'{"QueueUrl":"http://sqs', b"<Response><Id>1</Id>"]
)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_answer_that_is_not_from_sqs_is_a_502(status: int, body: bytes) -> None:
    found = error(status, body)
    assert found == (max(502, status), str(max(502, status)), "")


def test_error_that_names_no_type_is_not_from_sqs() -> None:
    assert error(404, b'{"message":"no route"}')[0] == 502


def error(status: int, body: bytes) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as raised:
        parse("ReceiveMessage", status, body)
    response = raised.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]
