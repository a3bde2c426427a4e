"""The command against the whole running system."""

from __future__ import annotations

import asyncio
import signal
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from orderstream_command.config import CommandConfig
from orderstream_local.layout import SERVICES
from tests.support.command import Done, orderstream, started
from tests.support.processes import frozen
from tests.support.system import System
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def command(system: System, *arguments: str, status: int | None = 0) -> Done:
    return await orderstream(system.stack.command_environment(), *arguments, status=status)


async def test_status_shows_all_that_runs(system: System) -> None:
    states: set[tuple[str, str]] = set()

    async def all_ready() -> dict[str, Any] | None:
        nonlocal states
        shown: dict[str, Any] = (await command(system, "status", "--json", status=None)).json
        states = {(each["service"], each["state"]) for each in shown["replicas"]}
        return shown if states == {(f"{name}-service", "ready") for name in SERVICES} else None

    found: dict[str, Any] = await eventually(all_ready, lambda: f"ready services, but {states}")
    queues = CommandConfig.from_environ(system.stack.command_environment()).queues
    assert {"processing-queue", "notification-queue"} <= set(queues)
    assert [each["name"] for each in found["queues"]] == [each for name in queues for each in (name, f"{name}-dlq")]


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
    assert await system.sagas_ended(int(order_id)) == ["DONE"]
    [saga] = (await command(system, "saga", "show", order_id, "--json")).json["sagas"]
    assert saga["state"] == "DONE"
    assert "  take stock: " in (await command(system, "saga", "show", order_id)).out
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


async def test_timeline_of_an_order_has_entries_of_all_services(system: System) -> None:
    shelf = await system.product("traced", 5)
    placed = await system.place({shelf: 1})
    order_id, trace_id = placed.json["id"], placed.headers["traceparent"].split("-")[1]
    await system.ended(order_id)
    await system.logged("notification", message="event consumed", orderId=order_id, kind="CLOSED")
    expected = {
        *("order placed", "event order-created in the outbox", "saga STARTED", "stock taken", "order CLOSED"),
        *("saga DONE", "event order-created sent", "event order-processed sent", "notification CREATED"),
        *("notification CLOSED", "log: order accepted", "log: saga ended", "log: event consumed"),
    }
    lacking = expected

    async def complete() -> dict[str, Any] | None:
        nonlocal lacking
        [traced] = (await command(system, "order", "trace", trace_id, "--json", status=None)).json["orders"]
        lacking = expected - {entry["what"] for entry in traced["timeline"]} | traced["missing"].keys()
        return traced if not lacking else None

    traced: dict[str, Any] = await eventually(complete, lambda: f"the timeline with {lacking}")
    assert (traced["orderId"], traced["missing"]) == (order_id, {})
    assert trace_id in traced["traceIds"]
    times = [entry["at"] for entry in traced["timeline"]]
    assert times == sorted(times)
    text = (await command(system, "order", "trace", str(order_id), "--no-logs")).out
    assert text.startswith(f"order {order_id}, CLOSED, version 1\n")


async def test_order_that_nobody_knows_is_reported(system: System) -> None:
    assert "no service knows of it" in (await command(system, "order", "trace", "999999999", status=1)).err
    assert "logs query trace" in (await command(system, "order", "trace", "ab" * 16, status=1)).err


@pytest.mark.parametrize("text", ["0", "99999999999999999999", "first"])
async def test_what_can_be_no_order_is_a_wrong_argument(system: System, text: str) -> None:
    assert "neither the number of an order" in (await command(system, "order", "trace", text, status=2)).err


async def test_shipped_query_answers_on_the_emulator(system: System) -> None:
    shelf = await system.product("queried", 5)
    order_id = (await system.place({shelf: 1})).json["id"]
    await system.ended(order_id)
    await system.logged("order", message="order accepted", orderId=order_id)
    await system.logged("processing", message="saga ended", orderId=order_id)
    found = (await command(system, "logs", "query", "order", "--order", str(order_id), "--json")).json["rows"]
    assert {"order accepted", "saga ended"} <= {row["message"] for row in found}
    assert datetime.fromisoformat(found[0]["@timestamp"]).utcoffset() == timedelta(0)
    ended = (await command(system, "logs", "query", "orders", "--json")).json["rows"]
    assert "DONE" in {row["state"] for row in ended}


async def test_query_of_ones_own_is_run_by_logs_insights(system: System) -> None:
    text = "fields @timestamp, @message | limit 2"  # what the emulator knows of the language
    asked = await command(system, "logs", "query", "--text", text, "--json")
    assert "may ignore conditions" in asked.err
    rows = asked.json["rows"]
    assert [row.keys() for row in rows] == [{"@timestamp", "@message"}] * 2
    assert all(orjson.loads(row["@message"])["service"].endswith("-service") for row in rows)


async def test_tail_follows_lines_as_they_come(system: System) -> None:
    process = await started(system.stack.command_environment(), "logs", "tail", "--follow", "--json", "--since", "0s")
    assert process.stdout is not None
    shelf = await system.product("followed", 50)
    placed: set[int] = set()
    seen: set[int] = set()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not seen:  # what came before the tail was connected is not shown
                placed.add((await system.place({shelf: 1})).json["id"])
                with suppress(TimeoutError):
                    async with asyncio.timeout(3):
                        async for line in process.stdout:
                            facts = orjson.loads(line)
                            if facts.get("message") == "order accepted" and facts["orderId"] in placed:
                                seen.add(facts["orderId"])
                                break
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
