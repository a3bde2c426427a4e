from __future__ import annotations

import pytest

from notification_service.config import Config
from notification_service.push import PushLimits
from service_common.config import ConfigError

ENVIRON = {"SERVICE_TOKEN": "secret", "AUTH_MODE": "open", "DATABASE_URL": "postgresql://u:p@localhost/notifications"}


def test_only_token_and_database_are_required() -> None:
    config = Config.from_environ(ENVIRON)
    assert (config.port, config.notification_queue, config.push) == (8082, "notification-queue", PushLimits())
    assert "secret" not in str(config.masked())


def test_push_limits_are_read() -> None:
    config = Config.from_environ({**ENVIRON, "PUSH_CONNECTIONS": "7", "PUSH_HEARTBEAT_S": "0.5", "FEED_POLL_S": "2"})
    assert (config.push.connections, config.push.heartbeat_s, config.feed_poll_s) == (7, 0.5, 2.0)


def test_error_names_every_invalid_setting() -> None:
    with pytest.raises(ConfigError) as wrong:
        Config.from_environ({"PUSH_CONNECTIONS": "0", "PUSH_AGE_S": "soon", "FEED_RETENTION_S": "-1"})
    assert set(wrong.value.problems) == {
        "SERVICE_TOKEN",
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "DATABASE_URL",
        "PUSH_CONNECTIONS",
        "PUSH_AGE_S",
        "FEED_RETENTION_S",
    }


def test_order_service_is_optional() -> None:
    assert Config.from_environ(ENVIRON).order_urls == ()
    config = Config.from_environ({**ENVIRON, "ORDER_URL": "http://a:8080,http://b:8080/", "RECONCILE_AFTER_S": "30"})
    assert (config.order_urls, config.reconcile_after_s) == (("http://a:8080", "http://b:8080"), 30.0)
    with pytest.raises(ConfigError) as wrong:
        Config.from_environ({**ENVIRON, "ORDER_URL": "order:8080", "RECONCILE_AFTER_S": "0"})
    assert set(wrong.value.problems) == {"ORDER_URL", "RECONCILE_AFTER_S"}


def test_bus_is_optional() -> None:
    assert Config.from_environ(ENVIRON).feed_bus_url is None
    config = Config.from_environ({**ENVIRON, "FEED_BUS_URL": "rediss://user:pass@cache.example:6379/3"})
    assert config.feed_bus_url == "rediss://user:pass@cache.example:6379/3"
    assert config.masked()["feed_bus_url"] == "rediss://***@cache.example:6379/3"


@pytest.mark.parametrize("url", ["cache:6379", "http://cache", "redis://", "redis://u:p@ss@cache", "redis://a b"])
def test_wrong_url_of_the_bus_is_an_error(url: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        Config.from_environ({**ENVIRON, "FEED_BUS_URL": url})
    assert set(wrong.value.problems) == {"FEED_BUS_URL"}
