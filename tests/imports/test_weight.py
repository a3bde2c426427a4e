"""What takes long to import, or much memory, is imported by those that use it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# importing these modules imports none of those
LIGHT = [
    ("order_service.app", "boto3 watchtower"),
    ("inventory_service.app", "boto3 botocore watchtower"),
    ("processing_service.app", "boto3 watchtower"),
    ("notification_service.app", "boto3 redis watchtower"),
    ("orderstream_command.cli", "aiohttp botocore environs"),
    ("orderstream_command.order", "boto3 botocore service_common.http_client"),
    ("orderstream_command.saga", "boto3 botocore service_common.http_client"),
    ("orderstream_command.dlq", "boto3 service_common.http_client"),
    ("orderstream_command.logs", "boto3 service_common.http_client"),
    ("orderstream_command.status", "boto3 service_common.http_client"),
]
SHOW = "import importlib, sys; importlib.import_module(sys.argv[1]); print(*sys.modules)"


@pytest.mark.parametrize(("module", "heavy"), LIGHT)
def test_start_does_not_wait_for_what_it_does_not_use(module: str, heavy: str) -> None:
    done = subprocess.run([sys.executable, "-c", SHOW, module], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert module in loaded
    assert loaded.isdisjoint(heavy.split())
