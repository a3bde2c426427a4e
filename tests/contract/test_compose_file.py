"""compose.yaml is a valid Compose file, by the schema of https://github.com/compose-spec/compose-spec beside this."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
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
from service_common.config import ServiceConfig
from service_common.sqs import PollerSettings
from service_common.sqs.poller import FLUSH_LIMIT_S, POLL_MARGIN_S
from tests.containers.podman_options import podman_options

SCHEMA = json.loads((Path(__file__).parent / "compose_spec" / "compose-spec.json").read_text(encoding="utf-8"))
DOCUMENT = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
WITHOUT_PROFILE = {name: service for name, service in DOCUMENT["services"].items() if "profiles" not in service}
SIGN_IN = {
    "open": {"AUTH_MODE": "open"},
    "oidc": {"AUTH_ISSUER": "https://issuer.example", "AUTH_AUDIENCE": "orderstream"},
}
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


@pytest.mark.parametrize("service", DOCUMENT["services"].values(), ids=DOCUMENT["services"])
def test_no_process_has_a_capability_or_can_gain_one(service: dict[str, Any]) -> None:
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])


@pytest.mark.parametrize("service", WITHOUT_PROFILE.values(), ids=WITHOUT_PROFILE)
def test_the_containers_of_the_tests_can_have_each_of_its_keys(service: dict[str, Any]) -> None:
    options = podman_options(service, COMPOSE)
    assert {"--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"} <= set(options)
    assert not any("=./" in option for option in options)


def test_a_key_that_they_cannot_have_is_no_secret() -> None:
    with pytest.raises(KeyError, match="privileged"):
        podman_options({"privileged": True}, COMPOSE)


def test_no_secret_from_the_environment_is_for_a_read_only_service() -> None:
    """Docker Compose refuses it: https://github.com/docker/compose/pull/12531."""
    from_environment = {name for name, secret in DOCUMENT["secrets"].items() if "environment" in secret}
    for name, service in DOCUMENT["services"].items():
        assert not (service.get("read_only") and from_environment.intersection(service.get("secrets", ()))), name


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("sign_in", SIGN_IN.values(), ids=SIGN_IN)
def test_a_service_has_every_variable_that_it_requires(name: str, sign_in: Mapping[str, str]) -> None:
    environment = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "secret", **sign_in})[name].environment
    config = configuration(name, environment)
    assert config.port == int(environment["PORT"])
    assert config.auth.issuer == sign_in.get("AUTH_ISSUER")


def test_each_variable_is_one_that_a_service_asks_for() -> None:
    given = {"SERVICE_TOKEN": "secret", **SIGN_IN["oidc"], "OTEL_EXPORTER_OTLP_ENDPOINT": "http://jaeger:4318"}
    containers = read_compose(COMPOSE / "compose.yaml", given)
    environments = {name: Asked(containers[name].environment) for name in SERVICES}
    for name, environment in environments.items():
        configuration(name, environment)
    asked = set().union(*(each.names for each in environments.values()))
    assert set().union(*environments.values()) - asked == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}  # botocore


def configuration(name: str, environment: Mapping[str, str]) -> ServiceConfig:
    """Return the settings that a service reads from its *environment*, which has all that it requires."""
    config: ServiceConfig = import_module(f"{name}_service.config").Config.from_environ(environment)
    return config


class Asked(dict[str, str]):
    """An environment that knows for which variables it was asked."""

    names: set[str]

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(variables)
        self.names = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


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
