"""The reader of compose.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderstream_local.compose import MissingVariableError, dependency_levels, interpolate, read_compose

VARIABLES = {"NAME": "value", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("$NAME and ${NAME}", "value and value"),
        ("$$NAME", "$NAME"),
        ("${OTHER:-word}", "word"),
        ("${EMPTY:-word}", "word"),
        ("${EMPTY-word}", ""),
        ("${OTHER-http://emulator:4566}", "http://emulator:4566"),
        ("${NAME:?needed}", "value"),
        ("${EMPTY?needed}", ""),
        ("${OTHER}", ""),
    ],
)
def test_variables_are_interpolated(text: str, expected: str) -> None:
    assert interpolate(text, VARIABLES) == expected


@pytest.mark.parametrize("text", ["${OTHER:?set it}", "${EMPTY:?set it}", "${OTHER?set it}"])
def test_missing_required_variable_is_reported(text: str) -> None:
    with pytest.raises(MissingVariableError, match=r"is not set: set it"):
        interpolate(text, VARIABLES)


def test_container_is_read(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(
        """
        x-shared: &shared {TOKEN: "${TOKEN:?}", LEVEL: INFO}
        services:
          order:
            command: [python, -m, order_service]
            expose: ["8080"]
            ports: ["127.0.0.1:8080:8080", "127.0.0.1:9000:8081"]
            environment: {<<: *shared, PORT: "8080"}
            volumes: ["data:/data", "./file:/etc/file:ro"]
            depends_on: {postgres: {condition: service_healthy}}
          postgres: {}
        """,
        encoding="utf-8",
    )
    order = read_compose(path, {"TOKEN": "secret"})["order"]
    assert order.command == ("python", "-m", "order_service")
    assert order.environment == {"TOKEN": "secret", "LEVEL": "INFO", "PORT": "8080"}
    assert (order.port, order.published) == (8080, frozenset({8080}))
    assert order.volumes == {"/data": "data", "/etc/file": "./file"}
    assert order.depends_on == {"postgres"}


def test_dependencies_have_lower_levels() -> None:
    containers = read_compose(Path(__file__).parents[3] / "compose" / "compose.yaml", {"SERVICE_TOKEN": "secret"})
    level = dependency_levels(containers)
    assert level["postgres"] == level["emulator"] == 0
    assert level["inventory"] < level["order"] < level["processing"] < level["web"]
    assert level["notification"] == level["processing"]  # both wait for a long poll while they stop: at the same time
