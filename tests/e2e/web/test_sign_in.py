"""People who sign in: each sees what is theirs, in whatever tab, for as long as they are signed in."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.web.looks import objections, sticking_out
from tests.e2e.web.pages import Live, Order, Shop, go, header_status
from tests.e2e.web.shopfront import Shopfront, account, answer_provider, shopfront, sign_in
from tests.e2e.web.tabs import Tabs, visiting
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


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running_shop(executable: str) -> AsyncIterator[Shopfront]:  # noqa: ARG001 - nothing is started for nobody
    """The page where people sign in."""
    async with shopfront() as front:
        yield front


@pytest.fixture
def front(running_shop: Shopfront) -> Shopfront:
    """The same, with a provider as it was."""
    provider = running_shop.provider
    provider.lifetime_s, provider.valid_s, provider.away = 3600.0, None, False
    return running_shop


@pytest_asyncio.fixture(loop_scope="session")
async def tabs(browser: Browser, front: Shopfront) -> AsyncIterator[Tabs]:
    """A browser that nobody has used."""
    async with visiting(browser, front.url) as tabs:
        yield tabs


def links(page: Page) -> Locator:
    """Return the links to the pages that the header offers."""
    return page.get_by_role("navigation", name="Pages").get_by_role("link")


def orders_query(orders: list[int]) -> str:
    """Return the part of a query that selects *orders*."""
    return "&".join(f"orderId={order}" for order in orders)


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
    await expect(links(page)).to_have_text(["Shop", "Orders", "Live feed", "Operations"])
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
    await expect(page.get_by_text(f"The stock of {product} is 12.")).to_be_visible()
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
        await expect(page.get_by_role("button", name=re.compile("Change or cancel|Save|Cancel"))).to_have_count(0)
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
    front.provider.valid_s = -LEEWAY_S - 1.0
    page = await tabs.new("/orders")
    front.provider.roles["alice"] = []
    await answer_provider(page, "alice")
    front.provider.valid_s = None
    await expect(page.get_by_role("heading", level=1)).to_have_text("My orders")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(page.locator("app-skeleton")).to_have_count(0)


async def test_ended_sign_in_keeps_what_was_typed_and_continues_after_signing_in_again(
    front: Shopfront, tabs: Tabs
) -> None:
    product = await front.product("half-filled")
    front.provider.lifetime_s = 4.0
    with frozen(front.system, "processing-service"):
        order = await front.place("alice", product)
        page = await sign_in(tabs, "alice", f"/orders/{order}")
        field = page.get_by_label(f"Quantity of {product}")
        await field.fill("7")
        front.provider.end_sign_ins()
        notice = page.get_by_role("alert").filter(has_text="Your sign-in has ended.")
        await expect(notice).to_be_visible()
        front.provider.lifetime_s = 3600.0
        async with tabs.context.expect_page() as opened:
            await notice.get_by_role("button", name="Sign in again").click()
        await (await opened.value).wait_for_event("close")
        await expect(notice).to_have_count(0)
        await expect(field).to_have_value("7")
        await page.get_by_role("button", name="Save quantities").click()
        await expect(page.get_by_text("version 2").first).to_be_visible()
    await front.ended(order)


async def test_another_person_in_the_window_gets_a_page_of_their_own(front: Shopfront, tabs: Tabs) -> None:
    front.provider.lifetime_s = 4.0
    page = await sign_in(tabs, "alice", "/orders")
    front.provider.end_sign_ins()
    notice = page.get_by_role("alert").filter(has_text="Your sign-in has ended.")
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


async def test_token_goes_to_the_services_alone_and_into_no_url(front: Shopfront, tabs: Tabs) -> None:
    asked: list[tuple[str, bool]] = []
    tabs.context.on("request", lambda request: asked.append((request.url, "authorization" in request.headers)))
    page = await sign_in(tabs, "alice")
    await go(page, "My orders")
    await expect(page.locator("app-skeleton")).to_have_count(0)
    token = await page.evaluate("JSON.parse(sessionStorage.getItem('orderstream.session')).tokens.access")
    services = {front.system.stack.url(name) for name in ("order", "inventory", "notification", "processing")}
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


async def expect_renewals(front: Shopfront, number: int) -> None:
    """Wait until the provider has renewed tokens so often."""

    async def look() -> bool | None:
        return front.provider.refreshed >= number or None

    await eventually(look, f"{number} renewals")
