"""People who sign in: each sees what is theirs, in whatever tab."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from orderstream_local.layout import SERVICES
from tests.e2e.web.looks import objections, sticking_out
from tests.e2e.web.pages import Live, Order, Shop, go, header_status
from tests.e2e.web.shopfront import Shopfront, account, answer_provider, sign_in
from tests.e2e.web.tabs import Tabs, visiting
from tests.support.processes import frozen

pytestmark = pytest.mark.asyncio(loop_scope="session")


def links(page: Page) -> Locator:
    """Return the links to the pages that the header offers."""
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


def order_link(page: Page, order: int) -> Locator:
    """Return the link to an order in a list."""
    return page.get_by_role("link", name=f"Order {order}", exact=True)


async def test_two_people_at_once_see_their_own_orders_alone(browser: Browser, front: Shopfront) -> None:
    product = await front.product("own-orders")
    async with AsyncExitStack() as both:
        alice, bob = [
            await sign_in(await both.enter_async_context(visiting(browser, front.url)), name)
            for name in ("alice", "bob")
        ]
        await Shop(alice).take(product)
        order = await Shop(alice).order()
        await Order(alice).is_told("Closed")
        await go(alice, "My orders")
        await expect(order_link(alice, order)).to_be_visible()
        await expect(Shop(bob).basket).to_contain_text("Your basket is empty.")
        await bob.goto(f"/orders/{order}")
        await expect(bob.get_by_text(f"There is no order {order}.")).to_be_visible()
        others = await front.place("bob", product)
        await go(bob, "My orders")
        await expect(order_link(bob, others)).to_be_visible()
        await expect(order_link(bob, order)).to_have_count(0)


async def test_one_returns_to_where_one_was(front: Shopfront, tabs: Tabs) -> None:
    page = await sign_in(tabs, "alice", "/orders?status=CLOSED")
    await expect(page).to_have_url(f"{front.url}/orders?status=CLOSED")
    await expect(page.get_by_role("combobox", name="Status")).to_have_value("CLOSED")


async def test_customer_is_offered_what_customers_may(front: Shopfront, tabs: Tabs) -> None:
    order = await front.place("alice", await front.product("offered"))
    page = await sign_in(tabs, "alice")
    await expect(links(page)).to_have_text(["Shop", "My orders", "Live feed"])
    await page.goto(f"/orders/{order}")
    await Order(page).is_told("Closed")
    await expect(page.get_by_role("heading", name="Find it in the logs")).to_have_count(0)
    await expect(page.get_by_role("alert")).to_have_count(0)
    for name in ("CREATED-v1-announce-processing-queue", "v1-take", "CLOSED-v1-tell-notification-queue"):
        await expect(Order(page).step(name)).to_contain_class("done")
    await expect(page.get_by_text("Stock operation")).to_have_count(0)


async def test_customer_who_types_the_address_of_the_operations_gets_a_sentence(tabs: Tabs) -> None:
    asked: list[str] = []
    tabs.context.on("request", lambda request: asked.append(request.url))
    page = await sign_in(tabs, "alice", "/operations")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Not for this account")
    await expect(page.get_by_text("You are signed in as Alice, with the role Customer.")).to_be_visible()
    assert not [url for url in asked if "/metrics" in url or "/sagas" in url]


async def test_operator_sees_the_orders_of_all_and_how_the_services_do(front: Shopfront, tabs: Tabs) -> None:
    product = await front.product("seen-by-operators")
    orders = [await front.place(name, product) for name in ("alice", "bob")]
    page = await sign_in(tabs, "olga")
    await expect(links(page)).to_have_text(["Shop", "Orders", "Live feed", "Operations", "Interfaces"])
    await go(page, "Orders")
    for order in orders:
        await expect(order_link(page, order)).to_be_visible()
    await go(page, "Operations")
    await expect(page.locator("app-service-board").get_by_text("Ready", exact=False).first).to_be_visible()
    await page.goto(f"/orders/{orders[0]}")
    await Order(page).is_told("Closed")
    await expect(page.get_by_role("heading", name="Find it in the logs")).to_be_visible()


async def test_operator_sets_the_stock(front: Shopfront, tabs: Tabs) -> None:
    product = await front.product("set-by-hand", stock=5)
    page = await sign_in(tabs, "olga", "/operations")
    await page.get_by_label("Product").fill(product)
    await page.get_by_role("button", name="Find").click()
    stock = page.get_by_label(f"Stock of {product}")
    await expect(stock).to_have_value("5")
    await stock.fill("12")
    await page.get_by_role("button", name="Set stock").click()
    await expect(page.get_by_text(f"The stock of {product} was set to 12.")).to_be_visible()
    path = f"/inventory/{product}"
    assert (await front.system.call("inventory", "GET", path, headers=front.token("alice"))).json["stock"] == 12


async def test_viewer_reads_without_buttons(front: Shopfront, tabs: Tabs) -> None:
    product = await front.product("looked-at")
    with frozen(front.system, "processing-service"):
        order = await front.place("alice", product)
        page = await sign_in(tabs, "victor")
        await expect(page.get_by_role("heading", name=product)).to_be_visible()
        await expect(page.get_by_role("button", name=re.compile("Add to basket"))).to_have_count(0)
        await expect(Shop(page).basket).to_have_count(0)
        await page.goto(f"/orders/{order}")
        await Order(page).is_told("Created")
        await expect(page.get_by_role("button", name="Data of Saved, CREATED")).to_be_visible()
        await expect(page.get_by_role("button", name=re.compile("^(Change or cancel|Save|Cancel)"))).to_have_count(0)
        await expect(page.locator("app-order-editor")).to_have_count(0)
        await go(page, "Operations")
        await expect(page.locator("app-service-board").get_by_text("Ready", exact=False).first).to_be_visible()
        for act in ("Dead letters", "Disconnect a customer", "Stock", "Break the demo"):
            await expect(page.get_by_role("heading", name=act, exact=True)).to_have_count(0)
    await front.ended(order)


async def test_second_tab_asks_nothing_and_has_the_same_person(front: Shopfront, tabs: Tabs) -> None:
    await sign_in(tabs, "alice")
    asked = front.provider.asked
    second = await tabs.new("/orders")
    await expect(account(second)).to_have_text("Alice")
    assert front.provider.asked == asked


async def test_two_people_in_two_tabs_of_one_browser_share_nothing(front: Shopfront, tabs: Tabs) -> None:
    product = await front.product("not-shared")
    alice = await sign_in(tabs, "alice")
    bob = await tabs.new("/")
    await account(bob).click()
    await bob.get_by_role("button", name="Use another account").click()
    await answer_provider(bob, "bob")
    await expect(account(bob)).to_have_text("Bob")
    await Shop(alice).take(product, 3)
    await expect(Shop(bob).basket).to_contain_text("Your basket is empty.")
    for page in (alice, bob):
        await go(page, "Live feed")
        await expect(page.get_by_test_id("feed-leader")).to_have_text("This tab holds the connection")
        await Live(page).is_live()
    order = await front.place("alice", product)
    await expect(Live(alice).row(order, "Closed")).to_be_visible()
    own = await front.place("bob", product)
    await expect(Live(bob).row(own, "Closed")).to_be_visible()
    await expect(Live(bob).row(order, "Closed")).to_have_count(0)
    await alice.reload()
    await expect(account(alice)).to_have_text("Alice")


async def test_signing_out_in_one_tab_signs_out_all_of_that_person(tabs: Tabs) -> None:
    first = await sign_in(tabs, "alice")
    second = await tabs.new("/live")
    await expect(account(second)).to_have_text("Alice")
    await account(first).click()
    await sign_out(first)
    for page in (first, second):
        await expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
        await expect(header_status(page)).to_have_count(0)
        assert await page.evaluate("sessionStorage.getItem('orderstream.session')") is None
    await first.get_by_role("button", name="Sign in").click()
    await answer_provider(first, "bob")  # the provider's session has ended too
    await expect(account(first)).to_have_text("Bob")


async def test_token_goes_to_the_services_alone_and_into_no_url(front: Shopfront, tabs: Tabs) -> None:
    asked: list[tuple[str, bool]] = []
    tabs.context.on("request", lambda request: asked.append((request.url, "authorization" in request.headers)))
    page = await sign_in(tabs, "alice")
    await go(page, "My orders")
    await expect(page.locator("app-skeleton")).to_have_count(0)
    token = await page.evaluate("JSON.parse(sessionStorage.getItem('orderstream.session')).tokens.access")
    services = {front.system.stack.url(name) for name in SERVICES}
    carrying = {url for url, carries in asked if carries}
    assert carrying
    assert all(any(url.startswith(f"{service}/") for service in services) for url in carrying)
    assert not [url for url, _ in asked if token in url]
    stored = await page.evaluate("JSON.stringify(localStorage)")
    assert token not in stored


@pytest.mark.parametrize("width", [360, 1280])
async def test_account_and_its_notices_are_whole_and_readable(
    front: Shopfront, tabs: Tabs, width: int, axe: str
) -> None:
    front.provider.lifetime_s = 4.0
    page = await tabs.new()
    await page.set_viewport_size({"width": width, "height": 740})
    await page.goto("/")
    await answer_provider(page, "maximiliana-alexandra")
    await account(page).click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    assert not (found := await objections(page, axe)), "\n".join(found)
    assert not (found := await sticking_out(page)), "\n".join(found)
    front.provider.end_sign_ins()
    await expect(page.get_by_text("Your sign-in has ended.").first).to_be_visible()
    assert not (found := await objections(page, axe)), "\n".join(found)
    assert not (found := await sticking_out(page)), "\n".join(found)
    await sign_out(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Signed out")
    assert not (found := await objections(page, axe)), "\n".join(found)


async def sign_out(page: Page) -> None:
    """Sign out, and wait until the page is back from the provider: it says so before it goes there, too."""
    async with page.expect_navigation():
        await page.get_by_role("button", name="Sign out").click()
