"""The system of compose.yaml, from its images, in containers. The tests run in this order."""

from __future__ import annotations

import io
import secrets
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from rich.console import Console

from orderstream_local import layout
from orderstream_local.compose import read_services
from orderstream_local.layout import COMPOSE
from orderstream_local.sign_in import CUSTOMER
from orderstream_local.walkthrough import walk
from orderstream_local.watcher import watching
from tests.containers.deployment import NETWORK, Deployment, podman
from tests.containers.images import SERVICES, VARIABLES, on_aws
from tests.support.waiting import eventually

pytestmark = [pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]
WITHIN_S = 20.0
RECOVERED_WITHIN_S = 60.0  # a database is away, then its new address has to be known, then circuits have to close
SCRAPED_WITHIN_S = 60.0  # every 15 s, once names were looked up, which is every 15 s as well
GRACE_S = 9.0


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(system: Deployment) -> AsyncIterator[Deployment]:
    """The system from when people have to sign in."""
    connector = aiohttp.TCPConnector(force_close=True)  # the emulator is restarted
    async with aiohttp.ClientSession(connector=connector) as session:
        await system.require_sign_in(session)
        yield system


async def test_the_use_cases_pass_through_nginx_over_http_sse_and_websocket(system: Deployment) -> None:
    shown = io.StringIO()
    assert await walk(system, Console(file=shown, width=160)) == 0, shown.getvalue()


async def test_they_pass_with_sign_in_and_each_person_sees_what_is_theirs(people: Deployment) -> None:
    shown = io.StringIO()
    assert await walk(people, Console(file=shown, width=160)) == 0, shown.getvalue()


async def test_the_page_hears_where_to_sign_in(people: Deployment) -> None:
    assert people.sign_in is not None
    outputs = people.sign_in.outputs
    async with aiohttp.ClientSession() as session, session.get("http://127.0.0.1:4200/config.json") as response:
        auth = (await response.json())["auth"]
        policy = response.headers["Content-Security-Policy"]
    assert (auth["issuer"], auth["clientId"]) == (outputs["AuthIssuer"], outputs["AuthAudience"])
    assert f" {auth['issuer'].rpartition('/')[0]};" in policy


@pytest.mark.parametrize("service", SERVICES)
async def test_orders_are_fulfilled_after_a_restart_of(service: str, people: Deployment) -> None:
    people.restart(service)
    await fulfil_an_order(people)


async def fulfil_an_order(system: Deployment) -> None:
    authorize = partial(system.authorization, CUSTOMER)
    async with aiohttp.ClientSession() as session, watching(session, system.url("order"), authorize) as watcher:
        order_id = await place_an_order(system, session)
        assert await watcher.wait_for(order_id, "CLOSED", WITHIN_S)
        for protocol in ("SSE", "WebSocket"):
            assert watcher.kinds(order_id, protocol) == ["CREATED", "CLOSED"]


async def place_an_order(system: Deployment, session: aiohttp.ClientSession) -> int:
    """Place an order as clients should: again with the same key, while nginx has an address from before a restart."""
    body = {"orderItems": [{"productId": "123", "quantity": 1}]}
    headers = {**await system.authorization(CUSTOMER), "Idempotency-Key": secrets.token_hex(8)}

    async def placed() -> int | None:
        async with session.post(f"{system.url('order')}/orders", json=body, headers=headers) as response:
            if response.status in {502, 503, 504}:
                return None
            assert response.status == 201, await response.text()
            order_id: int = (await response.json())["id"]
            return order_id

    return await eventually(placed, "an order", RECOVERED_WITHIN_S)


async def test_the_task_of_aws_makes_the_databases_that_are_there_already(system: Deployment) -> None:
    password = read_services(COMPOSE / "compose.yaml", VARIABLES)["postgres"]["environment"]["DATABASE_PASSWORD"]
    settings = {"PGHOST": "postgres", "PGUSER": "postgres", "PGPASSWORD": password, "DATABASE_PASSWORD": password}
    options = [f"--env={name}={value}" for name, value in settings.items()]
    podman("run", "--rm", "--ulimit=host", f"--network={NETWORK}", "--read-only", *options, on_aws("databases"))
    system.wait_healthy("postgres")


async def test_prometheus_scrapes_each_replica_and_evaluates_the_alarms(system: Deployment) -> None:
    system.observe("prometheus")
    checked = system.run_in(f"{NETWORK}-prometheus-1", "promtool", "check", "config", "/etc/prometheus/prometheus.yaml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    async with aiohttp.ClientSession() as session:

        async def ask(path: str) -> dict[str, Any]:
            try:
                async with session.get(f"http://127.0.0.1:9090/api/v1/{path}") as response:
                    found: dict[str, Any] = (await response.json())["data"] if response.status == 200 else {}
            except aiohttp.ClientError:  # it is starting
                return {}
            return found

        async def all_up() -> list[str] | None:
            targets = (await ask("targets?state=active")).get("activeTargets", ())
            up = [each["labels"]["job"] for each in targets if each["health"] == "up"]
            return sorted(up) if len(up) == len(targets) >= len(wanted) else None

        async def evaluated() -> list[dict[str, Any]] | None:
            rules = [rule for group in (await ask("rules")).get("groups", ()) for rule in group["rules"]]
            return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

        wanted = sorted(name for name in layout.SERVICES for _ in system.containers(name))
        assert await eventually(all_up, "targets that are up", SCRAPED_WITHIN_S) == wanted
        rules = await eventually(evaluated, "rules that were evaluated", SCRAPED_WITHIN_S)
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] != "ok"} == {}


async def test_a_service_stops_within_its_grace_while_the_name_of_the_queue_is_unknown(system: Deployment) -> None:
    [replica, *_], [emulator] = system.containers("notification"), system.containers("emulator")

    async def unhealthy() -> bool | None:
        return system.check_health("notification", replica).returncode != 0 or None

    podman("stop", emulator)
    await eventually(unhealthy, "a replica that is not ready", WITHIN_S)
    podman("stop", replica)
    assert system.state(replica)["ExitCode"] == 0, system.log(replica)
    podman("start", emulator, replica)
    for name in ("emulator", "notification"):
        system.wait_healthy(name)


async def test_they_stop_in_order_and_within_their_grace(system: Deployment) -> None:
    system.stop()
    assert set(system.stopped) == {each for name in SERVICES for each in system.containers(name)}
    assert {name: status for name, (status, _) in system.stopped.items() if status != 0} == {}
    assert {name: seconds for name, (_, seconds) in system.stopped.items() if seconds > GRACE_S} == {}
