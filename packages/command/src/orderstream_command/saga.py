"""`orderstream saga`: the processing of orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import click

from .config import CommandConfig
from .services import RETRY_SAGA, SAGAS, SAGAS_OF_ORDER, Services
from .shell import age, execute, print_json, print_table, printable, run, with_json

__all__ = ["saga"]

STATES = ("STARTED", "STOCK_TAKEN", "FAILING", "RELEASING", "DONE", "FAILED", "RELEASED")
HEADER = ("ORDER", "VERSION", "STATE", "LATE", "ATTEMPTS", "STARTED", "NEXT RUN", "WHY")


@click.group()
def saga() -> None:
    """List, show and retry sagas."""


@saga.command("list")
@click.option("--state", type=click.Choice(STATES, case_sensitive=False), help="In this state.")
@click.option("--late", is_flag=True, help="Open for more than 30 s.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="At most so many.")
@with_json
def list_sagas(state: str | None, late: bool, limit: int, as_json: bool) -> None:
    """List sagas, those of the newest orders first."""
    query = [("limit", str(limit)), *([("state", state)] if state else []), *([("late", "true")] if late else [])]

    async def work(config: CommandConfig) -> None:
        async with Services.open(config) as services:
            _print(await services.ask(SAGAS, query), as_json=as_json)

    run(work)


@saga.command()
@click.argument("order_id", type=click.IntRange(1), metavar="ORDER")
@with_json
def show(order_id: int, as_json: bool) -> None:
    """Show the sagas of an order, one for each of its versions, with their steps."""

    async def work(config: CommandConfig) -> dict[str, Any]:
        async with Services.open(config) as services:
            return await services.ask(SAGAS_OF_ORDER, order_id=order_id)

    found = execute(work)
    _print(found, as_json=as_json)
    if not as_json:
        for each in found["sagas"]:
            for step in each["steps"]:
                click.echo(printable(f"  version {each['version']}  {step['at']}  {step['state']}"))
            for attempt in each["failedAttempts"]:
                what = f"{attempt['step']}: {attempt['kind']} after {attempt['seconds']} s: {attempt['error']}"
                click.echo(printable(f"  version {each['version']}  {attempt['at']}  {what}"))


@saga.command()
@click.argument("order_id", type=click.IntRange(1), metavar="ORDER")
@with_json
def retry(order_id: int, as_json: bool) -> None:
    """Run the step that waits for its next attempt now, once what it needs is back.

    A saga that has ended stays as it is: FAILED is told to the customer, who may order again.
    """

    async def work(config: CommandConfig) -> None:
        async with Services.open(config) as services:
            _print(await services.ask(RETRY_SAGA, order_id=order_id), as_json=as_json)

    run(work)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
    else:
        print_table(HEADER, _rows(found["sagas"]))


def _rows(sagas: Sequence[dict[str, Any]]) -> list[tuple[object, ...]]:
    now = datetime.now(UTC)

    def until(time: str | None) -> float | None:
        return None if time is None else (datetime.fromisoformat(time) - now).total_seconds()

    return [
        (
            each["orderId"],
            each["version"],
            each["state"],
            "late" if each["late"] else "",
            each["attempts"],
            f"{age(-(until(each['steps'][0]['at']) or 0.0))} ago",
            None if (left_s := until(each["nextRunAt"])) is None else f"in {age(left_s)}" if left_s > 0 else "now",
            each["reason"] or (each["lastError"] if each["nextRunAt"] else None),
        )
        for each in sagas
    ]
