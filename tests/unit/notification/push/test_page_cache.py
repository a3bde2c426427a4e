"""Pages of the feed are shared by equal selections alone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from notification_service.notification import NotificationFilter, Page, Selection
from notification_service.push import PushCounters
from notification_service.push.hub import ReadPage
from notification_service.push.page_cache import MAX_PAGES, PageCache
from order_contracts import EventType, OrderEvent
from service_common.observability import Metrics
from service_common.scope import ALL_CUSTOMERS, OneCustomer, Scope
from tests.support.in_memory.notification import InMemoryFeed

CUSTOMERS = 50
NOW = datetime.now(UTC)


class CountedFeed(InMemoryFeed):
    """A feed that counts the reads."""

    reads = 0

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        self.reads += 1
        return await super().read(after, up_to=up_to, wanted=wanted, limit=limit)


async def filled() -> CountedFeed:
    feed = CountedFeed()
    for order in range(2 * CUSTOMERS):
        customer = f"customer-{order % CUSTOMERS}"
        await feed.append([OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, NOW, customer_id=customer)])
    return feed


async def test_customers_at_the_same_position_read_pages_of_their_own() -> None:
    pages = PageCache(feed := await filled(), PushCounters(Metrics()), 4)
    scopes: list[Scope] = [ALL_CUSTOMERS, *(OneCustomer(f"customer-{n}") for n in range(CUSTOMERS))]
    for _ in range(2):
        found = await asyncio.gather(*(pages.read(ReadPage(0, 1000, Selection(scope))) for scope in scopes))
        for scope, page in zip(scopes, found, strict=True):
            assert {each.customer_id for each in page.entries} <= {scope.customer_id} or scope is ALL_CUSTOMERS
            assert len(page.entries) == (2 * CUSTOMERS if scope is ALL_CUSTOMERS else 2)
        assert len(pages._pages) <= MAX_PAGES
    assert feed.reads > len(scopes)
    await pages.close()


async def test_equal_selections_share_a_page() -> None:
    pages = PageCache(feed := await filled(), PushCounters(Metrics()), 4)
    orders = NotificationFilter(frozenset({1}))
    scopes: list[Scope] = [OneCustomer("customer-1"), OneCustomer("customer-2"), ALL_CUSTOMERS]
    for different, scope in enumerate(scopes, start=1):
        wanted = [Selection(replace(scope), orders) for _ in range(5)]
        found = await asyncio.gather(*(pages.read(ReadPage(0, 1000, each)) for each in wanted))
        assert all(page is found[0] for page in found)
        assert feed.reads == different
    await pages.close()
