"""The people of `./run demo --auth` sign in at the emulator's Cognito, and the services understand their tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from orderstream_local.ports import Ports
from orderstream_local.sign_in import CUSTOMER, PEOPLE, SignIn, SignInError
from orderstream_local.stack import Stack, StackOptions
from service_common.auth import InvalidTokenError, Principal
from service_common.auth.claims import AccessRules
from service_common.auth.signing_keys import SigningKeys, fetch_key_set
from service_common.auth.verifier import TokenVerifier
from service_common.config import read_environment
from service_common.observability import Metrics
from tests.support.folders import reachable_folder

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Emulated(Stack):
    """The stack without PostgreSQL and the services."""

    async def _start_postgres(self, _: object) -> None:
        """Start none."""

    async def _start_services(self, _: object) -> None:
        """Start none."""


@asynccontextmanager
async def emulated(data: Path) -> AsyncIterator[SignIn]:
    async with Emulated(StackOptions(data=data, ports=Ports.free(), auth=True)) as stack:
        assert stack.sign_in is not None
        yield stack.sign_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sign_in() -> AsyncIterator[SignIn]:
    with reachable_folder("stack-") as data:
        async with emulated(data) as sign_in:
            yield sign_in


async def verified(sign_in: SignIn, token: str) -> Principal:
    """Return whom a service takes the token for."""
    with read_environment(sign_in.environment) as env:
        auth = env.auth()
    assert auth.issuer is not None
    assert auth.discovery_url is not None
    keys = await fetch_key_set(auth.issuer, auth.discovery_url, Metrics())

    async def fetched() -> Sequence[object]:
        return keys

    rules = AccessRules(auth.issuer, frozenset(auth.audiences), auth.roles_claim)
    return await TokenVerifier(rules, SigningKeys(fetched)).verify(token)


async def test_services_take_each_person_for_what_they_are(sign_in: SignIn) -> None:
    principals = {each.name: await verified(sign_in, await sign_in.access_token(each.name)) for each in PEOPLE}
    kinds = {name: str(principal.kind.name) for name, principal in principals.items()}
    assert kinds == {"alice": "CUSTOMER", "bob": "CUSTOMER", "olivia": "OPERATOR"}
    assert len({principal.subject for principal in principals.values()}) == 3


async def test_identity_token_is_no_access_token(sign_in: SignIn) -> None:
    with pytest.raises(InvalidTokenError, match="not an access token"):
        await verified(sign_in, (await sign_in.tokens(CUSTOMER))["id_token"])


async def test_page_renews_its_token_without_the_person(sign_in: SignIn) -> None:
    tokens = await sign_in.tokens(CUSTOMER)
    settings = await sign_in.page_settings()
    grant = {
        "grant_type": "refresh_token",
        "refresh_token": tokens["refresh_token"],
        "client_id": settings["clientId"],
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(settings["metadata"]["token_endpoint"], data=grant, headers={"Origin": "http://a"}) as response,
    ):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        renewed = await response.json(content_type=None)
    first, second = [await verified(sign_in, each["access_token"]) for each in (tokens, renewed)]
    assert (first.subject, first.kind) == (second.subject, second.kind)


async def test_wrong_password_is_refused(sign_in: SignIn) -> None:
    with pytest.raises(SignInError, match="alice can't sign in"):
        await sign_in.tokens(CUSTOMER, "wrong")


async def test_people_remain_who_they_are_after_a_restart() -> None:
    with reachable_folder("stack-") as data:
        subjects = []
        for _ in range(2):
            async with emulated(data) as sign_in:
                principal = await verified(sign_in, await sign_in.access_token(CUSTOMER))
                subjects.append((sign_in.environment["AUTH_ISSUER"], principal.subject))
    assert subjects[0] == subjects[1]
