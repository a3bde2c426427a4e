"""Fast path for SQS requests: sign, send and parse in a fraction of botocore's general pipeline.

botocore serves some 400 services with one pipeline of hooks and shape walkers; for the five operations of a consumer
that pipeline is most of the cost. A handler of its ``before-call`` event may answer in place of everything from signing
to parsing (botocore's Stubber works that way), as `FastPath` does: the client keeps its interface, configuration,
credentials, endpoints and exceptions, and botocore's own signer signs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import orjson
from aiobotocore.credentials import AioCredentials
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from yarl import URL

__all__ = ["FastPath", "HttpResponse", "parse"]

BILLED_BYTES = 65_536  # SQS bills each 64 KB of a payload as one request: https://aws.amazon.com/sqs/pricing/
MAX_WRITE_BYTES = 2**20  # more at once would hold up the event loop, as aiohttp warns


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """The part of a response that the client reads."""

    status_code: int


class FastPath:
    """Handles the ``before-call`` event of an SQS client by a request of its own.

    Args:
        credentials: of the session that made the client.
        region: of the client.
        polls: sends ReceiveMessage, so that parked long polls take no connection from the other requests.
        calls: sends everything else.
        count: is called with the operation of each answered request and how many requests SQS bills for it.
    """

    def __init__(
        self,
        credentials: AioCredentials,
        region: str,
        polls: aiohttp.ClientSession,
        calls: aiohttp.ClientSession,
        count: Callable[[str, int], None] = lambda _operation, _billed: None,
    ) -> None:
        self._credentials = credentials
        self._region = region
        self._polls = polls
        self._calls = calls
        self._count = count
        self._urls: dict[str, URL] = {}

    async def __call__(self, params: Mapping[str, Any], **_event: object) -> tuple[HttpResponse, dict[str, Any]]:
        """Send the serialized request *params* and return response and parsed response for the client.

        Raises:
            aiohttp.ClientError, TimeoutError: there was no answer.
        """
        body: bytes = params["body"]
        request = AWSRequest("POST", params["url"], params["headers"], body)
        SigV4Auth(await self._credentials.get_frozen_credentials(), "sqs", self._region).add_auth(request)
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        session = self._polls if operation == "ReceiveMessage" else self._calls
        data = body if len(body) <= MAX_WRITE_BYTES else BytesIO(body)
        async with session.post(self._url(params["url"]), data=data, headers=request.headers.items()) as response:
            answer = await response.read()
        self._count(operation, max(1, -(-max(len(body), len(answer)) // BILLED_BYTES)))
        return parse(response.status, answer)

    def _url(self, text: str) -> URL:
        url = self._urls.get(text)
        if url is None:
            url = self._urls[text] = URL(text)
        return url


def parse(status: int, body: bytes) -> tuple[HttpResponse, dict[str, Any]]:
    """Parse a body of AWS JSON 1.0; the responses of SQS hold only strings, numbers and lists, so JSON is enough."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict) or (status >= 300 and "__type" not in parsed):  # a proxy's answer, not SQS's
        status, parsed = max(status, 502), {}
    if status >= 300:
        kind = str(parsed.get("__type", status))
        message = parsed.get("message") or parsed.get("Message") or ""
        parsed["Error"] = {"Code": kind.rpartition("#")[2], "Message": message}
    parsed["ResponseMetadata"] = {"HTTPStatusCode": status}
    return HttpResponse(status), parsed
