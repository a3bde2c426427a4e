"""The people of `./run demo --auth`, and their sign-in at the emulator's Amazon Cognito as a browser does it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp

__all__ = ["CUSTOMER", "OPERATOR", "OTHER_CUSTOMER", "PASSWORD", "PEOPLE", "Person", "SignIn", "SignInError"]

# of everybody in the demo, which listens on loopback only
PASSWORD = "Orderstream-1"  # noqa: S105
SCOPE = "openid profile"
_METADATA = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)


class SignInError(Exception):
    """The emulator refused a request of the sign-in."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in, and the groups of the template that they are in."""

    name: str
    groups: tuple[str, ...] = ()


CUSTOMER, OTHER_CUSTOMER, OPERATOR = "alice", "bob", "olivia"
PEOPLE = (Person(CUSTOMER), Person(OTHER_CUSTOMER), Person(OPERATOR, ("operator",)))


@dataclass(frozen=True, slots=True)
class SignIn:
    """The user pool of the emulator.

    Attributes:
        session: for requests to the emulator.
        endpoint: URL of the emulator.
        outputs: those of the CloudFormation stack.
        page_url: a URL of the page, as its client in the pool has it.
    """

    session: aiohttp.ClientSession
    endpoint: str
    outputs: Mapping[str, str]
    page_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The settings of the services."""
        return {
            "AUTH_MODE": "oidc",
            "AUTH_ISSUER": self.outputs["AuthIssuer"],
            "AUTH_AUDIENCE": self.outputs["AuthAudience"],
            # the tokens name AWS as their issuer
            "AUTH_DISCOVERY_URL": f"{self.endpoint}/{self.outputs['UserPoolId']}",
            "AUTH_ROLES_CLAIM": "cognito:groups",
        }

    async def page_settings(self) -> dict[str, Any]:
        """Return the member ``auth`` of the page's configuration."""
        async with self.session.get(
            f"{self.endpoint}/{self.outputs['UserPoolId']}/.well-known/openid-configuration", raise_for_status=True
        ) as response:
            metadata = await response.json(content_type=None)
        return {
            "issuer": self.outputs["AuthIssuer"],
            "clientId": self.outputs["AuthAudience"],
            "scope": SCOPE,
            "rolesClaim": "cognito:groups",
            "metadata": {name: metadata[name] for name in _METADATA},
        }

    async def create_people(self) -> None:
        """Create `PEOPLE`; those who are there already get their password and groups again.

        Raises:
            SignInError: the emulator refused.
        """
        for person in PEOPLE:
            await self._administer(
                "AdminCreateUser",
                person,
                allowed="UsernameExistsException",
                UserAttributes=[{"Name": "name", "Value": person.name.title()}],
                MessageAction="SUPPRESS",
            )
            await self._administer("AdminSetUserPassword", person, Password=PASSWORD, Permanent=True)
            for group in person.groups:
                await self._administer("AdminAddUserToGroup", person, GroupName=group)

    async def access_token(self, person: str) -> str:
        """Sign a person in and return the access token.

        Raises:
            SignInError: the emulator refused.
        """
        return (await self.tokens(person))["access_token"]

    async def tokens(self, person: str, password: str = PASSWORD) -> dict[str, str]:
        """Sign a person in by authorization code with PKCE (RFC 7636) and return the tokens by their names there.

        Raises:
            SignInError: the emulator refused.
        """
        verifier = secrets.token_urlsafe(32)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        client = {"client_id": self.outputs["AuthAudience"], "redirect_uri": self.page_url}
        form = {
            **client,
            "response_type": "code",
            "scope": SCOPE,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "username": person,
            "password": password,
        }
        async with self.session.post(f"{self.endpoint}/login", data=form, allow_redirects=False) as response:
            code = parse_qs(urlsplit(response.headers.get("Location", "")).query).get("code")
            if code is None:
                raise SignInError(f"{person} can't sign in")
        grant = {**client, "grant_type": "authorization_code", "code": code[0], "code_verifier": verifier}
        async with self.session.post(f"{self.endpoint}/oauth2/token", data=grant) as response:
            if response.status != 200:
                raise SignInError(f"{person} gets no token: {response.status} {await response.text()}")
            tokens: dict[str, str] = await response.json(content_type=None)
            return tokens

    async def _administer(self, action: str, person: Person, *, allowed: str = "", **arguments: Any) -> None:
        request = {"UserPoolId": self.outputs["UserPoolId"], "Username": person.name, **arguments}
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"AWSCognitoIdentityProviderService.{action}",
        }
        async with self.session.post(self.endpoint, json=request, headers=headers) as response:
            if response.status != 200:
                problem = await response.json(content_type=None)
                if not allowed or allowed not in problem.get("__type", ""):
                    raise SignInError(f"{action} of {person.name}: {problem}")
