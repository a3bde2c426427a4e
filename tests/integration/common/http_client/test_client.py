from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic, time

import orjson
import pytest
from aiohttp import web

from service_common.backoff import Backoff
from service_common.errors import ServiceError, UnavailableError
from service_common.http_client import (
    Call,
    CircuitPolicy,
    OutcomeUnknownError,
    RefusedError,
    Reply,
    RetryingClient,
    RetryPolicy,
)
from service_common.http_client.transport import MAX_ANSWER_BYTES
from service_common.observability import Metrics, tracing
from tests.support.waiting import PATIENCE_S

READ = Call("GET", "/inventory/{product_id}", idempotent=True)
LIST = Call("GET", "/inventory", idempotent=True)
TAKE = Call("POST", "/inventory/decrement", idempotent=True, refusals=frozenset({"short-stock"}))
ADD = Call("POST", "/inventory", idempotent=False)
IMPATIENT = RetryPolicy(backoff=Backoff(0.001, 0.002))
LATE_S = 2.0  # what a busy machine may add to a time limit

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


class Server:
    """A service that answers its n-th request by its n-th behaviour, and all later ones by the last."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.seen: list[Seen] = []
        self.arrived = asyncio.Condition()
        self._behaviours = behaviours
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def stop_listening(self) -> None:
        assert self._runner is not None
        for site in tuple(self._runner.sites):
            await site.stop()

    async def stop(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        async with self.arrived:
            self.seen.append(Seen(request.method, request.raw_path, headers, body, monotonic()))
            self.arrived.notify_all()
        return await self._behaviours[min(len(self.seen), len(self._behaviours)) - 1](request)

    async def wait_seen(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE_S), self.arrived:
            await self.arrived.wait_for(lambda: len(self.seen) >= count)


@asynccontextmanager
async def serving(*behaviours: Behaviour) -> AsyncIterator[Server]:
    server = Server(*behaviours)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def answer(status: int, body: object = None, *, content_type: str = "application/json", **headers: str) -> Behaviour:
    content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)

    async def behave(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=content, content_type=content_type, headers=named)

    return behave


def raw(content: bytes) -> Behaviour:
    async def behave(request: web.Request) -> web.StreamResponse:
        assert isinstance(request.transport, asyncio.Transport)
        request.transport.write(content)
        request.transport.close()
        return web.Response()

    return behave


async def hang(_: web.Request) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def reset(request: web.Request) -> web.StreamResponse:
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.abort()
    return web.Response()


OK = answer(200, {"stock": 40})
PROBLEM = "application/problem+json"
SHORT = b'{"type":"urn:orderstream:problem:short-stock"}'


@contextmanager
def refusing() -> Iterator[str]:
    """A port that is taken and does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def never_connecting() -> Iterator[str]:
    """A port whose queue of connections is full: the kernel drops each further one."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            queued = sockets.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def client_of(
    *urls: str,
    token: str | None = None,
    policy: RetryPolicy = IMPATIENT,
    circuit: CircuitPolicy | None = None,
    metrics: Metrics | None = None,
) -> RetryingClient:
    return RetryingClient(urls, name="inventory-service", token=token, policy=policy, circuit=circuit, metrics=metrics)


async def test_reply_carries_status_and_decoded_body() -> None:
    async with serving(answer(201, {"a": [1]})) as server, client_of(server.url) as client:
        assert await client.request(TAKE, json={"operationId": "1:1"}) == Reply(201, {"a": [1]})
        (seen,) = server.seen
        assert (seen.method, seen.path, seen.body) == ("POST", "/inventory/decrement", b'{"operationId":"1:1"}')
        assert seen.headers["content-type"] == "application/json"


async def test_empty_body_is_none() -> None:
    async with serving(answer(204)) as server, client_of(server.url) as client:
        assert await client.request(TAKE) == Reply(204, None)


async def test_path_values_are_encoded_and_base_path_is_kept() -> None:
    async with serving(OK) as server, client_of(server.url + "/prefix/") as client:
        await client.request(READ, path={"product_id": "a/b ?ü%"})
        await client.request(READ, path={"product_id": 7})
        await client.request(LIST, query=[("productId", "a&b"), ("productId", "c")])
        assert [seen.path for seen in server.seen] == [
            "/prefix/inventory/a%2Fb%20%3F%C3%BC%25",
            "/prefix/inventory/7",
            "/prefix/inventory?productId=a%26b&productId=c",
        ]


async def test_token_trace_and_deadline_are_sent() -> None:
    async with serving(OK) as server, client_of(server.url, token="s3cret") as client:
        began_s = monotonic()
        with tracing(None) as trace:
            await client.request(LIST)
        took_ms = 1000 * (monotonic() - began_s)
        await client.request(LIST)
        traced, untraced = (seen.headers for seen in server.seen)
        assert traced["authorization"] == "Bearer s3cret"
        assert traced["traceparent"] == trace.traceparent
        assert 3000 - took_ms - 1 <= int(traced["x-deadline-ms"]) <= 3000
        assert "traceparent" not in untraced


async def test_connection_is_kept_alive() -> None:
    ports: list[int] = []

    async def note(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({})

    async with serving(note) as server, client_of(server.url) as client:
        for _ in range(5):
            await client.request(LIST)
        assert len(set(ports)) == 1


async def test_conflict_is_refused_with_its_problem_and_not_repeated() -> None:
    problem = {
        "type": "urn:orderstream:problem:short-stock",
        "title": "Short stock",
        "status": 409,
        "detail": "not enough",
        "traceId": "ab" * 16,
        "errors": [{"pointer": "/items/0", "detail": "short", "productId": "123", "stock": 2}],
    }
    conflict = answer(409, problem, content_type=PROBLEM)
    async with serving(conflict) as server, client_of(server.url) as client:
        with pytest.raises(RefusedError) as caught:
            await client.request(TAKE, json={})
        assert len(server.seen) == 1
        assert caught.value.problem.status == 409
        assert caught.value.problem.type == "urn:orderstream:problem:short-stock"
        assert caught.value.problem.trace_id == "ab" * 16
        assert caught.value.violations[0].facts == {"productId": "123", "stock": 2}
        assert str(caught.value) == "inventory-service answered 409: not enough"


FOREIGN = [
    *(answer(status, b"<html>", content_type="text/html") for status in (403, 404, 409, 422)),
    *(answer(404, body, content_type=PROBLEM) for body in (b"", b"<html>", b"[1]", b'{"status":"x"}', b"\xff\xfe")),
    answer(409, {"type": "about:blank", "title": "Conflict", "status": 409}, content_type=PROBLEM),
    answer(409, {"type": "urn:elsewhere:short-stock"}, content_type=PROBLEM),
    answer(409, SHORT[:-1], content_type=PROBLEM),
    answer(409, SHORT),
    answer(302, location="/elsewhere"),
    answer(304),
    answer(200, b"<html>", content_type="text/html"),
    *(answer(200, body) for body in (b'{"stock":', b"\xff\xfe", b"NaN", b"", b"[]", b'{"stock":"many"}')),
]


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_foreign_answer_is_no_answer_and_the_call_is_repeated(foreign: Behaviour) -> None:
    call = replace(TAKE, shape=lambda data: isinstance(data, dict) and data.get("stock") == 40)
    async with serving(foreign, foreign, OK) as server, client_of(server.url) as client:
        assert (await client.request(call, json={})).data == {"stock": 40}
        assert len(server.seen) == 3


@pytest.mark.parametrize("foreign", FOREIGN)
async def test_outcome_is_unknown_when_every_answer_is_foreign(foreign: Behaviour) -> None:
    call = replace(TAKE, shape=lambda data: isinstance(data, dict) and data.get("stock") == 40)
    async with serving(foreign) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError, match="answered"):
            await client.request(call, json={})
        with pytest.raises(UnavailableError, match="answered"):
            await client.request(replace(call, method="GET"))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_other_problem_of_the_service_is_no_refusal_and_not_repeated(status: int) -> None:
    problem = answer(status, {"type": "urn:orderstream:problem:unauthorized"}, content_type=PROBLEM)
    async with serving(problem) as server, client_of(server.url) as client:
        with pytest.raises(UnavailableError, match=f"answered {status}: unauthorized"):
            await client.request(TAKE, json={})
        assert len(server.seen) == 1


async def test_foreign_answers_open_the_circuit(caplog: pytest.LogCaptureFixture) -> None:
    circuit = CircuitPolicy(window=4, minimum=2, open_s=60)
    async with serving(FOREIGN[0]) as server, client_of(server.url, circuit=circuit) as client:
        for _ in range(10):
            with pytest.raises(UnavailableError):
                await client.request(TAKE)
        assert len(server.seen) == 2
    changes = [vars(each) for each in caplog.records if each.message == "circuit state changed"]
    # which is what the alarm CircuitOpen counts
    assert [(each["client"], each["state"]) for each in changes] == [("inventory-service", "open")]


@pytest.mark.parametrize(
    "failure", [*(answer(status) for status in (408, 429, 502, 503, 504)), reset, raw(b""), raw(b"HTTP/1.1 200 OK\r\n")]
)
async def test_idempotent_call_is_retried_after_a_transient_failure(failure: Behaviour) -> None:
    async with serving(failure, failure, OK) as server, client_of(server.url) as client:
        assert (await client.request(TAKE, json={})).data == {"stock": 40}
        assert len(server.seen) == 3
        assert {seen.body for seen in server.seen} == {b"{}"}


async def test_idempotent_call_is_retried_after_a_truncated_body() -> None:
    truncated = raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
    async with serving(truncated, OK) as server, client_of(server.url) as client:
        assert (await client.request(LIST)).data == {"stock": 40}


async def test_there_are_at_most_three_attempts() -> None:
    async with serving(answer(503)) as server, client_of(server.url) as client:
        with pytest.raises(UnavailableError, match="answered 503"):
            await client.request(LIST)
        assert len(server.seen) == 3


@pytest.mark.parametrize("failure", [answer(503), answer(504), reset])
async def test_call_that_is_not_idempotent_is_sent_once(failure: Behaviour) -> None:
    async with serving(failure, OK) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.request(ADD, json={})
        assert len(server.seen) == 1


async def test_aiohttp_does_not_retry_on_a_closed_kept_alive_connection() -> None:
    change = Call("PUT", "/inventory/1", idempotent=False)
    async with serving(OK, reset) as server, client_of(server.url) as client:
        await client.request(LIST)
        with pytest.raises(OutcomeUnknownError):
            await client.request(change, json={})
        assert len(server.seen) == 2


@pytest.mark.parametrize("failure", [answer(500), answer(501)])
async def test_other_answers_are_not_repeated(failure: Behaviour) -> None:
    async with serving(failure) as server, client_of(server.url) as client:
        with pytest.raises(UnavailableError):
            await client.request(LIST)
        assert len(server.seen) == 1


@pytest.mark.parametrize("content", [b"SMTP 220 ready\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 100 + b"\r\n\r\n"])
async def test_outcome_is_unknown_when_the_answer_is_not_http(content: bytes) -> None:
    async with serving(raw(content)) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError):
            await client.request(ADD, json={})
        assert len(server.seen) == 1


async def test_outcome_of_a_failed_read_is_not_unknown() -> None:
    async with serving(reset) as server, client_of(server.url) as client:
        with pytest.raises(UnavailableError) as caught:
            await client.request(LIST)
        assert not isinstance(caught.value, OutcomeUnknownError)


async def test_outcome_stays_unknown_when_later_attempts_find_no_connection() -> None:
    async def last_words(request: web.Request) -> web.StreamResponse:
        await server.stop_listening()
        return await reset(request)

    async with serving(last_words) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError, match="no connection"):
            await client.request(TAKE, json={})


async def test_call_is_retried_when_an_attempt_times_out() -> None:
    call = Call("GET", "/", idempotent=True, attempt_timeout_s=0.1, deadline_s=3)
    async with serving(hang, OK) as server, client_of(server.url) as client:
        started = monotonic()
        assert (await client.request(call)).status == 200
        assert 0.1 <= monotonic() - started < 0.1 + LATE_S
        first, second = (int(seen.headers["x-deadline-ms"]) for seen in server.seen)
        assert second <= first - 100


async def test_deadline_bounds_all_attempts_and_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1000.0
    monkeypatch.setattr("service_common.http_client.client.monotonic", lambda: now_s)

    def after(seconds: float, behaviour: Behaviour) -> Behaviour:
        async def behave(request: web.Request) -> web.StreamResponse:
            nonlocal now_s
            now_s += seconds
            return await behaviour(request)

        return behave

    call = Call("POST", "/", idempotent=True, attempt_timeout_s=0.3, deadline_s=0.5)
    async with serving(after(0.3, answer(503)), after(0.2, hang)) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknownError, match=r"no answer within 0\.2 s \(no time is left\)"):
            await client.request(call)
        assert [int(seen.headers["x-deadline-ms"]) for seen in server.seen] == [500, pytest.approx(200, abs=1)]


async def test_body_that_never_ends_times_out_with_the_attempt() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"[")
        return await hang(request)

    call = Call("GET", "/", idempotent=False, attempt_timeout_s=0.1)
    async with serving(drip) as server, client_of(server.url) as client:
        with pytest.raises(UnavailableError, match="no answer within"):
            await client.request(call)


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer in chunks for as long as the client reads."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        while True:
            await response.write(b" " * 65_536)
    return response


async def huge(_: web.Request) -> web.StreamResponse:
    return web.Response(body=b"1" * (MAX_ANSWER_BYTES + 1), content_type="application/json")


async def inflating(request: web.Request) -> web.StreamResponse:
    assert request.headers["Accept-Encoding"] == "identity"
    body = gzip.compress(b"[" + b" " * MAX_ANSWER_BYTES + b"]")
    return web.Response(body=body, content_type="application/json", headers={"Content-Encoding": "gzip"})


@pytest.mark.parametrize("foreign", [endless, huge, inflating])
async def test_answer_that_is_too_large_is_no_answer_and_the_call_is_repeated(foreign: Behaviour) -> None:
    call = replace(TAKE, attempt_timeout_s=20.0, deadline_s=40.0)
    async with serving(foreign, answer(200, {"id": 7})) as server, client_of(server.url) as client:
        assert await client.request(call, json={}) == Reply(200, {"id": 7})
    assert len(server.seen) == 2


async def test_answer_in_chunks_is_read_and_keeps_its_connection() -> None:
    async def chunked(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for part in (b'{"id"', b":7}"):
            await response.write(part)
        return response

    ports: set[object] = set()

    async def noting(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername"))
        return await chunked(request)

    async with serving(noting) as server, client_of(server.url) as client:
        replies = [await client.request(TAKE) for _ in range(3)]
    assert replies == [Reply(200, {"id": 7})] * 3
    assert len(ports) == 1


async def test_retry_after_in_seconds_is_a_floor() -> None:
    async with serving(answer(503, Retry_After="1"), OK) as server, client_of(server.url) as client:
        await client.request(LIST)
        first, second = server.seen
        assert second.at_s - first.at_s >= 1.0


async def test_retry_after_as_date_is_a_floor() -> None:
    date = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    unavailable = answer(503, Retry_After=format_datetime(date, usegmt=True))
    async with serving(unavailable, OK) as server, client_of(server.url) as client:
        await client.request(LIST)
        assert datetime.now(UTC) >= date
        assert len(server.seen) == 2


async def test_retry_after_beyond_the_deadline_is_passed_to_the_caller() -> None:
    async with serving(answer(503, Retry_After="60")) as server, client_of(server.url) as client:
        started = monotonic()
        with pytest.raises(UnavailableError) as caught:
            await client.request(LIST)
        assert caught.value.retry_after_s == 60
        assert monotonic() - started < LATE_S
        assert len(server.seen) == 1


async def test_refused_connection_is_retried_though_not_idempotent_and_had_no_effect() -> None:
    metrics = Metrics()
    with refusing() as url:
        async with client_of(url, metrics=metrics) as client:
            with pytest.raises(UnavailableError, match="no connection") as caught:
                await client.request(ADD, json={})
            assert not isinstance(caught.value, OutcomeUnknownError)
    assert attempts(metrics, "POST /inventory", "unreached") == 3


async def test_connection_timeout_is_retried_though_not_idempotent() -> None:
    policy = RetryPolicy(backoff=Backoff(0.001, 1.0), connect_timeout_s=0.1)
    with never_connecting() as url:
        async with serving(OK) as server, client_of(url, server.url, policy=policy) as client:
            assert (await client.request(ADD, json={})).status == 200


async def test_next_base_url_is_used_without_delay_and_preferred() -> None:
    policy = RetryPolicy(attempts=1, backoff=Backoff(60, 60))
    metrics = Metrics()
    with refusing() as away:
        async with serving(OK) as server, client_of(away, server.url, policy=policy, metrics=metrics) as client:
            for _ in range(3):
                assert (await client.request(ADD, json={})).status == 200
            assert len(server.seen) == 3
    assert attempts(metrics, "POST /inventory", "answered") == 3
    assert attempts(metrics, "POST /inventory", "unreached") == 0


async def test_retry_goes_to_the_next_base_url() -> None:
    async with serving(answer(503)) as ill, serving(OK) as well, client_of(ill.url, well.url) as client:
        assert (await client.request(LIST)).status == 200
        assert (len(ill.seen), len(well.seen)) == (1, 1)


async def test_open_circuit_fails_at_once_and_closes_after_probes() -> None:
    circuit = CircuitPolicy(window=4, minimum=4, open_s=0.5, probes=1)
    policy = RetryPolicy(attempts=1)
    metrics = Metrics()
    failing = [answer(500)] * 4
    async with (
        serving(*failing, OK) as server,
        client_of(server.url, policy=policy, circuit=circuit, metrics=metrics) as client,
    ):
        for _ in range(4):
            with pytest.raises(UnavailableError, match="answered 500"):
                await client.request(LIST)
        assert circuit_state(metrics) == 2
        with pytest.raises(UnavailableError, match="circuit is open") as caught:
            await client.request(TAKE, json={})
        assert not isinstance(caught.value, OutcomeUnknownError)
        assert 0 < caught.value.retry_after_s <= 0.5
        assert len(server.seen) == 4
        await eventually_answered(client)
        assert circuit_state(metrics) == 0


async def test_call_that_opens_the_circuit_is_not_retried() -> None:
    circuit = CircuitPolicy(window=4, minimum=2, open_s=60)
    async with serving(answer(503)) as server, client_of(server.url, circuit=circuit) as client:
        with pytest.raises(UnavailableError, match="circuit is open"):
            await client.request(LIST)
        assert len(server.seen) == 2


async def test_refusals_leave_the_circuit_closed() -> None:
    circuit = CircuitPolicy(window=4, minimum=2, open_s=60)
    short = answer(409, SHORT, content_type=PROBLEM)
    async with serving(short) as server, client_of(server.url, circuit=circuit) as client:
        for _ in range(10):
            with pytest.raises(RefusedError):
                await client.request(TAKE)
        assert len(server.seen) == 10


async def test_cancelled_calls_are_neutral() -> None:
    circuit = CircuitPolicy(window=4, minimum=2, open_s=60)
    metrics = Metrics()
    async with serving(*[hang] * 5, OK) as server, client_of(server.url, circuit=circuit, metrics=metrics) as client:
        for count in range(1, 6):
            await cancel_when_seen(client, server, count)
        assert (await client.request(LIST)).status == 200
    assert attempts(metrics, "GET /inventory", "cancelled") == 5


async def test_cancelled_probe_gives_its_permit_back() -> None:
    circuit = CircuitPolicy(window=2, minimum=2, open_s=0.01, probes=1)
    policy = RetryPolicy(attempts=1)
    async with (
        serving(reset, reset, hang, OK) as server,
        client_of(server.url, policy=policy, circuit=circuit) as client,
    ):
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await client.request(LIST)
        probe = asyncio.create_task(eventually_answered(client))
        await server.wait_seen(3)
        probe.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probe
        assert (await client.request(LIST)).status == 200


async def test_retries_of_all_calls_share_one_budget() -> None:
    policy = RetryPolicy(backoff=Backoff(0.001, 1.0), budget_burst=4, budget_ratio=0.1)
    circuit = CircuitPolicy(window=1000, minimum=1000)
    async with serving(answer(503)) as server, client_of(server.url, policy=policy, circuit=circuit) as client:
        for _ in range(40):
            with pytest.raises(UnavailableError):
                await client.request(LIST)
        assert 44 <= len(server.seen) <= 40 + 4 + 4


async def test_calls_and_their_time_are_counted_by_outcome() -> None:
    metrics = Metrics()
    short = answer(409, SHORT, content_type=PROBLEM)
    async with serving(OK, short, answer(500)) as server, client_of(server.url, metrics=metrics) as client:
        for _ in range(2):
            with suppress(ServiceError):
                await client.request(TAKE)
        assert sample(metrics, "client_last_failure_timestamp_seconds") == 0
        before_s = time()
        with suppress(ServiceError):
            await client.request(TAKE)
        assert before_s <= sample(metrics, "client_last_failure_timestamp_seconds") <= time()
    for outcome in ("answered", "refused", "outcome-unknown"):
        assert calls(metrics, "POST /inventory/decrement", outcome) == 1


def test_invalid_base_url_is_an_error() -> None:
    for urls in ((), ("inventory:8081",), ("/inventory",), ("ftp://inventory",)):
        with pytest.raises(ValueError, match="URL"):
            client_of(*urls)


async def cancel_when_seen(client: RetryingClient, server: Server, count: int) -> None:
    call = asyncio.create_task(client.request(LIST))
    await server.wait_seen(count)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def eventually_answered(client: RetryingClient) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await client.request(LIST)
            except UnavailableError as error:
                await asyncio.sleep(error.retry_after_s)
            else:
                return


def sample(metrics: Metrics, name: str, **labels: str) -> float:
    value = metrics.registry.get_sample_value(f"orderstream_{name}", {"client": "inventory-service", **labels})
    return value or 0.0


def attempts(metrics: Metrics, call: str, outcome: str) -> float:
    return sample(metrics, "client_attempts_total", call=call, outcome=outcome)


def calls(metrics: Metrics, call: str, outcome: str) -> float:
    return sample(metrics, "client_call_seconds_count", call=call, outcome=outcome)


def circuit_state(metrics: Metrics) -> float:
    return sample(metrics, "client_circuit_state")


async def test_answer_that_a_resource_is_busy_is_passed_on_and_leaves_the_circuit_closed() -> None:
    circuit = CircuitPolicy(window=4, minimum=2, open_s=60)
    document = {"type": "urn:orderstream:problem:resource-busy", "status": 503}
    busy = answer(503, document, content_type="application/problem+json", Retry_After="7")
    metrics = Metrics()
    async with serving(busy) as server, client_of(server.url, circuit=circuit, metrics=metrics) as client:
        for _ in range(5):
            with pytest.raises(OutcomeUnknownError, match="resource-busy") as caught:
                await client.request(TAKE)
            assert caught.value.retry_after_s == 7
        assert len(server.seen) == 5
        assert circuit_state(metrics) == 0
