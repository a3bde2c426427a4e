from __future__ import annotations

from ipaddress import ip_network

import pytest

from service_common.http_server.client_address import client_address, network_of

PROXIES = tuple(ip_network(each) for each in ("10.0.0.0/8", "2001:db8:ffff::/48"))
PROXY = "10.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
        (["203.0.113.7,10.0.0.2,10.0.0.3"], "203.0.113.7"),
        (["203.0.113.7", "10.0.0.2"], "203.0.113.7"),
        (["203.0.113.7 \t,\t 2001:db8:ffff::2"], "203.0.113.7"),
        (["2001:db8::1"], "2001:db8::1"),
        (["2001:DB8:0:0::1"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"),
        (["[2001:db8::1]:443"], "2001:db8::1"),
        (["203.0.113.7:55812"], "203.0.113.7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, ::ffff:10.0.0.2"], "203.0.113.7"),
        (["203.0.113.7, , 10.0.0.2,"], "203.0.113.7"),
    ],
)
def test_client_is_the_right_most_untrusted_address(forwarded: list[str], client: str) -> None:
    assert client_address(PROXY, forwarded, PROXIES) == client


@pytest.mark.parametrize(
    "claimed",
    ["198.51.100.1", "198.51.100.1, 198.51.100.2", "10.0.0.9", "127.0.0.1", "<script>", "unknown", ",", "[", "\0"],
)
def test_addresses_that_the_client_sent_are_ignored(claimed: str) -> None:
    assert client_address(PROXY, [f"{claimed}, 203.0.113.7"], PROXIES) == "203.0.113.7"
    assert client_address(PROXY, [claimed, "203.0.113.7, 10.0.0.2"], PROXIES) == "203.0.113.7"


@pytest.mark.parametrize(
    "garbage",
    [
        "unknown",
        "_hidden",
        "203.0.113",
        "203.0.113.256",
        "0203.0.113.7",
        "203.0.113.7:port",
        "203.0.113.7:123456",
        "203.0.113.7 198.51.100.1",
        '"203.0.113.7"',
        "for=203.0.113.7",
        "[2001:db8::1",
        "2001:db8::1]",
        "[[2001:db8::1]]",
        "[203.0.113.7]x",
        "2001:db8::1::",
        "\N{FULLWIDTH DIGIT ONE}.1.1.1",
        "3405803783",
        "x" * 8_000,
        ":" * 8_000,
    ],
)
def test_invalid_address_makes_the_peer_the_client(garbage: str) -> None:
    assert client_address(PROXY, [garbage], PROXIES) == PROXY
    assert client_address(PROXY, [f"203.0.113.7, {garbage}"], PROXIES) == PROXY


@pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9", "", "a.sock", "11.0.0.1"])
def test_untrusted_peer_is_the_client(peer: str) -> None:
    assert client_address(peer, ["198.51.100.1"], PROXIES) == peer


def test_no_proxy_is_trusted_by_default() -> None:
    assert client_address(PROXY, ["198.51.100.1"], ()) == PROXY


def test_proxy_without_the_header_is_the_client() -> None:
    assert client_address(PROXY, [], PROXIES) == PROXY
    assert client_address(PROXY, [""], PROXIES) == PROXY
    assert client_address(PROXY, [" , ,"], PROXIES) == PROXY


def test_left_most_is_the_client_when_all_are_trusted() -> None:
    assert client_address(PROXY, ["10.0.0.7, 10.0.0.8"], PROXIES) == "10.0.0.7"


def test_ipv4_peer_of_a_dual_stack_socket_is_trusted() -> None:
    assert client_address("::ffff:10.0.0.1", ["203.0.113.7"], PROXIES) == "203.0.113.7"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("a.sock", "a.sock"),
    ],
)
def test_ipv6_address_counts_as_its_64_bit_network(address: str, key: str) -> None:
    assert network_of(address) == key
