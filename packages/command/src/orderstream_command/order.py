"""`orderstream order`: what happened to an order, in all services."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from service_common.errors import ServiceError

from .config import CommandConfig
from .services import (
    EVENTS,
    EVENTS_OF_SAGAS,
    NOTIFICATIONS,
    ORDER,
    ORDERS,
    SAGAS_OF_ORDER,
    STOCK_OPERATIONS,
    AnswerRefusedError,
    Services,
)
from .shell import FAILED, CommandFailure, print_json, printable, run, with_json
from .timeline import Known, TimelineEntry, timeline_of, trace_ids_of

if TYPE_CHECKING:
    from .log_groups import LogLine

__all__ = ["order"]

UNKNOWN = frozenset({"order-not-found", "saga-not-found"})
MARGIN = timedelta(minutes=1)  # of log lines, before the first and after the last fact
LOGS_LIMIT_S = 10.0
MAX_LINES = 1_000
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
# what a line has beside its facts
_ENVELOPE = frozenset({"time", "level", "logger", "service", "message", "traceId"})


@click.group()
def order() -> None:
    """See what happened to an order."""


@order.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--customer", metavar="SUB", help="The newest orders of this customer.")
@click.option("--limit", type=click.IntRange(1, 50), default=5, show_default=True, help="Orders of a customer.")
@click.option("--logs/--no-logs", default=True, show_default=True, help="With the log lines of its traces.")
@with_json
def trace(ids: tuple[str, ...], customer: str | None, limit: int, logs: bool, as_json: bool) -> None:
    """Show one timeline of an order: its events, saga, stock, notifications and log lines.

    ID is the number of an order, or a trace id.
    """
    if bool(ids) == (customer is not None):
        raise click.UsageError("Give IDs or --customer.")

    async def work(config: CommandConfig) -> int:
        async with Services.open(config) as services:
            orders = [number for each in ids for number in await _numbers(services, each)]
            if customer is not None:
                query = [("customer", customer), ("limit", str(limit))]
                found = await services.ask(ORDERS, query)
                orders = [each["id"] for each in found["orders"]]
            traced = await asyncio.gather(
                *(_traced(config, services, each, with_logs=logs) for each in dict.fromkeys(orders))
            )
        if as_json:
            print_json({"orders": traced})
        else:
            for each in traced:
                _show(each)
        if not any(each["timeline"] for each in traced):
            raise CommandFailure("no service knows of it", FAILED)
        return FAILED if any(each["missing"] for each in traced) else 0

    run(work)


async def _numbers(services: Services, text: str) -> Sequence[int]:
    if _TRACE_ID.fullmatch(text):
        found = await services.ask(EVENTS, [("traceId", text)])
        return list(dict.fromkeys(int(event["subject"]) for event in found["events"]))
    if not text.isdecimal():
        raise CommandFailure(f"{text} is neither the number of an order nor a trace id", 2)
    return [int(text)]


async def _traced(config: CommandConfig, services: Services, order_id: int, *, with_logs: bool) -> dict[str, Any]:
    missing: dict[str, str] = {}

    async def ask(what: str, answer: Coroutine[Any, Any, dict[str, Any]]) -> Mapping[str, Any]:
        try:
            return await answer
        except AnswerRefusedError as error:
            if error.problem not in UNKNOWN:
                missing[what] = error.detail
        except ServiceError as error:
            missing[what] = error.detail
        return {}

    number = str(order_id)
    operations_of_order = [("prefix", f"{number}:"), ("limit", "200")]
    found, events, sagas, told, operations, notifications = await asyncio.gather(
        ask("order", services.ask(ORDER, order_id=order_id)),
        ask("events of the order", services.ask(EVENTS, [("orderId", number)])),
        ask("sagas", services.ask(SAGAS_OF_ORDER, order_id=order_id)),
        ask("events of the sagas", services.ask(EVENTS_OF_SAGAS, order_id=order_id)),
        ask("stock", services.ask(STOCK_OPERATIONS, operations_of_order)),
        ask("notifications", services.ask(NOTIFICATIONS, [("orderId", number)])),
    )
    known = Known(
        found or None,
        {"order": events.get("events", ()), "processing": told.get("events", ())},
        sagas.get("sagas", ()),
        operations.get("operations", ()),
        notifications.get("notifications", ()),
    )
    traces, lines = trace_ids_of(known), []
    facts = timeline_of(known)
    if with_logs and facts:
        try:
            lines = await _lines(config, traces, facts[0].at - MARGIN, facts[-1].at + MARGIN)
        except (ServiceError, TimeoutError) as error:
            missing["logs"] = str(error) or f"no answer within {LOGS_LIMIT_S:g} s"
    entries = timeline_of(known, map(_of_line, lines))
    return {"orderId": order_id, "order": known.order, "traceIds": traces, "timeline": entries, "missing": missing}


async def _lines(config: CommandConfig, traces: Sequence[str], begin: datetime, end: datetime) -> list[LogLine]:
    from .log_groups import LogGroups  # noqa: PLC0415 - the AWS SDK, whose import takes longer than the answers

    async with asyncio.timeout(LOGS_LIMIT_S), LogGroups.open(config) as groups:
        end = min(end, datetime.now(UTC))
        found = await asyncio.gather(
            *(groups.read(begin, end, pattern=f'"{each}"', limit=MAX_LINES) for each in traces)
        )
    return [line for lines in found for line in lines]


def _of_line(line: LogLine) -> TimelineEntry:
    facts = {name: value for name, value in line.facts.items() if name not in _ENVELOPE}
    return TimelineEntry(line.at, line.service, f"log: {line.facts.get('message', '')}", facts)


def _show(traced: Mapping[str, Any]) -> None:
    known = traced["order"]
    title = f"order {traced['orderId']}" + (f", {known['status']}, version {known['version']}" if known else "")
    click.secho(title, bold=True)
    for each in traced["traceIds"]:
        click.echo(printable(f"trace {each}"))
    begin = None
    for entry in traced["timeline"]:
        begin = begin or entry.at
        facts = "  ".join(f"{name}={value}" for name, value in entry.facts.items())
        since_s = (entry.at - begin).total_seconds()
        text = f"{entry.at.astimezone():%H:%M:%S.%f}  {since_s:+9.3f} s  {entry.service:<12}  {entry.what}"
        click.echo(printable(f"{text}  {facts}").rstrip())
    for what, why in traced["missing"].items():
        click.echo(printable(f"missing: {what}: {why}"), err=True)
