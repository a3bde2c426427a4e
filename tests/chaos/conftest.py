"""A whole embedded stack for each module, with customers who order and clients who watch all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.support.invariants import Books
from tests.support.load import Ledger
from tests.support.replicas import restarted
from tests.support.system import System, running
from tests.support.trial import Trial

# the least that the template takes
VISIBLE_AGAIN_AFTER_S = 10


@pytest.fixture(scope="module")
def environ() -> Mapping[str, str]:
    """What the services of the module are told beside compose.yaml: here that nothing is announced again in time."""
    return {"RECONCILE_AFTER_S": "600"}


@pytest.fixture(scope="module")
def scale() -> Mapping[str, int]:
    """Which services of the module have more than one replica."""
    return {}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system(environ: Mapping[str, str], scale: Mapping[str, int]) -> AsyncIterator[System]:
    """The running system of the module."""
    async with running(environ=environ, scale=scale, web=False) as system:
        await shorten_visibility(system)
        yield system


async def shorten_visibility(system: System) -> None:
    """Have what a dead consumer held come back sooner: most of a trial would be waiting for it."""
    client = system.sqs()
    try:
        for queue in ("processing-queue", "notification-queue"):
            url = client.get_queue_url(QueueName=queue)["QueueUrl"]
            client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBLE_AGAIN_AFTER_S)})
    finally:
        client.close()
    async with asyncio.TaskGroup() as restarting:
        for service in ("processing", "notification"):  # they read it once
            for replica in range(system.stack.replicas(service)):
                restarting.create_task(restarted(system, service, replica))


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """What all customers of the module were told: each check covers the trials before it, too."""
    return Ledger()


@pytest.fixture
def trial(system: System, ledger: Ledger) -> Trial:
    """A fault to come."""
    return Trial(system, ledger, Books(system, ledger))
