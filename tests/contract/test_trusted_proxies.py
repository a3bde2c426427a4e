"""What compose.yaml has the services believe, nginx says truthfully."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from orderstream_local.compose import read_compose
from orderstream_local.layout import COMPOSE
from service_common.config import Networks
from service_common.http_server.client_address import client_address
from tests.support.in_memory.services import SERVICES

NGINX = (COMPOSE / "nginx.conf").read_text(encoding="utf-8")


@pytest.fixture(params=SERVICES)
def trusted(request: pytest.FixtureRequest) -> Networks:
    containers = read_compose(COMPOSE / "compose.yaml", {"SERVICE_TOKEN": "secret", "AUTH_MODE": "open"})
    service: str = request.param
    found: Networks = SERVICES[service].load(containers[service].environment).trusted_proxies
    return found


def test_every_address_that_docker_gives_a_container_is_trusted(trusted: Networks) -> None:
    # https://docs.docker.com/engine/network/#subnet-allocation; Podman takes 10.89.0.0/16 and on
    for address in ("172.17.0.2", "172.31.255.254", "192.168.0.2", "192.168.255.254", "10.89.0.2", "fd12:3456::2"):
        assert any(ip_address(address) in network for network in trusted)
        assert client_address(address, ["203.0.113.7"], trusted) == "203.0.113.7"


def test_no_public_address_and_no_loopback_is_trusted(trusted: Networks) -> None:
    for address in ("127.0.0.1", "::1", "203.0.113.7", "2001:db8::1", "172.32.0.1"):
        assert client_address(address, ["198.51.100.1"], trusted) == address


def test_nginx_passes_nothing_on_that_a_client_says_of_itself() -> None:
    assert re.findall(r"X-Forwarded-For\s+(\S+);", NGINX) == ["$remote_addr"]
