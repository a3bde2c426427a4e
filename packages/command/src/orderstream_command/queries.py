"""The shipped queries of the logs: each as text for CloudWatch Logs Insights, and evaluated on lines at hand.

An emulator's Insights reads no JSON, so there the lines are read and evaluated here. One declaration serves both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .log_groups import LogLine

__all__ = ["QUERIES", "Condition", "LogQuery", "Measure"]

AT = "@timestamp"
LATE_S = 30  # as of an order in the alarm LateSagas
ORDER, TRACE = "$order", "$trace"  # stand for what is asked about
_AT_LEAST, _IN, _LIKE = ">=", "in", "like"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a member of a line: ``=`` a value, ``in`` several, ``like`` a pattern, ``>=`` a number.

    It holds where *also*, if there is one, holds too.
    """

    member: str
    operator: str
    value: Any
    also: Condition | None = None

    @property
    def text(self) -> str:
        """It in the language of Insights."""
        if self.also is not None:
            return f"({replace(self, also=None).text} and {self.also.text})"
        if self.operator == _LIKE:
            return f"{self.member} like /{self.value}/"
        return f"{self.member} {self.operator} {_literal(self.value)}"

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it holds of a line."""
        if self.also is not None and not self.also.holds(facts):
            return False
        found = facts.get(self.member)
        match self.operator:
            case ">=":
                return isinstance(found, int | float) and found >= self.value
            case "in":
                return found in self.value
            case "like":
                return isinstance(found, str) and re.search(self.value, found) is not None
            case _:
                return bool(found == self.value)


@dataclass(frozen=True, slots=True)
class Measure:
    """A number of a group of lines, such as ``pct(seconds, 99)``; *name* is its column."""

    name: str
    function: str
    member: str = ""
    percent: int = 0

    @property
    def text(self) -> str:
        """It in the language of Insights."""
        arguments = "*" if self.function == "count" else self.member
        return f"{self.function}({arguments}{f', {self.percent}' if self.percent else ''}) as {self.name}"

    def of(self, lines: Sequence[Mapping[str, Any]]) -> Any:
        """Return it of *lines*, None when none has the member."""
        if self.function == "count":
            return len(lines)
        known = [line for line in lines if line.get(self.member) is not None]
        if not known:
            return None
        if self.function == "latest":
            return max(known, key=_at)[self.member]
        values = sorted(line[self.member] for line in known)
        if self.function == "pct":  # nearest rank
            return values[max(0, math.ceil(self.percent / 100 * len(values)) - 1)]
        return values[0] if self.function == "min" else values[-1]


@dataclass(frozen=True, slots=True)
class LogQuery:
    """A query: the lines for which any of *any_of* holds, shown by *fields*, or measured in groups.

    Attributes:
        question: what it answers.
        by: members of a group; the groups are sorted by their first measure, the greatest first.
        newest_first: of lines.
    """

    question: str
    any_of: tuple[Condition, ...]
    fields: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    by: tuple[str, ...] = ()
    newest_first: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the answer."""
        return (*self.by, *(each.name for each in self.measures)) if self.measures else (AT, *self.fields)

    def text(self) -> str:
        """Return it in the language of Insights."""
        lines = [f"filter {' or '.join(each.text for each in self.any_of)}"]
        if self.measures:
            lines.append(f"stats {', '.join(each.text for each in self.measures)} by {', '.join(self.by)}")
            lines.append(f"sort {self.measures[0].name} desc")
        else:
            lines.insert(0, f"fields {', '.join(self.columns)}")
            lines.append(f"sort {AT} {'desc' if self.newest_first else 'asc'}")
        return "\n| ".join(lines)

    def rows(self, lines: Iterable[LogLine], limit: int) -> list[dict[str, str]]:
        """Return its answer on *lines*, as Insights would."""
        found = [
            {**line.facts, AT: f"{line.at:%Y-%m-%d %H:%M:%S.%f}"[:-3]}
            for line in lines
            if any(each.holds(line.facts) for each in self.any_of)
        ]
        rows = self._measured(found) if self.measures else sorted(found, key=_at, reverse=self.newest_first)
        return [{name: str(row[name]) for name in self.columns if row.get(name) is not None} for row in rows[:limit]]

    def about(self, order: int, trace: str) -> LogQuery:
        """Return it for the order *order* and the trace *trace*, as far as it is about one."""
        values = {ORDER: order, f"{ORDER}.": str(order), f"^{ORDER}:": f"^{order}:", TRACE: trace}
        conditions = (
            replace(each, value=values.get(each.value, each.value) if isinstance(each.value, str) else each.value)
            for each in self.any_of
        )
        return replace(self, any_of=tuple(conditions))

    @property
    def parameters(self) -> frozenset[str]:
        """What it is about: ``order``, ``trace``, or nothing."""
        given = {each.value for each in self.any_of if isinstance(each.value, str)}
        return frozenset(name for name, mark in (("order", ORDER), ("trace", TRACE)) if mark in given)

    def _measured(self, lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for line in lines:
            groups.setdefault(tuple(line.get(name) for name in self.by), []).append(line)
        rows = [
            {**dict(zip(self.by, key, strict=True)), **{each.name: each.of(group) for each in self.measures}}
            for key, group in groups.items()
        ]
        first = self.measures[0].name
        return sorted(rows, key=lambda row: (row[first] is not None, row[first]), reverse=True)


def _literal(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _at(facts: Mapping[str, Any]) -> str:
    return str(facts[AT])


def _message(*texts: str) -> Condition:
    return Condition("message", "=", texts[0]) if len(texts) == 1 else Condition("message", _IN, texts)


_COUNT = Measure("lines", "count")
_FIRST, _LAST = Measure("first", "min", AT), Measure("last", "max", AT)

# compose/aws/alarms.yaml saves them for the console
QUERIES: Mapping[str, LogQuery] = {
    "errors": LogQuery(
        "What needs a person?",
        (Condition("level", _IN, ("ERROR", "CRITICAL")),),
        fields=("service", "message", "task", "path", "reason", "traceId", "exc_info"),
        newest_first=True,
    ),
    "warnings": LogQuery(
        "What does the system recover from by itself?",
        (Condition("level", "=", "WARNING"),),
        measures=(_COUNT, _FIRST, _LAST),
        by=("service", "message"),
    ),
    "hurt": LogQuery(
        "Whom did it hurt? Requests that failed, orders that failed or had to wait, messages that were lost sight of.",
        (
            Condition("status", _AT_LEAST, 500),
            _message("order failed", "saga step unanswered", "message dead-lettered", "outbox event set aside"),
            replace(_message("order consumed", "saga ended"), also=Condition("seconds", _AT_LEAST, LATE_S)),
        ),
        fields=(
            *("service", "message", "orderId", "customerId", "subject", "path", "status"),
            *("queue", "letterId", "reason", "error", "seconds", "traceId"),
        ),
    ),
    "away": LogQuery(
        "Who is away?",
        (
            _message(
                *("saga step unanswered", "dependency unavailable", "database lost", "sqs receive failed"),
                *("outbox send failed", "circuit state changed"),
            ),
        ),
        # errors and reasons say how long was waited: each is another
        measures=(
            _COUNT,
            _FIRST,
            _LAST,
            Measure("latest_error", "latest", "error"),
            Measure("latest_reason", "latest", "reason"),
        ),
        by=("service", "message", "dependency", "step", "client", "queue"),
    ),
    "dead-letters": LogQuery(
        "Which messages were dead-lettered, and why?",
        (_message("message dead-lettered"),),
        fields=("queue", "reason", "letterId", "messageId", "receiveCount", "traceId"),
        newest_first=True,
    ),
    "order": LogQuery(
        "What is logged about one order, in any trace?",
        (
            Condition("orderId", "=", ORDER),
            Condition("subject", "=", f"{ORDER}."),
            Condition("operationId", _LIKE, f"^{ORDER}:"),
        ),
        fields=("service", "message", "step", "state", "outcome", "attempts", "error", "reason", "traceId"),
    ),
    "trace": LogQuery(
        "What happened in one trace?",
        (Condition("traceId", "=", TRACE),),
        fields=("service", "level", "message", "orderId", "status", "path", "step", "outcome", "error", "reason"),
    ),
    "requests": LogQuery(
        "How long do requests take, in milliseconds?",
        (_message("request handled"),),
        measures=(
            _COUNT,
            Measure("p50", "pct", "durationMs", 50),
            Measure("p99", "pct", "durationMs", 99),
            Measure("longest", "max", "durationMs"),
        ),
        by=("service", "method", "status"),
    ),
    "orders": LogQuery(
        "How long do orders take, in seconds, and how do they end?",
        (_message("saga ended"),),
        measures=(
            _COUNT,
            Measure("p50", "pct", "seconds", 50),
            Measure("p99", "pct", "seconds", 99),
            Measure("longest", "max", "seconds"),
        ),
        by=("state",),
    ),
}
