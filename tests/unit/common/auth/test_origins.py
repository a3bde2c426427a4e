from __future__ import annotations

import pytest

from service_common.auth.origins import is_same_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://shop.test:8082", "shop.test:8082"),
        ("http://shop.test", "shop.test"),
        ("http://shop.test", "shop.test:80"),
        ("https://shop.test", "shop.test:443"),
        ("https://shop.test:443", "shop.test"),
        ("HTTPS://Shop.Test", "sHOP.tEST"),
        ("http://[::1]:8082", "[::1]:8082"),
    ],
)
def test_page_is_of_the_host_that_it_connects_to(origin: str, host: str) -> None:
    assert is_same_origin(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://shop.test:8082", "shop.test:8083"),
        ("http://shop.test", "shop.test:443"),
        ("https://shop.test", "shop.test:80"),
        ("http://evil.test", "shop.test"),
        ("http://shop.test.evil.test", "shop.test"),
        ("http://shop.test@evil.test", "shop.test"),
        ("http://shop.test", "shop.test.evil.test"),
        ("null", "null"),
        ("null", ""),
        ("", ""),
        ("file://", ""),
        ("http://", ""),
        ("chrome-extension://shop.test", "shop.test"),
        ("http://shop.test:x", "shop.test:x"),
        ("http://[::1", "[::1"),
    ],
)
def test_page_is_of_another_origin(origin: str, host: str) -> None:
    assert not is_same_origin(origin, host)
