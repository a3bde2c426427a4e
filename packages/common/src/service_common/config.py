"""What every service reads from its environment, once, at start: all that is wrong is told in one message."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from environs import Env, ValidationError, validate

__all__ = ["AwsConfig", "ConfigError", "Environment", "ServiceConfig", "reading", "shared_fields"]

_HIDDEN = "***"
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)|(?<=password=)[^&\s]+")
_HTTP_URL = re.compile(r"https?://[^\s/,@]+(?:/[^\s,]*)?")
_ORIGIN = re.compile(r"https?://[^\s/,@]+")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_is_http_url = validate.Regexp(rf"{_HTTP_URL.pattern}\Z", error="Has to be an http:// or https:// URL.")
_is_database_url = validate.Regexp(r"postgres(ql)?://\S+\Z", error="Has to be a postgresql:// URL.")
# one word of an Authorization header
_is_token = validate.Regexp(r"[!-~]+\Z", error="Has to be visible ASCII characters without a space.")
_is_group = validate.Regexp(r"[.\-_/#A-Za-z0-9]{1,512}\Z", error="Has to be a name of a log group.")


class ConfigError(Exception):
    """The environment lacks something or has something wrong.

    Attributes:
        problems: variable to what is wrong with it, all of them.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n  ".join(["wrong environment:", *(f"{name}: {what}" for name, what in problems.items())]))
        self.problems = dict(problems)


class Environment(Env):
    """A mapping read by environs instead of the process's own environment; an empty value is none."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._given = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._given.get(env_key) or default

    def urls(self, name: str) -> tuple[str, ...]:
        """Read one or more base URLs, separated by commas; required."""
        return tuple(url.rstrip("/") for url in _entries(self.str(name, validate=_each_is_http_url)))

    def origins(self, name: str) -> tuple[str, ...]:
        """Read web origins, separated by commas; none when it is not set."""
        return _entries(self.str(name, "", validate=_each_is_origin))

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Read addresses and networks (``192.0.2.0/24``), separated by commas; none when it is not set."""
        entries = _entries(self.str(name, "", validate=_each_is_network))
        return tuple(ip_network(entry) for entry in entries if _is_network(entry))

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong so far, in the order it was asked for."""
        return {name: " ".join(str(message) for message in messages) for name, messages in self._errors.items()}


@contextmanager
def reading(environ: Mapping[str, str]) -> Iterator[Environment]:
    """Read *environ* in the block; what is wrong is collected and raised at its end.

    Until then a value that is missing reads as None.

    Raises:
        ConfigError: with everything that is missing or wrong.
    """
    env = Environment(environ)
    try:
        yield env
    finally:
        if env.problems:
            raise ConfigError(env.problems)


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """Where AWS is; *endpoint_url* is set when it is an emulator."""

    region: str
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """What all services have in common.

    Attributes:
        database_url: of the service's own database, ``postgresql://…``.
        pool_size: connections to it at most.
        service_token: what internal endpoints ask for.
        cloudwatch: send the log to CloudWatch Logs, to *log_group*, as well as to stdout.
        shutdown_grace_s: time from SIGTERM to the end.
        allowed_origins: web origins that may read answers, push streams included.
        header_timeout_s: a client has so long for the head of a request.
        body_timeout_s: and so long for its body.
    """

    host: str
    port: int
    database_url: str = field(repr=False)
    pool_size: int
    service_token: str = field(repr=False, metadata={"secret": True})
    aws: AwsConfig
    log_level: str
    cloudwatch: bool
    log_group: str
    shutdown_grace_s: float
    allowed_origins: tuple[str, ...]
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0

    def masked(self) -> dict[str, Any]:
        """Return everything as plain values for the log: secrets and passwords in URLs hidden."""
        secret = {each.name for each in dataclasses.fields(self) if each.metadata.get("secret")}
        return {
            name: _HIDDEN if name in secret else _without_password(value)
            for name, value in dataclasses.asdict(self).items()
        }


def shared_fields(env: Environment, *, name: str, port: int) -> dict[str, Any]:
    """Read the fields of `ServiceConfig`; *name* and *port* are those of the service when nothing else is said."""
    return {
        "host": env.str("HOST", "0.0.0.0"),  # noqa: S104 - a container is reached from outside
        "port": env.int("PORT", port, validate=validate.Range(0, 65535)),
        "database_url": env.str("DATABASE_URL", validate=_is_database_url),
        "pool_size": env.int("DATABASE_POOL_SIZE", 8, validate=validate.Range(1, 100)),
        "service_token": env.str("SERVICE_TOKEN", validate=_is_token),
        "aws": AwsConfig(
            region=env.str("AWS_REGION", "us-east-1"),
            endpoint_url=env.str("AWS_ENDPOINT_URL", None, validate=_is_http_url),
        ),
        "log_level": env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(_LEVELS)),
        "cloudwatch": env.bool("CLOUDWATCH", True),
        "log_group": env.str("LOG_GROUP", f"{name}-logs", validate=_is_group),
        "shutdown_grace_s": env.float("SHUTDOWN_GRACE_S", 8.0, validate=validate.Range(0.1, 3600.0)),
        "allowed_origins": env.origins("ALLOWED_ORIGINS"),
        "header_timeout_s": env.float("HEADER_TIMEOUT_S", 10.0, validate=validate.Range(0.1, 3600.0)),
        "body_timeout_s": env.float("BODY_TIMEOUT_S", 30.0, validate=validate.Range(0.1, 3600.0)),
    }


def _entries(value: str | None) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in (value or "").split(",") if entry.strip())


def _each_is_http_url(value: str) -> None:
    if not _entries(value) or not all(_HTTP_URL.fullmatch(entry) for entry in _entries(value)):
        raise ValidationError("Has to be one or more http:// or https:// URLs, separated by commas.")


def _each_is_origin(value: str) -> None:
    if not all(entry == "*" or _ORIGIN.fullmatch(entry) for entry in _entries(value)):
        raise ValidationError("Has to be a list of origins such as http://localhost:4200, or *.")


def _each_is_network(value: str) -> None:
    if not all(_is_network(entry) for entry in _entries(value)):
        raise ValidationError("Has to be a list of addresses or networks such as 192.0.2.7 or 2001:db8::/32.")


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry)
    except ValueError:
        return False
    return True


def _without_password(value: Any) -> Any:
    if isinstance(value, str):
        return _PASSWORD.sub(_HIDDEN, value)
    if isinstance(value, IPv4Network | IPv6Network):
        return str(value)
    if isinstance(value, tuple):
        return [_without_password(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _without_password(entry) for name, entry in value.items()}
    return value
