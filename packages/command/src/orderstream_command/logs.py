"""`orderstream logs`: the log lines of all services."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import click

from .config import SERVICES, CommandConfig
from .log_groups import LogGroups, LogLine
from .queries import QUERIES
from .shell import PointInTime, print_json, print_lines, print_table, printable, run, with_json

__all__ = ["logs"]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_COLOURS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
# what a line has beside its facts
_ENVELOPE = frozenset({"time", "level", "logger", "service", "message", "traceId", "spanId", "exc_info"})
# Insights has a time in UTC without saying so, and the greatest of a group in milliseconds
_TIMES = frozenset({"@timestamp", "last"})
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)


@click.group()
def logs() -> None:
    """Follow the logs, and ask them."""


_SERVICE = click.option(
    "--service", "-s", "services", multiple=True, type=click.Choice(SERVICES), help="Of this service. Repeatable."
)


@logs.command()
@_SERVICE
@click.option("--since", type=PointInTime(), default="10m", show_default=True, help="From when.")
@click.option("--follow", "-f", is_flag=True, help="Go on with lines as they come, until Ctrl-C.")
@click.option("--text", metavar="WORDS", help="With these words.")
@click.option("--level", type=click.Choice(LEVELS, case_sensitive=False), default="INFO", help="At least this level.")
@with_json
def tail(
    *, services: tuple[str, ...], since: datetime, follow: bool, text: str | None, level: str, as_json: bool
) -> None:
    """Show the latest lines of all services; with --json, one JSON object a line."""

    async def work(config: CommandConfig) -> None:
        pattern = "" if text is None else f'"{text.replace(chr(34), "")}"'
        async with LogGroups.open(config, services) as groups:
            for line in await groups.read(since, datetime.now(UTC), pattern=pattern):
                _show(line, level, as_json=as_json)
            if follow:
                async with aclosing(groups.follow(pattern)) as lines:
                    async for line in lines:
                        _show(line, level, as_json=as_json)

    run(work)


@logs.command()
@click.argument("name", required=False, type=click.Choice(tuple(QUERIES)), metavar="[NAME]")
@click.option("--from", "begin", type=PointInTime(), default="1h", show_default=True, help="From when.")
@click.option("--to", "end", type=PointInTime(), default="0s", help="To when; until now without it.")
@click.option("--order", "order_id", type=click.IntRange(1), help="About this order.")
@click.option("--trace", "trace_id", metavar="ID", help="About this trace.")
@click.option("--text", metavar="QUERY", help="A query of your own, in the language of Logs Insights.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many rows.")
@click.option("--show", is_flag=True, help="Show the query instead of running it.")
@with_json
def query(
    *,
    name: str | None,
    begin: datetime,
    end: datetime,
    order_id: int | None,
    trace_id: str | None,
    text: str | None,
    limit: int,
    show: bool,
    as_json: bool,
) -> None:
    """Run a shipped query, or one of your own; without a NAME, list those that there are."""
    if name is None and text is None:
        _list(as_json=as_json)
        return
    if name is not None and text is not None:
        raise click.UsageError("Give NAME or --text.")
    period = _period(begin, end)
    shipped = None if name is None else QUERIES[name]
    if shipped is not None:
        given = {"order": order_id, "trace": trace_id}
        if lacking := [each for each in sorted(shipped.parameters) if given[each] is None]:
            raise click.UsageError(f"{name} needs --{lacking[0]}.")
        shipped = shipped.about(order_id or 0, trace_id or "")
    wording = text or (shipped.text() if shipped else "")
    if show:
        click.echo(wording)
        return

    async def work(config: CommandConfig) -> None:
        async with LogGroups.open(config) as groups:
            if shipped is not None and config.aws.endpoint_url is not None:
                rows = shipped.rows(await groups.read(begin, end), limit)
            else:
                if config.aws.endpoint_url is not None:
                    click.echo("an emulator answers, which may ignore conditions of the query", err=True)
                rows = await groups.query(wording, begin, end, limit)
        shown = [{name: _value(name, each) for name, each in row.items()} for row in rows]
        if as_json:
            print_json({"query": wording, "from": begin, "to": end, "rows": shown})
        else:
            _print_rows(shown, shipped.columns if shipped else (), period)

    run(work)


def _list(*, as_json: bool) -> None:
    if as_json:
        print_json({name: {"question": each.question, "query": each.text()} for name, each in QUERIES.items()})
    else:
        print_table(("NAME", "QUESTION"), [(name, each.question) for name, each in QUERIES.items()])


def _period(begin: datetime, end: datetime) -> str:
    times = [f"{each.astimezone():%Y-%m-%d %H:%M:%S}" for each in (begin, end)]
    if begin >= end:
        raise click.UsageError(f"--from, {times[0]}, is not before --to, {times[1]}.")
    return f"from {times[0]} to {times[1]}"


def _value(name: str, text: str) -> str | datetime:
    if name not in _TIMES:
        return text
    try:
        if _MILLISECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:  # a column of that name in a query of one's own
        return text


def _print_rows(rows: Sequence[Mapping[str, str | datetime]], columns: Sequence[str], period: str) -> None:
    if not rows:
        click.echo(f"nothing {period}", err=True)
        return
    names = [name for name in columns if any(name in row for row in rows)] or list(
        dict.fromkeys(name for row in rows for name in row)
    )
    print_table([name.upper() for name in names], [[_cell(row.get(name, "")) for name in names] for row in rows])


def _cell(value: str | datetime) -> str:
    return value if isinstance(value, str) else f"{value.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3]


def _show(line: LogLine, level: str, *, as_json: bool) -> None:
    own = str(line.facts.get("level", "CRITICAL"))  # what no logger wrote is not hidden
    if own in LEVELS and LEVELS.index(own) < LEVELS.index(level.upper()):
        return
    if as_json:
        print_lines({"service": line.service, **line.facts})
        return
    facts = "  ".join(f"{name}={value}" for name, value in line.facts.items() if name not in _ENVELOPE)
    text = f"{line.at.astimezone():%H:%M:%S.%f}"[:-3] + f"  {line.service:<12}  {own:<8}  {line.facts.get('message')}"
    click.secho(printable(f"{text}  {facts}").rstrip(), fg=_COLOURS.get(own))
    if trace := line.facts.get("exc_info"):
        click.echo("\n".join(map(printable, str(trace).split("\n"))))
