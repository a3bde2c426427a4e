"""The running system with its services in processes that die where a test wants them to, and the options of a run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.crash.crashes import SERVICES, Crashes, Target, discover
from tests.crash.processes import launching
from tests.crash.ways import QUEUES, Customer
from tests.support.events import Queues
from tests.support.invariants import Books
from tests.support.load import Ledger
from tests.support.system import System, running

# nothing is announced again or restored in time: what comes to its end, comes by redelivery and leases alone
ENVIRON = {"RECONCILE_AFTER_S": "3600", "CLOUDWATCH": "false"}
# the least that the template takes
VISIBLE_AGAIN_AFTER_S = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    """Choose points."""
    parser.addoption("--at", action="append", default=[], metavar="SERVICE/POINT", help="crash at this point alone")
    parser.addoption("--all", action="store_true", help="crash at every point, not only in the main functions")
    parser.addoption("--nth", type=int, default=1, help="crash when the point is reached for the n-th time")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def system() -> AsyncIterator[System]:
    """The running system; what a dead consumer held comes back sooner than on AWS, its own services have ended."""
    async with running(environ=ENVIRON, web=False) as system:
        await asyncio.gather(*(system.stack.processes[f"{service}-service"].stop(within_s=8) for service in SERVICES))
        client = system.sqs()
        for queue in QUEUES:
            url = client.get_queue_url(QueueName=queue)["QueueUrl"]
            client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(VISIBLE_AGAIN_AFTER_S)})
        client.close()
        yield system


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """What all customers were told."""
    return Ledger()


@pytest.fixture(scope="module")
def books(system: System, ledger: Ledger) -> Books:
    """What has to be true in the end."""
    return Books(system, ledger)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def crashes(system: System, ledger: Ledger, request: pytest.FixtureRequest) -> AsyncIterator[Crashes]:
    """The services, which die when told."""
    client = system.sqs()
    async with launching(system) as launcher:
        processes = {service: await launcher.start(service) for service in SERVICES}
        customer = Customer(system, ledger, Queues(client))
        yield Crashes(launcher, processes, customer, nth=request.config.getoption("--nth", 1))
    client.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def targets(crashes: Crashes, books: Books) -> list[Target]:
    """Every point on the ways of orders."""
    return await discover(crashes.launcher, crashes.running, crashes.customer, books)
