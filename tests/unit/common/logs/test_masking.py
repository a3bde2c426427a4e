"""No credential is in a log line, whatever put it there."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from aiohttp.http_exceptions import BadStatusLine
from multidict import CIMultiDict, MultiDict
from yarl import URL

from service_common.logs.json_lines import call_of, json_line
from service_common.logs.masking import masked

TICKET = "3f-_AbQx9z0LwEr5tYuI8oPaSdFgHjKl"
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl-_c2lnbmF0dXJl"
URL_WITH_TICKET = URL("http://127.0.0.1:8082/stream").with_query(ticket=TICKET, orderId=7)
ANYWHERE: tuple[Any, ...] = (
    str(URL_WITH_TICKET),
    URL_WITH_TICKET,
    f"GET {URL_WITH_TICKET.path_qs} HTTP/1.1",
    BadStatusLine(f"GET {URL_WITH_TICKET.path_qs} HTTP/9"),
    f"/login?next={quote(URL_WITH_TICKET.path_qs, safe='')}",
    f"TICKET={TICKET}",
    {"ticket": TICKET},
    MultiDict(ticket=TICKET),
    [("ticket", TICKET)],
    [(b"ticket", TICKET.encode())],
    orjson.dumps({"ticket": TICKET}).decode(),
    str(orjson.dumps({"ticket": TICKET, "expiresAt": "…"})),
    f"https://issuer.example/callback?code={TICKET}&state=1",
    f"grant_type=refresh_token&refresh_token={TICKET}&client_secret={TICKET}",
    f"Authorization: Bearer {TICKET}",
    CIMultiDict(Authorization=f"Bearer {TOKEN}"),
    [(b"Authorization", f"Bearer {TOKEN}".encode())],
    {"Authorization": f"Basic {TICKET}"},
    f"access_token={TOKEN}",
    f"the token {TOKEN} is odd",
    ValueError(TOKEN),
)


@pytest.mark.parametrize("value", ANYWHERE, ids=repr)
def test_credential_is_masked_in_a_message_in_a_field_and_in_a_traceback(value: object) -> None:
    record = logging.makeLogRecord({"name": "any", "levelname": "INFO", "msg": "%s", "args": (value,), "field": value})
    error = RuntimeError(value)
    error.__cause__ = ValueError(f"{value!r}")
    record.exc_info = (RuntimeError, error, None)
    line = json_line("any-service", call_of(record, None))
    assert not [part for part in (TICKET, *TOKEN.split(".")) if part in line], line
    assert orjson.loads(line)["exc_info"]


def test_members_that_are_ours_stay_whatever_they_are_called() -> None:
    record = logging.makeLogRecord({"name": "any_service.token", "levelname": "INFO", "levelno": 20, "msg": "odd"})
    line = orjson.loads(json_line("any-service", call_of(record, None)))
    assert (line["logger"], line["service"]) == ("any_service.token", "any-service")


def test_the_rest_of_a_url_stays() -> None:
    assert masked(str(URL_WITH_TICKET)) == "http://127.0.0.1:8082/stream?ticket=***&orderId=7"
    assert masked("/callback?code=abc&state=1") == "/callback?code=***&state=1"
    assert masked('{"ticket":"abc","orderId":7}') == '{"ticket":"***","orderId":7}'


@pytest.mark.parametrize(
    "text",
    [
        "request handled",
        "This bearer token is not that of the services.",
        '{"tickets":3,"status":503,"code":4401}',
        "The token has expired.",
        '{"message":"tickets expired","tickets":12}',
        "WebSocket closed: code=1006",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert masked(text) == text
