"""Prometheus, where it is, scrapes the running system as compose.yaml has it and evaluates the alarms on it."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from orderstream_local.layout import COMPOSE
from orderstream_local.ports import LOOPBACK
from tests.support.ports import free_port
from tests.support.system import System
from tests.support.waiting import eventually

PROGRAM = shutil.which("prometheus")

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(PROGRAM is None, reason="Prometheus is not there (on Debian: apt install prometheus)"),
]


@pytest.fixture
async def prometheus(system: System, tmp_path: Path) -> AsyncIterator[str]:
    """Run it with the configuration of compose, but for what finds the services there; return its URL."""
    configuration = yaml.safe_load((COMPOSE / "prometheus" / "prometheus.yaml").read_text("utf-8"))
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(COMPOSE / "prometheus" / "alarms.yaml")]
    (tmp_path / "token").write_text(system.stack.token)
    for job in configuration["scrape_configs"]:
        job["authorization"]["credentials_file"] = str(tmp_path / "token")
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [system.stack.url(job["job_name"]).removeprefix("http://")]}]
    file = tmp_path / "prometheus.yaml"
    file.write_text(yaml.safe_dump(configuration))
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(str(PROGRAM), f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'data'}"),
        f"--web.listen-address={LOOPBACK}:{port}",
        stdout=DEVNULL,
        stderr=STDOUT,
    )
    yield f"http://{LOOPBACK}:{port}"
    process.terminate()
    await process.wait()


async def test_it_scrapes_every_service_and_no_alarm_fires(system: System, prometheus: str) -> None:
    async def ask(path: str) -> dict[str, Any] | None:
        try:
            async with system.session.get(f"{prometheus}/api/v1/{path}") as response:
                found: dict[str, Any] = (await response.json())["data"]
        except (aiohttp.ClientError, KeyError):  # it is starting
            return None
        return found

    async def all_up() -> bool | None:
        targets = (await ask("targets") or {}).get("activeTargets", ())
        return (len(targets) == 4 and all(each["health"] == "up" for each in targets)) or None

    async def evaluated() -> list[dict[str, Any]] | None:
        rules = [rule for group in (await ask("rules") or {}).get("groups", ()) for rule in group["rules"]]
        return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None

    await eventually(all_up, "four targets that are up")
    rules = await eventually(evaluated, "rules that were evaluated")
    assert {rule["name"]: rule["lastError"] for rule in rules if "lastError" in rule} == {}
    ringing = {rule["name"] for rule in rules if rule["state"] == "firing"}
    # other tests of this run may have sent poison
    assert ringing - {"ProcessingDeadLetters", "NotificationDeadLetters"} == set()
