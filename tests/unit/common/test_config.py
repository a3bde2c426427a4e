"""A service reads its environment once and reports all problems."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from service_common.config import (
    AuthConfig,
    AwsConfig,
    ConfigError,
    RateLimit,
    ServiceConfig,
    TracesConfig,
    read_environment,
    shared_fields,
)

COMPLETE = {
    "SERVICE_TOKEN": "s3cret",
    "AUTH_MODE": "open",
    "DATABASE_URL": "postgresql://user:hunter2@db/orders?password=hunter2",
    "INVENTORY_URL": "http://a:8081/, http://user:hunter2@b:8081",
}
VALID = {**COMPLETE, "INVENTORY_URL": "http://a"}
DATABASE_URLS = {
    "postgresql://orders": "postgresql://orders",
    "postgres://postgres@127.0.0.1:5432/orders": "postgres://***@127.0.0.1:5432/orders",
    "postgresql://u:p%2Fw%40%25@[::1]:5432/orders?sslmode=require": "postgresql://***@[::1]:5432/orders?***",
    "postgresql://u:p@%2Ftmp%2Fshort/orders": "postgresql://***@%2Ftmp%2Fshort/orders",
    "postgresql:///orders?host=/tmp/socket&password=hunter2": "postgresql:///orders?***",
    "postgresql://u:p:w,x;y&z=!@a:1,b:2/orders?target_session_attrs=any&application_name=x": (
        "postgresql://***@a:1,b:2/orders?***"
    ),
}
# passwords with characters that have a meaning of their own in a URL
BAD_PASSWORDS = (
    *("hun/ter2", "hun@ter2", "hun%ter2", "hun?ter2", "hun#ter2", "hun ter2", "hun%2ter2", "hun[ter2", "1/hunter2"),
    *("1?hunter2", "1?a=hunter2", "1/a?b=hunter2", "hünter2", "hun\nter2", "hun\\ter2", 'hun"ter2'),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config(ServiceConfig):
    inventory_url: tuple[str, ...]
    reconcile_after_s: float

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Config:
        with read_environment(environ) as env:
            return cls(
                **shared_fields(env, name="order-service", port=8080),
                inventory_url=env.urls("INVENTORY_URL"),
                reconcile_after_s=env.float("RECONCILE_AFTER_S", 300.0),
            )


def problems_of(environ: Mapping[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as raised:
        Config.from_environ(environ)
    return raised.value.problems


def test_missing_variables_have_their_defaults() -> None:
    config = Config.from_environ({**COMPLETE, "INVENTORY_URL": "http://a:8081/,http://b:8081"})

    assert (config.host, config.port, config.pool_size, config.log_level) == ("0.0.0.0", 8080, 8, "INFO")
    assert (config.cloudwatch, config.log_group, config.shutdown_grace_s) == (True, "order-service-logs", 8.0)
    assert (config.header_timeout_s, config.body_timeout_s) == (10.0, 30.0)
    assert config.aws == AwsConfig("us-east-1", None)
    assert config.allowed_origins == ()
    assert config.inventory_url == ("http://a:8081", "http://b:8081")


def test_every_variable_is_read() -> None:
    config = Config.from_environ(
        {
            **COMPLETE,
            "INVENTORY_URL": "http://a",
            "HOST": "127.0.0.1",
            "PORT": "0",
            "DATABASE_POOL_SIZE": "3",
            "AWS_REGION": "eu-central-1",
            "AWS_ENDPOINT_URL": "http://localhost:4566",
            "LOG_LEVEL": "DEBUG",
            "CLOUDWATCH": "false",
            "LOG_GROUP": "mine",
            "SHUTDOWN_GRACE_S": "2.5",
            "HEADER_TIMEOUT_S": "3",
            "BODY_TIMEOUT_S": "4",
            "ALLOWED_ORIGINS": "http://localhost:4200, https://shop.example",
            "RECONCILE_AFTER_S": "30",
        }
    )

    assert (config.port, config.pool_size, config.cloudwatch, config.shutdown_grace_s) == (0, 3, False, 2.5)
    assert (config.header_timeout_s, config.body_timeout_s) == (3.0, 4.0)
    assert config.aws == AwsConfig("eu-central-1", "http://localhost:4566")
    assert config.allowed_origins == ("http://localhost:4200", "https://shop.example")


def test_all_problems_are_reported_together() -> None:
    problems = problems_of(
        {
            "SERVICE_TOKEN": "two words",
            "DATABASE_URL": "mysql://db",
            "PORT": "http",
            "DATABASE_POOL_SIZE": "0",
            "AWS_ENDPOINT_URL": "localhost",
            "LOG_LEVEL": "loud",
            "CLOUDWATCH": "perhaps",
            "LOG_GROUP": "my logs",
            "SHUTDOWN_GRACE_S": "nan",
            "ALLOWED_ORIGINS": "localhost",
            "HEADER_TIMEOUT_S": "0",
            "BODY_TIMEOUT_S": "never",
        }
    )

    assert set(problems) == {
        *(
            "AUTH_ISSUER",
            "AUTH_AUDIENCE",
            "SERVICE_TOKEN",
            "DATABASE_URL",
            "PORT",
            "DATABASE_POOL_SIZE",
            "AWS_ENDPOINT_URL",
            "LOG_LEVEL",
        ),
        *("CLOUDWATCH", "LOG_GROUP", "SHUTDOWN_GRACE_S", "ALLOWED_ORIGINS", "INVENTORY_URL"),
        *("HEADER_TIMEOUT_S", "BODY_TIMEOUT_S"),
    }


def test_message_names_each_variable_on_a_line_and_no_secret() -> None:
    with pytest.raises(ConfigError) as raised:
        Config.from_environ({**COMPLETE, "SERVICE_TOKEN": "hunter 2", "PORT": "x"})

    assert "hunter" not in str(raised.value)
    assert [line.split(":")[0].strip() for line in str(raised.value).splitlines()[1:]] == [
        "PORT",
        "SERVICE_TOKEN",
        "INVENTORY_URL",
    ]


def test_empty_value_counts_as_absent() -> None:
    assert set(problems_of({**COMPLETE, "SERVICE_TOKEN": "", "INVENTORY_URL": " , "})) == {
        "SERVICE_TOKEN",
        "INVENTORY_URL",
    }
    assert Config.from_environ({**COMPLETE, "INVENTORY_URL": "http://a", "PORT": ""}).port == 8080


def test_environment_of_the_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "of the process")

    assert "SERVICE_TOKEN" in problems_of({})


def test_masked_configuration_holds_no_secret() -> None:
    config = Config.from_environ({**COMPLETE, "INVENTORY_URL": "http://a"})

    masked = config.masked()

    assert (masked["service_token"], masked["other_service_token"]) == ("***", None)
    assert masked["database_url"] == "postgresql://***@db/orders?***"
    assert masked["inventory_url"] == ["http://a"]
    assert masked["aws"] == {"region": "us-east-1", "endpoint_url": None}
    assert "hunter2" not in repr(config)
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize(("url", "shown"), DATABASE_URLS.items())
def test_database_url_is_shown_without_what_may_hold_a_password(url: str, shown: str) -> None:
    config = Config.from_environ({**COMPLETE, "INVENTORY_URL": "http://a", "DATABASE_URL": url})

    assert config.database_url == url
    assert config.masked()["database_url"] == shown


@pytest.mark.parametrize("password", BAD_PASSWORDS)
def test_password_that_is_not_percent_encoded_is_refused_and_not_shown(password: str) -> None:
    urls = {
        "DATABASE_URL": f"postgresql://user:{password}@db/orders",
        "INVENTORY_URL": f"http://a,http://user:{password}@b",
        "AWS_ENDPOINT_URL": f"http://user:{password}@b",
        "ALLOWED_ORIGINS": f"http://user:{password}@b",
    }
    with pytest.raises(ConfigError) as raised:
        Config.from_environ({**COMPLETE, **urls})

    assert raised.value.problems.keys() == urls.keys()
    assert "ter2" not in str(raised.value)


def test_database_url_that_was_not_read_from_the_environment_is_hidden_when_it_is_not_valid() -> None:
    config = Config.from_environ({**COMPLETE, "INVENTORY_URL": "http://a"})
    wrong = dataclasses.replace(config, database_url="postgresql://user:hun/ter2@db/orders")

    assert wrong.masked()["database_url"] == "***"


ONE = COMPLETE | {"INVENTORY_URL": "http://a"}
OIDC = {name: value for name, value in ONE.items() if name != "AUTH_MODE"}


def test_tokens_of_an_issuer_are_the_default() -> None:
    given = {"AUTH_ISSUER": "https://issuer.example/pool/", "AUTH_AUDIENCE": "shop, admin", "ALLOWED_HOSTS": ""}
    auth = Config.from_environ({**OIDC, **given}).auth

    assert auth == AuthConfig(issuer="https://issuer.example/pool/", audiences=("shop", "admin"))
    assert (auth.discovery_url, auth.roles_claim) == (None, "cognito:groups")


def test_service_does_not_start_half_configured() -> None:
    assert set(problems_of(OIDC)) == {"AUTH_ISSUER", "AUTH_AUDIENCE"}
    assert set(problems_of({**OIDC, "AUTH_ISSUER": "https://issuer.example"})) == {"AUTH_AUDIENCE"}
    assert set(problems_of({**OIDC, "AUTH_MODE": "Open"})) == {"AUTH_MODE"}


def test_open_mode_needs_no_issuer_and_takes_none() -> None:
    hosts = {"ALLOWED_HOSTS": "Orders.example, [2001:DB8::1]"}
    given = {"AUTH_ISSUER": "https://issuer.example", "AUTH_AUDIENCE": "shop"}

    assert Config.from_environ({**OIDC, "AUTH_MODE": "open", **hosts}).auth.allowed_hosts == (
        "orders.example",
        "2001:db8::1",
    )
    assert Config.from_environ({**OIDC, "AUTH_MODE": "open", **given}).auth.issuer is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("AUTH_ISSUER", value) for value in ("issuer.example", "ftp://issuer.example", "https://a b", "https://")),
        *(("AUTH_ISSUER", f"https://issuer.example/{value}") for value in ("?tenant=1", "#a")),
        *(("AUTH_AUDIENCE", value) for value in (",", "one two", "shöp")),
        ("AUTH_DISCOVERY_URL", "emulator:4566"),
        ("AUTH_ROLES_CLAIM", "my roles"),
        *(("ALLOWED_HOSTS", value) for value in ("http://localhost", "localhost:8080", "a b", "*.example")),
    ],
)
def test_wrong_setting_of_authentication_is_reported(name: str, value: str) -> None:
    usual = {"AUTH_ISSUER": "https://issuer.example", "AUTH_AUDIENCE": "shop"}
    assert set(problems_of({**OIDC, **usual, name: value})) == {name}


def test_trusted_proxies_are_addresses_and_networks() -> None:
    config = Config.from_environ({**ONE, "TRUSTED_PROXIES": "192.0.2.7, 10.0.0.0/8,2001:db8::/32"})
    assert config.trusted_proxies == tuple(map(ip_network, ("192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32")))
    assert config.masked()["trusted_proxies"] == ["192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32"]


@pytest.mark.parametrize("proxies", ["web", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.1 10.0.0.2"])
def test_wrong_proxy_network_is_reported(proxies: str) -> None:
    assert set(problems_of({**ONE, "TRUSTED_PROXIES": proxies})) == {"TRUSTED_PROXIES"}


@pytest.mark.parametrize("kind", ["principal", "address"])
def test_request_limits_are_read(kind: str) -> None:
    name = f"REQUEST_LIMIT_{kind.upper()}"
    for rate, burst in (("0", "1"), ("0.01", "1000000"), ("1000000", "7"), ("2.5", "300")):
        config = Config.from_environ({**ONE, f"{name}_RATE": rate, f"{name}_BURST": burst})
        assert getattr(config, f"{kind}_limit") == RateLimit(float(rate), int(burst))
        assert config.masked()[f"{kind}_limit"] == {"rate_per_s": float(rate), "burst": int(burst)}


def test_traces_are_exported_when_there_is_an_endpoint() -> None:
    read = Config.from_environ(
        VALID
        | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector:4318/",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0,x-tenant=a",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
            "OTEL_TRACES_SAMPLER": "traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod, team = orders",
        }
    )
    assert read.traces == TracesConfig(
        endpoint="https://collector:4318",
        headers={"authorization": "Basic c2VjcmV0", "x-tenant": "a"},
        timeout_s=2.5,
        sampler="traceidratio",
        ratio=0.25,
        resource={"deployment.environment.name": "prod", "team": "orders"},
    )
    assert read.masked()["traces"]["headers"] == {"authorization": "***", "x-tenant": "***"}
    assert "c2VjcmV0" not in repr(read)
    assert Config.from_environ(VALID | {"OTEL_TRACES_SAMPLER": "always_on"}).traces is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=b c"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=x"),
    ],
)
def test_wrong_setting_of_traces_is_reported(name: str, value: str) -> None:
    assert problems_of(VALID | {name: value}).keys() == {name}


def test_person_is_limited_before_the_address_of_many() -> None:
    config = Config.from_environ(ONE)
    assert (config.principal_limit, config.address_limit) == (RateLimit(20, 100), RateLimit(100, 1_000))


@pytest.mark.parametrize("kind", ["PRINCIPAL", "ADDRESS"])
@pytest.mark.parametrize(
    ("part", "value"),
    [
        *(("RATE", value) for value in ("-1", "0.001", "1000001", "nan", "inf", "ten", "1/s")),
        *(("BURST", value) for value in ("0", "-1", "1000001", "1.5", "many")),
    ],
)
def test_wrong_request_limit_is_reported(kind: str, part: str, value: str) -> None:
    name = f"REQUEST_LIMIT_{kind}_{part}"
    assert set(problems_of({**ONE, name: value})) == {name}
