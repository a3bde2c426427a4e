"""Configuration from the environment, read once at start; all problems are reported together."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, TypeAlias
from urllib.parse import unquote

from environs import Env, ValidationError, validate

__all__ = [
    "AuthConfig",
    "AwsConfig",
    "ConfigError",
    "Environment",
    "Networks",
    "RateLimit",
    "ServiceConfig",
    "TracesConfig",
    "outbox_fields",
    "read_environment",
    "shared_fields",
]

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

_HIDDEN = "***"
# RFC 3986: a character that a part of a URL may not hold is percent-encoded, so that no part is taken for another
_ENCODED = r"[\w.~!$'()*+;-]|%[0-9A-Fa-f]{2}"
_HOST = r"(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]+\]"
_ORIGIN = rf"https?://(?:{_HOST})(?::\d{{1,5}})?"
_HTTP_URL = re.compile(rf"{_ORIGIN}(?:/(?:{_ENCODED}|[/:&=])*)?", re.ASCII)
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
_DATABASE_URL = re.compile(
    rf"(?P<scheme>postgres(?:ql)?://)"
    rf"(?P<user>(?:{_ENCODED}|[&=,])*(?::(?:{_ENCODED}|[&=,:])*)?@)?"
    rf"(?P<place>(?:(?:{_HOST})?(?::\d{{1,5}})?)(?:,(?:{_HOST})?(?::\d{{1,5}})?)*(?:/(?:{_ENCODED}|[&=,:])*)?)"
    rf"(?P<parameters>\?\w+=(?:{_ENCODED}|[,:/])*(?:&\w+=(?:{_ENCODED}|[,:/])*)*)?",
    re.ASCII,
)
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

# such as a token in an Authorization header
_is_word = validate.Regexp(r"[!-~]+\Z", error="Has to be visible ASCII characters without a space.")
_is_log_group = validate.Regexp(r"[.\-_/#A-Za-z0-9]{1,512}\Z", error="Has to be a name of a log group.")


# https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
_SAMPLERS = [f"{base}{name}" for base in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")]
_PAIR = re.compile(r"\s*([!#$%&'*+.^_`|~/0-9A-Za-z-]+)\s*=\s*([!#-+.-:<-\[\]-~-]*)\s*")

_MAX_RATE, _MAX_BURST = 1e6, 1_000_000


def _is_rate(value: float) -> None:
    if not (value == 0 or 0.01 <= value <= _MAX_RATE):
        raise ValidationError(f"Has to be 0 or between 0.01 and {_MAX_RATE:,.0f}.")


def _entries(value: str | None) -> tuple[str, ...]:
    return tuple(entry.strip() for entry in (value or "").split(",") if entry.strip())


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry)
    except ValueError:
        return False
    return True


def _each(is_valid: Callable[[str], object], error: str, *, at_least: int = 0) -> Callable[[str], None]:
    def check(value: str) -> None:
        entries = _entries(value)
        if len(entries) < at_least or not all(map(is_valid, entries)):
            raise ValidationError(error)

    return check


def _whole(pattern: re.Pattern[str], error: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if not pattern.fullmatch(value):
            raise ValidationError(error)

    return check


_is_http_url = _whole(_HTTP_URL, "Has to be an http:// or https:// URL.")
_is_database_url = _whole(
    _DATABASE_URL, "Has to be a postgresql:// URL; in user and password, percent-encode / @ : ? # [ ] % and space."
)
_are_http_urls = _each(
    _HTTP_URL.fullmatch, "Has to be one or more http:// or https:// URLs, separated by commas.", at_least=1
)
_are_words = _each(re.compile(r"[!-~]+").fullmatch, "Has to be one or more words, separated by commas.", at_least=1)
_are_origins = _each(
    re.compile(rf"\*|{_ORIGIN}", re.ASCII).fullmatch, "Has to be a list of origins such as http://localhost:4200, or *."
)
_are_hosts = _each(
    re.compile(rf"\*|{_HOST}", re.ASCII).fullmatch, "Has to be a list of host names or addresses, without ports, or *."
)
_are_pairs = _each(_PAIR.fullmatch, "Has to be a list such as name=value,other=value, values percent-encoded.")
_are_queues = _each(
    re.compile(r"[A-Za-z0-9_-]{1,80}").fullmatch, "Has to be a list of names of queues, separated by commas."
)
_are_networks = _each(_is_network, "Has to be a list of addresses or networks such as 192.0.2.7 or 2001:db8::/32.")


class ConfigError(Exception):
    """Variables of the environment are missing or not valid.

    Attributes:
        problems: what is wrong with each of them, by name.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("\n  ".join(["wrong environment:", *(f"{name}: {what}" for name, what in problems.items())]))
        self.problems = dict(problems)


