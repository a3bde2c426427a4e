from __future__ import annotations

import pytest

from notification_service.config import Config
from notification_service.limits import PushLimits
from service_common.config import ConfigError

ENVIRON = {"SERVICE_TOKEN": "secret", "DATABASE_URL": "postgresql://u:p@localhost/notifications"}


def test_everything_has_a_default_but_token_and_database() -> None:
    config = Config.from_environ(ENVIRON)
    assert (config.port, config.notification_queue, config.push) == (8082, "notification-queue", PushLimits())
    assert "secret" not in str(config.masked())


def test_limits_of_the_push_are_read() -> None:
    config = Config.from_environ({**ENVIRON, "PUSH_CONNECTIONS": "7", "PUSH_HEARTBEAT_S": "0.5", "FEED_POLL_S": "2"})
    assert (config.push.connections, config.push.heartbeat_s, config.feed_poll_s) == (7, 0.5, 2.0)


def test_everything_wrong_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as wrong:
        Config.from_environ({"PUSH_CONNECTIONS": "0", "PUSH_AGE_S": "soon", "FEED_RETENTION_S": "-1"})
    assert set(wrong.value.problems) == {
        "SERVICE_TOKEN",
        "DATABASE_URL",
        "PUSH_CONNECTIONS",
        "PUSH_AGE_S",
        "FEED_RETENTION_S",
    }
