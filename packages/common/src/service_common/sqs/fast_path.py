"""Fast path for SQS requests: sign, send and parse in a fraction of what botocore's client takes.

botocore serves some 400 services with one pipeline of hooks and shape walkers, whose code and data the caches of a
processor do not hold from one request to the next. SQS speaks AWS JSON 1.0, which needs none of it. Endpoint, region,
and credentials with their renewal stay aiobotocore's, and so do the errors.

Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import quote

import aiohttp
import orjson
from aiobotocore.credentials import AioCredentials
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError
from yarl import URL

__all__ = ["FastPath", "parse"]

BILLED_BYTES = 65_536  # SQS bills each 64 KB of a payload as one request: https://aws.amazon.com/sqs/pricing/
MAX_WRITE_BYTES = 2**20  # more at once would hold up the event loop, as aiohttp warns
_TYPE = "application/x-amz-json-1.0"


class FastPath:
    """Sends requests to SQS.

    Args:
        credentials: sign the requests.
        url: of the endpoint.
        region: of the endpoint.
        polls: sends ReceiveMessage, so that parked long polls take no connection from the other requests.
        calls: sends everything else.
        count: is called with the operation of each answered request and how many requests SQS bills for it.
    """

    def __init__(
        self,
        credentials: AioCredentials,
        url: URL,
        region: str,
        polls: aiohttp.ClientSession,
        calls: aiohttp.ClientSession,
        *,
        count: Callable[[str, int], None] = lambda _operation, _billed: None,
    ) -> None:
        self._credentials = credentials
        self._url = url
        self._signer = _Signer(url, region)
        self._polls = polls
        self._calls = calls
        self._count = count

    async def __call__(self, operation: str, **parameters: object) -> Any:
        """Send a request and return the answer to it.

        Raises:
            ClientError: SQS answered with an error.
            aiohttp.ClientError, TimeoutError: there was no answer.
        """
        body = orjson.dumps(parameters, default=_base64)
        credentials = await self._credentials.get_frozen_credentials()
        headers = self._signer.headers(credentials, f"AmazonSQS.{operation}", body)
        session = self._polls if operation == "ReceiveMessage" else self._calls
        data = body if len(body) <= MAX_WRITE_BYTES else BytesIO(body)
        async with session.post(self._url, data=data, headers=headers, allow_redirects=False) as response:
            answer = await response.read()
        self._count(operation, max(1, -(-max(len(body), len(answer)) // BILLED_BYTES)))
        return parse(operation, response.status, answer)


class _Signer:
    def __init__(self, url: URL, region: str) -> None:
        self._path = quote(url.raw_path, safe="/~")
        self._host = url.host_port_subcomponent or ""
        self._region = region
        self._key: tuple[str, str, bytes] = ("", "", b"")  # of a day and a secret

    def headers(self, credentials: ReadOnlyCredentials, target: str, body: bytes) -> dict[str, str]:
        """Return the headers of a POST of *body* now, with its signature."""
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        day, scope = stamp[:8], f"{stamp[:8]}/{self._region}/sqs/aws4_request"
        headers = {"content-type": _TYPE, "host": self._host, "x-amz-date": stamp}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        headers["x-amz-target"] = target
        names = ";".join(headers)  # in their order
        lines = "\n".join([f"{name}:{value}" for name, value in headers.items()])
        canonical = f"POST\n{self._path}\n\n{lines}\n\n{names}\n{sha256(body).hexdigest()}"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(day, credentials.secret_key or ""), text.encode(), "sha256").hex()
        by = f"Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        headers["authorization"] = f"AWS4-HMAC-SHA256 {by}"
        return headers

    def _key_of(self, day: str, secret: str) -> bytes:
        if self._key[:2] != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, "sqs", "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (day, secret, key)
        return self._key[2]


def parse(operation: str, status: int, body: bytes) -> Mapping[str, Any]:
    """Parse a body of AWS JSON 1.0; the responses of SQS hold only strings, numbers and lists, so JSON is enough.

    Raises:
        ClientError: it is an error, or not from SQS.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict) or (status >= 300 and "__type" not in parsed):  # a proxy's answer, not SQS's
        status, parsed = max(status, 502), {}
    if status < 300:
        return parsed
    code = str(parsed.get("__type", status)).rpartition("#")[2]
    message = parsed.get("message") or parsed.get("Message") or ""
    error: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    raise ClientError(error, operation)


def _base64(value: object) -> str:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"not a parameter of a request: {value!r}")
