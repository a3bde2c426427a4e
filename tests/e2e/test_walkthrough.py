"""`./run demo --auth`: the commands on the screen work, and `--once` checks whose an order is, and can fail."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from io import StringIO

import pytest
import pytest_asyncio
from rich.console import Console

from orderstream_local.banner import example_commands
from orderstream_local.sign_in import PEOPLE
from orderstream_local.stack import Stack
from orderstream_local.walkthrough import walk
from tests.support.system import running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with running(auth=True) as system:
        yield system.stack


async def walked(stack: Stack) -> tuple[int, list[str]]:
    """Return the status of the walk-through, and the checks that failed."""
    output = StringIO()
    status = await walk(stack, Console(file=output, width=200, highlight=False))
    return status, [line[4:].strip() for line in output.getvalue().splitlines() if line.startswith("  NO ")]


async def test_people_see_what_is_theirs(stack: Stack) -> None:
    assert await walked(stack) == (0, [])


async def test_command_of_each_person_works_when_pasted(stack: Stack) -> None:
    assert stack.sign_in is not None
    tokens = {each.name: await stack.sign_in.access_token(each.name) for each in PEOPLE}
    commands = example_commands(stack, tokens)
    orders = {}
    for person in PEOPLE:
        [[command]] = [lines for topic, lines in commands.items() if topic.startswith(f"{person.name} is ")]
        shell = await asyncio.create_subprocess_shell(command, stdout=PIPE, stderr=PIPE)
        output, _ = await shell.communicate()
        orders[person.name] = [order["id"] for order in json.loads(output)["orders"]]
    assert orders["alice"]
    assert orders["bob"]
    assert set(orders["olivia"]) == set(orders["alice"] + orders["bob"])


async def test_checks_of_what_is_refused_fail_without_access_control() -> None:
    async with running(auth=True, web=False, environ={"AUTH_MODE": "open"}) as system:
        status, failed = await walked(system.stack)
    assert status == 1
    wanted = [
        "bob heard nothing",
        "bob: GET /orders/",
        "bob: DELETE /orders/",
        "bob: GET /sagas/",
        "alice: POST /sagas/",
        "without a token",
        "with one that ended a minute ago",
        "a stream ends with the token",
    ]
    assert [start for start in wanted if not any(line.startswith(start) for line in failed)] == []
    assert len(failed) == len(wanted), failed
