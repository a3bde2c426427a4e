"""nginx with the configuration of the container `web`."""

from __future__ import annotations

import asyncio
import gzip
import re
import shutil
import socket
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from orderstream_local.layout import COMPOSE
from tests.support.folders import reachable_folder
from tests.support.waiting import eventually

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
SCRIPT = "main-C-O9TU_F.js"
CONTENT = b"// a script\n" * 200

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    pytest.mark.asyncio(loop_scope="module"),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


UNUSED_ADDRESS = "127.0.0.1:1"


def configuration(folder: Path, port: int, services: str) -> str:
    """Return nginx.conf for *port*, without the host names of Docker and the directives of later versions."""
    text = (COMPOSE / "nginx.conf").read_text(encoding="utf-8").replace("/tmp/", f"{folder}/")  # noqa: S108
    text = text.replace("listen 4200;", f"listen 127.0.0.1:{port};").replace("/usr/share/nginx/html", f"{folder}/page")
    text = re.sub(r"listen (808\d);", rf"listen unix:{folder}/\1;", text)
    text = re.sub(r"server (order|inventory|notification|processing):\d+ resolve", f"server {services}", text)
    return text.replace("worker_connections 8192", "worker_connections 64")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    with reachable_folder("nginx-") as folder:
        async with served(folder, free_port()) as url:
            yield url


@asynccontextmanager
async def served(folder: Path, port: int, services: str = UNUSED_ADDRESS) -> AsyncIterator[str]:
    page = folder / "page"
    page.mkdir()
    (page / "index.html").write_text('<app-root ngCspNonce="CSP_NONCE"></app-root><link nonce="CSP_NONCE">')
    (page / SCRIPT).write_bytes(CONTENT)
    (page / f"{SCRIPT}.gz").write_bytes(gzip.compress(CONTENT))
    (folder / "nginx.conf").write_text(configuration(folder, port, services))
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy() -> AsyncIterator[str]:
    """The URL of nginx before a service that answers GET with the target, and POST with a Location below it."""

    async def target(request: web.Request) -> web.Response:
        return web.Response(text=request.path_qs)

    async def create(request: web.Request) -> web.Response:
        return web.Response(status=201, headers={"Location": f"{request.path}/7"})

    service = web.Application()
    service.router.add_get("/{path:.*}", target)
    service.router.add_post("/{path:.*}", create)
    with reachable_folder("nginx-") as folder:
        async with (
            TestServer(service) as server,
            served(folder, free_port(), f"127.0.0.1:{server.port}") as url,
        ):
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
        ("/api/sagas?late=true", "/sagas?late=true"),
    ],
)
async def test_health_and_metrics_are_proxied_by_service_name(proxy: str, path: str, proxied: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(proxy + path) as response:
        assert await response.text() == proxied


@pytest.mark.parametrize("path", ["/api/orders", "/api/inventory"])
async def test_location_leads_to_what_was_created(proxy: str, path: str) -> None:
    async with aiohttp.ClientSession() as session, session.post(proxy + path) as created:
        location = created.url.join(URL(created.headers["Location"]))
        async with session.get(location) as response:
            assert await response.text() == f"{path.removeprefix('/api')}/7"
