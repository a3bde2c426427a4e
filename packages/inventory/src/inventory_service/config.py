"""The settings of the inventory service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from service_common.config import ServiceConfig, read_environment, shared_fields

__all__ = ["NAME", "Config"]

NAME = "inventory-service"
PORT = 8081


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    """Settings of the inventory service; *seed_products* adds the demo products, once."""

    seed_products: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        """Read *environ*.

        Raises:
            ConfigError: with every setting that is missing or invalid.
        """
        with read_environment(environ) as env:
            shared = shared_fields(env, name=NAME, port=PORT)
            seed_products = env.bool("SEED_PRODUCTS", False)
        return cls(**shared, seed_products=seed_products)
