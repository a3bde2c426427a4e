"""What came of a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rich import box
from rich.table import Table

from ..crowds import Report
from ..service import Service

__all__ = ["Outcome", "Row", "broken", "outcome_table"]

Row: TypeAlias = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A table, all rows with the same columns, and what must not have been; nothing of that is a time."""

    title: str
    rows: Sequence[Row]
    broken: Sequence[str]


def broken(phase: str, report: Report, service: Service) -> Iterator[str]:
    """Yield what was wrong with what good clients got."""
    for seen in report.groups:
        for fault in ("lost", "doubled", "disordered"):
            if number := getattr(seen, fault):
                yield f"{phase}: {number} of {seen.expected} deliveries {fault}"
    if report.closed:
        yield f"{phase}: the service ended {report.closed} connections"
    if service.died:
        yield f"{phase}: the service died"


def outcome_table(outcome: Outcome) -> Table:
    """Return a column for each row, a line for each of their columns: these are more, and 80 columns suffice."""
    table = Table(title=outcome.title, box=box.SIMPLE_HEAD, show_header=False)
    table.add_column()
    for _ in outcome.rows:
        table.add_column(justify="right")
    for name in outcome.rows[0]:
        values = (row[name] for row in outcome.rows)
        table.add_row(name, *(value if isinstance(value, str) else f"{value:,}" for value in values))
    return table
