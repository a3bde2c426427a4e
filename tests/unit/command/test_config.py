"""The command reads the environment of the services."""

from __future__ import annotations

import pytest

from orderstream_command.config import CommandConfig
from service_common.config import ConfigError


def test_defaults_are_the_addresses_of_the_demo() -> None:
    config = CommandConfig.from_environ({})
    assert config.urls["processing"] == ("http://127.0.0.1:8083",)
    assert config.queues[:2] == ("processing-queue", "notification-queue")
    assert config.log_groups["order"] == "order-service-logs"


def test_replicas_are_read_from_a_list() -> None:
    config = CommandConfig.from_environ({"ORDER_URL": "http://a:1,http://b:2/"})
    assert config.urls["order"] == ("http://a:1", "http://b:2")


@pytest.mark.parametrize(
    ("environ", "token"),
    [
        ({}, None),
        ({"SERVICE_TOKEN": "s"}, "s"),
        ({"SERVICE_TOKEN": "s", "ACCESS_TOKEN": "a"}, "a"),
        ({"SERVICE_TOKEN": "s", "AUTH_MODE": "open"}, None),
    ],
)
def test_access_token_goes_before_that_of_the_services_and_open_mode_needs_none(
    environ: dict[str, str], token: str | None
) -> None:
    config = CommandConfig.from_environ(environ)
    assert config.token == token
    assert "'s'" not in repr(config)


def test_everything_wrong_is_reported_together() -> None:
    with pytest.raises(ConfigError) as wrong:
        CommandConfig.from_environ({"AWS_ENDPOINT_URL": "x", "INVENTORY_URL": "y"})
    assert wrong.value.problems.keys() == {"AWS_ENDPOINT_URL", "INVENTORY_URL"}
