"""The process of a service applies the configured connection limits."""

from __future__ import annotations

import asyncio

from tests.integration.common.http_server.test_runner import Start, start
from tests.support.waiting import PATIENCE_S

__all__ = ["start"]


async def test_process_cuts_clients_that_are_slower_than_configured(start: Start) -> None:
    async with start(environ={"HEADER_TIMEOUT_S": "0.5", "BODY_TIMEOUT_S": "0.5"}) as service:
        line = await service.until("service listening")
        reader, writer = await asyncio.open_connection(line["host"], line["port"])
        writer.write(b"GET /health/live HTTP/1.1\r\n")
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        writer.close()
        assert (await service.until("connections cut"))["reasons"] == {"head": 1}
