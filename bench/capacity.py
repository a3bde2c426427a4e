"""What a stage costs a month at some rates of orders, and how much there is of it: docs/operations/capacity.md.

``python -m bench.capacity`` prints the table. Prices are of us-east-1, on demand; the page has the source of each.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["RATES", "Month", "month", "table"]

RATES = (10, 1_000, 10_000)
HOURS = 730
SECONDS = HOURS * 3600
GIB = 2**30

# $ each
VCPU_HOUR, GB_HOUR = 0.04048, 0.004445
SQS_REQUEST = 0.40e-6
LOG_GB = 0.50
BALANCER_HOUR, BALANCER_UNIT_HOUR = 0.0225, 0.008
NAT_HOUR, NAT_GB = 0.045, 0.045
ENDPOINT_HOUR, ENDPOINT_GB = 0.01, 0.01
CLOUDFRONT_GB, CLOUDFRONT_REQUEST, FUNCTION_CALL = 0.085, 1.00e-6, 0.10e-6
STORAGE_GB = 0.115 * 2  # in two zones
ALARM, METRIC, SECRET = 0.10, 0.30, 0.40

# of an order, at 50/s and at the limit, by an earlier run of what docs/benchmarks/order.md measures: more by up to a
# third for one service, by a tenth for all; CPU in ms
CPU_MS: Mapping[str, tuple[float, float]] = {
    "order": (3.76, 0.80),
    "processing": (1.83, 0.28),
    "inventory": (1.32, 0.23),
    "notification": (1.13, 0.32),
}
DATABASE_MS = (2.62, 0.81)
SQS_REQUESTS = (2.2, 0.13)
# docs/benchmarks/scale.md, and the lines of an order at 50/s
ROW_BYTES = 5_200
LOG_BYTES = 5_300
COMMITS = (4.5, 1.5)
POLLS_OF_A_CONSUMER = 170_000  # with SHUTDOWN_GRACE_S of 25
# assumed of an order and the customer behind it
SQS_BYTES = 4_000
REQUESTS = 6
ANSWER_BYTES = 20_000
STREAM_S = 100.0
KEPT_DAYS = 30
# of stage.yaml and scaling.yaml
TASK_VCPU, TASK_GB, UTILISATION, FEWEST = 0.5, 1.0, 0.6, 2
# instance class by rate: vCPU and $ an hour in two zones; None: more than one server can do
DATABASES: Mapping[int, tuple[str, float, float] | None] = {
    10: ("db.t4g.medium", 2, 0.130),
    1_000: ("db.r8g.2xlarge", 8, 1.912),
    10_000: None,
}
# what four servers and four shards of the feed would be at the highest rate
SHARDED = ("8 db.r8g.4xlarge", 16 * 8, 3.824 * 8)


@dataclass(frozen=True, slots=True)
class Month:
    """A month at a rate: what is there, and $ by what for."""

    rate: int
    tasks: Mapping[str, int]
    database: str
    database_cores: float
    commits_per_s: int
    streams: int
    costs: Mapping[str, float]

    @property
    def total(self) -> float:
        """All costs together, in $."""
        return sum(self.costs.values())

    @property
    def per_thousand_orders(self) -> float:
        """$ for a thousand orders."""
        return self.total / (self.rate * SECONDS) * 1000


def month(rate: int) -> Month:
    """Return a month with *rate* orders a second, day and night."""
    orders = rate * SECONDS
    busy = 1 if rate > 50 else 0
    tasks = {
        name: max(FEWEST, math.ceil(rate * ms[busy] / 1000 / (TASK_VCPU * UTILISATION))) for name, ms in CPU_MS.items()
    }
    name, _, hourly = DATABASES[rate] or SHARDED
    streams = int(rate * STREAM_S)
    stored_gb = min(orders, rate * KEPT_DAYS * 86400) * ROW_BYTES / GIB
    moved_gb = orders * (SQS_BYTES + LOG_BYTES) / GIB
    through_nat = moved_gb * NAT_GB
    through_endpoints = 2 * 2 * ENDPOINT_HOUR * HOURS + moved_gb * ENDPOINT_GB
    answered_gb = orders * ANSWER_BYTES / GIB
    # https://aws.amazon.com/elasticloadbalancing/pricing/: 25 new connections/s, 3,000 active, 1 GB/h
    units = max(rate * REQUESTS / 25, streams / 3000, answered_gb / HOURS)
    costs = {
        "tasks": sum(tasks.values()) * HOURS * (TASK_VCPU * VCPU_HOUR + TASK_GB * GB_HOUR),
        "database": HOURS * hourly + max(stored_gb, 50) * STORAGE_GB,
        "queues": (orders * SQS_REQUESTS[busy] + POLLS_OF_A_CONSUMER * (tasks["processing"] + tasks["notification"]))
        * SQS_REQUEST,
        "logs": orders * LOG_BYTES / GIB * LOG_GB,
        "load balancer": HOURS * (BALANCER_HOUR + units * BALANCER_UNIT_HOUR),
        "way out": NAT_HOUR * HOURS + min(through_nat, through_endpoints),
        "page and API at CloudFront": answered_gb * CLOUDFRONT_GB
        + orders * REQUESTS * (CLOUDFRONT_REQUEST + 2 * FUNCTION_CALL),
        "alarms, metrics, secrets": 24 * ALARM + 22 * METRIC + 8 * SECRET,
    }
    return Month(rate, tasks, name, rate * DATABASE_MS[busy] / 1000, round(rate * COMMITS[busy]), streams, costs)


def table() -> str:
    """Return the months as a table in Markdown."""
    months = [month(rate) for rate in RATES]
    rows: dict[str, list[str]] = {
        "at": [f"{each.rate:,} orders/s" for each in months],
        **{f"tasks: {name}": [f"{each.tasks[name]}" for each in months] for name in CPU_MS},
        "database": [each.database for each in months],
        "its CPU, cores": [f"{each.database_cores:.2g}" for each in months],
        "its commits/s": [f"{each.commits_per_s:,}" for each in months],
        "open streams": [f"{each.streams:,}" for each in months],
        **{f"{name}, $": [f"{each.costs[name]:,.0f}" for each in months] for name in months[0].costs},
        "**a month, $**": [f"**{each.total:,.0f}**" for each in months],
        "**1,000 orders, $**": [f"**{each.per_thousand_orders:.4f}**" for each in months],
    }
    head, *body = ([name, *cells] for name, cells in rows.items())
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
