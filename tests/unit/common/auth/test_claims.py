"""Claims are accepted from one issuer, for one audience and time, and become a caller."""

from __future__ import annotations

from typing import Any

import pytest

from service_common.auth import Caller, InvalidTokenError
from service_common.auth.claims import LEEWAY_S, AccessRules, principal_of

NOW = 1_800_000_000.0
RULES = AccessRules("https://issuer.example/pool", frozenset({"shop", "admin"}), "cognito:groups")
CLAIMS = {
    "iss": "https://issuer.example/pool",
    "sub": "alice",
    "client_id": "shop",
    "token_use": "access",
    "exp": NOW + 60,
}


def accept(**claims: Any) -> Caller:
    given = {name: value for name, value in (CLAIMS | claims).items() if value is not ...}
    return principal_of(given, RULES, NOW).kind


def refusal(**claims: Any) -> str:
    with pytest.raises(InvalidTokenError) as refused:
        accept(**claims)
    return refused.value.detail


def test_caller_has_subject_roles_and_expiry() -> None:
    principal = principal_of({**CLAIMS, "cognito:groups": ["viewer", "eu"]}, RULES, NOW)

    assert (principal.kind, principal.subject) == (Caller.VIEWER, "alice")
    assert principal.roles == {"viewer", "eu"}
    assert principal.expires_at == NOW + 60 + LEEWAY_S


@pytest.mark.parametrize(
    ("groups", "kind"),
    [
        (..., Caller.CUSTOMER),
        ([], Caller.CUSTOMER),
        (["operators", "Operator", "admin"], Caller.CUSTOMER),
        (["viewer", "operator"], Caller.OPERATOR),
        ("operator", Caller.OPERATOR),
        ("operator viewer", Caller.CUSTOMER),
        (["viewer", 7, None, {"operator": True}], Caller.VIEWER),
        ({"operator": True}, Caller.CUSTOMER),
        (True, Caller.CUSTOMER),
    ],
)
def test_role_decides_the_kind_of_caller(groups: object, kind: Caller) -> None:
    assert accept(**{"cognito:groups": groups}) is kind


@pytest.mark.parametrize(
    ("name", "claims"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["operator"]}}),
        ("https://shop.example/roles", {"https://shop.example/roles": ["operator"]}),
        ("a.b", {"a.b": ["operator"], "a": {"b": ["viewer"]}}),
    ],
)
def test_roles_are_found_by_name_or_path(name: str, claims: dict[str, Any]) -> None:
    rules = AccessRules(RULES.issuer, RULES.audiences, name)
    assert principal_of({**CLAIMS, **claims}, rules, NOW).kind is Caller.OPERATOR
    for other in ({}, {"realm_access": "operator"}, {"a": ["b"]}):
        assert principal_of({**CLAIMS, **other}, rules, NOW).kind is Caller.CUSTOMER


KEYCLOAK = {
    "exp": NOW + 300,
    "iat": NOW,
    "auth_time": NOW,
    "jti": "onrtac:3f0e6f6a-31ac-4d8e-9d34-4d2f3f1a9d6b",
    "iss": "https://id.example/realms/shop",
    "aud": ["orderstream", "account"],
    "sub": "8d6a1d0e-1f4f-4a53-8a94-0f3a4ff3d6c1",
    "typ": "Bearer",
    "azp": "orderstream-page",
    "sid": "c1d7a2a5-6e0a-4a6f-b0f7-1b0d5d0f7b11",
    "acr": "1",
    "allowed-origins": ["https://shop.example"],
    "realm_access": {"roles": ["offline_access", "default-roles-shop", "uma_authorization"]},
    "resource_access": {"account": {"roles": ["manage-account", "view-profile"]}},
    "scope": "openid profile email",
    "email_verified": True,
    "preferred_username": "alice",
}


@pytest.mark.parametrize(
    ("roles", "claims", "kind"),
    [
        ("realm_access.roles", {}, Caller.CUSTOMER),
        ("realm_access.roles", {"realm_access": {"roles": ["offline_access", "operator"]}}, Caller.OPERATOR),
        ("realm_access.roles", {"realm_access": {"roles": ["viewer"]}, "aud": "orderstream"}, Caller.VIEWER),
        ("resource_access.shop.roles", {"resource_access": {"shop": {"roles": ["operator"]}}}, Caller.OPERATOR),
        ("roles", {"roles": ["operator"]}, Caller.OPERATOR),
    ],
)
def test_token_of_keycloak_is_accepted_with_its_audience_mapper(
    roles: str, claims: dict[str, Any], kind: Caller
) -> None:
    rules = AccessRules("https://id.example/realms/shop", frozenset({"orderstream"}), roles)
    principal = principal_of(KEYCLOAK | claims, rules, NOW)
    assert (principal.kind, principal.subject) == (kind, KEYCLOAK["sub"])
    with pytest.raises(InvalidTokenError, match="another audience"):
        principal_of(KEYCLOAK | claims | {"aud": "account"}, rules, NOW)


@pytest.mark.parametrize(
    "issuer", [..., None, "", "https://issuer.example", "https://issuer.example/pool/", ["https://issuer.example/pool"]]
)
def test_other_issuer_is_refused(issuer: object) -> None:
    assert refusal(iss=issuer) == "The token is from another issuer."


@pytest.mark.parametrize("audience", ["shop", ["other", "admin"]])
def test_one_of_the_audiences_is_enough(audience: object) -> None:
    assert accept(aud=audience, client_id=...) is Caller.CUSTOMER


@pytest.mark.parametrize("audience", ["other", "shop admin", [], ["other"], None, 7, {"shop": 1}, [["shop"]]])
def test_audience_counts_before_the_client(audience: object) -> None:
    assert refusal(aud=audience, client_id="shop") == "The token is for another audience."


@pytest.mark.parametrize("client", [..., "other", None, 7])
def test_token_without_audience_is_for_its_client(client: object) -> None:
    assert refusal(client_id=client) == "The token is for another audience."


def test_identity_token_is_refused() -> None:
    assert accept(token_use=...) is Caller.CUSTOMER
    for use in ("id", "refresh", None, ["access"]):
        assert refusal(token_use=use) == "The token is not an access token."


def test_clocks_may_differ_by_half_a_minute() -> None:
    assert accept(exp=NOW - LEEWAY_S + 1, nbf=NOW + LEEWAY_S - 1) is Caller.CUSTOMER
    assert refusal(exp=NOW - LEEWAY_S) == "The token has expired."
    assert refusal(nbf=NOW + LEEWAY_S + 1) == "The token is not valid yet."


@pytest.mark.parametrize("value", [None, "2030-01-01", True, float("inf"), float("nan"), [NOW]])
def test_time_that_is_none_is_refused(value: object) -> None:
    assert refusal(exp=value) == "The token has no valid exp."
    assert refusal(nbf=value) == "The token has no valid nbf."


def test_expiry_is_required() -> None:
    assert refusal(exp=...) == "The token has no valid exp."


@pytest.mark.parametrize("subject", [..., None, "", 7, ["alice"], "a" * 256, "al\nice", "\0", "anonymous"])
def test_subject_is_required(subject: object) -> None:
    assert refusal(sub=subject) == "The token has no subject."
