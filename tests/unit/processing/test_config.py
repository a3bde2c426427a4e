from __future__ import annotations

import pytest

from processing_service.config import Config
from service_common.config import ConfigError

REQUIRED = {
    "SERVICE_TOKEN": "secret",
    "AUTH_MODE": "open",
    "DATABASE_URL": "postgresql://localhost/processing",
    "INVENTORY_URL": "http://one:8081,http://two:8081/",
    "ORDER_URL": "http://order:8080",
}


def test_services_may_have_several_replicas() -> None:
    config = Config.from_environ(REQUIRED)
    assert config.inventory_urls == ("http://one:8081", "http://two:8081")
    assert config.order_urls == ("http://order:8080",)
    assert (config.processing_queue, config.notification_queue) == ("processing-queue", "notification-queue")
    assert config.port == 8083


def test_every_invalid_setting_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Config.from_environ({"ORDER_URL": "order:8080"})
    assert set(error.value.problems) == {
        "SERVICE_TOKEN",
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "DATABASE_URL",
        "INVENTORY_URL",
        "ORDER_URL",
    }
