"""The server of the built page."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient
from yarl import URL

from orderstream_local.web import create_web
from tests.support.ports import free_port
from tests.support.waiting import eventually

PAGE = "<title>page</title>"
SCRIPT = "main-C-O9TU_F.js"
CONTENT = b"// a script\n" * 200
ENDPOINTS = {"order": "http://127.0.0.1:8080", "notification": "/api"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "web"
    served.mkdir()
    (served / "index.html").write_text(f"{PAGE}<app-root ngCspNonce='CSP_NONCE'></app-root>")
    (served / "favicon.svg").write_text("<svg/>")
    (served / SCRIPT).write_bytes(CONTENT)
    (served / f"{SCRIPT}.gz").write_bytes(gzip.compress(CONTENT))
    (served / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return served


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, folder: Path) -> TestClient:  # type: ignore[type-arg]
    return await aiohttp_client(create_web(folder, ENDPOINTS))


async def test_page_is_revalidated(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/")
    assert PAGE in await response.text()
    assert response.headers["Cache-Control"] == "no-cache"


async def test_page_and_policy_share_a_new_nonce_for_each_response(client: TestClient) -> None:  # type: ignore[type-arg]
    nonces = set()
    for _ in range(3):
        response = await client.get("/")
        [nonce] = re.findall("ngCspNonce='(.+?)'", await response.text())
        assert f"style-src 'self' 'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
        nonces.add(nonce)
    assert len(nonces) == 3


async def test_file_with_content_hash_is_immutable(client: TestClient) -> None:  # type: ignore[type-arg]
    assert "immutable" in (await client.get(f"/{SCRIPT}")).headers["Cache-Control"]


async def test_file_without_content_hash_is_revalidated(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/favicon.svg")
    assert response.headers["Cache-Control"] == "no-cache"
    again = await client.get("/favicon.svg", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("identity", None)])
async def test_script_is_sent_precompressed(
    client: TestClient,  # type: ignore[type-arg]
    accepted: str,
    encoding: str | None,
) -> None:
    response = await client.get(f"/{SCRIPT}", headers={"Accept-Encoding": accepted}, auto_decompress=False)
    assert response.headers.get("Content-Encoding") == encoding
    assert response.content_type == "text/javascript"
    body = await response.read()
    assert (gzip.decompress(body) if encoding else body) == CONTENT


async def test_client_side_route_is_the_page(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/orders/7")
    assert response.status == 200
    assert PAGE in await response.text()
    assert (await client.get("/missing.js")).status == 404


@pytest.mark.parametrize(
    "name", ["%00.js", f"{'x' * 300}.js", f"{'x/' * 3000}y.js", "%FF.js", "favicon.svg/y.js", "a.d"]
)
async def test_name_that_no_file_has_is_404(client: TestClient, folder: Path, name: str) -> None:  # type: ignore[type-arg]
    (folder / "a.d").mkdir()
    response = await client.get(URL(f"/{name}", encoded=True))
    assert response.status == 404


@pytest.mark.parametrize("path", ["/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/.hidden"])
async def test_files_outside_and_hidden_files_are_not_served(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    response = await client.get(path)
    assert "secret" not in await response.text()


async def test_configuration_has_endpoints(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/config.json")
    assert await response.json() == ENDPOINTS
    assert response.headers["Cache-Control"] == "no-store"


async def test_configuration_and_policy_have_each_replica(aiohttp_client: AiohttpClient, folder: Path) -> None:
    replicas = {"order": ["http://127.0.0.1:8080", "http://127.0.0.1:8090"]}
    client = await aiohttp_client(create_web(folder, ENDPOINTS, replicas))
    assert (await (await client.get("/config.json")).json())["replicas"] == replicas
    assert "http://127.0.0.1:8090 " in (await client.get("/")).headers["Content-Security-Policy"]


async def test_policy_allows_connections_to_services_only(client: TestClient) -> None:  # type: ignore[type-arg]
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080;" in policy


async def test_policy_allows_scripts_and_styles_of_build_only(client: TestClient) -> None:  # type: ignore[type-arg]
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


async def test_failed_build_is_shown_and_configuration_is_served(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_web(None, ENDPOINTS, error="npm: <b>no registry</b>"))
    response = await client.get("/orders/7")
    assert response.status == 503
    assert "npm: &lt;b&gt;no registry&lt;/b&gt;" in await response.text()
    assert await (await client.get("/config.json")).json() == ENDPOINTS
    assert (await client.get("/health/ready")).status == 200


async def test_page_is_told_how_to_sign_in_and_may_reach_the_issuer(
    aiohttp_client: AiohttpClient, folder: Path
) -> None:
    token_endpoint = "http://127.0.0.1:4566/oauth2/token"
    auth = {"issuer": "https://issuer.example/pool", "metadata": {"token_endpoint": token_endpoint}}
    client = await aiohttp_client(create_web(folder, ENDPOINTS, auth=auth))
    response = await client.get("/config.json")
    assert await response.json() == {**ENDPOINTS, "auth": auth}
    connect = re.findall("connect-src ([^;]+);", response.headers["Content-Security-Policy"])[0].split()
    assert {"https://issuer.example", "http://127.0.0.1:4566"} < set(connect)


async def test_page_is_told_where_its_spans_go_and_may_send_them(aiohttp_client: AiohttpClient, folder: Path) -> None:
    traces = {"url": "http://127.0.0.1:4318/v1/traces", "ratio": 0.1}
    response = await (await aiohttp_client(create_web(folder, ENDPOINTS, traces=traces))).get("/config.json")
    assert await response.json() == {**ENDPOINTS, "traces": traces}
    assert (
        "connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080 http://127.0.0.1:4318;"
        in (response.headers["Content-Security-Policy"])
    )
    response = await (await aiohttp_client(create_web(folder, ENDPOINTS, traces={**traces, "url": "/otlp"}))).get("/")
    assert "ws://127.0.0.1:8080;" in response.headers["Content-Security-Policy"]


async def test_page_without_sign_in_is_told_of_none(client: TestClient) -> None:  # type: ignore[type-arg]
    assert await (await client.get("/config.json")).json() == ENDPOINTS


@pytest.mark.parametrize(
    "request_head",
    [
        "GET /live?code=SECRET HTTP/9.x\r\n\r\n",
        "GET /stream?ticket=SECRET x HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization : Bearer SECRET\r\n\r\n",
        "GET / HTTP/1.1\r\nAuthorization: Bearer SECRET\0\r\n\r\n",
        f"GET / HTTP/1.1\r\nAuthorization: Bearer SECRET{'x' * 9000}\r\n\r\n",
        f"GET /live?code=SECRET{'x' * 9000} HTTP/1.1\r\n\r\n",
    ],
    ids=["version", "space", "name", "nul", "long-header", "long-target"],
)
async def test_bytes_of_a_malformed_request_are_not_logged(request_head: str) -> None:
    port = free_port()
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    command = (sys.executable, "-m", "orderstream_local.web")
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    try:
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool | None:
                try:
                    async with session.get(f"http://127.0.0.1:{port}/health/ready") as response:
                        return response.status == 200
                except aiohttp.ClientError:
                    return None

            await eventually(answers, "the server of the page")
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_head.encode())
        assert (await reader.readline()).startswith(b"HTTP/1.0 400 ")
        writer.close()
    finally:
        process.terminate()
        output, errors = await process.communicate()
    assert b"Error handling request from 127.0.0.1" in errors
    assert b"SECRET" not in output + errors
