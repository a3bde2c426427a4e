"""The settings of the processing service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from environs import validate

from service_common.config import ServiceConfig, outbox_fields, read_environment, shared_fields

__all__ = ["NAME", "Config"]

NAME = "processing-service"
PORT = 8083
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """Settings of the processing service.

    Attributes:
        inventory_urls: replicas of the inventory service.
        order_urls: replicas of the order service.
        events_per_message: maximum events of one message.
        processing_queue: delivers created and updated orders.
        notification_queue: receives the events of processed and failed orders.
        subscriber_queues: receive the same events.
        saga_retention_s: how long a saga is kept after its end.
    """

    inventory_urls: tuple[str, ...]
    order_urls: tuple[str, ...]
    events_per_message: int
    processing_queue: str
    notification_queue: str
    subscriber_queues: tuple[str, ...]
    saga_retention_s: float

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
                "order_urls": env.urls("ORDER_URL"),
                "processing_queue": env.str("PROCESSING_QUEUE", "processing-queue"),
                "notification_queue": env.str("NOTIFICATION_QUEUE", "notification-queue"),
                "subscriber_queues": env.queues("SUBSCRIBER_QUEUES"),
                "saga_retention_s": env.float("SAGA_RETENTION_S", 30 * DAY_S, validate=validate.Range(1.0)),
            }
        return cls(**fields)
