"""A service without authentication answers to names of the loopback, and to configured ones."""

from __future__ import annotations

import pytest

from service_common.auth.host_names import is_served


@pytest.mark.parametrize(
    "host",
    [
        *(None, "localhost", "LOCALHOST:8080", "orders.localhost:1", "localhost.", "127.0.0.1", "127.9.8.7:65535"),
        *("[::1]", "[::1]:8080", "[0:0:0:0:0:0:0:1]:80"),
    ],
)
def test_loopback_is_served(host: str | None) -> None:
    assert is_served(host, ())


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost"),
        *("evil.example:127.0.0.1", "localhost@evil.example", "192.0.2.7", "[2001:db8::1]:80", "::1", "0x7f000001"),
        *(
            "2130706433",
            "127.1",
            "[::1",
            "localhost:80:80",
            "localhost/",
            "localhost,evil.example",
            " localhost",
            "0.0.0.0",
        ),
    ],
)
def test_other_host_is_not_served(host: str) -> None:
    assert not is_served(host, ())


def test_configured_host_is_served() -> None:
    for host in ("Orders.example:80", "orders.example.", "[2001:DB8::1]:80"):
        assert is_served(host, ("orders.example", "2001:db8::1"))
    assert not is_served("other.example", ("orders.example",))
    assert is_served("any.example", ("*",))
