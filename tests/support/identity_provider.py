"""An OpenID Connect provider in the process of a test, with a page to sign in at, as a browser finds it."""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from tests.support.issuer import AUDIENCE, Issuer

__all__ = ["IdentityProvider", "identity_provider"]

_COOKIE = "provider-session"
_CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
_PAGE = """<!doctype html><html lang="en"><title>Provider</title><h1>Provider</h1>
<form method="post"><label>Name <input name="name" autofocus></label><button>Continue</button></form></html>"""


@dataclass(frozen=True, slots=True)
class _Grant:
    """What a code or a refresh token stands for; *family* is the sign-in that refresh tokens come from."""

    name: str
    family: str
    request: Mapping[str, str]


class IdentityProvider(Issuer):
    """Signs in whoever gives a name: authorization code with PKCE, and refresh tokens that are good once.

    A second use of a refresh token ends the sign-in that it comes from (RFC 9700, 4.14.2), and a cookie has the session
    of a person, so that the next sign-in of the same browser asks nothing.

    Attributes:
        roles: name to roles.
        redirects: URLs of the page, to which it returns; they match exactly.
        lifetime_s: of access tokens, in seconds, as ``expires_in`` says.
        valid_s: how long the services accept an access token, before their leeway; None for *lifetime_s*.
        first_valid_s: the same of the one that a sign-in begins with; None for *valid_s*.
        asked: how often it showed its sign-in page.
        refreshed: how often tokens were renewed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.roles: dict[str, Sequence[str]] = {}
        self.redirects: set[str] = set()
        self.lifetime_s = 3600.0
        self.valid_s: float | None = None
        self.first_valid_s: float | None = None
        self.asked = 0
        self.refreshed = 0
        self._sessions: dict[str, str] = {}
        self._codes: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}
        self._used: dict[str, str] = {}

    def app(self) -> web.Application:
        """Return it as a web application."""
        app = super().app()
        app.add_routes(
            [
                web.get("/authorize", self._authorize),
                web.post("/authorize", self._sign_in),
                web.post("/token", self._token),
                web.post("/revoke", self._revoke),
                web.get("/logout", self._logout),
                web.options("/{path:.*}", self._preflight),
            ]
        )
        app.on_response_prepare.append(self._allow_pages)
        return app

    def end_sign_ins(self) -> None:
        """Make all refresh tokens useless."""
        self._refresh.clear()

    async def _metadata(self, request: web.Request) -> web.Response:
        self._require_there()
        origin = request.url.origin()
        return web.json_response(
            {
                "issuer": self.url,
                "jwks_uri": str(origin / "keys.json"),
                "authorization_endpoint": str(origin / "authorize"),
                "token_endpoint": str(origin / "token"),
                "revocation_endpoint": str(origin / "revoke"),
                "end_session_endpoint": str(origin / "logout"),
            }
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        self._require_there()
        query = request.query
        if query.get("client_id") != AUDIENCE or query.get("redirect_uri") not in self.redirects:
            raise web.HTTPBadRequest(text="unknown client or redirect_uri")
        if (query.get("response_type"), query.get("code_challenge_method")) != ("code", "S256"):
            raise web.HTTPBadRequest(text="not an authorization code with PKCE")
        name = self._sessions.get(request.cookies.get(_COOKIE, ""))
        if name is not None and query.get("prompt") != "login":
            raise self._with_code(name, query)
        self.asked += 1
        return web.Response(text=_PAGE, content_type="text/html")

    async def _sign_in(self, request: web.Request) -> web.Response:
        name = str((await request.post())["name"])
        session = secrets.token_urlsafe()
        self._sessions[session] = name
        response = self._with_code(name, request.query)
        response.set_cookie(_COOKIE, session, path="/", httponly=True, samesite="Lax")
        raise response

    def _with_code(self, name: str, query: Mapping[str, str]) -> web.HTTPFound:
        code = secrets.token_urlsafe()
        self._codes[code] = _Grant(name, secrets.token_urlsafe(), dict(query))
        return web.HTTPFound(URL(query["redirect_uri"]).update_query(code=code, state=query["state"]))

    async def _token(self, request: web.Request) -> web.Response:
        self._require_there()
        form = {name: str(value) for name, value in (await request.post()).items()}
        valid_s = self.valid_s
        if form["grant_type"] == "refresh_token":
            grant = self._redeem_refresh(form["refresh_token"])
            self.refreshed += grant is not None
        else:
            grant = self._redeem_code(form)
            valid_s = self.first_valid_s or valid_s
        if grant is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(self._tokens(grant, valid_s), headers={"Cache-Control": "no-store"})

    def _redeem_code(self, form: Mapping[str, str]) -> _Grant | None:
        grant = self._codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
        if grant is None or challenge.rstrip(b"=").decode() != grant.request["code_challenge"]:
            return None
        return grant if form["redirect_uri"] == grant.request["redirect_uri"] else None

    def _redeem_refresh(self, token: str) -> _Grant | None:
        if (family := self._used.get(token)) is not None:
            self._refresh = {each: grant for each, grant in self._refresh.items() if grant.family != family}
        if (grant := self._refresh.pop(token, None)) is not None:
            self._used[token] = grant.family
        return grant

    def _tokens(self, grant: _Grant, valid_s: float | None) -> dict[str, Any]:
        now = time.time()
        refresh = secrets.token_urlsafe()
        self._refresh[refresh] = grant
        roles = self.roles.get(grant.name, ())
        valid_s = self.lifetime_s if valid_s is None else valid_s
        identity = {
            "iss": self.url,
            "sub": grant.name,
            "aud": AUDIENCE,
            "iat": int(now),
            "exp": int(now) + 3600,
            "name": grant.name.title(),
            "nonce": grant.request["nonce"],
        }
        key = self.keys[-1]
        return {
            "access_token": self.token(grant.name, *roles, exp=now + valid_s, jti=secrets.token_urlsafe()),
            "id_token": jwt.encode(identity, key.private, key.algorithm, {"kid": key.kid}),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": self.lifetime_s,
        }

    async def _revoke(self, request: web.Request) -> web.Response:
        self._refresh.pop(str((await request.post())["token"]), None)
        return web.Response()

    async def _logout(self, request: web.Request) -> web.Response:
        self._sessions.pop(request.cookies.get(_COOKIE, ""), None)
        back = request.query["post_logout_redirect_uri"]
        if back not in self.redirects:
            raise web.HTTPBadRequest(text=html.escape(back))
        raise web.HTTPFound(back)

    async def _preflight(self, _: web.Request) -> web.Response:
        return web.Response()

    async def _allow_pages(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_CORS)


@asynccontextmanager
async def identity_provider() -> AsyncIterator[IdentityProvider]:
    """Serve a provider for the block."""
    provider = IdentityProvider()
    async with TestServer(provider.app()) as server:
        provider.url = str(server.make_url("")).rstrip("/")
        yield provider
