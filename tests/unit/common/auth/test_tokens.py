"""Tokens are signed by a key of the issuer with an algorithm of the allow-list, or refused without a trace of them."""

from __future__ import annotations

import base64
import hmac
import json
import traceback
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from service_common.auth import InvalidTokenError
from service_common.auth.tokens import MAX_TOKEN_CHARS, SignedToken, import_keys
from tests.support.issuer import Issuer, SigningKey

RSA, OTHER = SigningKey("rsa"), SigningKey("rsa")
EC = SigningKey("ec", ec.generate_private_key(ec.SECP256R1()))
KEYS = import_keys([RSA.jwk, EC.jwk], {})
ISSUER = Issuer()


def encoded_bytes(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def encoded(part: object) -> str:
    return encoded_bytes(json.dumps(part).encode())


def verified(token: str) -> Any:
    signed = SignedToken(token)
    return signed.verify(KEYS[signed.kid])


def refusal(token: str) -> str:
    with pytest.raises(InvalidTokenError) as refused:
        verified(token)
    told = "".join(traceback.format_exception(refused.value))
    assert not token or token not in told
    return refused.value.detail


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_token_of_a_key_of_the_issuer_is_verified(key: SigningKey) -> None:
    assert verified(ISSUER.token("alice", "operator", key=key))["sub"] == "alice"


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_type_of_an_access_token_is_accepted(kind: str) -> None:
    assert verified(ISSUER.token(key=RSA, headers={"typ": kind}))


@pytest.mark.parametrize("headers", [{"typ": "logout+jwt"}, {"typ": 7}, {"crit": ["exp"], "exp": 1}, {"crit": []}])
def test_header_with_another_meaning_is_refused(headers: dict[str, Any]) -> None:
    header = {"alg": "RS256", "kid": "rsa", **headers}
    signing_input = f"{encoded(header)}.{encoded(ISSUER.claims())}"
    signature = jwt.get_algorithm_by_name("RS256").sign(signing_input.encode(), RSA.private)
    token = f"{signing_input}.{encoded_bytes(signature)}"
    assert refusal(token) == "The token is of another type."


def test_unknown_header_is_ignored() -> None:
    assert verified(ISSUER.token(key=RSA, headers={"ver": "1.0"}))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_token_without_signature_is_refused(algorithm: str) -> None:
    token = f"{encoded({'alg': algorithm, 'kid': 'rsa'})}.{encoded(ISSUER.claims())}."
    assert refusal(token) == "The token is not signed with RS256 or ES256."


def test_public_key_is_no_secret_of_an_hmac() -> None:
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    public = RSA.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signing_input = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(ISSUER.claims())}"
    for secret in (public, json.dumps(RSA.jwk).encode(), RSA.jwk["n"].encode()):
        signature = hmac.new(secret, signing_input.encode(), "sha256").digest()
        assert refusal(f"{signing_input}.{encoded_bytes(signature)}") == "The token is not signed with RS256 or ES256."


@pytest.mark.parametrize("algorithm", ["RS512", "PS256"])
def test_algorithm_outside_the_list_is_refused(algorithm: str) -> None:
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    token = jwt.encode(ISSUER.claims(), RSA.private, algorithm, {"kid": "rsa"})
    assert refusal(token) == "The token is not signed with RS256 or ES256."


def test_signature_of_another_key_is_refused() -> None:
    assert refusal(ISSUER.token(key=OTHER)) == "The signature of the token is not valid."


def test_key_of_another_kind_is_refused() -> None:
    token = ISSUER.token(key=RSA, headers={"kid": "ec"})
    assert refusal(token) == "The signature of the token is not valid."


def test_changed_token_is_refused() -> None:
    head, _, signature = ISSUER.token(key=RSA).split(".")
    assert refusal(f"{head}.{encoded(ISSUER.claims('mallory'))}.{signature}")
    assert refusal(f"{encoded({'alg': 'RS256', 'kid': 'rsa', 'x': 1})}.{encoded(ISSUER.claims())}.{signature}")


@pytest.mark.parametrize("kid", [None, 7, ["rsa"], {"rsa": 1}])
def test_token_names_its_key(kid: object) -> None:
    token = f"{encoded({'alg': 'RS256', 'kid': kid})}.{encoded(ISSUER.claims())}.AAAA"
    assert refusal(token) == "The token does not name its key."


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"{", b"\xff", b"[" * 4000])
def test_payload_is_an_object(payload: bytes) -> None:
    token = jwt.PyJWS().encode(payload, RSA.private, "RS256", {"kid": "rsa"})
    assert refusal(token) in {"The token has no claims.", "The token is malformed."}


def test_long_token_is_refused_before_it_is_parsed() -> None:
    assert refusal(ISSUER.token(key=RSA, note="x" * MAX_TOKEN_CHARS)) == "The token is too long."


_PARTS = (
    st.text(max_size=20)
    | st.sampled_from(ISSUER.token(key=RSA).split("."))
    | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "x"]), inner)
        ),
    ).map(encoded)
)


@given(st.lists(_PARTS, max_size=5).map(".".join))
def test_anything_else_is_refused(token: str) -> None:
    try:
        signed = SignedToken(token)
    except InvalidTokenError:
        return
    if (key := KEYS.get(signed.kid)) is not None:
        with pytest.raises(InvalidTokenError):
            signed.verify(key)


def test_keys_for_other_purposes_are_left_out() -> None:
    small = SigningKey("small", rsa.generate_private_key(public_exponent=65537, key_size=1024))  # noqa: S505 - refused
    p384 = SigningKey("p384", ec.generate_private_key(ec.SECP384R1()))
    unusable: list[object] = [
        *(small.jwk, {**p384.jwk, "alg": "ES256"}, {**RSA.jwk, "use": "enc"}, {**RSA.jwk, "alg": "RSA-OAEP"}),
        *({**RSA.jwk, "kid": 7}, {**RSA.jwk, "n": "!"}, {**RSA.jwk, "e": None}, {**EC.jwk, "x": EC.jwk["y"]}),
        *({"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, {"kty": ["RSA"], "kid": "x"}, {}, [], None, "RSA", 7),
    ]
    assert import_keys(unusable, {}) == {}
    assert import_keys([*unusable, RSA.jwk], {}).keys() == {"rsa"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([RSA.jwk["n"], "AQAB", "AA"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(
    st.sampled_from([RSA.jwk, EC.jwk]),
    st.dictionaries(st.sampled_from(["kty", "kid", "use", "alg", "n", "e", "crv", "x", "y", "key_ops"]), _JSON),
)
def test_no_key_of_an_issuer_is_unforeseen(key: dict[str, Any], changes: dict[str, Any]) -> None:
    assert len(import_keys([{**key, **changes}], {})) <= 1


def test_private_members_of_a_key_are_not_kept() -> None:
    assert isinstance(RSA.private, rsa.RSAPrivateKey)
    whole = jwt.algorithms.RSAAlgorithm.to_jwk(RSA.private, as_dict=True)
    [key] = import_keys([{**whole, "kid": "rsa"}], {}).values()
    assert not key.is_private


def test_key_that_did_not_change_is_the_same_object() -> None:
    again = import_keys([RSA.jwk, {**OTHER.jwk, "kid": "ec"}], KEYS)
    assert again["rsa"] is KEYS["rsa"]
    assert again["ec"] is not KEYS["ec"]
