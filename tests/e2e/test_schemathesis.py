"""schemathesis makes requests from each service's own document, valid and not; each answer has to be as described."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orderstream_local.layout import SERVICES
from tests.support.api_documents import APIS
from tests.support.http_service import INTERNAL, HttpService
from tests.support.system import System, running

pytestmark = pytest.mark.asyncio(loop_scope="module")
SECONDS = 6
STREAMS = "^/(stream|ws)$"  # they do not end
OPTIONS = (
    "--checks=all",
    # not every string is a cursor or an id of an event; with AUTH_MODE=open nobody has to sign in; and without If-Match
    # the answer is 428 (RFC 6585)
    "--exclude-checks=positive_data_acceptance,ignored_auth,missing_required_header",
    "--generation-with-security-parameters=false",
    "--phases=coverage,fuzzing",
    f"--max-time={SECONDS}",
    "--max-examples=20",
    "--seed=1",
    "--warnings=off",
    "--no-color",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def explored() -> AsyncIterator[System]:
    """A system of its own: what is explored deletes products and disconnects customers."""
    async with running() as system:
        yield system


@pytest.mark.parametrize("name", SERVICES)
async def test_each_answer_is_as_the_service_describes_it(name: str, explored: System, tmp_path: Path) -> None:
    service = explored.service(name)
    internal = INTERNAL.pattern
    await explore(service, tmp_path, f"--exclude-path-regex={STREAMS}|{internal}")
    if any(INTERNAL.match(operation.path) for operation in APIS[name].operations):
        token = f"--header=Authorization: Bearer {service.token}"
        await explore(service, tmp_path, f"--include-path-regex={internal}", token)


async def explore(service: HttpService, folder: Path, *options: str) -> None:
    program = str(Path(sys.executable).parent / "schemathesis")
    process = await asyncio.create_subprocess_exec(
        program, "run", f"{service.url}/openapi.json", *OPTIONS, *options, cwd=folder, stdout=PIPE, stderr=STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
