"""The settings of the order service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from environs import validate

from service_common.config import ServiceConfig, outbox_fields, read_environment, shared_fields

__all__ = ["NAME", "Config"]

NAME = "order-service"
PORT = 8080


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """Settings of the order service.

    Attributes:
        inventory_urls: replicas of the inventory service.
        events_per_message: maximum events of one message.
        processing_queue: receives created and updated orders.
        notification_queue: receives all events.
        subscriber_queues: receive the same events.
        reconcile_after_s: how long an order may stay CREATED before it is announced again, in seconds.
    """

    inventory_urls: tuple[str, ...]
    events_per_message: int
    processing_queue: str
    notification_queue: str
    subscriber_queues: tuple[str, ...]
    reconcile_after_s: float

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: with every setting that is missing or invalid.
        """
        with read_environment(environ) as env:
            fields = {
                **shared_fields(env, name=NAME, port=PORT),
                **outbox_fields(env),
                "inventory_urls": env.urls("INVENTORY_URL"),
                "processing_queue": env.str("PROCESSING_QUEUE", "processing-queue"),
                "notification_queue": env.str("NOTIFICATION_QUEUE", "notification-queue"),
                "subscriber_queues": env.queues("SUBSCRIBER_QUEUES"),
                "reconcile_after_s": env.float("RECONCILE_AFTER_S", 300.0, validate=validate.Range(1.0, 86_400.0)),
            }
        return cls(**fields)
