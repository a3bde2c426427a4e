"""The mapping of a container's command and environment to a process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from orderstream_local.compose import Container
from orderstream_local.environment import (
    HostMapping,
    inherited_environment,
    local_command,
    local_environment,
    process_name,
    trace_settings,
)

NO_AWS_FILES = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}


def container(name: str, port: int, **changes: object) -> Container:
    facts: dict[str, object] = {
        "name": name,
        "command": ("python", "-m", f"{name}_service"),
        "environment": {},
        "port": port,
        "published": frozenset(),
        "volumes": {},
        "depends_on": frozenset(),
    }
    return Container(**{**facts, **changes})  # type: ignore[arg-type]


def mapping(*, notification: tuple[int, ...] = (9082,)) -> HostMapping:
    return HostMapping(
        containers={
            "order": container("order", 8080),
            "notification": container("notification", 8082),
            "postgres": container("postgres", 5432),
            "web": container("web", 4200, published=frozenset({4200, 8080})),
        },
        ports={"order": (9080, 9090), "notification": notification, "web": (9200,)},
        sockets={"postgres": Path("/tmp/short")},  # noqa: S108
        volumes={"data": Path("/data/volume")},
        compose=Path("/checkout/compose"),
    )


def mapped(environment: Mapping[str, str], replica: int = 0) -> dict[str, str]:
    volumes = {"/state": "data", "/etc/template.yaml": "./aws/template.yaml"}
    return local_environment(container("order", 8080, environment=environment, volumes=volumes), mapping(), replica)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://notification:8082", "http://127.0.0.1:9082"),
        ("http://order:8080", "http://127.0.0.1:9080,http://127.0.0.1:9090"),
        ("postgresql://orders:word@postgres:5432/orders", "postgresql://orders:word@%2Ftmp%2Fshort/orders"),
        ("http://localhost:4200,http://127.0.0.1:4200", "http://localhost:9200,http://127.0.0.1:9200"),
        ("0.0.0.0", "127.0.0.1"),
        ("/state/emulator", "/data/volume/emulator"),
        ("/etc/template.yaml", "/checkout/compose/aws/template.yaml"),
        ("processing-queue", "processing-queue"),
        ("http://reorder:8080", "http://reorder:8080"),
        ("http://order:80801", "http://order:80801"),
    ],
)
def test_address_or_path_is_mapped(value: str, expected: str) -> None:
    assert mapped({"VARIABLE": value})["VARIABLE"] == expected


def test_each_replica_listens_on_its_own_port() -> None:
    assert [mapped({"PORT": "8080"}, replica)["PORT"] for replica in (0, 1)] == ["9080", "9090"]


def test_number_of_another_variable_is_kept() -> None:
    assert mapped({"LIMIT": "8080"})["LIMIT"] == "8080"


def test_command_runs_with_given_interpreter() -> None:
    assert local_command(container("order", 8080), "/bin/python3") == ("/bin/python3", "-m", "order_service")


def test_process_is_named_after_its_module() -> None:
    assert process_name(container("order", 8080)) == "order-service"
    assert process_name(container("emulator", 4566, command=("python", "-m", "ministack"))) == "emulator"


def test_settings_of_the_shell_are_not_inherited() -> None:
    shell = {"PATH": "/bin", "HOME": "/root", "LC_ALL": "C", "AWS_PROFILE": "work", "DATABASE_URL": "x", "PORT": "1"}
    assert inherited_environment(shell) == {"PATH": "/bin", "HOME": "/root", "LC_ALL": "C"} | NO_AWS_FILES


def test_settings_of_traces_are_handed_on_and_no_others() -> None:
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=demo",
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0.5",
    }
    others = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_SERVICE_NAME": "shell", "LOG_LEVEL": "DEBUG"}
    assert trace_settings(given | others) == given
