"""Masks credentials in log lines, whatever has put them there: URLs, headers, representations of either.

Our own messages have none; this is for those of others, and for mistakes. Pure.
"""

from __future__ import annotations

import re

__all__ = ["masked"]

_MASK = "***"
_NAME = r"(?:ticket|token|secret|password|authorization)"
_CREDENTIALS = (
    # RFC 6750, 2.1; shorter ones are words of a sentence
    (re.compile(r"(\bbearer\s+)[\w.~+/=-]{16,}", re.IGNORECASE), rf"\1{_MASK}"),
    # a JSON Web Token: its header begins with {"
    (re.compile(r"\beyJ[\w-]{8,}\.[\w.-]*"), _MASK),
    # a parameter of a query or a form, itself encoded or not; those of OAuth 2.0 have such names too
    (re.compile(rf"({_NAME}(?:=|%3D)|[?&]code(?:_verifier)?=)[^&\s\"'<>\\]+", re.IGNORECASE), rf"\1{_MASK}"),
    # a member of JSON or of a representation, itself in a string or not
    (re.compile(rf"({_NAME}\\*[\"']\s*[:,]\s*b?\\*[\"'])[^\"'\\]+", re.IGNORECASE), rf"\1{_MASK}"),
)


def masked(text: str) -> str:
    """Return *text*, JSON or not, with ``***`` in place of credentials."""
    folded = text.lower()
    # without any of them it is left as it is, for a tenth of the time
    if (
        "ticket" in folded
        or "token" in folded
        or "secret" in folded
        or "password" in folded
        or "bearer" in folded
        or "authorization" in folded
        or "eyj" in folded
        or ("=" in folded and "code" in folded)
    ):
        for credential, replacement in _CREDENTIALS:
            text = credential.sub(replacement, text)
    return text
