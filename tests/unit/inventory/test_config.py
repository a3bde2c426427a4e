from __future__ import annotations

import pytest

from inventory_service.config import Config
from service_common.config import ConfigError

REQUIRED = {"SERVICE_TOKEN": "secret", "AUTH_MODE": "open", "DATABASE_URL": "postgresql://localhost/inventory"}


def test_demo_products_are_added_on_request() -> None:
    assert not Config.from_environ(REQUIRED).seed_products
    assert Config.from_environ({**REQUIRED, "SEED_PRODUCTS": "true"}).seed_products
    assert Config.from_environ(REQUIRED).port == 8081


def test_every_invalid_setting_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        Config.from_environ({"SEED_PRODUCTS": "perhaps", "PORT": "x"})
    assert set(error.value.problems) == {
        "SERVICE_TOKEN",
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "DATABASE_URL",
        "SEED_PRODUCTS",
        "PORT",
    }
