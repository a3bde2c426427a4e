"""The settings of the command: those variables of the services that say where everything is, and who calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service_common.config import AwsConfig, read_environment

__all__ = ["SERVICES", "CommandConfig"]

_PORTS = {"order": 8080, "inventory": 8081, "processing": 8083, "notification": 8082}
SERVICES = tuple(_PORTS)
_CONSUMERS = ("processing", "notification")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandConfig:
    """Where the system is.

    Attributes:
        queues: names of the queues of the services that consume one.
        urls: base URLs of the replicas of each service.
        log_groups: the log group of each service.
        token: bearer token of calls to the services; None where they ask for none.
    """

    aws: AwsConfig
    queues: tuple[str, ...]
    urls: Mapping[str, tuple[str, ...]]
    log_groups: Mapping[str, str]
    token: str | None = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> CommandConfig:
        """Read *environ*.

        Raises:
            ConfigError: with every setting that is not valid.
        """
        with read_environment(environ) as env:
            access_token, service_token = env.str("ACCESS_TOKEN", None), env.str("SERVICE_TOKEN", None)
            asked_for = env.str("AUTH_MODE", "oidc") != "open"
            fields: dict[str, Any] = {
                "aws": env.aws(),
                "queues": tuple(env.str(f"{name.upper()}_QUEUE", f"{name}-queue") for name in _CONSUMERS),
                "urls": {
                    name: env.urls(f"{name.upper()}_URL", required=False) or (f"http://127.0.0.1:{_PORTS[name]}",)
                    for name in SERVICES
                },
                "log_groups": {name: env.str(f"{name.upper()}_LOG_GROUP", f"{name}-service-logs") for name in SERVICES},
                "token": (access_token or service_token) if asked_for else None,
            }
        return cls(**fields)
