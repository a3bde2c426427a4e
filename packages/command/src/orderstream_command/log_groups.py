"""The log groups of the services in CloudWatch Logs: read, and followed as lines come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import BotoCoreError, ClientError

from service_common.errors import PermanentError, UnavailableError

from .config import CommandConfig

__all__ = ["LogGroups", "LogLine", "LogsRefusedError", "LogsUnavailableError"]

POLL_S = 1.0
MAX_EVENTS = 10_000  # of a page
QUERY_POLL_S = 0.5
# lines become visible a moment after those that are younger: what was seen is not shown twice
OVERLAP_MS = 10_000
_UNAVAILABLE = frozenset({"ServiceUnavailableException", "ThrottlingException", "LimitExceededException"})
_NO_LIVE_TAIL = frozenset({"InvalidAction", "UnknownOperationException", "NotImplemented", "AccessDeniedException"})


class LogsUnavailableError(UnavailableError):
    """CloudWatch Logs gives no answer, fails or throttles."""

    slug = "logs-unavailable"


class LogsRefusedError(PermanentError):
    """CloudWatch Logs refuses the request: a missing permission, a missing group, a wrong query."""

    slug = "logs-refused"

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a service; *facts* has its members, or only ``message`` when it is no JSON object."""

    at: datetime
    service: str
    facts: Mapping[str, Any]


