"""Signed tokens (JWS, RFC 7515) and the public keys (JWK, RFC 7517) that verify them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

import orjson
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from .claims import InvalidTokenError

__all__ = ["MAX_TOKEN_CHARS", "Key", "SignedToken", "import_keys"]

Key: TypeAlias = RSAKey | ECKey

# aiohttp refuses header fields over 8,190 bytes
MAX_TOKEN_CHARS: Final = 6144
# asymmetric ones only (RFC 8725, 3.1 and 3.2): a public key is no secret of an HMAC, and "none" is no signature
_ALGORITHMS: Final = ("RS256", "ES256")
# RFC 9068, 2.1; RFC 8725, 3.11
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REGISTRY: Final = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
_PUBLIC_MEMBERS: Final = ("kty", "kid", "alg", "n", "e", "crv", "x", "y")
MAX_KEYS: Final = 64


class SignedToken:
    """A token whose signature has yet to be verified.

    Attributes:
        kid: identifier of the key that signed it.

    Raises:
        InvalidTokenError: it is not a token of the accepted form and algorithms.
    """

    __slots__ = ("_algorithm", "_signature", "kid")

    def __init__(self, token: str) -> None:
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidTokenError("The token is too long.")
        self._signature = _parse(token)
        header = self._signature.headers()
        self._algorithm, kid = header.get("alg"), header.get("kid")
        if self._algorithm not in _ALGORITHMS:
            raise InvalidTokenError("The token is not signed with RS256 or ES256.")
        if str(header.get("typ", "JWT")).lower() not in _TYPES or "crit" in header:
            raise InvalidTokenError("The token is of another type.")
        if not isinstance(kid, str):
            raise InvalidTokenError("The token does not name its key.")
        self.kid = kid

    def verify(self, key: Key) -> Mapping[str, Any]:
        """Return its claims.

        Raises:
            InvalidTokenError: *key* did not sign it, or it has no claims.
        """
        try:
            valid = key.alg in {None, self._algorithm} and validate_compact(self._signature, key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            valid = False
        if not valid:
            raise InvalidTokenError("The signature of the token is not valid.")
        try:
            claims = orjson.loads(self._signature.payload)
        except orjson.JSONDecodeError:
            raise InvalidTokenError("The token has no claims.") from None
        if not isinstance(claims, dict):
            raise InvalidTokenError("The token has no claims.")
        return claims


def import_keys(jwks: Iterable[object], known: Mapping[str, Key]) -> dict[str, Key]:
    """Return the usable keys of a key set by their ``kid``; one that is in *known* already is the same object.

    Keys for other purposes and algorithms, those without a ``kid``, and RSA keys below 2048 bits are left out.
    """
    keys: dict[str, Key] = {}
    for jwk in jwks:
        if len(keys) < MAX_KEYS and (key := _import(jwk)) is not None and key.kid is not None:
            before = known.get(key.kid)
            keys[key.kid] = before if before is not None and before.as_dict() == key.as_dict() else key
    return keys


def _parse(token: str) -> CompactSignature:
    try:
        return extract_compact(token.encode(), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, RecursionError):
        # not chained: the message of the cause may quote the token
        raise InvalidTokenError("The token is malformed.") from None


def _import(jwk: object) -> Key | None:
    if not isinstance(jwk, dict) or not _is_usable(jwk):
        return None
    public = {name: jwk[name] for name in _PUBLIC_MEMBERS if name in jwk}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)  # an RSA key below 2048 bits
            key: Key = RSAKey.import_key(public) if jwk["kty"] == "RSA" else ECKey.import_key(public)
    except (JoseError, SecurityWarning, ValueError, TypeError, KeyError):
        return None
    return None if isinstance(key, ECKey) and key.curve_name != "P-256" else key


def _is_usable(jwk: Mapping[str, Any]) -> bool:
    return (
        jwk.get("kty") in ("RSA", "EC")
        and isinstance(jwk.get("kid"), str)
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", "RS256") in _ALGORITHMS
    )
