"""The page where people sign in: the system with access tokens, an identity provider, and people who use it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from playwright.async_api import Locator, Page, expect

from orderstream_local.layout import SERVICES
from orderstream_local.web_build import PageBuilder
from tests.e2e.web.tabs import Tabs
from tests.support.identity_provider import IdentityProvider, identity_provider
from tests.support.issuer import AUDIENCE, bearer
from tests.support.ports import free_port
from tests.support.system import TERMINAL, System, running
from tests.support.waiting import eventually

__all__ = ["Shopfront", "account", "answer_provider", "shopfront", "sign_in"]

HEARTBEAT_S = 1.0


@dataclass(frozen=True, slots=True)
class Shopfront:
    """The running system with its page.

    Attributes:
        url: of the page.
    """

    system: System
    provider: IdentityProvider
    url: str

    def token(self, name: str) -> dict[str, str]:
        """Return a header with an access token of somebody, for a program."""
        return bearer(self.provider.token(name, *self.provider.roles.get(name, ())))

    async def product(self, product_id: str, stock: int = 100) -> str:
        """Put a product on the shelf and return its id."""
        body = {"productId": product_id, "stock": stock}
        answer = await self.system.call("inventory", "POST", "/inventory", json=body, headers=self.token("olga"))
        assert answer.status == 201, answer
        return product_id

    async def place(self, name: str, product_id: str) -> int:
        """Place an order of somebody, and return its number."""
        answer = await self.system.place({product_id: 1}, **self.token(name))
        assert answer.status == 201, answer
        return int(answer.json["id"])

    async def ended(self, order: int) -> dict[str, Any]:
        """Wait for the end of an order, and return it."""

        async def look() -> dict[str, Any] | None:
            answer = await self.system.call("order", "GET", f"/orders/{order}", headers=self.token("olga"))
            found: dict[str, Any] = answer.json
            return found if found["status"] in TERMINAL else None

        return await eventually(look, f"the end of order {order}")


@asynccontextmanager
async def shopfront() -> AsyncIterator[Shopfront]:
    """Run the system for the block, with customers alice and bob, the operator olga and the viewer victor."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with identity_provider() as provider:
        provider.roles = {"olga": ["operator"], "victor": ["viewer"]}
        provider.redirects = {f"{url}/"}
        environ = {
            "AUTH_MODE": "oidc",
            "AUTH_ISSUER": provider.url,
            "AUTH_AUDIENCE": AUDIENCE,
            "ALLOWED_ORIGINS": url,
            "PUSH_HEARTBEAT_S": str(HEARTBEAT_S),
        }
        async with running(environ=environ, web=False) as system, _page_server(system, provider, port):
            yield Shopfront(system, provider, url)


@asynccontextmanager
async def _page_server(system: System, provider: IdentityProvider, port: int) -> AsyncIterator[None]:
    auth = {"issuer": provider.url, "clientId": AUDIENCE, "scope": "openid", "rolesClaim": "cognito:groups"}
    environ = {
        **os.environ,
        **{f"{name.upper()}_URL": system.stack.url(name) for name in SERVICES},
        "WEB_ROOT": str(await PageBuilder(lambda _: None).page()),
        "PORT": str(port),
        "AUTH": json.dumps(auth),
    }

    async def look() -> bool | None:
        try:
            async with system.session.get(f"http://127.0.0.1:{port}/health/ready") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return None

    server = await asyncio.create_subprocess_exec(sys.executable, "-m", "orderstream_local.web", env=environ)
    try:
        await eventually(look, "the server of the page")
        yield
    finally:
        server.terminate()
        await server.wait()


def account(page: Page) -> Locator:
    """Return what the header says of who is signed in."""
    return page.get_by_role("banner").locator("summary")


async def answer_provider(page: Page, name: str) -> None:
    """Give a name at the provider."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_role("button", name="Continue").click()


async def sign_in(tabs: Tabs, name: str, path: str = "/") -> Page:
    """Open a tab, sign in there, and come back."""
    page = await tabs.new(path)
    await answer_provider(page, name)
    await expect(account(page)).to_have_text(name.title())
    return page
