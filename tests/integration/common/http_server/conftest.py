"""The configuration of an application that stands for any service."""

from __future__ import annotations

import pytest

from service_common.config import AwsConfig, ServiceConfig


@pytest.fixture
def service_config() -> ServiceConfig:
    return ServiceConfig(
        host="127.0.0.1",
        port=0,
        database_url="postgresql://nowhere/none",
        pool_size=1,
        service_token="right",
        aws=AwsConfig("us-east-1"),
        log_level="INFO",
        cloudwatch=False,
        log_group="any-service-logs",
        shutdown_grace_s=2.0,
        allowed_origins=(),
    )
