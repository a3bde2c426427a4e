"""`orderstream dlq`: dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from service_common.sqs import DeadLetterQueue, Letter, LetterFilter, Outcome, Sqs, dead_letter_queues

from .config import CommandConfig
from .shell import FAILED, Duration, F, age, execute, print_json, print_table, printable, run, with_json, with_yes

__all__ = ["dlq"]

MAX_LISTED = 100
SAMPLE = 10  # letters that a question shows


@click.group()
def dlq() -> None:
    """List, show, redrive and discard dead letters."""


_QUEUE = click.option(
    "--queue", "-q", "queues", multiple=True, metavar="NAME", help="Of this queue; of both without it. Repeatable."
)


def _with_filter(command: F) -> F:
    for option in (
        click.option("--newer-than", type=Duration(), help="Sent less than this ago: 90s, 15m, 2h, 3d."),
        click.option("--older-than", type=Duration(), help="Sent more than this ago."),
        click.option("--reason", metavar="TEXT", help="With this text in the reason."),
        click.option("--id", "ids", multiple=True, metavar="ID", help="With this MessageId. Repeatable."),
        _QUEUE,
    ):
        command = option(command)
    return command


def _filter(
    ids: Collection[str], reason: str | None, older_than: float | None, newer_than: float | None
) -> LetterFilter:
    now = datetime.now(UTC)

    def ago(seconds: float | None) -> datetime | None:
        return None if seconds is None else now - timedelta(seconds=seconds)

    return LetterFilter(frozenset(ids), reason, sent_after=ago(newer_than), sent_before=ago(older_than))


@asynccontextmanager
async def _opened(config: CommandConfig, names: Collection[str]) -> AsyncIterator[list[DeadLetterQueue]]:
    async with Sqs.open(config.aws) as sqs:
        yield await dead_letter_queues(sqs, names, config.queues)


async def _find(opened: Iterable[DeadLetterQueue], wanted: LetterFilter, limit: int | None = None) -> list[Letter]:
    # when one fails, the others end first: they make their letters visible again
    found = await asyncio.gather(*(each.find(wanted, limit) for each in opened), return_exceptions=True)
    letters: list[Letter] = []
    for each in found:
        if isinstance(each, BaseException):
            raise each
        letters += each
    return letters


async def _hidden(opened: Iterable[DeadLetterQueue]) -> dict[str, int]:
    return {each.name: await each.hidden() for each in opened}


@dlq.command("list")
@_with_filter
@click.option("--limit", type=click.IntRange(1), default=MAX_LISTED, show_default=True, help="Of each queue.")
@with_json
def list_letters(queues: tuple[str, ...], limit: int, as_json: bool, **wanted: Any) -> None:
    """List dead letters: why each failed, and what it is about."""

    async def work(config: CommandConfig) -> None:
        async with _opened(config, queues) as opened:
            letters = await _find(opened, _filter(**wanted), limit)
            hidden = await _hidden(opened)
        if as_json:
            print_json({"letters": [letter.summary for letter in letters], "hidden": hidden})
            return
        now = datetime.now(UTC)
        header = ("QUEUE", "ID", "AGE", "RECEIVED", "BYTES", "ORDER", "TRACE", "REASON")
        print_table(header, [_row(letter, now) for letter in letters])
        _report_hidden(hidden)

    run(work)


@dlq.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@_QUEUE
@with_json
def show(ids: tuple[str, ...], queues: tuple[str, ...], as_json: bool) -> None:
    """Show letters whole, with body and attributes; --json has them exactly as they are."""

    async def work(config: CommandConfig) -> int:
        async with _opened(config, queues) as opened:
            letters = await _find(opened, LetterFilter(frozenset(ids)))
        if as_json:
            print_json({"letters": [letter.document for letter in letters]})
        else:
            for letter in letters:
                _print_whole(letter)
        return _report_missing(set(ids) - {letter.message.id for letter in letters})

    run(work)


_DRY_RUN = click.option("--dry-run", "-n", is_flag=True, help="Show what would be done.")


@dlq.command()
@_with_filter
@_DRY_RUN
@with_yes
@with_json
def redrive(**options: Any) -> None:
    """Send letters back to their queues, once the cause of their failure is mended.

    Each is sent as it is and then deleted. When the command is killed in between, the letter is in both queues:
    processed twice, which is harmless, and not lost. One that fails again comes back as another letter, which stays.
    """
    _remove("redrive", DeadLetterQueue.redrive, **options)


@dlq.command()
@_with_filter
@_DRY_RUN
@with_yes
@with_json
def discard(**options: Any) -> None:
    """Delete letters that are of no use."""
    _remove("discard", DeadLetterQueue.discard, **options)


_Remove = Callable[[DeadLetterQueue, Collection[str]], Coroutine[Any, Any, Outcome]]


def _remove(
    verb: str, remove: _Remove, *, queues: Collection[str], dry_run: bool, yes: bool, as_json: bool, **wanted: Any
) -> None:
    # found first, and removed by their ids: what comes back meanwhile is another letter, with another id
    async def find(config: CommandConfig) -> tuple[list[Letter], dict[str, int]]:
        async with _opened(config, queues) as opened:
            return await _find(opened, _filter(**wanted)), await _hidden(opened)

    async def remove_found(config: CommandConfig) -> Outcome:
        outcome = Outcome()
        async with _opened(config, queues) as opened:
            for each in opened:
                if ids := [letter.message.id for letter in letters if letter.queue in each.sources]:
                    outcome += await remove(each, ids)
        return outcome

    letters, hidden = execute(find)
    if letters and not (dry_run or yes):
        _ask(verb, letters)
    try:
        outcome = execute(remove_found) if letters and not dry_run else Outcome()
    except SystemExit:
        click.echo(f"interrupted: some letters may be done; `dlq list` has the others, `{verb}` goes on", err=True)
        raise
    _report(verb, letters, outcome, hidden, dry_run=dry_run, as_json=as_json)
    missing = set(wanted["ids"]).difference(letter.message.id for letter in letters).union(outcome.unseen)
    raise SystemExit(_report_missing(missing) or (FAILED if outcome.failed else 0))


def _ask(verb: str, letters: Collection[Letter]) -> None:
    now = datetime.now(UTC)
    for letter in list(letters)[:SAMPLE]:
        click.echo(f"{letter.queue}  {letter.message.id}  {_age(letter, now)}  {_reason(letter)}", err=True)
    if len(letters) > SAMPLE:
        click.echo(f"… and {len(letters) - SAMPLE} more", err=True)
    click.confirm(f"{verb.capitalize()} {_count(letters)}?", abort=True, err=True)


def _report(
    verb: str,
    letters: Collection[Letter],
    outcome: Outcome,
    hidden: dict[str, int],
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    if as_json:
        done = {"done": outcome.done, "failed": outcome.failed, "unseen": outcome.unseen}
        found = [letter.summary for letter in letters]
        print_json({"letters": found, "dryRun": dry_run, **done, "hidden": hidden})
        return
    if dry_run:
        click.echo(f"would {verb} {_count(letters)}")
        print_table(("QUEUE", "ID", "REASON"), [(each.queue, each.message.id, _reason(each)) for each in letters])
    else:
        click.echo(f"{verb}: {len(outcome.done)} of {_count(letters)} done")
    for each, why in outcome.failed.items():
        click.echo(printable(f"{each}: {why}"), err=True)
    _report_hidden(hidden)


def _report_hidden(hidden: dict[str, int]) -> None:
    for name, count in hidden.items():
        if count:
            click.echo(f"{name}: about {count} more are hidden: another reader has received them", err=True)


def _report_missing(ids: Collection[str]) -> int:
    for each in sorted(ids):
        click.echo(printable(f"{each}: not found; it is gone, or another reader has received it"), err=True)
    return FAILED if ids else 0


def _count(letters: Collection[Letter]) -> str:
    return f"{len(letters)} letter{'' if len(letters) == 1 else 's'}"


def _age(letter: Letter, now: datetime) -> str:
    return age(max(0.0, (now - letter.message.sent_at).total_seconds()))


def _reason(letter: Letter) -> str:
    return printable(letter.facts.reason or f"received {letter.message.receive_count} times")


def _row(letter: Letter, now: datetime) -> tuple[object, ...]:
    summary = letter.summary
    return (
        letter.queue,
        letter.message.id,
        _age(letter, now),
        letter.message.receive_count,
        letter.size_bytes,
        summary["subject"],
        summary["traceId"],
        letter.facts.reason,
    )


def _print_whole(letter: Letter) -> None:
    for name, value in letter.document.items():
        if name not in {"body", "attributes", "facts"}:
            click.echo(f"{click.style(f'{name}:', bold=True)} {printable(str(value))}")
    for name, attribute in letter.message.attributes.items():
        label = click.style(f"{printable(name)} ({attribute.data_type}):", bold=True)
        click.echo(f"{label} {printable(str(attribute.value))}")
    click.echo("\n".join(map(printable, letter.message.body.split("\n"))) + "\n")
