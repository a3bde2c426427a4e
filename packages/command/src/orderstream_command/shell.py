"""What all commands share: options, running, exit status, and output for people and programs."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from base64 import b64encode
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click
import orjson

from service_common.config import ConfigError
from service_common.errors import ServiceError, TransientError
from service_common.timestamps import rfc3339

from .config import CommandConfig

__all__ = [
    "EXIT_STATUSES",
    "FAILED",
    "UNAVAILABLE",
    "CommandFailure",
    "Duration",
    "PointInTime",
    "age",
    "execute",
    "print_json",
    "print_lines",
    "print_table",
    "printable",
    "run",
    "with_json",
    "with_yes",
]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

FAILED = 1
USAGE = 2
UNAVAILABLE = 3
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
TERMINATED = 143
EXIT_STATUSES = {
    0: "done",
    FAILED: "not done, or not all of it: not found, refused, declined; of `status`: something needs a person",
    USAGE: "the command line or the environment is wrong",
    UNAVAILABLE: "AWS or a service is unavailable: try again",
    INTERRUPTED: "interrupted by SIGINT",
    TERMINATED: "ended by SIGTERM",
}
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)", re.ASCII)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)

with_json = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")
with_yes = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


class Duration(click.ParamType[float]):
    """A time such as ``90s``, ``15m``, ``2h``, ``3d``, in seconds; a number alone is seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return *value* in seconds."""
        if isinstance(value, float):
            return value
        match = _DURATION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not a duration such as 90s, 15m, 2h or 3d.", param, ctx)
        return float(match[1]) * _UNITS_S[match[2] or "s"]


class PointInTime(click.ParamType[datetime]):
    """A time of day that was last (``3:10``, local), RFC 3339, or how long ago (``15m``)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return *value* in UTC."""
        if isinstance(value, datetime):
            return value
        now = datetime.now(UTC)
        try:
            if match := _DURATION.fullmatch(value):
                return now - timedelta(seconds=float(match[1]) * _UNITS_S[match[2] or "s"])
            if match := _CLOCK.fullmatch(value):
                return _last(now, *(int(part or 0) for part in match.groups()))
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time such as 3:10, 15m (ago) or 2026-11-27T03:10:00Z.", param, ctx)


def _last(now: datetime, hour: int, minute: int, second: int) -> datetime:
    local = now.astimezone()
    then = local.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return (then if then <= local else then - timedelta(days=1)).astimezone(UTC)


def run(work: Callable[[CommandConfig], Coroutine[Any, Any, int | None]]) -> None:
    """Execute *work*, and end the process with the status that it returns."""
    raise SystemExit(execute(work) or 0)


def execute(work: Callable[[CommandConfig], Coroutine[Any, Any, T]]) -> T:
    """Run *work* with the configuration of the environment; a failure ends the process with its status.

    A signal cancels it, so that it puts back what it has to.
    """
    try:
        return asyncio.run(_until_signal(work(CommandConfig.from_environ(os.environ))))
    except ConfigError as error:
        raise CommandFailure(str(error), USAGE) from None
    except TransientError as error:
        raise CommandFailure(error.detail, UNAVAILABLE) from None
    except ServiceError as error:
        raise CommandFailure(error.detail, FAILED) from None


class CommandFailure(click.ClickException):
    """Ends the process with *status* and a sentence on stderr."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__("\n".join(map(printable, text.split("\n"))))
        self.status = status

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click reads it
        """The status."""
        return self.status


async def _until_signal(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    statuses: list[int] = []

    def stop(status: int) -> None:
        statuses.append(status)
        if len(statuses) == 1 and task is not None:
            task.cancel()

    loop = asyncio.get_running_loop()
    for number, status in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)):
        loop.add_signal_handler(number, stop, status)
    try:
        return await work
    except asyncio.CancelledError:
        if not statuses:
            raise
        raise SystemExit(statuses[0]) from None


def printable(text: str) -> str:
    """Return *text* on one line, with control characters as escapes: a message must not steer the terminal."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def age(seconds: float | None) -> str:
    """Return a duration in its largest unit: ``42s``, ``7m``, ``3h``, ``2d``."""
    if seconds is None:
        return "-"
    unit = next((unit for unit in "dhm" if seconds >= 2 * _UNITS_S[unit]), "s")
    return f"{seconds / _UNITS_S[unit]:.0f}{unit}"


def print_json(document: object) -> None:
    """Write *document* to stdout; times are RFC 3339."""
    click.echo(
        orjson.dumps(document, default=_json_value, option=orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME)
    )


def print_lines(document: object) -> None:
    """Write *document* to stdout, on one line."""
    click.echo(orjson.dumps(document, default=_json_value))


def _json_value(value: object) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write aligned columns to stdout, each cell on one line."""
    cells = [header, *([printable("-" if cell is None else str(cell)) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for number, row in enumerate(cells):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.secho(line, bold=number == 0)