class Environment(Env):
    """environs for a mapping instead of the process's environment; an empty value counts as absent."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._source = environ

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._source.get(env_key) or default

    def urls(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        """Read base URLs, separated by commas: one or more when *required*."""
        value = self.str(name, validate=_are_http_urls) if required else self.str(name, None, validate=_are_http_urls)
        return tuple(url.rstrip("/") for url in _entries(value))

    def auth(self) -> AuthConfig:
        """Read ``AUTH_MODE``, what its mode ``oidc`` needs, and ``ALLOWED_HOSTS``."""
        oidc = self.str("AUTH_MODE", "oidc", validate=validate.OneOf(("oidc", "open"))) == "oidc"
        needed: dict[str, Any] = {} if oidc else {"default": None}
        issuer = self.str("AUTH_ISSUER", **needed, validate=_is_http_url)
        audiences = self.str("AUTH_AUDIENCE", **needed, validate=_are_words)
        return AuthConfig(
            issuer=issuer if oidc else None,
            audiences=_entries(audiences),
            discovery_url=self.str("AUTH_DISCOVERY_URL", None, validate=_is_http_url),
            roles_claim=self.str("AUTH_ROLES_CLAIM", "cognito:groups", validate=_is_word),
            allowed_hosts=tuple(
                host.lower().strip("[]") for host in _entries(self.str("ALLOWED_HOSTS", "", validate=_are_hosts))
            ),
        )

    def aws(self) -> AwsConfig:
        """Read ``AWS_REGION`` and ``AWS_ENDPOINT_URL``."""
        return AwsConfig(
            region=self.str("AWS_REGION", "us-east-1"),
            endpoint_url=self.str("AWS_ENDPOINT_URL", None, validate=_is_http_url),
        )

    def origins(self, name: str) -> tuple[str, ...]:
        """Read web origins, separated by commas; none by default."""
        return _entries(self.str(name, "", validate=_are_origins))

    def queues(self, name: str) -> tuple[str, ...]:
        """Read names of queues, separated by commas; none by default."""
        return _entries(self.str(name, "", validate=_are_queues))

    def rate_limit(self, name: str, default: RateLimit) -> RateLimit:
        """Read ``<name>_RATE`` and ``<name>_BURST``."""
        return RateLimit(
            rate_per_s=self.float(f"{name}_RATE", default.rate_per_s, validate=_is_rate),
            burst=self.int(f"{name}_BURST", default.burst, validate=validate.Range(1, _MAX_BURST)),
        )

    def networks(self, name: str) -> Networks:
        """Read addresses and networks (``192.0.2.0/24``), separated by commas; none by default."""
        entries = _entries(self.str(name, "", validate=_are_networks))
        return tuple(ip_network(entry) for entry in entries if _is_network(entry))

    def pairs(self, name: str) -> dict[str, str]:
        """Read ``name=value`` pairs, separated by commas; none by default."""
        pairs = map(_PAIR.fullmatch, _entries(self.str(name, "", validate=_are_pairs)))
        return {pair[1]: unquote(pair[2]) for pair in pairs if pair}

    def traces(self) -> TracesConfig | None:
        """Read the standard variables of OpenTelemetry (``OTEL_…``); None without an endpoint."""
        endpoint = self.str("OTEL_EXPORTER_OTLP_ENDPOINT", None, validate=_is_http_url)
        self.str("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", validate=validate.OneOf(("http/protobuf",)))
        timeout_ms = self.int("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, validate=validate.Range(1, 60_000))
        config = TracesConfig(
            endpoint=(endpoint or "").rstrip("/"),
            headers=self.pairs("OTEL_EXPORTER_OTLP_HEADERS"),
            timeout_s=(timeout_ms or 0) / 1000,
            sampler=self.str("OTEL_TRACES_SAMPLER", "parentbased_always_on", validate=validate.OneOf(_SAMPLERS)),
            ratio=self.float("OTEL_TRACES_SAMPLER_ARG", 1.0, validate=validate.Range(0.0, 1.0)),
            resource=self.pairs("OTEL_RESOURCE_ATTRIBUTES"),
        )
        return config if endpoint else None

    @property
    def problems(self) -> dict[str, str]:
        """The problems so far, by variable."""
        return {name: " ".join(str(message) for message in messages) for name, messages in self._errors.items()}


@contextmanager
def read_environment(environ: Mapping[str, str]) -> Iterator[Environment]:
    """Read *environ* in the block; a missing value reads as None, and all problems are raised at its end.

    Raises:
        ConfigError: with everything that is missing or not valid.
    """
    env = Environment(environ)
    try:
        yield env
    finally:
        if env.problems:
            raise ConfigError(env.problems)


def _hidden(value: str | None) -> str | None:
    return value and _HIDDEN


def _place(database_url: str) -> str:
    """Return where the database is: what may hold a password is hidden, in a URL that is not valid everything."""
    match = _DATABASE_URL.fullmatch(database_url)
    if match is None:
        return _HIDDEN
    user, parameters = (_HIDDEN if match[part] else "" for part in ("user", "parameters"))
    return f"{match['scheme']}{user}{user and '@'}{match['place']}{parameters and '?'}{parameters}"


def _without_headers(traces: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return traces and {**traces, "headers": dict.fromkeys(traces["headers"], _HIDDEN)}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, IPv4Network | IPv6Network) else value


@dataclass(frozen=True, slots=True)
class AwsConfig:
    """Region and endpoint of AWS; *endpoint_url* is set for an emulator."""

    region: str
    endpoint_url: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a caller may send: *burst* at once, and *rate_per_s* on average; 0 for any number."""

    rate_per_s: float
    burst: int


