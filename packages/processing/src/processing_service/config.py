"""What the processing service reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service_common.config import ServiceConfig, read_environment, shared_fields

__all__ = ["NAME", "Config"]

NAME = "processing-service"
PORT = 8083


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """What the processing service needs to know beside what all services do.

    Attributes:
        inventory_urls: replicas of the inventory service.
        order_urls: replicas of the order service.
        processing_queue: where orders are announced.
        notification_queue: whom their ends are announced to.
    """

    inventory_urls: tuple[str, ...]
    order_urls: tuple[str, ...]
    processing_queue: str
    notification_queue: str

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: with everything that is missing or wrong.
        """
        with read_environment(environ) as env:
            fields = {
                **shared_fields(env, name=NAME, port=PORT),
                "inventory_urls": env.urls("INVENTORY_URL"),
                "order_urls": env.urls("ORDER_URL"),
                "processing_queue": env.str("PROCESSING_QUEUE", "processing-queue"),
                "notification_queue": env.str("NOTIFICATION_QUEUE", "notification-queue"),
            }
        return cls(**fields)
