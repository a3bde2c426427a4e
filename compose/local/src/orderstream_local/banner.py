"""The start-up banner: the addresses of the processes, and example commands."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.table import Table

from .environment import process_name
from .stack import SERVICES, Stack

__all__ = ["example_commands", "show_banner"]

_ORDER = '{"orderItems":[{"productId":"123","quantity":2}]}'


def show_banner(stack: Stack, console: Console) -> None:
    """Print a table of the processes, and example commands."""
    table = Table("process", "address", "pid", "log", box=None, header_style="bold", pad_edge=False)
    addresses = {
        f"{process_name(stack.containers[name])}{'' if replica == 0 else f'-{replica + 1}'}": stack.url(name, replica)
        for name in (*SERVICES, "web")
        for replica in range(stack.replicas(name))
    }
    addresses |= {"emulator": stack.aws_endpoint, "postgres": str(stack.sockets)}
    for name, address in addresses.items():
        process = stack.processes[name]
        table.add_row(name, address, str(process.pid), str(process.log))
    console.print(table, soft_wrap=True)
    for what, lines in example_commands(stack).items():
        console.print(f"\n# {what}", style="bold cyan", markup=False)
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)
    console.print()


def example_commands(stack: Stack) -> dict[str, list[str]]:
    """Return shell commands by topic."""
    orders, inventory, notifications = (stack.url(name) for name in ("order", "inventory", "notification"))
    queue = f"{stack.aws_endpoint}/000000000000/processing-queue"
    # AWS_ENDPOINT_URL would be shorter, but version 1 of the AWS CLI ignores it for SQS
    aws = f"aws --endpoint-url {stack.aws_endpoint}"
    region = stack.environment("order")["AWS_REGION"]
    credentials = f"AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={region}"
    return {
        "place an order, read it, cancel one": [
            f"curl -i {orders}/orders -H 'Content-Type: application/json' -d {shlex.quote(_ORDER)}",
            f"curl '{orders}/orders?limit=5'",
            f"curl -X DELETE {orders}/orders/1",
        ],
        "stock, sagas, notifications so far": [
            f"curl {inventory}/inventory/123",
            f"curl '{stack.url('processing')}/sagas?limit=5'",
            f"curl '{notifications}/notifications?limit=5'",
        ],
        "watch it live": [
            f"curl -N {notifications}/stream",
            f"wscat -c {notifications.replace('http', 'ws', 1)}/ws",
            f"open {stack.url('web')} in a browser{'  # it shows why the build failed' if stack.page_error else ''}",
        ],
        "the queues and the logs, as on AWS": [
            f"export {credentials}",
            f"{aws} sqs list-queues",
            f"{aws} sqs get-queue-attributes --attribute-names All --queue-url {queue}",
            f"{aws} logs filter-log-events --log-group-name order-service-logs --query 'events[*].message'",
        ],
        "the internal endpoints need the token of this run": [
            f"export SERVICE_TOKEN={stack.token}",
        ],
    }
