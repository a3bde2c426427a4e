"""The start-up banner: the addresses of the processes, and example commands."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .environment import process_name
from .layout import SERVICES
from .sign_in import PASSWORD, PEOPLE, Person
from .stack import Stack

__all__ = ["example_commands", "show_banner"]

_ORDER = '{"orderItems":[{"productId":"123","quantity":2}]}'


def show_banner(stack: Stack, tokens: Mapping[str, str], console: Console) -> None:
    """Print a table of the processes, and example commands with the access *tokens* of people, by name."""
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
    for what, lines in example_commands(stack, tokens).items():
        console.print(f"\n# {what}", style="bold cyan", markup=False)
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)
    console.print()


def example_commands(stack: Stack, tokens: Mapping[str, str]) -> dict[str, list[str]]:
    """Return shell commands by topic; with *tokens* those of the first topics set variables for the others."""
    orders, inventory, notifications = (stack.url(name) for name in ("order", "inventory", "notification"))
    queue = f"{stack.aws_endpoint}/000000000000/processing-queue"
    # AWS_ENDPOINT_URL would be shorter, but version 1 of the AWS CLI ignores it for SQS
    aws = f"aws --endpoint-url {stack.aws_endpoint}"
    region = stack.environment("order")["AWS_REGION"]
    customer, operator = (f' -H "Authorization: Bearer ${name}"' if tokens else "" for name in ("ALICE", "OLIVIA"))
    credentials = f"AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION={region}"
    people = {
        f"{person.name} is {_role(person)}; the access token is valid for a day": [
            f"export {person.name.upper()}={tokens[person.name]}; "
            f"curl -H \"Authorization: Bearer ${person.name.upper()}\" '{orders}/orders?limit=5'"
        ]
        for person in PEOPLE
        if tokens
    }
    return people | {
        "place an order, read it, cancel one": [
            f"curl -i {orders}/orders -H 'Content-Type: application/json' -d {shlex.quote(_ORDER)}{customer}",
            f"curl '{orders}/orders?limit=5'{customer}",
            f"curl -X DELETE {orders}/orders/1{customer}",
        ],
        "stock, sagas, notifications so far": [
            f"curl {inventory}/inventory/123{customer}",
            f"curl '{stack.url('processing')}/sagas?limit=5'{operator}",
            f"curl '{notifications}/notifications?limit=5'{operator}",
        ],
        "watch it live": [
            f"curl -N {notifications}/stream{customer}",
            f"wscat -c {notifications.replace('http', 'ws', 1)}/ws{customer}",
            f"open {stack.url('web')} in a browser{_page_note(stack)}",
        ],
        "see and mend it (for completion: docs/reference/command.md)": [
            f". {shlex.quote(str(stack.data.command_environment))}",
            f"alias orderstream={shlex.quote(str(Path(sys.executable).with_name('orderstream')))}",
            "orderstream --help",
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


def _role(person: Person) -> str:
    return "an operator" if person.groups else "a customer"


def _page_note(stack: Stack) -> str:
    if stack.page_error:
        return "  # it shows why the build failed"
    return f"  # the password of everybody is {PASSWORD}" if stack.sign_in else ""
