"""An OpenID Connect issuer in the process of a test, whose tokens another library than the service's makes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

__all__ = ["AUDIENCE", "Issuer", "SigningKey", "bearer", "issuer"]

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

AUDIENCE = "orderstream"


class SigningKey:
    """A key pair with an id."""

    def __init__(self, kid: str, private: PrivateKey | None = None) -> None:
        self.kid = kid
        self.private = private or rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def algorithm(self) -> str:
        """The algorithm that it signs with."""
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    @property
    def jwk(self) -> dict[str, Any]:
        """Its public part."""
        public: dict[str, Any]
        if isinstance(self.private, rsa.RSAPrivateKey):
            public = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            public = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return {**public, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


class Issuer:
    """An issuer of access tokens.

    Attributes:
        url: what the claim ``iss`` is.
        keys: those it publishes; the last one signs.
        away: whether it answers 503.
        fetched: how often its keys were fetched.
    """

    def __init__(self) -> None:
        self.url = "https://issuer.example"
        self.keys = [SigningKey("first")]
        self.away = False
        self.fetched = 0

    def claims(self, subject: str = "alice", *roles: str, **claims: Any) -> dict[str, Any]:
        """Return the claims of an access token as Amazon Cognito has them; a claim that is None is left out."""
        now = int(time.time())
        usual = {
            "iss": self.url,
            "sub": subject,
            "client_id": AUDIENCE,
            "token_use": "access",
            "scope": "openid profile",
            "iat": now,
            "exp": now + 3600,
            "cognito:groups": list(roles) or None,
        }
        return {name: value for name, value in (usual | claims).items() if value is not None}

    def token(
        self,
        subject: str = "alice",
        *roles: str,
        key: SigningKey | None = None,
        headers: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Return an access token of *subject*."""
        key = key or self.keys[-1]
        header = {"kid": key.kid, **(headers or {})}
        return jwt.encode(self.claims(subject, *roles, **claims), key.private, key.algorithm, header)

    def app(self) -> web.Application:
        """Return its metadata and keys as a web application."""
        app = web.Application()
        app.add_routes(
            [web.get("/.well-known/openid-configuration", self._metadata), web.get("/keys.json", self._key_set)]
        )
        return app

    async def _metadata(self, request: web.Request) -> web.Response:
        self._require_there()
        return web.json_response({"issuer": self.url, "jwks_uri": str(request.url.origin() / "keys.json")})

    async def _key_set(self, _: web.Request) -> web.Response:
        self._require_there()
        self.fetched += 1
        return web.json_response({"keys": [key.jwk for key in self.keys]})

    def _require_there(self) -> None:
        if self.away:
            raise web.HTTPServiceUnavailable


@asynccontextmanager
async def issuer() -> AsyncIterator[Issuer]:
    """Serve an issuer for the block."""
    found = Issuer()
    async with TestServer(found.app()) as server:
        found.url = str(server.make_url("")).rstrip("/")
        yield found


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries *token*."""
    return {"Authorization": f"Bearer {token}"}
