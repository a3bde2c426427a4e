"""The whole system with access tokens: it fulfils the orders of customers, who see their own."""

from __future__ import annotations

import pytest

from tests.support.issuer import AUDIENCE, bearer, issuer
from tests.support.system import TERMINAL, running
from tests.support.waiting import eventually


@pytest.mark.asyncio
async def test_order_of_a_customer_is_fulfilled_with_tokens_required() -> None:
    async with issuer() as tokens:
        environ = {"AUTH_MODE": "oidc", "AUTH_ISSUER": tokens.url, "AUTH_AUDIENCE": AUDIENCE}
        async with running(environ=environ, web=False) as system:
            alice, bob = bearer(tokens.token("alice")), bearer(tokens.token("bob"))
            operator = bearer(tokens.token("olga", "operator"))
            refused = await system.place({"123": 1})
            placed = await system.place({"123": 1}, **alice)
            path = f"/orders/{placed.json['id']}"

            async def ended() -> str | None:
                order = (await system.call("order", "GET", path, headers=alice)).json
                return order["status"] if order["status"] in TERMINAL else None

            assert (refused.status, placed.status) == (401, 201)
            assert await eventually(ended, "the end of the order") == "CLOSED"
            assert (await system.call("order", "GET", path, headers=bob)).status == 404
            assert (await system.call("order", "GET", path, headers=operator)).status == 200
            sagas = f"/sagas/{placed.json['id']}"
            assert (await system.call("processing", "GET", sagas, headers=alice)).status == 403
            assert (await system.call("processing", "GET", sagas, headers=operator)).json["sagas"][0]["state"] == "DONE"