class LogGroups:
    """Reads the log groups.

    Args:
        client: of CloudWatch Logs.
        groups: the log group of each service.
    """

    def __init__(self, client: Any, groups: Mapping[str, str]) -> None:
        self._client = client
        self._groups = groups

    @classmethod
    @asynccontextmanager
    async def open(cls, config: CommandConfig, services: Sequence[str] = ()) -> AsyncIterator[LogGroups]:
        """Open the connection; the log groups of *services*, or of all."""
        options = AioConfig(
            connect_timeout=4,
            read_timeout=15,
            max_pool_connections=16,
            retries={"total_max_attempts": 3, "mode": "standard"},
            # StartLiveTail and GetLogEvents go to hosts of their own on AWS, which an emulator lacks
            inject_host_prefix=config.aws.endpoint_url is None,
        )
        groups = {name: group for name, group in config.log_groups.items() if not services or name in services}
        with _translated():
            async with get_session().create_client(
                "logs", region_name=config.aws.region, endpoint_url=config.aws.endpoint_url, config=options
            ) as client:
                yield cls(client, groups)

    async def read(
        self, begin: datetime, end: datetime, *, pattern: str = "", limit: int | None = None
    ) -> list[LogLine]:
        """Return the lines of all groups from *begin* to before *end*, by time; of the oldest at most *limit* a group.

        Args:
            begin: from when.
            end: to when.
            pattern: of CloudWatch's filters, such as ``"some words"``.
            limit: None for all.
        """
        found = await asyncio.gather(*(self._read(each, begin, end, pattern, limit) for each in self._groups.items()))
        return sorted((line for lines in found for line in lines), key=lambda line: line.at)

    async def follow(self, pattern: str = "") -> AsyncGenerator[LogLine, None]:
        """Yield lines as they come: by StartLiveTail, or by asking every second where that is not to be had."""
        try:
            async with aclosing(self._live_tail(pattern)) as lines:
                async for line in lines:
                    yield line
        except LogsRefusedError as error:
            if error.code not in _NO_LIVE_TAIL:
                raise
        async with aclosing(self._poll(pattern)) as lines:
            async for line in lines:
                yield line

    async def query(self, text: str, begin: datetime, end: datetime, limit: int) -> list[dict[str, str]]:
        """Run a query of Logs Insights over all groups and return its rows."""
        with _translated():
            started = await self._client.start_query(
                logGroupNames=list(self._groups.values()),
                startTime=int(begin.timestamp()),
                endTime=int(end.timestamp()),
                queryString=text,
                limit=limit,
            )
            while True:
                answer = await self._client.get_query_results(queryId=started["queryId"])
                if answer["status"] not in {"Scheduled", "Running", "Unknown"}:
                    break
                await asyncio.sleep(QUERY_POLL_S)
        if answer["status"] != "Complete":
            raise LogsUnavailableError(f"the query ended as {answer['status']}")
        return [{cell["field"]: cell["value"] for cell in row if cell["field"] != "@ptr"} for row in answer["results"]]

    async def _read(
        self, group: tuple[str, str], begin: datetime, end: datetime, pattern: str, limit: int | None
    ) -> list[LogLine]:
        service, name = group
        asked: dict[str, Any] = {"logGroupName": name, "startTime": _ms(begin), "endTime": _ms(end)}
        if pattern:
            asked["filterPattern"] = pattern
        lines: list[LogLine] = []
        with _translated():
            while True:
                page = await self._client.filter_log_events(**asked)
                lines += [_line(service, each["timestamp"], each["message"]) for each in page["events"]]
                if limit is not None and len(lines) >= limit:
                    return lines[:limit]
                if "nextToken" in page:
                    asked["nextToken"] = page["nextToken"]
                elif len(page["events"]) == MAX_EVENTS:  # an emulator, which has no further page
                    asked["startTime"] = page["events"][-1]["timestamp"] + 1
                else:
                    return lines

    async def _live_tail(self, pattern: str) -> AsyncGenerator[LogLine, None]:
        names = {group: service for service, group in self._groups.items()}
        with _translated():
            arns = [await self._arn(group) for group in names]
            options = {"logEventFilterPattern": pattern} if pattern else {}
            while True:
                answer = await self._client.start_live_tail(logGroupIdentifiers=arns, **options)
                async for event in answer["responseStream"]:
                    for each in event.get("sessionUpdate", {}).get("sessionResults", ()):
                        service = names[each["logGroupIdentifier"].rpartition(":")[2]]
                        yield _line(service, each["timestamp"], each["message"])
                    if "SessionTimeoutException" in event:  # after three hours
                        break

    async def _arn(self, group: str) -> str:
        answer = await self._client.describe_log_groups(logGroupNamePrefix=group)
        for each in answer["logGroups"]:
            if each["logGroupName"] == group:
                return str(each["arn"]).removesuffix(":*")
        raise LogsRefusedError(f"there is no log group {group}", code="ResourceNotFoundException")

    async def _poll(self, pattern: str) -> AsyncGenerator[LogLine, None]:
        begin = _ms(datetime.now(UTC))
        seen: dict[str, int] = {}
        while True:
            for service, group in self._groups.items():
                asked = {"filterPattern": pattern} if pattern else {}
                with _translated():
                    page = await self._client.filter_log_events(
                        logGroupName=group, startTime=begin - OVERLAP_MS if seen else begin, **asked
                    )
                for each in page["events"]:
                    if each["eventId"] not in seen:
                        seen[each["eventId"]] = each["timestamp"]
                        yield _line(service, each["timestamp"], each["message"])
            begin = max(begin, *seen.values()) if seen else begin
            seen = {event: at for event, at in seen.items() if at >= begin - OVERLAP_MS}
            await asyncio.sleep(POLL_S)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _UNAVAILABLE or status >= 500:
            raise LogsUnavailableError(f"CloudWatch Logs: {error}") from error
        raise LogsRefusedError(f"CloudWatch Logs: {error}", code=code) from error
    except BotoCoreError as error:
        raise LogsUnavailableError(f"CloudWatch Logs: {error}") from error


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _line(service: str, timestamp_ms: int, message: str) -> LogLine:
    try:
        facts = orjson.loads(message)
    except orjson.JSONDecodeError:
        facts = None
    if not isinstance(facts, dict):
        facts = {"message": message}
    at = datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    if isinstance(facts.get("time"), str):  # with microseconds
        with suppress(ValueError):
            at = datetime.fromisoformat(facts["time"])
    return LogLine(at, service, facts)
