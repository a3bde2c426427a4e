"""The checks of `./run demo --once`: printed as they are made, and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

__all__ = ["Checks", "milliseconds"]


@dataclass(slots=True)
class Checks:
    """What was checked.

    Attributes:
        failed: the checks that failed.
        passed: how many passed.
    """

    console: Console
    failed: list[str] = field(default_factory=list)
    passed: int = 0

    def heading(self, title: str) -> None:
        """Print the title of the checks that follow."""
        self.console.print(f"\n{title}\n", style="bold")

    def line(self, began: datetime, what: str, at: datetime | None = None) -> None:
        """Print what happened, and how many milliseconds after *began*."""
        self.console.print(f"{milliseconds((at or began) - began):>9}  {what}", markup=False, soft_wrap=True)

    def table(self, table: Table) -> None:
        """Print a table."""
        self.console.print(table, soft_wrap=True)

    def check(self, passed: bool, what: str) -> None:
        """Count a check and print it."""
        if passed:
            self.passed += 1
        else:
            self.failed.append(what)
        self.console.print(
            f"  {'ok' if passed else 'NO'}  {what}", style="green" if passed else "bold red", markup=False
        )

    def conclude(self) -> int:
        """Print the result and return the exit status: 0 when all checks passed, else 1."""
        self.console.print()
        if self.failed:
            self.console.print(
                f"{len(self.failed)} of {self.passed + len(self.failed)} checks failed:", style="bold red"
            )
            for what in self.failed:
                self.console.print(f"  {what}", markup=False)
            return 1
        self.console.print(f"all {self.passed} checks passed", style="bold green")
        return 0


def milliseconds(span: timedelta) -> str:
    """Return the milliseconds of *span*, with one decimal."""
    return f"{span / timedelta(milliseconds=1):.1f}"
