"""`./run demo --once --auth`: checks whose an order is, who hears of it, and which tokens and tickets are good."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import aiohttp
from joserfc import jws
from joserfc.jwk import RSAKey

from .checks import Checks
from .running_system import RunningSystem
from .sign_in import CUSTOMER, OPERATOR, OTHER_CUSTOMER, PEOPLE, SignIn
from .sse import ServerSentEvent, SseReader
from .watcher import Watcher, watching

__all__ = ["walk_people"]

_ORDER = {"orderItems": [{"productId": "123", "quantity": 1}]}
_TIMEOUT_S = 20.0
# how long the services accept an expired token, for clocks that differ
_LEEWAY_S = 30.0
_SOON_S = 4.0


async def walk_people(stack: RunningSystem, sign_in: SignIn, checks: Checks, session: aiohttp.ClientSession) -> None:
    """Check what each of two customers and an operator see, and what is refused."""
    async with AsyncExitStack() as entering:
        watchers = {
            each.name: await entering.enter_async_context(
                watching(session, stack.url("notification"), partial(stack.authorization, each.name))
            )
            for each in PEOPLE
        }
        headers = {each.name: await stack.authorization(each.name) for each in PEOPLE}
        walkthrough = _PeopleWalkthrough(stack, sign_in, checks, session, watchers, headers)
        await walkthrough.ownership()
        await walkthrough.tokens()
        await walkthrough.tickets()


@dataclass(slots=True)
class _PeopleWalkthrough:
    stack: RunningSystem
    sign_in: SignIn
    checks: Checks
    session: aiohttp.ClientSession
    watchers: Mapping[str, Watcher]
    headers: Mapping[str, Mapping[str, str]]

    async def ownership(self) -> None:
        self.checks.heading(f"An order is its customer's: {CUSTOMER} and {OTHER_CUSTOMER} each place one")
        theirs = await self._place(CUSTOMER)
        # notifications come in order: whoever has heard of the second order would have heard of the first before
        own = await self._place(OTHER_CUSTOMER)
        silent = not self.watchers[OTHER_CUSTOMER].pushes(theirs)
        self.checks.check(silent, f"{OTHER_CUSTOMER} heard nothing of order {theirs}, over SSE and over WebSocket")
        both = await self.watchers[OPERATOR].wait_for(own, "CLOSED", _TIMEOUT_S)
        self.checks.check(
            both and bool(self.watchers[OPERATOR].pushes(theirs)), f"{OPERATOR}, an operator, heard of both"
        )
        await self._check_status(CUSTOMER, "GET", "order", f"/orders/{theirs}", 200)
        await self._check_status(OTHER_CUSTOMER, "GET", "order", f"/orders/{theirs}", 404)
        await self._check_status(OTHER_CUSTOMER, "DELETE", "order", f"/orders/{theirs}", 404)
        await self._check_status(OPERATOR, "GET", "order", f"/orders/{theirs}", 200)
        await self._check_status(OPERATOR, "GET", "order", f"/orders/{own}", 200)
        await self._check_status(OTHER_CUSTOMER, "GET", "processing", f"/sagas/{theirs}", 404)
        await self._check_status(CUSTOMER, "POST", "processing", f"/sagas/{theirs}/retry", 403)
        await self._check_status(OPERATOR, "GET", "processing", f"/sagas/{theirs}", 200)

    async def tokens(self) -> None:
        self.checks.heading("A token is needed, and ends")
        token = await self.sign_in.access_token(CUSTOMER)
        status, challenge = await self._challenge({})
        self.checks.check((status, challenge[:6]) == (401, "Bearer"), "without a token, GET /orders answers 401")
        status, _ = await self._challenge(_bearer(self._expiring(token, time.time() + 60)))
        self.checks.check(status == 200, "with a token of the issuer that ends in a minute, 200")
        status, challenge = await self._challenge(_bearer(self._expiring(token, time.time() - 60)))
        expired = status == 401 and "expired" in challenge
        self.checks.check(expired, f"with one that ended a minute ago, 401: {challenge}")
        ends_soon = _bearer(self._expiring(token, time.time() - _LEEWAY_S + _SOON_S))
        last = await self._last_event(ends_soon)
        ended = last is not None and last.name == "bye" and json.loads(last.data)["reason"] == "token-expired"
        self.checks.check(ended, f"a stream ends with the token: {last.data if last else 'no event'}")

    async def tickets(self) -> None:
        self.checks.heading("A ticket opens one stream")
        url = self.stack.url("notification")
        async with self.session.post(f"{url}/tickets", headers=self.headers[CUSTOMER]) as response:
            ticket = {"ticket": (await response.json()).get("ticket", "")}
            self.checks.check(response.status == 201, "POST /tickets answers 201")
        for time_used, wanted in (("first", 200), ("second", 401)):
            async with self.session.get(f"{url}/stream", params=ticket) as response:
                self.checks.check(response.status == wanted, f"GET /stream?ticket=…, the {time_used} time: {wanted}")

    async def _place(self, person: str) -> int:
        """Place an order and wait until it is closed."""
        headers = {**self.headers[person], "Idempotency-Key": secrets.token_hex(16)}
        async with self.session.post(f"{self.stack.url('order')}/orders", json=_ORDER, headers=headers) as response:
            order: int = (await response.json())["id"]
        closed = await self.watchers[person].wait_for(order, "CLOSED", _TIMEOUT_S)
        self.checks.check(closed, f"{person} places order {order}, and it is closed")
        return order

    async def _check_status(self, person: str, method: str, service: str, path: str, wanted: int) -> None:
        url = self.stack.url(service) + path
        async with self.session.request(method, url, headers=self.headers[person]) as response:
            what = f"{person}: {method} {path}: {response.status}"
            self.checks.check(
                response.status == wanted, what + ("" if response.status == wanted else f", not {wanted}")
            )

    async def _challenge(self, headers: Mapping[str, str]) -> tuple[int, str]:
        async with self.session.get(f"{self.stack.url('order')}/orders?limit=1", headers=headers) as response:
            return response.status, response.headers.get("WWW-Authenticate", "")

    async def _last_event(self, headers: Mapping[str, str]) -> ServerSentEvent | None:
        """Return the last event of a stream that ends in a few seconds."""
        reader, last = SseReader(), None
        url, timeout = f"{self.stack.url('notification')}/stream", aiohttp.ClientTimeout(total=_SOON_S + 5)
        # the service closes the connection with the stream: it is not to be used again
        connector = aiohttp.TCPConnector(force_close=True)
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.get(url, headers=headers) as response,
            ):
                async for line in response.content:
                    last = reader.feed(line.decode().rstrip("\r\n")) or last
        except TimeoutError:
            return None
        return last

    def _expiring(self, token: str, expires_at: float) -> str:
        """Return *token* with another expiry, signed with the same key, which the emulator keeps in a file."""
        header, claims = (json.loads(_decoded(part)) for part in token.split(".")[:2])
        folder = self.stack.emulator_data / "cognito-pool-keys"
        key = RSAKey.import_key((folder / f"{self.sign_in.outputs['UserPoolId']}-access.pem").read_bytes())
        payload = json.dumps({**claims, "exp": int(expires_at)}).encode()
        return jws.serialize_compact(header, payload, key, algorithms=["RS256"])


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
