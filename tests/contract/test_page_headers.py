"""nginx and the runner's own server say the same about what the page may do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from orderstream_local.layout import COMPOSE
from orderstream_local.web import create_web

NGINX = (COMPOSE / "nginx.conf").read_text(encoding="utf-8")
ONE_ORIGIN = dict.fromkeys(("order", "inventory", "notification", "processing"), "/api")
HASHED = "main-C-O9TU_F.js"
OF_THE_CONNECTION = {"Content-Length", "Content-Type", "Date", "Etag", "Last-Modified", "Server", "Accept-Ranges"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text('<app-root ngCspNonce="CSP_NONCE"></app-root>')
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / HASHED).write_text("")
    return tmp_path


def said_by_nginx(path: str) -> dict[str, str]:
    page = NGINX.split("listen 4200;")[1].split("listen 8080;")[0]
    # those of the server, not of a location
    added = re.findall(r'^ {8}add_header (\S+) ("[^"]+"|\S+)(?: always)?;', page, re.MULTILINE)
    headers = {name: value.strip('"') for name, value in added}
    rules = NGINX.split("map $request_uri $cache_control {")[1].split("}\n")[0]
    pairs = re.findall(r'^\s+("[^"]+"|\S+)\s+("[^"]+"|\S+);', rules, re.MULTILINE)
    known = {pattern.strip('"'): value.strip("\"'") for pattern, value in pairs}
    fits = (value for pattern, value in known.items() if pattern[0] == "~" and re.search(pattern[1:], path))
    headers["Content-Security-Policy"] = headers["Content-Security-Policy"].replace("$page_connect", "")
    return headers | {"Cache-Control": next(fits, known["default"])}


@pytest.mark.parametrize(
    "path", ["/", "/orders/7", "/index.html", "/favicon.svg", f"/{HASHED}", f"/{HASHED}?", "/config.json"]
)
async def test_every_header_is_the_same(folder: Path, path: str) -> None:
    async with TestClient(TestServer(create_web(folder, ONE_ORIGIN))) as client:
        response = await client.get(path)
        assert response.status == 200
        said = {name: value for name, value in response.headers.items() if name.title() not in OF_THE_CONNECTION}
    said["Content-Security-Policy"] = re.sub(
        r"'nonce-[0-9a-f]{32}'", "'nonce-$request_id'", said["Content-Security-Policy"]
    )
    assert said == said_by_nginx(path)


async def test_an_error_is_not_kept(folder: Path) -> None:
    async with TestClient(TestServer(create_web(folder, ONE_ORIGIN))) as client:
        response = await client.get("/main-ABCD1234.js")
        assert response.status == 404
        assert "Cache-Control" not in response.headers
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert re.search(r"add_header Cache-Control \$cache_control;", NGINX)  # without `always`


def test_the_services_speak_for_themselves() -> None:
    assert said_by_nginx("/api/orders")["Cache-Control"] == ""
