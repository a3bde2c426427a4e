"""What the notification service reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from environs import validate

from service_common.config import Environment, ServiceConfig, reading, shared_fields

from .push import PushLimits

__all__ = ["NAME", "Config"]

NAME = "notification-service"
PORT = 8082
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """What the notification service needs to know beside what all services do.

    Attributes:
        notification_queue: where the events come from.
        consumers: messages worked on at the same time.
        feed_poll_s: how long an append of another replica may go unnoticed when its wake-up is lost.
        feed_retention_s: how far back a client can resume.
        push: limits of the push.
        trusted_proxies: who may say in ``X-Forwarded-For`` whose connection it is.
    """

    notification_queue: str
    consumers: int = 50
    feed_poll_s: float = 1.0
    feed_retention_s: float = 30 * DAY_S
    push: PushLimits = field(default_factory=PushLimits)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: with everything that is missing or wrong.
        """
        with reading(environ) as env:
            fields = {
                **shared_fields(env, name=NAME, port=PORT),
                "notification_queue": env.str("NOTIFICATION_QUEUE", "notification-queue"),
                "consumers": env.int("CONSUMERS", 50, validate=validate.Range(1, 1_000)),
                "feed_poll_s": env.float("FEED_POLL_S", 1.0, validate=validate.Range(0.01, 60.0)),
                "feed_retention_s": env.float("FEED_RETENTION_S", 30 * DAY_S, validate=validate.Range(1.0)),
                "push": _push(env),
                "trusted_proxies": env.networks("TRUSTED_PROXIES"),
            }
        return cls(**fields)


def _push(env: Environment) -> PushLimits:
    usual, many, some_s = PushLimits(), validate.Range(1), validate.Range(0.01)
    return PushLimits(
        connections=env.int("PUSH_CONNECTIONS", usual.connections, validate=many),
        connections_per_address=env.int("PUSH_CONNECTIONS_PER_ADDRESS", usual.connections_per_address, validate=many),
        heartbeat_s=env.float("PUSH_HEARTBEAT_S", usual.heartbeat_s, validate=some_s),
        pause_limit_s=env.float("PUSH_PAUSE_LIMIT_S", usual.pause_limit_s, validate=some_s),
        behind_limit=env.int("PUSH_BEHIND_LIMIT", usual.behind_limit, validate=many),
        age_s=env.float("PUSH_AGE_S", usual.age_s, validate=some_s),
        ring_bytes=env.int("PUSH_RING_BYTES", usual.ring_bytes, validate=many),
        ring_age_s=env.float("PUSH_RING_AGE_S", usual.ring_age_s, validate=some_s),
        replays=env.int("PUSH_REPLAYS", usual.replays, validate=many),
        messages_per_s=env.float("PUSH_MESSAGES_PER_S", usual.messages_per_s, validate=some_s),
        message_burst=env.int("PUSH_MESSAGE_BURST", usual.message_burst, validate=many),
    )
