"""The keys of the issuer are cached, fetched again for a new key, never in a flood, and kept while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic

import pytest

from service_common.auth import InvalidTokenError
from service_common.auth.signing_keys import SigningKeys
from service_common.errors import UnavailableError
from tests.support.issuer import SigningKey
from tests.support.waiting import PATIENCE_S, eventually

FIRST, SECOND = SigningKey("first"), SigningKey("second")
FLOOR_S = 0.2


class Published:
    """Keys that an issuer publishes; *gate* holds its answers back."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = list(keys)
        self.away = False
        self.started_s: list[float] = []
        self.started, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()

    async def fetch(self) -> Sequence[object]:
        self.started_s.append(monotonic())
        self.started.set()
        keys = list(self.keys)
        await self.gate.wait()
        if self.away:
            raise UnavailableError("The issuer is away.")
        return [key.jwk for key in keys]


def known_to(published: Published) -> SigningKeys:
    return SigningKeys(published.fetch, floor_s=FLOOR_S)


async def test_known_key_costs_no_fetch() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    first = await keys.find("first")

    assert keys.get("first") is first is await keys.find("first")
    assert len(published.started_s) == 1


async def test_all_who_wait_share_one_fetch() -> None:
    published = Published(FIRST)
    keys = known_to(published)

    found = await asyncio.gather(*(keys.find("first") for _ in range(100)))

    assert len({id(key) for key in found}) == len(published.started_s) == 1


async def test_new_key_is_found_although_keys_were_just_fetched() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    await keys.find("first")
    published.keys.append(SECOND)

    assert (await keys.find("second")).kid == "second"


async def test_key_that_is_published_during_a_fetch_is_found() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    published.gate.clear()
    early = asyncio.create_task(keys.find("first"))
    await published.started.wait()
    published.keys.append(SECOND)
    late = asyncio.create_task(keys.find("second"))
    await asyncio.sleep(0)
    published.gate.set()

    assert ((await early).kid, (await late).kid) == ("first", "second")


async def test_unknown_keys_cost_the_issuer_one_fetch_in_a_time() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    for _ in range(3):
        outcomes = await asyncio.gather(*(keys.find(f"unknown-{n}") for n in range(50)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {InvalidTokenError}

    assert len(published.started_s) == 3
    assert all(later - earlier >= FLOOR_S for earlier, later in pairwise(published.started_s))


async def test_keys_are_kept_while_the_issuer_is_away() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    await keys.find("first")
    published.away = True

    with pytest.raises(UnavailableError):
        await keys.find("second")
    assert (await keys.find("first")).kid == "first"


@pytest.mark.parametrize("nothing", [[], [{"kty": "oct"}]])
async def test_answer_without_a_key_counts_as_away(nothing: list[object]) -> None:
    async def fetch() -> Sequence[object]:
        return nothing

    with pytest.raises(UnavailableError):
        await SigningKeys(fetch).find("first")


async def test_issuer_that_is_away_is_not_asked_by_each() -> None:
    published = Published(FIRST)
    published.away = True
    keys = known_to(published)

    for _ in range(20):
        with pytest.raises(UnavailableError):
            await keys.find("first")
    assert len(published.started_s) == 1

    published.away = False
    async with asyncio.timeout(PATIENCE_S):
        while keys.get("first") is None:
            try:
                await keys.find("first")
            except UnavailableError:
                await asyncio.sleep(0.01)
    assert len(published.started_s) == 2


async def test_withdrawn_key_is_forgotten() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    await keys.find("first")
    published.keys = [SECOND]
    await keys.find("second")

    assert keys.get("first") is None


async def test_one_who_gives_up_does_not_stop_the_others() -> None:
    published = Published(FIRST)
    keys = known_to(published)
    published.gate.clear()
    waiting = [asyncio.create_task(keys.find("first")) for _ in range(2)]
    await published.started.wait()
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    published.gate.set()

    assert (await waiting[1]).kid == "first"


async def test_keys_are_fetched_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    published = Published(FIRST)
    published.away = True
    keys = known_to(published)
    running = asyncio.create_task(keys.run())

    async def logged() -> bool | None:
        return bool(caplog.records) or None

    await eventually(logged, "a line in the log")
    running.cancel()
    await asyncio.wait([running])

    [line] = [vars(record) for record in caplog.records]
    assert (line["message"], line["known"]) == ("signing keys not refreshed", 0)
