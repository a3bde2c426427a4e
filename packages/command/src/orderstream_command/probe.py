"""Looks at everything that runs, once: replicas, queues, and what the replicas measure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import aiohttp
import orjson
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client.parser import text_string_to_metric_families

from service_common.errors import ServiceError
from service_common.sqs import QueueDepth, Sqs

from .config import CommandConfig

__all__ = ["Probe", "QueueState", "Replica", "Snapshot"]

LIMIT_S = 4.0
_PREFIX = "orderstream_"
_SUMMED = frozenset({"sagas_open", "push_connections"})  # over their labels


@dataclass(frozen=True, slots=True)
class Replica:
    """A replica of a service.

    Attributes:
        state: ``ready``, ``not ready``, or ``away``.
        reasons: why it is not ready, by check.
        started_at: when its process started; None when it does not say.
        metrics: its measurements without ``orderstream_``, each with the greatest value of its labels, or
            their sum where they count.
        unmeasured: why there are no *metrics*; None when there are.
    """

    service: str
    url: str
    state: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    unmeasured: str | None = None


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue or a dead-letter queue.

    Attributes:
        depth: None when SQS does not say, for this *error*.
        oldest_s: age of its oldest message, as CloudWatch has it; None when it does not.
    """

    name: str
    dead_letters: bool
    depth: QueueDepth | None
    oldest_s: float | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The system at one time."""

    at: datetime
    replicas: tuple[Replica, ...]
    queues: tuple[QueueState, ...]


class Probe:
    """Takes snapshots.

    Args:
        config: where the system is.
        http: for health and metrics.
        sqs: for the depths.
        cloudwatch: a client of CloudWatch.
    """

    def __init__(self, config: CommandConfig, http: aiohttp.ClientSession, sqs: Sqs, cloudwatch: Any) -> None:
        self._config = config
        self._http = http
        self._sqs = sqs
        self._cloudwatch = cloudwatch

    @classmethod
    @asynccontextmanager
    async def open(cls, config: CommandConfig) -> AsyncIterator[Probe]:
        """Open the connections."""
        headers = {"Authorization": f"Bearer {config.token}"} if config.token else {}
        limit = aiohttp.ClientTimeout(total=LIMIT_S)
        limits = AioConfig(connect_timeout=LIMIT_S, read_timeout=LIMIT_S, retries={"total_max_attempts": 1})
        async with (
            aiohttp.ClientSession(headers=headers, timeout=limit, trust_env=True) as http,
            Sqs.open(config.aws) as sqs,
            get_session().create_client(
                "cloudwatch", region_name=config.aws.region, endpoint_url=config.aws.endpoint_url, config=limits
            ) as cloudwatch,
        ):
            yield cls(config, http, sqs, cloudwatch)

    async def snapshot(self) -> Snapshot:
        """Look at everything at once; what does not answer within 4 s is away."""
        places = [(service, url) for service, urls in self._config.urls.items() for url in urls]
        replicas, queues = await asyncio.gather(
            asyncio.gather(*(self._replica(*place) for place in places)),
            asyncio.gather(*(self._with_dead_letters(name) for name in self._config.queues)),
        )
        pairs = tuple(queue for pair in queues for queue in pair)
        return Snapshot(datetime.now(UTC), tuple(replicas), pairs)

    async def _replica(self, service: str, url: str) -> Replica:
        try:
            (measured, metrics), (status, health) = await asyncio.gather(
                self._get(f"{url}/metrics"), self._get(f"{url}/health/ready")
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            return Replica(service, url, "away", {"http": str(error) or "no answer"})
        values = _values(metrics) if measured == HTTPStatus.OK else {}
        unmeasured = None if values else f"/metrics answered {measured}: {_detail(metrics)}"
        started = values.pop("process_start_time_seconds", None)
        return Replica(
            service,
            url,
            "ready" if status == HTTPStatus.OK else "not ready",
            _reasons(health),
            None if started is None else datetime.fromtimestamp(started, UTC),
            values,
            unmeasured,
        )

    async def _get(self, url: str) -> tuple[int, str]:
        async with self._http.get(url) as response:
            return response.status, await response.text()

    async def _with_dead_letters(self, name: str) -> list[QueueState]:
        try:
            dead_letters = (await self._sqs.queue(name)).dead_letters
        except ServiceError as error:
            return [QueueState(name, dead_letters=False, depth=None, error=error.detail)]
        names = [(name, False), *([(dead_letters, True)] if dead_letters else [])]
        return list(await asyncio.gather(*(self._queue(each, dead_letters=dead) for each, dead in names)))

    async def _queue(self, name: str, *, dead_letters: bool) -> QueueState:
        try:
            depth, oldest_s = await asyncio.gather(self._sqs.depth(name), self._oldest_s(name))
        except ServiceError as error:
            return QueueState(name, dead_letters, depth=None, error=error.detail)
        return QueueState(name, dead_letters, depth, oldest_s)

    async def _oldest_s(self, name: str) -> float | None:
        now = datetime.now(UTC)
        try:
            answer = await self._cloudwatch.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": name}],
                StartTime=now - timedelta(minutes=5),
                EndTime=now,
                Period=60,
                Statistics=["Maximum"],
            )
        except (BotoCoreError, ClientError):  # an emulator has no such metric, a role may lack the right
            return None
        points = sorted(answer.get("Datapoints") or (), key=lambda point: point["Timestamp"])
        return float(points[-1]["Maximum"]) if points else None


def _values(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                name = sample.name.removeprefix(_PREFIX)
                known = values.get(name)
                together = sum if name in _SUMMED else max
                values[name] = sample.value if known is None else together((known, sample.value))
    except ValueError:  # a page of a proxy
        return {}
    return values


def _reasons(health: str) -> dict[str, str]:
    try:
        checks = orjson.loads(health).get("checks", {})
    except (orjson.JSONDecodeError, AttributeError):
        return {}
    return {name: reason for name, reason in checks.items() if reason != "ok"}


def _detail(body: str) -> str:
    try:
        return str(orjson.loads(body)["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):  # a page of a proxy
        return "no measurements"
