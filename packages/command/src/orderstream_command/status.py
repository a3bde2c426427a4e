"""`orderstream status`: one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from .config import CommandConfig
from .probe import Probe, Replica, Snapshot
from .shell import FAILED, age, print_json, print_lines, print_table, printable, run, with_json
from .verdict import Level, Trouble, troubles_of

__all__ = ["status"]

_COLOURS = {Level.DEGRADED: "yellow", Level.BROKEN: "red"}


@click.command()
@click.option("--watch", "-w", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.5), default=2.0, show_default=True, help="Seconds between two looks."
)
@with_json
def status(watch: bool, interval: float, as_json: bool) -> None:
    """Show services with their replicas, queues, sagas, the feed, and what needs attention.

    Ends with 1 when something needs attention. With --watch and --json, one JSON object a line.
    """

    async def work(config: CommandConfig) -> int:
        async with Probe.open(config) as probe:
            while True:
                snapshot = await probe.snapshot()
                troubles = troubles_of(snapshot)
                if as_json:
                    (print_lines if watch else print_json)(_document(snapshot, troubles))
                else:
                    if watch:
                        click.clear()
                    _show(snapshot, troubles)
                if not watch:
                    return FAILED if troubles else 0
                await asyncio.sleep(interval)

    run(work)


def _document(snapshot: Snapshot, troubles: Sequence[Trouble]) -> dict[str, Any]:
    return {
        "at": snapshot.at,
        "troubles": [{"level": each.level.name.lower(), "text": each.text} for each in troubles],
        "replicas": [
            {
                "service": f"{each.service}-service",
                "url": each.url,
                "state": each.state,
                "reasons": each.reasons,
                "startedAt": each.started_at,
                **{name: each.metrics.get(metric) for name, metric in _MEASURED.items()},
            }
            for each in snapshot.replicas
        ],
        "queues": [
            {
                "name": each.name,
                "deadLetters": each.dead_letters,
                "oldestS": each.oldest_s,
                "error": each.error,
                **({} if each.depth is None else _camel(asdict(each.depth))),
            }
            for each in snapshot.queues
        ],
    }


_MEASURED = {
    "outboxPending": "outbox_pending_events",
    "outboxOldestS": "outbox_oldest_pending_seconds",
    "sagasOpen": "sagas_open",
    "sagasLate": "sagas_late",
    "sagasOldestS": "sagas_oldest_open_seconds",
    "feedHead": "push_feed_head",
    "feedLag": "push_feed_lag",
}


def _camel(depth: dict[str, int]) -> dict[str, int]:
    return {"visible": depth["visible"], "inFlight": depth["in_flight"], "delayed": depth["delayed"]}


def _show(snapshot: Snapshot, troubles: Sequence[Trouble]) -> None:
    click.echo(f"{snapshot.at.astimezone():%Y-%m-%d %H:%M:%S}\n")
    print_table(
        ("SERVICE", "REPLICA", "STATE", "UP", "OUTBOX", "OLDEST", "SAGAS", "LATE", "OLDEST", "FEED", "LAG"),
        [_row(each, snapshot) for each in snapshot.replicas],
    )
    click.echo()
    print_table(
        ("QUEUE", "VISIBLE", "IN FLIGHT", "DELAYED", "OLDEST"),
        [
            (each.name, *(3 * (None,) if each.depth is None else asdict(each.depth).values()), age(each.oldest_s))
            for each in snapshot.queues
        ],
    )
    click.echo()
    for trouble in troubles:
        level = click.style(trouble.level.name.lower(), fg=_COLOURS[trouble.level], bold=True)
        click.echo(f"{level}  {printable(trouble.text)}")
    if not troubles:
        click.secho("nothing needs attention", fg="green")


def _row(replica: Replica, snapshot: Snapshot) -> tuple[object, ...]:
    def count(metric: str) -> str | None:
        value = replica.metrics.get(metric)
        return None if value is None else f"{value:.0f}"

    up_s = None if replica.started_at is None else (snapshot.at - replica.started_at).total_seconds()
    return (
        replica.service,
        replica.url,
        replica.state,
        age(up_s),
        count("outbox_pending_events"),
        age(replica.metrics.get("outbox_oldest_pending_seconds")),
        count("sagas_open"),
        count("sagas_late"),
        age(replica.metrics.get("sagas_oldest_open_seconds")),
        count("push_feed_head"),
        count("push_feed_lag"),
    )
