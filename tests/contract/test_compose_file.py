"""compose.yaml is a valid Compose file, by the schema of https://github.com/compose-spec/compose-spec beside this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

import notification_service.app
import processing_service.app
from orderstream_local.compose import dependency_levels, read_compose
from orderstream_local.layout import COMPOSE, SERVICES
from orderstream_local.supervisor import STOP_WITHIN_S, reserved_s
from service_common.sqs import PollerSettings
from service_common.sqs.poller import FLUSH_LIMIT_S, POLL_MARGIN_S
from tests.containers.podman_options import podman_options

SCHEMA = json.loads((Path(__file__).parent / "compose_spec" / "compose-spec.json").read_text(encoding="utf-8"))
DOCUMENT = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
WITHOUT_PROFILE = {name: service for name, service in DOCUMENT["services"].items() if "profiles" not in service}
DOCKERFILE = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")


def test_it_follows_the_compose_specification() -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(DOCUMENT)


@pytest.mark.parametrize("service", DOCUMENT["services"].values(), ids=DOCUMENT["services"])
def test_what_it_builds_is_a_target_of_the_dockerfile(service: dict[str, Any]) -> None:
    if "build" in service:
        assert f" AS {service['build']['target']}\n" in DOCKERFILE
        assert (COMPOSE / service["build"]["context"] / service["build"]["dockerfile"]).samefile(COMPOSE / "Dockerfile")


@pytest.mark.parametrize("service", DOCUMENT["services"].values(), ids=DOCUMENT["services"])
def test_what_it_mounts_exists(service: dict[str, Any]) -> None:
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (COMPOSE / source).exists() if source.startswith(".") else source in DOCUMENT["volumes"]


@pytest.mark.parametrize("service", WITHOUT_PROFILE.values(), ids=WITHOUT_PROFILE)
def test_the_containers_of_the_tests_can_have_each_of_its_keys(service: dict[str, Any]) -> None:
    options = podman_options(service, COMPOSE)
    assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"} <= set(options)
    assert not any("=./" in option for option in options)


def test_a_key_that_they_cannot_have_is_no_secret() -> None:
    with pytest.raises(KeyError, match="privileged"):
        podman_options({"privileged": True}, COMPOSE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_publishes_no_port_so_that_it_can_be_scaled(name: str) -> None:
    assert "ports" not in DOCUMENT["services"][name]
    assert "container_name" not in DOCUMENT["services"][name]


def test_everything_published_is_on_loopback() -> None:
    for service in DOCUMENT["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_the_image_runs_what_compose_says(name: str) -> None:
    container = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "secret"})[name]
    stage = DOCKERFILE.split(f"FROM runtime AS {name}\n")[1].split("\nFROM ")[0]
    assert f"CMD {json.dumps(list(container.command))}" in stage
    assert f"EXPOSE {container.port}" in stage
    assert container.environment["PORT"] == str(container.port)


@pytest.mark.parametrize("share", [processing_service.app.STOP_SHARE, notification_service.app.STOP_SHARE])
def test_a_stop_has_the_time_to_wait_for_a_long_poll_of_three_seconds(share: float) -> None:
    grace_s = float(DOCUMENT["x-environment"]["SHUTDOWN_GRACE_S"])
    assert PollerSettings(stop_grace_s=grace_s * share).parked_s == 3
    assert grace_s * share >= 3 + POLL_MARGIN_S
    assert grace_s * share + FLUSH_LIMIT_S < grace_s


def test_the_runner_lets_a_service_take_its_grace() -> None:
    grace_s = float(DOCUMENT["x-environment"]["SHUTDOWN_GRACE_S"])
    level = dependency_levels(read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "secret"}))
    assert STOP_WITHIN_S - reserved_s(level["processing"]) > grace_s
    assert STOP_WITHIN_S < 10


def test_the_proxy_knows_every_service_by_its_name_and_port() -> None:
    configuration = (COMPOSE / "nginx.conf").read_text(encoding="utf-8")
    for name in SERVICES:
        port = DOCUMENT["services"][name]["expose"][0]
        assert f"server {name}:{port} resolve" in configuration
        assert f"listen {port};" in configuration


def test_the_page_of_the_image_is_built_as_that_of_the_demo() -> None:
    stage = DOCKERFILE.split(" AS build-web\n")[1].split("\nFROM ")[0]
    assert "npm ci --ignore-scripts" in stage
    assert "npm run --silent build" in stage
    assert "COPY --from=build-web /src/dist /usr/share/nginx/html" in DOCKERFILE
