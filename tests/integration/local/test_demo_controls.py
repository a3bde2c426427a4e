"""The demo's controls are for its own page, and in the demo alone."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient, AiohttpServer
from aiohttp.test_utils import TestClient

from orderstream_local import demo_controls
from orderstream_local.web import create_web
from tests.support.waiting import eventually

Client = TestClient[web.Request, web.Application]
CONTROLS = ("orders", "freeze-inventory", "kill-processing")


@pytest.fixture
def process(tmp_path: Path) -> Iterator[psutil.Process]:
    """A process under the name of each replica that the controls may reach."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as popen:
        for name in ("inventory-service", "processing-service-2"):
            (tmp_path / f"{name}.pid").write_text(f"{popen.pid}\n")
        yield psutil.Process(popen.pid)
        popen.kill()


async def services(aiohttp_server: AiohttpServer) -> dict[str, str]:
    async def retry(request: web.Request) -> web.Response:
        statuses = {"Bearer operator": 404, "Bearer customer": 403}
        return web.Response(status=statuses.get(request.headers.get("Authorization", ""), 401))

    async def place(request: web.Request) -> web.Response:
        return web.Response(status=201 if (await request.json())["orderItems"] else 422)

    app = web.Application()
    app.add_routes([web.post("/sagas/0/retry", retry), web.post("/orders", place)])
    url = str((await aiohttp_server(app)).make_url("")).rstrip("/")
    return {"order": url, "processing": url}


async def press(client: Client, control: str, **headers: str) -> int:
    own = {"Origin": f"http://{client.host}:{client.port}"}
    async with client.post(f"/demo/{control}", json={}, headers=own | headers) as answer:
        return answer.status


@pytest.mark.parametrize("control", CONTROLS)
async def test_only_the_own_page_may_press(
    aiohttp_client: AiohttpClient, process: psutil.Process, tmp_path: Path, control: str
) -> None:
    unreachable = {"order": "http://127.0.0.1:9", "processing": "http://127.0.0.1:9"}
    client = await aiohttp_client(create_web(None, unreachable, demo_pids=tmp_path))
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example:4200", "Host": "evil.example:4200"},
        {"Origin": f"http://localhost:{client.port}"},
    ):
        assert await press(client, control, **headers) == 403
    own = {"Origin": f"http://{client.host}:{client.port}"}
    for content in ("text/plain", "application/x-www-form-urlencoded"):
        async with client.post(f"/demo/{control}", data="{}", headers={**own, "Content-Type": content}) as answer:
            assert answer.status == 415
    async with client.post(f"/demo/{control}", json={}) as answer:
        assert answer.status == 403
    assert process.status() != psutil.STATUS_STOPPED


async def test_page_elsewhere_has_no_controls(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_web(None, {}))
    assert [await press(client, control) for control in CONTROLS] == [405] * 3
    assert "demo" not in await (await client.get("/config.json")).json()


async def test_frozen_processes_go_on_although_the_server_has_ended(
    aiohttp_client: AiohttpClient, process: psutil.Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_controls, "FREEZE_S", 3)
    client = await aiohttp_client(create_web(None, {}, demo_pids=tmp_path))
    assert (await (await client.get("/config.json")).json())["demo"] is True
    assert await press(client, "freeze-inventory") == 200

    async def stopped() -> bool | None:
        return process.status() == psutil.STATUS_STOPPED or None

    await eventually(stopped, "it is suspended")
    await client.close()

    async def goes_on() -> bool | None:
        return process.status() != psutil.STATUS_STOPPED or None

    await eventually(goes_on, "it goes on")


async def test_second_freeze_has_its_own_time(
    aiohttp_client: AiohttpClient, process: psutil.Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await aiohttp_client(create_web(None, {}, demo_pids=tmp_path))
    for seconds in (1, 3):
        monkeypatch.setattr(demo_controls, "FREEZE_S", seconds)
        pressed_at = time.monotonic()
        assert await press(client, "freeze-inventory") == 200

    async def stopped() -> bool | None:
        return process.status() == psutil.STATUS_STOPPED or None

    async def goes_on() -> bool | None:
        return process.status() != psutil.STATUS_STOPPED or None

    await eventually(stopped, "it is suspended")
    await eventually(goes_on, "it goes on")
    assert time.monotonic() >= pressed_at + 3


async def test_killed_process_has_ended(aiohttp_client: AiohttpClient, process: psutil.Process, tmp_path: Path) -> None:
    client = await aiohttp_client(create_web(None, {}, demo_pids=tmp_path))
    assert await press(client, "kill-processing") == 200
    assert await asyncio.to_thread(process.wait) == -signal.SIGKILL


async def test_with_sign_in_the_controls_are_for_operators(
    aiohttp_client: AiohttpClient, aiohttp_server: AiohttpServer, tmp_path: Path
) -> None:
    auth = {"issuer": "https://issuer.example/pool"}
    client = await aiohttp_client(create_web(None, await services(aiohttp_server), auth=auth, demo_pids=tmp_path))
    for headers, status in (({}, 403), ({"Authorization": "Bearer customer"}, 403)):
        assert await press(client, "orders", **headers) == status
    own = {"Origin": f"http://{client.host}:{client.port}", "Authorization": "Bearer operator"}
    async with client.post("/demo/orders", json={}, headers=own) as answer:
        assert await answer.json() == {"placed": 100, "refused": 0}
