"""The command against the whole running system."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.command import Done, orderstream
from tests.support.processes import frozen
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def command(system: System, *arguments: str, status: int | None = 0) -> Done:
    return await orderstream(system.stack.command_environment(), *arguments, status=status)


async def test_status_shows_all_that_runs(system: System) -> None:
    found = (await command(system, "status", "--json", status=None)).json
    assert {(each["service"], each["state"]) for each in found["replicas"]} == {
        (f"{name}-service", "ready") for name in ("order", "inventory", "notification", "processing")
    }
    assert [each["name"] for each in found["queues"]] == [
        *("processing-queue", "processing-queue-dlq", "notification-queue", "notification-queue-dlq")
    ]


async def test_status_names_a_service_that_is_away(system: System) -> None:
    with frozen(system, "inventory-service"):
        found = (await command(system, "status", "--json", status=1)).json
    assert any(
        each["level"] == "broken" and each["text"].startswith("inventory-service") for each in found["troubles"]
    ), found["troubles"]


async def test_saga_that_waits_for_the_inventory_is_retried_at_once(system: System) -> None:
    shelf = await system.product("retried", 5)
    with ExitStack() as inventory_away:
        with frozen(system, "processing-service"):
            order_id = str((await system.place({shelf: 1})).json["id"])
            inventory_away.enter_context(frozen(system, "inventory-service"))

        async def waiting() -> bool | None:
            answer = await system.call("processing", "GET", f"/sagas/{order_id}")
            return (answer.status == 200 and answer.json["sagas"][0]["attempts"] > 0) or None

        await eventually(waiting, "an unanswered step")
        [saga] = (await command(system, "saga", "retry", order_id, "--json")).json["sagas"]
        assert saga["lastError"].startswith("take stock: ")
    await system.ended(int(order_id))
    [saga] = (await command(system, "saga", "show", order_id, "--json")).json["sagas"]
    assert saga["state"] == "DONE"
    assert "has ended: it is DONE" in (await command(system, "saga", "retry", order_id, status=1)).err


async def test_poison_is_redriven_and_comes_back_as_another_letter(system: System) -> None:
    client = system.sqs()
    url = client.get_queue_url(QueueName="notification-queue")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="command\tpoison\n")
    client.close()

    async def letters() -> list[dict[str, Any]] | None:
        found = (await command(system, "dlq", "list", "--json")).json["letters"]
        return [each for each in found if each["reason"] and each["sizeBytes"] and each["type"] is None] or None

    async def poison() -> str | None:
        for letter in await letters() or []:
            [shown] = (await command(system, "dlq", "show", letter["id"], "--json")).json["letters"]
            if shown["body"] == "command\tpoison\n":
                return str(letter["id"])
        return None

    first = await eventually(poison, "the letter")
    await command(system, "dlq", "redrive", "--yes", "--id", first)

    async def another() -> str | None:
        found = await poison()
        return found if found != first else None

    again = await eventually(another, "the letter again")
    await command(system, "dlq", "discard", "--yes", "--id", again)
    assert await poison() is None
