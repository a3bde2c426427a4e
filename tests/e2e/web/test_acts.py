"""What operators do on the page: each act asks first, and a sentence says what happened."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.web.pages import incidents
from tests.support.system import System

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEAD_LETTERS = "processing-queue-dlq"


def dead_letter(system: System, body: str) -> None:
    """Send what is no event: the consumer puts it into the dead-letter queue."""
    client = system.sqs()
    try:
        url = client.get_queue_url(QueueName="processing-queue")["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=body)
    finally:
        client.close()


async def panel(page: Page, name: str) -> Locator:
    await page.goto("/operations")
    return page.get_by_role("region", name=name, exact=True)


async def test_dead_letter_is_shown_redriven_and_discarded(system: System, page: Page) -> None:
    await asyncio.to_thread(dead_letter, system, "no <b>event</b>")
    letters = await panel(page, "Dead letters")
    state = page.get_by_role("region", name="State of the system")
    await expect(state).to_contain_text(f"1 message in {DEAD_LETTERS}.")
    await letters.get_by_role("button", name="Look").click()
    await expect(letters.get_by_role("status")).to_have_text("1 dead letter found.")
    await expect(letters).to_contain_text("unreadable-event")
    await letters.get_by_role("button", name="Show Unreadable message").click()
    await expect(letters.locator("pre")).to_have_text("no <b>event</b>")
    await letters.get_by_role("button", name="Redrive").click()
    await letters.get_by_role("button", name="Yes, redrive").click()
    await expect(letters.get_by_role("status")).to_contain_text("was sent to the queue of the processing service again")
    # the consumer can't read it this time either
    while await letters.get_by_role("button", name="Discard").count() == 0:
        await letters.get_by_role("button", name="Look").click()
        await expect(letters.get_by_role("button", name="Look")).to_be_enabled()
    await letters.get_by_role("button", name="Discard").click()
    await letters.get_by_role("button", name="Yes, discard").click()
    await expect(letters.get_by_role("status")).to_have_text("The letter of the processing service was deleted.")
    await expect(state).to_contain_text("Healthy")


async def test_question_is_answered_with_no_by_the_keyboard(page: Page) -> None:
    connections = await panel(page, "Disconnect a customer")
    await connections.get_by_role("textbox").fill("alice")
    await connections.get_by_role("button", name="Disconnect").press("Enter")
    await expect(connections.get_by_role("button", name="No", exact=True)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(connections.get_by_role("button", name="Disconnect")).to_be_focused()
    await connections.get_by_role("button", name="Disconnect").click()
    await connections.get_by_role("button", name="Yes, disconnect").click()
    await expect(connections.get_by_role("status")).to_contain_text("the connections of alice")


async def test_demo_is_broken_with_a_click_and_heals(page: Page) -> None:
    demo = await panel(page, "Break the demo")
    state = page.get_by_role("region", name="State of the system")
    await expect(state).to_contain_text("Healthy")
    await demo.get_by_role("button", name="Kill processing").click()
    await demo.get_by_role("button", name="Yes, kill it").click()
    await expect(demo.get_by_role("status")).to_contain_text("killed")
    await demo.get_by_role("button", name="Place 100 orders").click()
    await expect(demo.get_by_role("status")).to_have_text("100 orders were placed.")
    await expect(incidents(page, "Processing service was restarted at ")).to_have_count(1)
    await expect(state).to_contain_text(re.compile("Healthy(, watched)? since "))
