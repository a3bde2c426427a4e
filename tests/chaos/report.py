"""What a run showed: tables for people, one JSON document for machines."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.chaos.evidence import Evidence
from tests.chaos.history import history
from tests.chaos.runner import Run
from tests.chaos.verdict import PROMISES, Violation, open_after, percentile, recovery_s

__all__ = ["show", "summary"]

# violations of a promise that are printed, and orders whose history is
SHOWN = 5
HISTORIES = 3

Found = Mapping[str, Sequence[Violation]]


def show(console: Console, evidence: Evidence, found: Found) -> None:
    """Print the faults with what they left open, the verdict, and the violations with the histories of their orders."""
    console.print(_faults(evidence))
    console.print()
    _print_figures(console, evidence)
    console.print(_verdict(evidence, found))
    for name, all_of_it in found.items():
        counted = Counter(f"order {each.order} {each.what}" if each.order else each.what for each in all_of_it)
        for what, count in counted.most_common(SHOWN):
            times = f"{count} times " if count > 1 else ""
            console.print(f"\n{name}: {times}{what}", markup=False, soft_wrap=True)
        if len(counted) > SHOWN:
            console.print(f"… and {len(counted) - SHOWN} more of {name}")
    for order_id in _orders(found):
        console.print(f"\nHistory of order {order_id}:")
        for line in history(evidence, order_id):
            console.print(f"  {line}", markup=False, soft_wrap=True)


def _faults(evidence: Evidence) -> Table:
    table = Table("fault", "target", "began", "ended", "orders open", "for another s", "after later faults s", box=None)
    start = min((each.began - each.planned.at_s for each in evidence.struck), default=0.0)
    for each in sorted(evidence.struck, key=lambda each: each.began):
        left, open_s, calm_s = open_after(evidence, each)
        times = (f"{value:.1f}" for value in (each.began - start, each.ended - start))
        table.add_row(each.planned.fault.name, each.planned.target, *times, str(left), f"{open_s:.1f}", f"{calm_s:.1f}")
    return table


def _print_figures(console: Console, evidence: Evidence) -> None:
    statuses = Counter(order["status"] for order in evidence.orders.values())
    recovery = recovery_s(evidence)
    console.print(
        f"Orders: {len(evidence.orders)}, {dict(statuses)}; answers to customers: "
        f"{dict(sorted(evidence.ledger.statuses.items()))} (0: none)\n"
        f"Restarts: {dict(_restarts(evidence))}; without being asked to: {_own_exits(evidence) or 'none'}\n"
        f"Messages of killed consumers: {len(recovery)}, processed after p50 {percentile(recovery, 0.5):.1f} s, "
        f"p99 {percentile(recovery, 0.99):.1f} s\n",
        markup=False,
        soft_wrap=True,
    )


def _verdict(evidence: Evidence, found: Found) -> Table:
    table = Table("", "promise", "checked", "verdict", box=None)
    for promise in PROMISES:
        count = len(found[promise.name])
        verdict = f"violated {count} times" if count else "ok"
        table.add_row(promise.name, promise.what, str(promise.count(evidence)), verdict)
    return table


def _orders(found: Found) -> list[int]:
    """Return the first orders with violations, each once."""
    orders = dict.fromkeys(each.order for all_of_it in found.values() for each in all_of_it if each.order)
    return list(orders)[:HISTORIES]


def _restarts(evidence: Evidence) -> Counter[str]:
    return Counter(text.partition(" ")[0] for _, text in evidence.exits if "restarting in" in text)


def _own_exits(evidence: Evidence) -> list[str]:
    """Return the exits that were neither a SIGKILL nor an orderly end, and what went wrong at a restart."""
    asked = ("SIGKILL", "status 0")
    told = [text for _, text in evidence.exits if "restart" in text or "can't be started" in text]
    return [text for text in told if not any(how in text for how in asked)]


def summary(asked: Run, evidence: Evidence, found: Found) -> dict[str, Any]:
    """Return all of it as a JSON document."""
    recovery = recovery_s(evidence)
    return {
        "seconds": asked.seconds,
        "rate": asked.rate_per_s,
        "seed": asked.seed,
        "python": platform.python_version(),
        "orders": Counter(order["status"] for order in evidence.orders.values()),
        "answers": {str(status): count for status, count in evidence.ledger.statuses.items()},
        "faults": [
            {"fault": each.planned.fault.name, "target": each.planned.target, "began": each.began, "ended": each.ended}
            | dict(zip(("open", "openS", "openAfterLaterFaultsS"), open_after(evidence, each), strict=True))
            for each in evidence.struck
        ],
        "restarts": _restarts(evidence),
        "ownExits": _own_exits(evidence),
        "recoveryS": {f"p{share * 100:g}": percentile(recovery, share) for share in (0.5, 0.99, 1.0)},
        "peakRssMb": evidence.peak_rss_mb,
        "promises": [
            {
                "name": promise.name,
                "what": promise.what,
                "checked": promise.count(evidence),
                "violations": [{"what": each.what, "order": each.order} for each in found[promise.name]],
            }
            for promise in PROMISES
        ],
        "histories": {str(order): history(evidence, order) for order in _orders(found)},
    }
