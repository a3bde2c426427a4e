from __future__ import annotations

import resource

import pytest

from service_common.http_server import max_connections, without_reserve
from service_common.http_server.connection_limits import raise_file_limit


@pytest.mark.parametrize(("limit", "left"), [(65_536, 65_280), (1_024, 768), (1_000, 750), (64, 48), (1, 1)])
def test_reserve_is_at_most_a_quarter_of_the_limit(limit: int, left: int) -> None:
    assert without_reserve(limit, 256) == left


@pytest.mark.parametrize(("soft", "allowed"), [(20_000, 19_744), (resource.RLIM_INFINITY, 1_048_320)])
def test_maximum_of_connections_follows_from_the_limit_of_open_files(
    soft: int, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, resource.RLIM_INFINITY))
    assert max_connections() == allowed


def test_unlimited_hard_limit_of_files_is_set_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    raise_file_limit()  # macOS refuses infinity as the soft limit
    assert asked == [(1 << 20, resource.RLIM_INFINITY)]