# above what a person does with a page, and far below what a script can do
_PRINCIPAL_LIMIT = RateLimit(rate_per_s=20, burst=100)
# of many people; as many as may have a stream (PUSH_CONNECTIONS_PER_ADDRESS) connect again at once
_ADDRESS_LIMIT = RateLimit(rate_per_s=100, burst=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesConfig:
    """Where spans are sent, and which.

    Attributes:
        endpoint: base URL of an OTLP receiver over HTTP.
        headers: of its requests, such as a credential.
        timeout_s: time limit of a request.
        sampler: name of a sampler of OpenTelemetry.
        ratio: share of the traces that those by ratio record, 0 to 1.
        resource: attributes of this process.
    """

    endpoint: str
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0
    sampler: str = "parentbased_always_on"
    ratio: float = 1.0
    resource: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthConfig:
    """Whose access tokens are accepted.

    Attributes:
        issuer: the OpenID Connect issuer; None when everybody is an operator, without a token (``AUTH_MODE=open``).
        audiences: a token is for one of them.
        discovery_url: where the metadata of the issuer are, when not below *issuer* itself.
        roles_claim: claim with the roles of a person.
        allowed_hosts: without an issuer: hosts that are served besides the loopback.
    """

    issuer: str | None
    audiences: tuple[str, ...] = ()
    discovery_url: str | None = None
    roles_claim: str = "cognito:groups"
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """Configuration that all services have in common.

    Attributes:
        database_url: URL of the service's own database, ``postgresql://…``.
        pool_size: maximum connections to the database.
        service_token: bearer token of the services themselves.
        other_service_token: another that is accepted, and not sent: the next or the former one, while it is changed.
        auth: whose access tokens are accepted.
        cloudwatch: whether to log to CloudWatch Logs, in *log_group*, besides stdout.
        shutdown_grace_s: time from SIGTERM to the end of the process.
        allowed_origins: web origins that may read answers and push streams.
        trusted_proxies: networks of the proxies whose ``X-Forwarded-For`` is trusted.
        principal_limit: limit on the requests of each person with an access token.
        address_limit: limit on the requests of each client address.
        header_timeout_s: time limit of the head of a request.
        body_timeout_s: time limit of its body.
        traces: where spans are sent; None when they are not recorded.
    """

    host: str
    port: int
    database_url: str = field(repr=False, metadata={"mask": _place})
    pool_size: int
    service_token: str = field(repr=False, metadata={"mask": _hidden})
    auth: AuthConfig
    aws: AwsConfig
    log_level: str
    cloudwatch: bool
    log_group: str
    shutdown_grace_s: float
    allowed_origins: tuple[str, ...]
    trusted_proxies: Networks = ()
    principal_limit: RateLimit = _PRINCIPAL_LIMIT
    address_limit: RateLimit = _ADDRESS_LIMIT
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    other_service_token: str | None = field(default=None, repr=False, metadata={"mask": _hidden})
    traces: TracesConfig | None = field(default=None, repr=False, metadata={"mask": _without_headers})

    def masked(self) -> dict[str, Any]:
        """Return the fields as plain values for the log, without secrets."""
        masks = {each.name: each.metadata.get("mask", _plain) for each in dataclasses.fields(self)}
        return {name: masks[name](value) for name, value in dataclasses.asdict(self).items()}


def shared_fields(env: Environment, *, name: str, port: int) -> dict[str, Any]:
    """Read the fields of `ServiceConfig`; *name* and *port* are the defaults of the service."""
    return {
        "host": env.str("HOST", "0.0.0.0"),  # noqa: S104 - a container is reached from outside
        "port": env.int("PORT", port, validate=validate.Range(0, 65535)),
        "database_url": env.str("DATABASE_URL", validate=_is_database_url),
        "pool_size": env.int("DATABASE_POOL_SIZE", 8, validate=validate.Range(1, 100)),
        "service_token": env.str("SERVICE_TOKEN", validate=_is_word),
        "other_service_token": env.str("OTHER_SERVICE_TOKEN", None, validate=_is_word),
        "auth": env.auth(),
        "aws": env.aws(),
        "log_level": env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(_LEVELS)),
        "cloudwatch": env.bool("CLOUDWATCH", True),
        "log_group": env.str("LOG_GROUP", f"{name}-logs", validate=_is_log_group),
        "shutdown_grace_s": env.float("SHUTDOWN_GRACE_S", 8.0, validate=validate.Range(0.1, 3600.0)),
        "allowed_origins": env.origins("ALLOWED_ORIGINS"),
        "trusted_proxies": env.networks("TRUSTED_PROXIES"),
        "principal_limit": env.rate_limit("REQUEST_LIMIT_PRINCIPAL", _PRINCIPAL_LIMIT),
        "address_limit": env.rate_limit("REQUEST_LIMIT_ADDRESS", _ADDRESS_LIMIT),
        "header_timeout_s": env.float("HEADER_TIMEOUT_S", 10.0, validate=validate.Range(0.1, 3600.0)),
        "body_timeout_s": env.float("BODY_TIMEOUT_S", 30.0, validate=validate.Range(0.1, 3600.0)),
        "traces": env.traces(),
    }


def outbox_fields(env: Environment) -> dict[str, Any]:
    """Read what is set of an outbox: one event in a message unless all consumers are known to read batches."""
    return {"events_per_message": env.int("EVENTS_PER_MESSAGE", 1, validate=validate.Range(1, 100))}
