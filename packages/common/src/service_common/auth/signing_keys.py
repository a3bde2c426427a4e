"""The issuer's public keys: fetched by OpenID Connect Discovery, cached, refreshed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, NoReturn

from yarl import URL

from ..errors import ServiceError, UnavailableError
from ..http_client import Call, RetryingClient
from ..lifecycle import log_death
from ..observability import Metrics
from .claims import InvalidTokenError
from .tokens import Key, import_keys

__all__ = ["SigningKeys", "fetch_key_set"]

logger = logging.getLogger(__name__)

NAME = "identity-provider"
# a rotation announces keys before they sign; those that do not are found by the first token they sign
REFRESH_S = 300.0
RETRY_S = 15.0
# between the starts of two fetches: tokens with invented key ids cost the issuer no more than that
FLOOR_S = 2.0
_ATTEMPT_S = 2.0
_DEADLINE_S = 5.0


def _is_metadata(data: object) -> bool:
    match data:
        case {"issuer": str(), "jwks_uri": str()}:
            return True
    return False


def _is_key_set(data: object) -> bool:
    match data:
        case {"keys": list()}:
            return True
    return False


async def fetch_key_set(issuer: str, discovery_url: str, metrics: Metrics) -> Sequence[object]:
    """Fetch the keys that the metadata of *issuer* names; *discovery_url* is what the well-known path is appended to.

    OpenID Connect Discovery 1.0, 4: https://openid.net/specs/openid-connect-discovery-1_0.html

    Raises:
        UnavailableError: the issuer does not answer, or with something else.
    """
    metadata = await _get(URL(discovery_url.rstrip("/") + "/.well-known/openid-configuration"), _is_metadata, metrics)
    if metadata["issuer"] != issuer:
        _fail("its metadata names another issuer")
    try:
        keys_url = URL(metadata["jwks_uri"])
        keys_url.origin()
    except ValueError:
        _fail("jwks_uri is not a URL")
    if keys_url.scheme != "https" and (keys_url.scheme != "http" or URL(discovery_url).scheme == "https"):
        _fail("jwks_uri is not an https URL")
    keys: Sequence[object] = (await _get(keys_url, _is_key_set, metrics))["keys"]
    return keys


async def _get(url: URL, shape: Callable[[Any], bool], metrics: Metrics) -> Mapping[str, Any]:
    call = Call("GET", url.raw_path, idempotent=True, attempt_timeout_s=_ATTEMPT_S, deadline_s=_DEADLINE_S, shape=shape)
    async with RetryingClient([str(url.origin())], name=NAME, metrics=metrics) as client:
        document: Mapping[str, Any] = (await client.request(call, query=list(url.query.items()))).data
        return document


def _fail(reason: str) -> NoReturn:
    error = UnavailableError(f"{NAME}: {reason}")
    error.dependency = NAME
    raise error


class SigningKeys:
    """The keys by their id. They are kept while the issuer is away.

    Args:
        fetch: returns the key set of the issuer.
        floor_s: least time from the end of a fetch to the next, in seconds.
    """

    def __init__(self, fetch: Callable[[], Awaitable[Sequence[object]]], *, floor_s: float = FLOOR_S) -> None:
        self._fetch = fetch
        self._floor_s = floor_s
        self._keys: Mapping[str, Key] = {}
        self._refresh: asyncio.Task[None] | None = None
        self._failure: ServiceError | None = None
        self._current_since_s = self._ended_s = -floor_s

    def get(self, kid: str) -> Key | None:
        """Return the key *kid*, if it is known."""
        return self._keys.get(kid)

    async def find(self, kid: str) -> Key:
        """Return the key *kid*; when it is unknown, after the keys were fetched again.

        That fetch begins after this call, so that no token is refused whose key was new when others had keys fetched.
        All who wait share it.

        Raises:
            InvalidTokenError: the issuer has no such key.
            UnavailableError: the issuer is unavailable.
        """
        called_s = monotonic()
        while (key := self._keys.get(kid)) is None:
            if self._failure is not None and monotonic() < self._ended_s + self._floor_s:
                raise self._failure.with_traceback(None)
            if self._current_since_s >= called_s:
                raise InvalidTokenError("The issuer has no such key.")
            await self._refreshed()
        return key

    async def run(self) -> None:
        """Fetch the keys, at the start and every few minutes, until cancelled."""
        try:
            while True:
                await self._refreshed()
                if self._failure is not None:
                    facts = {"reason": str(self._failure), "known": len(self._keys)}
                    logger.warning("signing keys not refreshed", extra=facts)
                await asyncio.sleep(REFRESH_S if self._failure is None else RETRY_S)
        finally:
            if self._refresh is not None:
                self._refresh.cancel()

    async def _refreshed(self) -> None:
        if self._refresh is None or self._refresh.done():
            self._refresh = asyncio.create_task(self._load(), name="fetch of the signing keys")
            self._refresh.add_done_callback(log_death)
        await asyncio.shield(self._refresh)  # the others wait on when one of them is cancelled

    async def _load(self) -> None:
        await asyncio.sleep(max(0.0, self._ended_s + self._floor_s - monotonic()))
        started_s = monotonic()
        try:
            keys = import_keys(await self._fetch(), self._keys)
            if not keys:
                _fail("its key set has no key for RS256 or ES256")
        except ServiceError as error:
            self._failure = error
        else:
            self._keys, self._failure, self._current_since_s = keys, None, started_s
        self._ended_s = monotonic()
