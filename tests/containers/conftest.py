from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.containers.deployment import Deployment, deployed
from tests.containers.images import SERVICES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "ORDERSTREAM_CONTAINERS" not in os.environ:
        skip = pytest.mark.skip(reason="runs in namespaces of its own: ./run test -e containers")
        for item in items:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    with deployed(notification=3) as deployment:
        yield deployment
        if request.session.testsfailed:
            for container in (each for name in SERVICES for each in deployment.containers(name)):
                print(f"\n{container}:\n{deployment.log(container)}")  # noqa: T201 - pytest shows it
