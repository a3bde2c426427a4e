"""The short way of an SQS request through aiobotocore: sign, send and read it with a quarter of the general machinery.

botocore serves some 400 services with one pipeline of hooks, shape walkers and a signer for any request; for the five
calls a consumer makes that pipeline is most of the cost. Its ``before-call`` event lets a handler answer in place of
everything from signing to parsing (botocore's Stubber works that way), which is what `SqsWire` does: the client keeps
its interface, configuration, credentials, endpoints and exceptions.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import aiohttp
import orjson
from aiobotocore.credentials import AioCredentials
from botocore.credentials import ReadOnlyCredentials
from yarl import URL

__all__ = ["HttpResponse", "SigV4", "SqsWire", "read"]

MAX_WRITE_BYTES = 2**20  # more at once would hold up the event loop, as aiohttp warns
_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What the client looks at of a response."""

    status_code: int


class SigV4:
    """Signs POST requests to one service in one region; the derived key is kept for its day.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(self, region: str, service: str) -> None:
        self._region = region
        self._service = service
        self._key: tuple[str | None, str, bytes] = (None, "", b"")

    def sign(
        self, keys: ReadOnlyCredentials, url: URL, headers: MutableMapping[str, str], body: bytes, now: datetime
    ) -> None:
        """Add ``Host``, ``X-Amz-Date``, ``X-Amz-Security-Token`` and ``Authorization`` to *headers*."""
        stamp = now.strftime("%Y%m%dT%H%M%SZ")
        headers["Host"] = url.host_port_subcomponent or ""
        headers["X-Amz-Date"] = stamp
        if keys.token:
            headers["X-Amz-Security-Token"] = keys.token
        signed = sorted((name.lower(), value) for name, value in headers.items() if _is_signed(name.lower()))
        names = ";".join(name for name, _ in signed)
        lines = "".join(f"{name}:{value}\n" for name, value in signed)
        request = f"POST\n{url.raw_path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(keys.secret_key, stamp[:8]), to_sign.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"{_ALGORITHM} Credential={keys.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        )

    def _key_of(self, secret: str | None, day: str) -> bytes:
        if self._key[:2] != (secret, day):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (secret, day, key)
        return self._key[2]


def _is_signed(name: str) -> bool:
    return name in {"content-type", "host"} or name.startswith("x-amz-")


class SqsWire:
    """Answers the ``before-call`` event of an SQS client by a request of its own.

    Args:
        credentials: of the session the client was made by.
        signer: for the client's region.
        polls: carries ReceiveMessage, so that parked long polls keep no connection from the rest.
        calls: carries everything else.
    """

    def __init__(
        self, credentials: AioCredentials, signer: SigV4, polls: aiohttp.ClientSession, calls: aiohttp.ClientSession
    ) -> None:
        self._credentials = credentials
        self._signer = signer
        self._polls = polls
        self._calls = calls
        self._urls: dict[str, URL] = {}

    async def __call__(self, params: Mapping[str, Any], **_event: object) -> tuple[HttpResponse, dict[str, Any]]:
        """Send the serialized request *params* and return what the client takes for response and parsed response.

        Raises:
            aiohttp.ClientError, TimeoutError: there was no answer.
        """
        url = self._url(params["url"])
        headers: dict[str, str] = dict(params["headers"])
        body: bytes = params["body"]
        self._signer.sign(await self._credentials.get_frozen_credentials(), url, headers, body, datetime.now(UTC))
        session = self._polls if headers["X-Amz-Target"].endswith(".ReceiveMessage") else self._calls
        data = body if len(body) <= MAX_WRITE_BYTES else BytesIO(body)
        async with session.post(url, data=data, headers=headers) as response:
            return read(response.status, await response.read())

    def _url(self, text: str) -> URL:
        url = self._urls.get(text)
        if url is None:
            url = self._urls[text] = URL(text)
        return url


def read(status: int, body: bytes) -> tuple[HttpResponse, dict[str, Any]]:
    """Read a body of AWS JSON 1.0; SQS's answers hold texts, numbers and lists of them, so JSON is all they need."""
    try:
        parsed = orjson.loads(body or b"{}")
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):  # a proxy's page, not SQS
        status, parsed = max(status, 502), {}
    if status >= 300:
        kind = str(parsed.get("__type", status))
        message = parsed.get("message") or parsed.get("Message") or ""
        parsed["Error"] = {"Code": kind.rpartition("#")[2], "Message": message}
    parsed["ResponseMetadata"] = {"HTTPStatusCode": status}
    return HttpResponse(status), parsed
