"""nginx with the configuration of the container `web`."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import shutil
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from orderstream_local.layout import COMPOSE
from service_common.auth import Caller
from service_common.dead_letters import DEAD_LETTERS, DeadLetters
from service_common.sqs import Sqs
from tests.support.api_documents import APIS
from tests.support.folders import reachable_folder
from tests.support.in_memory.services import SERVICES, Resource
from tests.support.in_memory.sqs import InMemorySqs
from tests.support.otlp import collecting
from tests.support.ports import free_port
from tests.support.waiting import eventually

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SCRIPT = "main-C-O9TU_F.js"
CONTENT = b"// a script\n" * 200
PAGE_CONFIG = COMPOSE / "page-config.sh"
OPEN = {"AUTH_MODE": "open"}
SIGN_IN = {"AUTH_ISSUER": "https://issuer.example/realms/shop", "AUTH_AUDIENCE": "page,another"}

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


UNUSED_ADDRESS = "127.0.0.1:1"


# the test is the load balancer, which says who the client is
LOAD_BALANCER = "set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;"
LOW_LIMITS = {"rate=200r/s": "rate=1r/m", "burst=2000": "burst=20", "limit_conn waiting 200": "limit_conn waiting 5"}
REQUESTS, WAITING = 21, 5


def configuration(folder: Path, port: int, services: str | Mapping[str, str], changes: Mapping[str, str]) -> str:
    """Return nginx.conf for *port*, without the host names of Docker and the directives of later versions."""
    text = (COMPOSE / "nginx.conf").read_text(encoding="utf-8").replace("/tmp/", f"{folder}/")  # noqa: S108
    text = text.replace("listen 4200;", f"listen 127.0.0.1:{port};").replace("/usr/share/nginx/html", f"{folder}/page")
    text = re.sub(r"listen (808\d);", rf"listen unix:{folder}/\1;", text)
    known = {} if isinstance(services, str) else services
    default = services if isinstance(services, str) else UNUSED_ADDRESS
    text = re.sub(r"server (\w+):\d+ resolve", lambda found: f"server {known.get(found[1], default)}", text)
    for old, new in ({"limit_req_zone": f"{LOAD_BALANCER} limit_req_zone"} | dict(changes)).items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    text = text.replace("/dev/stderr", f"{folder}/nginx.log")
    return text.replace("worker_connections 8192", "worker_connections 256")


def page_config(file: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    """Write what nginx.conf includes; return the status and what was said."""
    environment = {"PATH": os.defpath, **environ}
    run = subprocess.run([PAGE_CONFIG, file], env=environment, capture_output=True, text=True, check=False)
    return run.returncode, run.stderr


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    with reachable_folder("nginx-") as folder:
        async with served(folder, free_port()) as url:
            yield url


@asynccontextmanager
async def served(
    folder: Path,
    port: int,
    services: str | Mapping[str, str] = UNUSED_ADDRESS,
    changes: Mapping[str, str] = MappingProxyType({}),
    environ: Mapping[str, str] = OPEN,
) -> AsyncIterator[str]:
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text('<app-root ngCspNonce="CSP_NONCE"></app-root><link nonce="CSP_NONCE">')
    (page / SCRIPT).write_bytes(CONTENT)
    (page / f"{SCRIPT}.gz").write_bytes(gzip.compress(CONTENT))
    (folder / "nginx.conf").write_text(configuration(folder, port, services, changes))
    assert page_config(folder / "page.conf", environ) == (0, "")
    (folder / "resolver.conf").write_text("resolver 127.0.0.1;")
    command = (str(NGINX), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;")
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE)
    try:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool | None:
                if process.returncode is not None:
                    assert process.stderr is not None
                    pytest.fail((await process.stderr.read()).decode())
                try:
                    async with session.get(f"http://127.0.0.1:{port}/config.json") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return None

            await eventually(answers, "nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def test_no_ticket_is_logged_when_a_service_is_away() -> None:
    with reachable_folder("nginx-") as folder:
        async with served(folder, free_port()) as url, aiohttp.ClientSession() as session:
            for query in ("?ticket=SECRET", "?orderId=7&ticket=SECRET"):
                async with session.get(f"{url}/api/stream{query}") as response:
                    assert response.status == 502
            async with session.get(f"{url}/live?code=SECRET") as response:
                assert response.status == 200
            # too long for nginx
            async with session.get(f"{url}/api/stream?ticket=SECRET{'x' * 40_000}") as response:
                assert response.status == 414
        written = (folder / "nginx.log").read_text()
    failures = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert [(each["path"], each["status"], each["upstreamStatus"]) for each in failures] == [
        ("/stream", 502, "502"),
        ("/stream", 502, "502"),
    ]
    assert "SECRET" not in written


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[str]:
    """The address of a service that answers GET with the target, and POST with a Location below it."""

    async def target(request: web.Request) -> web.Response:
        return web.Response(text=request.path_qs)

    async def create(request: web.Request) -> web.Response:
        return web.Response(status=201, headers={"Location": f"{request.path}/7"})

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begun")
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.add_routes([web.get("/stream", endless), web.get("/orders/endless", endless)])
    app.add_routes([web.get("/{path:.*}", target), web.post("/{path:.*}", create)])
    async with TestServer(app, handler_cancellation=True) as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with reachable_folder("nginx-") as folder:
        yield folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(service: str, folder: Path) -> AsyncIterator[str]:
    """The URL of nginx before the service."""
    async with served(folder, free_port(), service) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def limited(service: str) -> AsyncIterator[str]:
    """The URL of nginx with low limits before the service."""
    with reachable_folder("nginx-") as folder:
        async with served(folder, free_port(), service, LOW_LIMITS) as url:
            yield url


@pytest.mark.parametrize("path", ["/", "/orders/7", "/index.html", "/live"])
async def test_page_and_policy_share_a_new_nonce_for_each_response(url: str, path: str) -> None:
    nonces = set()
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.get(url + path) as response:
                assert response.headers["Cache-Control"] == "no-cache"
                assert "ETag" not in response.headers
                [nonce] = set(re.findall(r'once="([^"]+)"', await response.text()))
                assert f"style-src 'self' 'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
                assert len(nonce) == 32
                nonces.add(nonce)
    assert len(nonces) == 3


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None)])
async def test_script_is_sent_precompressed(url: str, accepted: str, encoding: str | None) -> None:
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(f"{url}/{SCRIPT}", headers={"Accept-Encoding": accepted}) as response,
    ):
        assert response.headers.get("Content-Encoding") == encoding
        assert "immutable" in response.headers["Cache-Control"]
        body = await response.read()
    assert (gzip.decompress(body) if encoding else body) == CONTENT


@pytest.mark.parametrize(
    "path",
    [
        "/main-ABCD1234.js",
        "/favicon.ico",
        "/api/nothing",
        "/api/inventory/decrement",
        "/api/inventory/decrements",
        "/api/health/x",
        "/api/metrics",
    ],
)
async def test_unknown_path_is_404(url: str, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(url + path) as response:
        assert response.status == 404
        assert "Cache-Control" not in response.headers
        assert "app-root" not in await response.text()


@pytest.mark.parametrize("path", ["/api/inventory/a.b", "/api/orders/main-ABCD1234.js"])
async def test_api_path_with_suffix_is_proxied(url: str, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(url + path) as response:
        assert response.status == 502  # no upstream in this test


@pytest.mark.parametrize(
    ("path", "proxied"),
    [
        ("/api/health/order", "/health/ready"),
        ("/api/metrics/notification", "/metrics"),
        ("/api/openapi/inventory", "/openapi.json"),
        ("/api/sagas?late=true", "/sagas?late=true"),
    ],
)
async def test_health_and_metrics_are_proxied_by_service_name(proxy: str, path: str, proxied: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(proxy + path) as response:
        assert await response.text() == proxied


async def test_dead_letters_of_each_service_are_reached_by_its_name() -> None:
    queues = {name: InMemorySqs() for name in ("processing", "notification")}
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(reachable_folder("nginx-"))
        servers = {
            name: await stack.enter_async_context(TestServer(SERVICES["processing"].app(dead_letters_of(sqs))))
            for name, sqs in queues.items()
        }
        proxy = await stack.enter_async_context(
            served(folder, free_port(), {name: f"127.0.0.1:{server.port}" for name, server in servers.items()})
        )
        session = await stack.enter_async_context(aiohttp.ClientSession())

        async def ask(method: str, path: str, **options: Any) -> Any:
            async with session.request(method, f"{proxy}/api/dead-letters/{path}", **options) as response:
                assert response.status == 200
                return await response.json()

        for name, sqs in queues.items():
            one, other = (sqs.bury("queue", f"of {name}", {}) for _ in range(2))
            assert [each["id"] for each in (await ask("GET", f"{name}?limit=1"))["letters"]] == [one]
            assert (await ask("GET", f"{name}/{one}"))["body"] == f"of {name}"
            assert (await ask("POST", f"{name}/redrive", json={"ids": [one]}))["done"] == [one]
            assert (await ask("POST", f"{name}/discard", json={"ids": [other]}))["done"] == [other]
        assert [len(sqs.messages["queue"]) for sqs in queues.values()] == [1, 1]


def dead_letters_of(sqs: InMemorySqs) -> Resource:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[DEAD_LETTERS] = DeadLetters(cast(Sqs, sqs), "queue")
        yield

    return opened


@pytest.mark.parametrize("path", ["/api/orders", "/api/inventory"])
async def test_location_leads_to_what_was_created(proxy: str, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(proxy + path) as created:
        location = created.url.join(URL(created.headers["Location"]))
        async with session.get(location) as response:
            assert await response.text() == f"{path.removeprefix('/api')}/7"


INTERNAL = {
    operation.path.format(order_id=1, product_id="123", letter_id="1"): port
    for name, port in (("order", 8080), ("inventory", 8081))
    for operation in APIS[name].operations
    if operation.access is Caller.SERVICE
}
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda path: path,
    lambda path: f"{path}?version=1",
    lambda path: f"{path}/",
    lambda path: path.replace("/", "//"),
    lambda path: path.replace("e", "%65"),
    lambda path: path[0] + path[1:].replace("/", "%2F"),
    lambda path: f"/orders/..{path}",
    lambda path: f"/inventory/%2e%2e{path}",
)


@pytest.mark.parametrize("path", INTERNAL)
async def test_internal_endpoint_is_not_published(proxy: str, folder: Path, path: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(folder / str(INTERNAL[path])))) as direct,
    ):
        for spelled in (spelling(path) for spelling in SPELLINGS):
            for method in ("GET", "POST"):
                page = URL(f"{proxy}/api{spelled}", encoded=True)
                port = URL(f"http://localhost{spelled}", encoded=True)
                async with session.request(method, page) as one, direct.request(method, port) as other:
                    assert (one.status, other.status) == (404, 404), spelled
        async with direct.get("http://localhost/orders/1") as answer:
            assert await answer.text() == "/orders/1"


PUBLISHED = [
    (operation.path.format(order_id=1, product_id="123", letter_id="1"), port)
    for name, port in (("order", 8080), ("inventory", 8081), ("notification", 8082), ("processing", 8083))
    for operation in APIS[name].operations
    if operation.method == "GET" and operation.access is not Caller.SERVICE and operation.path != "/stream"
]


@pytest.mark.parametrize(("path", "port"), PUBLISHED)
@pytest.mark.usefixtures("proxy")
async def test_port_of_a_service_publishes_what_people_may_call(folder: Path, path: str, port: int) -> None:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(folder / str(port)))) as session,
        session.get(f"http://localhost{path}") as response,
    ):
        assert (response.status, await response.text()) == (200, path)


@pytest.mark.parametrize(
    ("path", "network"),
    [("/api/orders?status=CREATED", 1), ("/api/notifications", 2), ("/api/tickets", 3), ("/index.html", 4)],
)
async def test_requests_of_an_address_are_limited(limited: str, path: str, network: int) -> None:
    client, other = f"203.0.{network}.1", f"203.0.{network}.2"
    async with aiohttp.ClientSession() as session:

        async def status(address: str) -> int:
            async with session.get(limited + path, headers={"X-Forwarded-For": address}) as answer:
                return answer.status

        answers = [await status(client) for _ in range(REQUESTS + 5)]
        assert answers == [200] * REQUESTS + [429] * 5
        assert await status(other) == 200
        async with session.get(limited + path, headers={"X-Forwarded-For": client}) as refused:
            document = await refused.json(content_type="application/problem+json")
            assert (refused.headers["Retry-After"], document["status"]) == ("1", 429)
            assert document["type"] == "urn:orderstream:problem:too-many-requests"
            assert document["instance"] == URL(path).path
            assert re.fullmatch("[0-9a-f]{32}", document["traceId"])


async def test_problem_document_of_a_refused_request_is_json_whatever_was_asked(limited: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(REQUESTS + 1):
            url = URL(f'{limited}/api/orders/a"b\\c', encoded=True)
            async with session.get(url, headers={"X-Forwarded-For": "192.0.2.250"}) as answer:
                last = await answer.read()
        assert json.loads(last)["instance"] == "/api/orders/a"


async def test_addresses_of_a_network_of_64_bits_are_limited_as_one(limited: str) -> None:
    async with aiohttp.ClientSession() as session:

        async def status(address: str) -> int:
            async with session.get(f"{limited}/api/orders", headers={"X-Forwarded-For": address}) as answer:
                return answer.status

        answers = [await status(f"2001:db8:0:7::{number:x}") for number in range(REQUESTS + 5)]
        assert answers == [200] * REQUESTS + [429] * 5
        assert [await status(f"2001:db8:0:{net}::1") for net in (6, 8, 700)] == [200] * 3


async def test_requests_in_progress_are_limited_and_streams_are_not(limited: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session, AsyncExitStack() as open_:

        async def status(path: str, address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return (await open_.enter_async_context(session.get(limited + path, headers=headers))).status

        streams = [await status("/api/stream", "198.51.100.1") for _ in range(3 * WAITING)]
        assert streams == [200] * 3 * WAITING
        assert await status("/api/orders", "198.51.100.1") == 200
        answers = [await status("/api/orders/endless", "198.51.100.2") for _ in range(WAITING + 2)]
        assert answers == [200] * WAITING + [429] * 2
        joins = [await status("/api/stream", "198.51.100.3") for _ in range(REQUESTS + 2)]
        assert joins == [200] * REQUESTS + [429] * 2


@pytest.mark.parametrize(
    ("environ", "auth", "origins"),
    [
        (OPEN, None, "'self'"),
        (
            SIGN_IN,
            {
                "issuer": "https://issuer.example/realms/shop",
                "clientId": "page",
                "scope": "openid profile",
                "rolesClaim": "cognito:groups",
            },
            "'self' https://issuer.example",
        ),
        (
            SIGN_IN
            | {
                "AUTH_ISSUER": "http://localhost:8180",
                "AUTH_CLIENT_ID": "shop-page",
                "AUTH_SCOPE": "openid email",
                "AUTH_ROLES_CLAIM": "realm_access.roles",
                "AUTH_ORIGINS": "https://a.example https://b.example",
            },
            {
                "issuer": "http://localhost:8180",
                "clientId": "shop-page",
                "scope": "openid email",
                "rolesClaim": "realm_access.roles",
            },
            "'self' http://localhost:8180 https://a.example https://b.example",
        ),
    ],
)
async def test_page_gets_its_sign_in_from_the_environment(
    environ: Mapping[str, str], auth: Mapping[str, str] | None, origins: str
) -> None:
    with reachable_folder("nginx-") as folder:
        async with (
            served(folder, free_port(), environ=environ) as url,
            aiohttp.ClientSession() as session,
            session.get(f"{url}/config.json") as response,
        ):
            assert (await response.json()).get("auth") == auth
            assert f"; connect-src {origins};" in response.headers["Content-Security-Policy"]


async def test_spans_of_the_page_are_forwarded_to_the_collector_without_credentials() -> None:
    async with collecting() as collector:
        traces = {"PAGE_TRACES_RATIO": "0.25", "OTEL_EXPORTER_OTLP_ENDPOINT": f"{collector.url}/"}
        with reachable_folder("nginx-") as folder:
            async with served(folder, free_port(), environ=OPEN | traces) as url, aiohttp.ClientSession() as session:
                async with session.get(f"{url}/config.json") as response:
                    to = (await response.json())["traces"]
                assert to == {"url": "/otlp/v1/traces", "ratio": 0.25}
                secret = {"Authorization": "Bearer SECRET", "Cookie": "SECRET"}
                async with session.post(url + to["url"], json={"resourceSpans": []}, headers=secret) as response:
                    assert response.status == 200
                [received] = collector.requests
                assert received.content_type == "application/json"
                assert "SECRET" not in str(received.headers)
                async with session.post(url + to["url"], data=b"x" * 70_000) as response:
                    assert response.status == 413
                async with session.get(url + to["url"]) as response:
                    assert response.status == 403


async def test_page_without_a_collector_begins_no_traces(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/config.json") as response:
            assert "traces" not in await response.json()
        async with session.post(f"{url}/otlp/v1/traces", json={}) as response:
            assert response.status == 404


COLLECTED = OPEN | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        *((COLLECTED | {"PAGE_TRACES_RATIO": ratio}, "not 0 to 1") for ratio in ("2", "0.", "1.0", "0.5}", ".5")),
        ({**COLLECTED, "PAGE_TRACES_RATIO": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://$host"}, "more than"),
        ({}, "AUTH_ISSUER"),
        ({"AUTH_ISSUER": "https://issuer.example"}, "AUTH_AUDIENCE"),
        (SIGN_IN | {"AUTH_CLIENT_ID": "page'; } server { listen 81; "}, "quote"),
        (SIGN_IN | {"AUTH_SCOPE": 'openid"'}, "quote"),
        (SIGN_IN | {"AUTH_ORIGINS": "https://a.example; script-src *"}, "semicolon"),
        (SIGN_IN | {"AUTH_ISSUER": "https://issuer.example/$host"}, "dollar"),
        (SIGN_IN | {"AUTH_ISSUER": "https://issuer.example/\n"}, "control"),
    ],
)
async def test_page_without_usable_settings_is_not_served(
    environ: Mapping[str, str], reason: str, tmp_path: Path
) -> None:
    status, said = page_config(tmp_path / "page.conf", environ)
    assert status != 0
    assert reason in said
    assert not (tmp_path / "page.conf").exists()
