"""The settings of the order service."""

from __future__ import annotations

import pytest

from order_service.config import Config
from service_common.config import ConfigError

REQUIRED = {
    "SERVICE_TOKEN": "secret",
    "AUTH_MODE": "open",
    "DATABASE_URL": "postgresql://orders",
    "INVENTORY_URL": "http://one:8081/, http://two:8081",
}


def test_missing_setting_has_its_default() -> None:
    config = Config.from_environ(REQUIRED)
    assert config.port == 8080
    assert config.log_group == "order-service-logs"
    assert config.inventory_urls == ("http://one:8081", "http://two:8081")
    assert (config.processing_queue, config.notification_queue) == ("processing-queue", "notification-queue")
    assert config.reconcile_after_s == 300


def test_every_invalid_setting_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_environ({"RECONCILE_AFTER_S": "soon", "INVENTORY_URL": "inventory"})
    assert set(raised.value.problems) == {
        "SERVICE_TOKEN",
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "DATABASE_URL",
        "INVENTORY_URL",
        "RECONCILE_AFTER_S",
    }


def test_subscribers_are_names_of_queues() -> None:
    assert Config.from_environ(REQUIRED).subscriber_queues == ()
    two = Config.from_environ({**REQUIRED, "SUBSCRIBER_QUEUES": "audit-queue, b"})
    assert two.subscriber_queues == ("audit-queue", "b")
    with pytest.raises(ConfigError, match="SUBSCRIBER_QUEUES"):
        Config.from_environ({**REQUIRED, "SUBSCRIBER_QUEUES": "https://sqs/queue"})
