"""What the inventory service reads from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service_common.config import ServiceConfig, read_environment, shared_fields

__all__ = ["NAME", "Config"]

NAME = "inventory-service"
PORT = 8081


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """Settings of the inventory service; *seed_products* puts the demo products in, once."""

    seed_products: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: with all that is missing or wrong.
        """
        with read_environment(environ) as env:
            shared = shared_fields(env, name=NAME, port=PORT)
            seed_products = env.bool("SEED_PRODUCTS", False)
        return cls(**shared, seed_products=seed_products)
