"""People who are signed in stay so for as long as they may: tokens are renewed, end, and are refused."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.web.pages import Live, Order, go
from tests.e2e.web.shopfront import Shopfront, account, answer_provider, sign_in
from tests.e2e.web.tabs import Tabs
from tests.support.processes import frozen
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

# of the services, after a token has expired
LEEWAY_S = 30
ORDERS_AT_ONCE = 4
# what a browser does with the storage of a tab that is duplicated
DUPLICATE = """
if (sessionStorage.getItem('duplicated') === null) {
  sessionStorage.setItem('duplicated', 'yes');
  sessionStorage.setItem('orderstream.session', %s);
}
"""


def orders_query(orders: list[int]) -> str:
    """Return the part of a query that selects *orders*."""
    return "&".join(f"orderId={order}" for order in orders)


async def test_token_is_renewed_ahead_of_its_end(front: Shopfront, tabs: Tabs) -> None:
    front.provider.lifetime_s = 3.0
    before = front.provider.refreshed
    page = await sign_in(tabs, "alice")
    refused: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status == 401 else None)
    await page.wait_for_function("sessionStorage.getItem('orderstream.session')")
    await expect_renewals(front, before + 3)
    await go(page, "My orders")
    await expect(account(page)).to_have_text("Alice")
    assert refused == []


async def test_token_that_the_services_refuse_is_renewed_once_and_nobody_notices(front: Shopfront, tabs: Tabs) -> None:
    front.provider.first_valid_s = -LEEWAY_S - 1.0
    before = front.provider.refreshed
    page = await tabs.new("/orders")
    front.provider.roles["alice"] = []
    await answer_provider(page, "alice")
    await expect_renewals(front, before + 1)
    await expect(page.get_by_role("heading", level=1)).to_have_text("My orders")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("app-skeleton")).to_have_count(0)
    assert front.provider.refreshed == before + 1


async def test_ended_sign_in_keeps_what_was_typed_and_continues_after_signing_in_again(
    front: Shopfront, tabs: Tabs
) -> None:
    product = await front.product("half-filled")
    front.provider.lifetime_s = 4.0
    with frozen(front.system, "processing-service"):
        order = await front.place("alice", product)
        page = await sign_in(tabs, "alice", f"/orders/{order}")
        await Order(page).edit()
        field = page.get_by_label(f"Quantity of {product}")
        await field.fill("7")
        front.provider.end_sign_ins()
        notice = sign_in_ended(page)
        await expect(notice).to_be_visible()
        front.provider.lifetime_s = 3600.0
        async with tabs.context.expect_page() as opened:
            await notice.get_by_role("button", name="Sign in again").click()
        popup = await opened.value
        if not popup.is_closed():
            await popup.wait_for_event("close")
        await expect(notice).to_have_count(0)
        await expect(field).to_have_value("7")
        await page.get_by_role("button", name="Save quantities").click()
        await expect(page.get_by_text("version 2").first).to_be_visible()
    await front.ended(order)


async def test_another_person_in_the_window_gets_a_page_of_their_own(front: Shopfront, tabs: Tabs) -> None:
    front.provider.lifetime_s = 4.0
    page = await sign_in(tabs, "alice", "/orders")
    front.provider.end_sign_ins()
    notice = sign_in_ended(page)
    await expect(notice).to_be_visible()
    await tabs.context.clear_cookies()
    front.provider.lifetime_s = 3600.0
    async with tabs.context.expect_page() as opened:
        await notice.get_by_role("button", name="Sign in again").click()
    await answer_provider(await opened.value, "bob")
    await expect(account(page)).to_have_text("Bob")
    await expect(page).to_have_url(f"{front.url}/")


async def test_duplicated_tab_gets_a_sign_in_of_its_own(front: Shopfront, tabs: Tabs) -> None:
    front.provider.lifetime_s = 4.0
    page = await sign_in(tabs, "alice")
    copy = await page.evaluate("sessionStorage.getItem('orderstream.session')")
    twin = await tabs.new()
    await twin.add_init_script(DUPLICATE % json.dumps(copy))
    await twin.goto("/")
    await expect(account(twin)).to_have_text("Alice")
    ids = [await each.evaluate("JSON.parse(sessionStorage.getItem('orderstream.session')).id") for each in (page, twin)]
    assert ids[0] != ids[1]
    await expect_renewals(front, front.provider.refreshed + 4)
    for each in (page, twin):
        await expect(each.get_by_text("Your sign-in has ended.")).to_have_count(0)


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_feed_outlives_its_tokens_without_loss(front: Shopfront, tabs: Tabs, protocol: str) -> None:
    product = await front.product(f"outlives-{protocol}")
    front.provider.lifetime_s, front.provider.valid_s = 5.0, 5.0 - LEEWAY_S
    page = await sign_in(tabs, "alice", "/live")
    live = Live(page)
    await live.use(protocol)
    renewals = front.provider.refreshed
    orders: list[int] = []
    for number in range(3):
        orders += [await front.place("alice", product) for _ in range(ORDERS_AT_ONCE)]
        await expect_renewals(front, renewals + number + 1)
    for order in orders:
        await front.ended(order)
        await expect(live.row(order, "Closed")).to_be_visible()
    history = await front.system.call(
        "notification", "GET", f"/notifications?limit=200&{orders_query(orders)}", headers=front.token("alice")
    )
    assert await live.told() == [each["id"] for each in history.json["notifications"]]
    assert await live.count("reconnects") >= 1


async def test_disconnected_customer_connects_again(front: Shopfront, tabs: Tabs) -> None:
    product = await front.product("disconnected")
    page = await sign_in(tabs, "alice", "/live")
    live = Live(page)
    await live.is_live()
    body = {"customerId": "alice"}
    await front.system.call("notification", "POST", "/connections/disconnect", json=body, headers=front.token("olga"))
    await expect(page.get_by_test_id("feed-state")).to_have_text("Disconnected")
    order = await front.place("alice", product)
    await front.ended(order)
    await page.get_by_role("button", name="Connect again").click()
    await live.is_live()
    await expect(live.row(order, "Closed")).to_be_visible()


async def test_provider_away_is_said_and_tried_again(front: Shopfront, tabs: Tabs) -> None:
    front.provider.away = True
    page = await tabs.new("/orders")
    await expect(page.get_by_role("alert")).to_contain_text(
        "The sign-in service can\N{RIGHT SINGLE QUOTATION MARK}t be reached."
    )
    front.provider.away = False
    await page.get_by_role("button", name="Try again").click()
    await answer_provider(page, "alice")
    await expect(page.get_by_role("heading", level=1)).to_have_text("My orders")


async def test_provider_away_while_signed_in_is_said_and_passes(front: Shopfront, tabs: Tabs) -> None:
    front.provider.lifetime_s = 3.0
    page = await sign_in(tabs, "alice")
    front.provider.away = True
    notice = page.get_by_role("alert").filter(
        has_text="The sign-in service can\N{RIGHT SINGLE QUOTATION MARK}t be reached."
    )
    await expect(notice).to_be_visible()
    front.provider.away = False
    await expect(notice).to_have_count(0)
    await expect(account(page)).to_have_text("Alice")


async def test_answer_that_nobody_waits_for_is_no_sign_in(tabs: Tabs) -> None:
    page = await tabs.new("/?code=guessed&state=guessed")
    await answer_provider(page, "alice")
    await expect(account(page)).to_have_text("Alice")


def sign_in_ended(page: Page) -> Locator:
    """Return the notice that offers to sign in again; what could not be read without says so too, where it stands."""
    notice = page.get_by_role("alert").filter(has_text="Your sign-in has ended.")
    return notice.filter(has=page.get_by_role("button", name="Sign in again"))


async def expect_renewals(front: Shopfront, number: int) -> None:
    """Wait until the provider has renewed tokens so often."""

    async def look() -> bool | None:
        return front.provider.refreshed >= number or None

    await eventually(look, f"{number} renewals")
