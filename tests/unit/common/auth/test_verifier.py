"""Each token is verified once, until it expires, its key is withdrawn, or others push it out of the cache."""

from __future__ import annotations

import time

import pytest

from service_common.auth import InvalidTokenError
from service_common.auth.claims import LEEWAY_S, AccessRules
from service_common.auth.tokens import Key, import_keys
from service_common.auth.verifier import TokenVerifier
from tests.support.issuer import AUDIENCE, Issuer, SigningKey

ISSUER = Issuer()


class Keys:
    """The keys of an issuer, and how often one was looked up to verify a token."""

    def __init__(self, *keys: SigningKey) -> None:
        self.known = import_keys([key.jwk for key in keys], {})
        self.found = 0

    def get(self, kid: str) -> Key | None:
        return self.known.get(kid)

    async def find(self, kid: str) -> Key:
        self.found += 1
        if kid not in self.known:
            raise InvalidTokenError("The issuer has no such key.")
        return self.known[kid]


class Verifying:
    """A verifier with a clock that the test sets."""

    def __init__(self, max_cached: int = 10) -> None:
        self.now = time.time()
        self.keys = Keys(ISSUER.keys[0])
        rules = AccessRules(ISSUER.url, frozenset({AUDIENCE}), "cognito:groups")
        self.verifier = TokenVerifier(rules, self.keys, max_cached=max_cached, clock=lambda: self.now)

    async def subject(self, token: str) -> str:
        return (await self.verifier.verify(token)).subject


async def test_token_is_verified_once() -> None:
    verifying, token = Verifying(), ISSUER.token("alice")

    assert [await verifying.subject(token) for _ in range(3)] == ["alice"] * 3
    assert verifying.keys.found == 1


async def test_verified_token_expires() -> None:
    verifying, token = Verifying(), ISSUER.token()
    await verifying.subject(token)

    verifying.now += 3600 + LEEWAY_S
    with pytest.raises(InvalidTokenError, match="expired"):
        await verifying.subject(token)


async def test_verified_token_ends_with_its_key() -> None:
    verifying, token = Verifying(), ISSUER.token()
    await verifying.subject(token)

    verifying.keys.known = Keys(SigningKey("first")).known  # another key under the same id
    with pytest.raises(InvalidTokenError, match="signature"):
        await verifying.subject(token)


async def test_refused_token_is_refused_again() -> None:
    verifying, token = Verifying(), ISSUER.token(key=SigningKey("first"))
    for _ in range(2):
        with pytest.raises(InvalidTokenError):
            await verifying.subject(token)


async def test_cache_is_bounded_and_keeps_the_recently_used() -> None:
    verifying = Verifying(max_cached=2)
    alice, bob, carol = (ISSUER.token(name) for name in ("alice", "bob", "carol"))
    for token in (alice, bob, alice, carol, alice):
        await verifying.subject(token)
    assert verifying.keys.found == 3

    await verifying.subject(bob)
    assert verifying.keys.found == 4


async def test_cache_holds_no_token() -> None:
    verifying, token = Verifying(), ISSUER.token("alice")
    await verifying.subject(token)

    assert "alice" in repr(vars(verifying.verifier))
    assert not [part for part in token.split(".") if part in repr(vars(verifying.verifier))]
