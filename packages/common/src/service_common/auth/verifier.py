"""Verifies access tokens, each once: the outcome is cached until the token expires."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from time import time
from typing import Protocol

from .claims import AccessRules, principal_of
from .principal import Principal
from .tokens import Key, SignedToken

__all__ = ["KeySource", "TokenVerifier"]

MAX_CACHED = 10_000


class KeySource(Protocol):
    """The public keys of the issuer."""

    def get(self, kid: str) -> Key | None:
        """Return the key *kid*, if it is known."""

    async def find(self, kid: str) -> Key:
        """Return the key *kid*, known or fetched."""


class TokenVerifier:
    """Verifies the access tokens of one issuer.

    The least recently used tokens leave the cache. It holds digests of tokens, not the tokens, and an entry is of no
    use once the issuer has withdrawn the key.

    Args:
        rules: which tokens are accepted.
        keys: public keys of the issuer.
        max_cached: size of the cache.
        clock: returns the seconds since 1970.
    """

    def __init__(
        self,
        rules: AccessRules,
        keys: KeySource,
        *,
        max_cached: int = MAX_CACHED,
        clock: Callable[[], float] = time,
    ) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock
        self._max_cached = max_cached
        self._verified: OrderedDict[bytes, tuple[Principal, str, Key]] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Return whom *token* identifies.

        Raises:
            InvalidTokenError: it is not accepted.
            UnavailableError: its key is not known, and the issuer unavailable.
        """
        digest = sha256(token.encode()).digest()
        if (cached := self._verified.get(digest)) is not None:
            principal, kid, key = cached
            if self._keys.get(kid) is key and self._clock() < principal.expires_at:
                self._verified.move_to_end(digest)
                return principal
            del self._verified[digest]
        signed = SignedToken(token)
        key = await self._keys.find(signed.kid)
        principal = principal_of(signed.verify(key), self._rules, self._clock())
        self._verified[digest] = principal, signed.kid, key
        if len(self._verified) > self._max_cached:
            self._verified.popitem(last=False)
        return principal
