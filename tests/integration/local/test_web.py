"""How the page's files are served."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp.plugin import AiohttpClient

from orderstream_local.layout import ROOT
from orderstream_local.web import create_web

ENDPOINTS = {"order": "http://127.0.0.1:8080", "notification": "/api"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "web"
    served.mkdir()
    (served / "index.html").write_text("<title>page</title>")
    (served / "main-ABCD1234.js").write_text("")
    (served / ".hidden").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    return served


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, folder: Path) -> TestClient:  # type: ignore[type-arg]
    return await aiohttp_client(create_web(folder, ENDPOINTS))


async def test_the_page_is_asked_for_again_each_time(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/")
    assert await response.text() == "<title>page</title>"
    assert response.headers["Cache-Control"] == "no-cache"
    again = await client.get("/", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status == 304


async def test_a_file_with_a_hash_in_its_name_is_kept_for_ever(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/main-ABCD1234.js")
    assert "immutable" in response.headers["Cache-Control"]


async def test_a_path_of_the_application_is_the_page(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/orders/7")
    assert (response.status, await response.text()) == (200, "<title>page</title>")
    assert (await client.get("/missing.js")).status == 404


@pytest.mark.parametrize("path", ["/../outside.txt", "/%2e%2e/outside.txt", "/..%2foutside.txt", "/.hidden"])
async def test_nothing_else_is_served(client: TestClient, path: str) -> None:  # type: ignore[type-arg]
    response = await client.get(path)
    assert "secret" not in await response.text()


async def test_the_page_is_told_where_the_services_are(client: TestClient) -> None:  # type: ignore[type-arg]
    response = await client.get("/config.json")
    assert await response.json() == ENDPOINTS
    assert response.headers["Cache-Control"] == "no-store"


async def test_the_page_is_told_of_each_replica_and_may_ask_it(aiohttp_client: AiohttpClient, folder: Path) -> None:
    replicas = {"order": ["http://127.0.0.1:8080", "http://127.0.0.1:8090"]}
    client = await aiohttp_client(create_web(folder, ENDPOINTS, replicas))
    assert (await (await client.get("/config.json")).json())["replicas"] == replicas
    assert "http://127.0.0.1:8090 " in (await client.get("/")).headers["Content-Security-Policy"]


async def test_the_browser_may_connect_to_the_services_and_nowhere_else(client: TestClient) -> None:  # type: ignore[type-arg]
    policy = (await client.get("/")).headers["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:8080 ws://127.0.0.1:8080;" in policy


async def test_our_own_page_runs_under_that_policy(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_web(ROOT / "web", ENDPOINTS))
    page = await (await client.get("/")).text()
    assert "<script>" not in page
    assert (await client.get("/app.js")).status == 200
    assert "innerHTML" not in await (await client.get("/app.js")).text()
