"""`orderstream order`: what happened to an order, in all services."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
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
    from .log_groups import LogGroups, LogLine

__all__ = ["order"]

UNKNOWN = frozenset({"order-not-found", "saga-not-found"})
MARGIN = timedelta(minutes=1)  # of log lines, before the first and after the last fact
LOGS_LIMIT_S = 10.0
MAX_LINES = 1_000
MAX_ID = 2**63 - 1  # of a bigint
ASK_THE_LOG = "; a request that was refused is in the log alone: `logs query trace --trace ID`"
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
# what a line has beside its facts
_ENVELOPE = frozenset({"time", "level", "logger", "service", "message", "traceId", "spanId"})


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
            traces = await asyncio.gather(*(_asked(services, each) for each in dict.fromkeys(orders)))
        if logs and any(each.timeline() for each in traces):
            await _add_lines(config, traces)
        if as_json:
            print_json({"orders": [each.document() for each in traces]})
        else:
            for each in traces:
                _show(each)
        if any(each.missing for each in traces):
            return FAILED
        if not any(each.timeline() for each in traces):
            of_trace = any(_TRACE_ID.fullmatch(each) for each in ids)
            raise CommandFailure(f"no service knows of it{ASK_THE_LOG if of_trace else ''}", FAILED)
        return 0

    run(work)


async def _numbers(services: Services, text: str) -> Sequence[int]:
    if _TRACE_ID.fullmatch(text):
        found = await services.ask(EVENTS, [("traceId", text)])
        return list(dict.fromkeys(int(event["subject"]) for event in found["events"]))
    if not (text.isdecimal() and 1 <= int(text) <= MAX_ID):
        raise CommandFailure(f"{text} is neither the number of an order nor a trace id", 2)
    return [int(text)]


@dataclass(slots=True)
class _Trace:
    """What is found about an order, and what is not, with the reason."""

    order_id: int
    known: Known
    missing: dict[str, str]
    lines: list[LogLine] = field(default_factory=list)

    def timeline(self) -> list[TimelineEntry]:
        return timeline_of(self.known, map(_of_line, self.lines))

    def document(self) -> dict[str, Any]:
        found = {"orderId": self.order_id, "order": self.known.order, "traceIds": trace_ids_of(self.known)}
        return {**found, "timeline": self.timeline(), "missing": self.missing}


async def _asked(services: Services, order_id: int) -> _Trace:
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
    return _Trace(order_id, known, missing)


async def _add_lines(config: CommandConfig, traces: Sequence[_Trace]) -> None:
    from .log_groups import LogGroups  # noqa: PLC0415 - the AWS SDK, whose import takes longer than the answers

    try:
        async with asyncio.timeout(LOGS_LIMIT_S), LogGroups.open(config) as groups:
            await asyncio.gather(*(_read_lines(groups, each) for each in traces))
    except (ServiceError, TimeoutError) as error:
        for each in traces:
            each.missing["logs"] = str(error) or f"no answer within {LOGS_LIMIT_S:g} s"


async def _read_lines(groups: LogGroups, trace: _Trace) -> None:
    if not (facts := trace.timeline()):
        return
    begin, end = facts[0].at - MARGIN, min(facts[-1].at + MARGIN, datetime.now(UTC))
    ids = trace_ids_of(trace.known)
    found = await asyncio.gather(*(groups.read(begin, end, pattern=f'"{each}"', limit=MAX_LINES) for each in ids))
    trace.lines = [line for lines in found for line in lines]


def _of_line(line: LogLine) -> TimelineEntry:
    facts = {name: value for name, value in line.facts.items() if name not in _ENVELOPE}
    return TimelineEntry(line.at, line.service, f"log: {line.facts.get('message', '')}", facts)


def _show(trace: _Trace) -> None:
    if trace.timeline():
        known = trace.known.order
        title = f"order {trace.order_id}" + (f", {known['status']}, version {known['version']}" if known else "")
        click.secho(title, bold=True)
    for each in trace_ids_of(trace.known):
        click.echo(printable(f"trace {each}"))
    begin = None
    for entry in trace.timeline():
        begin = begin or entry.at
        facts = "  ".join(f"{name}={value}" for name, value in entry.facts.items())
        since_s = (entry.at - begin).total_seconds()
        text = f"{entry.at.astimezone():%H:%M:%S.%f}  {since_s:+9.3f} s  {entry.service:<12}  {entry.what}"
        click.echo(printable(f"{text}  {facts}").rstrip())
    for what, why in trace.missing.items():
        click.echo(printable(f"missing: {what}: {why}"), err=True)
