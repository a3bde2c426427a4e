"""Reads the four log groups back, as an operator would."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import boto3

from .steps import Record

__all__ = ["read_logs"]

_SERVICES = ("order-service", "inventory-service", "notification-service", "processing-service")
_ANY = "test"  # the emulator asks for credentials and takes any


def read_logs(endpoint: str, region: str, since: datetime) -> list[Record]:
    """Return what all services logged from *since* on, in order of time."""
    client = boto3.client(
        "logs", endpoint_url=endpoint, region_name=region, aws_access_key_id=_ANY, aws_secret_access_key=_ANY
    )
    return sorted(
        (record for service in _SERVICES for record in _read(client, service, since)), key=lambda record: record.at
    )


def _read(client: Any, service: str, since: datetime) -> list[Record]:
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=f"{service}-logs", startTime=int(since.timestamp() * 1000)
    )
    return [_record(service, event) for page in pages for event in page["events"]]


def _record(service: str, event: dict[str, Any]) -> Record:
    facts = json.loads(event["message"])
    return Record(
        service=service,
        at=datetime.fromisoformat(facts["time"]),  # microseconds; the event's own time has milliseconds
        ingested=datetime.fromtimestamp(event["ingestionTime"] / 1000, UTC),
        facts=facts,
    )
