"""Reads the log groups of the services over plain HTTP: an AWS SDK would use the user's profile and proxy."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import aiohttp

from .layout import SERVICES
from .steps import Record

__all__ = ["read_logs"]

_FILTER = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.FilterLogEvents"}


async def read_logs(session: aiohttp.ClientSession, endpoint: str, since: datetime) -> list[Record]:
    """Return the log records of all services since *since*, by time."""
    records = [record for name in SERVICES async for record in _read(session, endpoint, f"{name}-service", since)]
    return sorted(records, key=lambda record: record.at)


async def _read(session: aiohttp.ClientSession, endpoint: str, service: str, since: datetime) -> AsyncIterator[Record]:
    query: dict[str, object] = {"logGroupName": f"{service}-logs", "startTime": int(since.timestamp() * 1000)}
    while True:
        async with session.post(endpoint, json=query, headers=_FILTER, raise_for_status=True) as response:
            page = await response.json(content_type=None)
        for event in page["events"]:
            yield _record(service, event)
        if not (token := page.get("nextToken")):
            return
        query["nextToken"] = token


def _record(service: str, event: dict[str, Any]) -> Record:
    facts = json.loads(event["message"])
    return Record(
        service=service,
        at=datetime.fromisoformat(facts["time"]),  # microseconds; the event's own time has milliseconds
        ingested=datetime.fromtimestamp(event["ingestionTime"] / 1000, UTC),
        facts=facts,
    )
