"""Buying things: what is in the basket is ordered once, and what can't be had is said where it stands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.e2e.web.pages import Shop
from tests.support.processes import stopped
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

HIDE = "Object.defineProperty(document, 'visibilityState', { value: 'hidden' })"


@pytest.fixture
def shop(page: Page) -> Shop:
    """The first page that a customer sees."""
    return Shop(page)


class Readings:
    """When the page asked for its stock, and what it was answered.

    What a script sees is a 200, also when the browser took the body from its cache.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked: dict[str, float] = {}
        self._answers: dict[str, int] = {}

    async def begin(self) -> None:
        """Note them from now on."""
        session = await self._page.context.new_cdp_session(self._page)
        session.on("Network.requestWillBeSent", self._note_request)
        session.on("Network.responseReceivedExtraInfo", self._note_answer)
        await session.send("Network.enable")

    async def again(self, since: float) -> set[int]:
        """Have the page read the stock, and return the statuses of the answers to this, and to what it asked *since*.

        It also asks by itself.
        """
        now = time.time()
        await self._page.evaluate("window.dispatchEvent(new Event('focus'))")

        async def look() -> bool | None:
            return any(at > now and each in self._answers for each, at in self._asked.items()) or None

        await eventually(look, "the stock is read again")
        return {self._answers[each] for each, at in self._asked.items() if at > since and each in self._answers}

    def _note_request(self, sent: dict[str, Any]) -> None:
        if "/inventory?" in sent["request"]["url"]:
            self._asked[sent["requestId"]] = sent["wallTime"]

    def _note_answer(self, answer: dict[str, Any]) -> None:
        self._answers[answer["requestId"]] = answer["statusCode"]


def orders_of(system: System, product_id: str) -> list[tuple[int, int]]:
    """Return the orders with a product, and how many of it."""
    rows = system.rows("orders", "SELECT order_id, quantity FROM order_items WHERE product_id = %s", (product_id,))
    return [(order, quantity) for order, quantity in rows]


async def test_order_of_two_products_is_placed_and_closed(system: System, shop: Shop) -> None:
    first, second = [await system.product(f"pair-{each}", stock=10) for each in "ab"]
    await shop.open()
    await shop.take(first, 3)
    await shop.take(second)
    order = await shop.order()
    assert (await system.ended(order))["status"] == "CLOSED"
    assert {await system.stock(first), await system.stock(second)} == {7, 9}


async def test_product_has_a_name_a_picture_and_a_price(system: System, shop: Shop) -> None:
    nameless = await system.product("nameless", stock=10)
    await shop.open()
    mug = shop.card("coffee-mug")
    await expect(mug.get_by_role("heading")).to_have_text("Coffee mug")
    await expect(mug).to_contain_text("€12.90")
    for card in (mug, shop.card(nameless)):

        async def drawn(card: Locator = card) -> bool | None:
            return await card.locator("use").evaluate("(use) => use.getBBox().width > 0") or None

        await eventually(drawn, "the picture is loaded")
    await shop.take("coffee-mug", 2)
    await expect(shop.line("coffee-mug")).to_contain_text("€25.80")
    await shop.take(nameless)
    await expect(shop.line(nameless)).not_to_contain_text("€")


async def test_unchanged_stock_is_answered_without_a_body(system: System, shop: Shop) -> None:
    product = await system.product("moved-once", stock=500)
    readings = Readings(shop.page)
    await readings.begin()
    await shop.open()
    await expect(shop.card(product)).to_contain_text("500")
    assert await readings.again(time.time()) == {304}
    since = time.time()
    answer = await system.call(
        "inventory", "PUT", f"/inventory/{product}", json={"stock": 77}, headers={"If-Match": "*"}
    )
    assert answer.status == 200, answer
    assert 200 in await readings.again(since)
    await expect(shop.card(product)).to_contain_text("77")


async def test_stock_of_the_others_purchases_is_seen_without_reloading(system: System, shop: Shop) -> None:
    product = await system.product("moving", stock=500)
    await shop.open()
    await shop.page.get_by_role("searchbox", name="Find a product").fill(product)
    card = shop.page.get_by_role("listitem").filter(has=shop.page.get_by_role("heading", name=product))
    await expect(card).to_contain_text("500")
    await system.place({product: 123})
    await expect(card).to_contain_text("377")


async def test_short_stock_names_the_product_with_what_is_there(system: System, shop: Shop) -> None:
    product, other = await system.product("scarce", stock=2), await system.product("plenty", stock=10)
    await shop.open()
    await shop.take(other)
    await shop.take(product, 5)
    await shop.order_button.click()
    await expect(shop.basket.get_by_role("alert")).to_contain_text("The order was not placed.")
    await expect(shop.basket.get_by_role("listitem").filter(has_text=product)).to_contain_text("Only 2 in stock.")
    await expect(shop.basket.get_by_role("listitem").filter(has_text=other)).not_to_contain_text("in stock")
    await shop.basket.get_by_role("button", name=f"Take 2 of {product}").click()
    assert (await system.ended(await shop.order()))["status"] == "CLOSED"
    assert await system.stock(product) == 0


async def test_double_click_makes_one_order(system: System, shop: Shop) -> None:
    product = await system.product("clicked-twice", stock=10)
    await shop.open()
    await shop.take(product)
    await shop.order_button.dblclick()
    await system.ended(await shop.ordered())
    assert len(orders_of(system, product)) == 1


async def test_order_whose_answer_was_lost_is_tried_again_without_a_second_one(system: System, shop: Shop) -> None:
    product = await system.product("answer-lost", stock=10)

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    await shop.open()
    await shop.take(product, 2)
    await shop.page.route("**/orders", lose, times=1)
    await shop.order_button.click()
    alert = shop.basket.get_by_role("alert")
    await expect(alert).to_contain_text("It is unknown whether the order was placed.")
    ((first, _),) = orders_of(system, product)
    await alert.get_by_role("button", name="Try again").click()
    assert await shop.ordered() == first
    assert orders_of(system, product) == [(first, 2)]


async def test_basket_survives_reloading(system: System, shop: Shop) -> None:
    product = await system.product("kept", stock=10)
    await shop.open()
    await shop.take(product, 4)
    await shop.page.reload()
    await expect(shop.basket.get_by_role("spinbutton", name=f"Quantity of {product}")).to_have_value("4")


async def test_inventory_away_is_named_and_the_shop_comes_back(system: System, shop: Shop) -> None:
    async with stopped(system, "inventory"):
        await shop.open()
        await expect(shop.page.get_by_role("alert")).to_contain_text("inventory service")
        await expect(shop.basket).to_be_visible()
        await shop.page.evaluate(HIDE)  # so that it is not read by itself before somebody presses the button
    await shop.page.get_by_role("button", name="Try again").first.click()
    await expect(shop.page.get_by_role("heading", name="Coffee mug")).to_be_visible()


async def test_order_service_away_is_named_and_the_basket_stays(system: System, shop: Shop) -> None:
    product = await system.product("waiting-for-order", stock=10)
    await shop.open()
    await shop.take(product)
    async with stopped(system, "order"):
        await shop.order_button.click()
        await expect(shop.basket.get_by_role("alert")).to_contain_text("order service")
    await shop.basket.get_by_role("button", name="Try again").click()
    await system.ended(await shop.ordered())
    assert len(orders_of(system, product)) == 1
