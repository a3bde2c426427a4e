"""The configuration of the notification service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from environs import ValidationError, validate

from service_common.config import Environment, ServiceConfig, read_environment, shared_fields

from . import NAME
from .push import PushLimits

__all__ = ["Config"]

PORT = 8082
DAY_S = 86_400.0
# https://www.iana.org/assignments/uri-schemes/prov/redis
_BUS_URL = re.compile(r"(?P<scheme>rediss?://)(?P<user>[^@/?#\s]*@)?(?P<place>[^@/?#\s]+(?:/\d{1,4})?)")


def _is_bus_url(value: str | None) -> None:
    if value is not None and not _BUS_URL.fullmatch(value):
        raise ValidationError("Has to be a redis:// or rediss:// URL; percent-encode / @ : ? # in user and password.")


def _place(url: str | None) -> str | None:
    """Return where the bus is, without user and password."""
    match = url and _BUS_URL.fullmatch(url)
    return f"{match['scheme']}{'***@' if match['user'] else ''}{match['place']}" if match else url and "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """The settings of the notification service besides those of every service.

    Attributes:
        notification_queue: the queue that events come from.
        consumers: events handled at the same time.
        feed_poll_s: the longest delay of another replica's append when its NOTIFY is lost.
        feed_bus_url: of the Redis or Valkey server over which replicas exchange what they append; None without one.
        feed_retention_s: how far back a client can resume.
        order_urls: replicas of the order service; without any, lost notifications are not restored.
        reconcile_after_s: age of a change of an order when its notifications are compared with it, in seconds.
        push: limits of the push.
    """

    notification_queue: str
    consumers: int = 256
    feed_poll_s: float = 1.0
    feed_bus_url: str | None = field(default=None, repr=False, metadata={"mask": _place})
    feed_retention_s: float = 30 * DAY_S
    order_urls: tuple[str, ...] = ()
    reconcile_after_s: float = 300.0
    push: PushLimits = field(default_factory=PushLimits)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: names every missing and every invalid setting.
        """
        with read_environment(environ) as env:
            fields = {
                **shared_fields(env, name=NAME, port=PORT),
                "notification_queue": env.str("NOTIFICATION_QUEUE", "notification-queue"),
                "consumers": env.int("CONSUMERS", 256, validate=validate.Range(1, 1_000)),
                "feed_poll_s": env.float("FEED_POLL_S", 1.0, validate=validate.Range(0.01, 60.0)),
                "feed_bus_url": env.str("FEED_BUS_URL", None, validate=_is_bus_url),
                "feed_retention_s": env.float("FEED_RETENTION_S", 30 * DAY_S, validate=validate.Range(1.0)),
                "order_urls": env.urls("ORDER_URL", required=False),
                "reconcile_after_s": env.float("RECONCILE_AFTER_S", 300.0, validate=validate.Range(1.0, 86_400.0)),
                "push": _push(env),
            }
        return cls(**fields)


def _push(env: Environment) -> PushLimits:
    default, positive, some_s = PushLimits(), validate.Range(1), validate.Range(0.01)
    return PushLimits(
        connections=env.int("PUSH_CONNECTIONS", default.connections, validate=positive),
        connections_per_address=env.int(
            "PUSH_CONNECTIONS_PER_ADDRESS", default.connections_per_address, validate=positive
        ),
        heartbeat_s=env.float("PUSH_HEARTBEAT_S", default.heartbeat_s, validate=some_s),
        pause_limit_s=env.float("PUSH_PAUSE_LIMIT_S", default.pause_limit_s, validate=some_s),
        behind_limit=env.int("PUSH_BEHIND_LIMIT", default.behind_limit, validate=positive),
        age_s=env.float("PUSH_AGE_S", default.age_s, validate=some_s),
        ring_bytes=env.int("PUSH_RING_BYTES", default.ring_bytes, validate=positive),
        ring_age_s=env.float("PUSH_RING_AGE_S", default.ring_age_s, validate=some_s),
        replays=env.int("PUSH_REPLAYS", default.replays, validate=positive),
        messages_per_s=env.float("PUSH_MESSAGES_PER_S", default.messages_per_s, validate=some_s),
        message_burst=env.int("PUSH_MESSAGE_BURST", default.message_burst, validate=positive),
    )
