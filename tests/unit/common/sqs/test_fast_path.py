from __future__ import annotations

import re
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from yarl import URL

from service_common.sqs.fast_path import SigV4, read

NOW = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
HEADERS = {
    "X-Amz-Target": "AmazonSQS.ReceiveMessage",
    "Content-Type": "application/x-amz-json-1.0",
    "User-Agent": "orderstream",
}


def signed_by_botocore(keys: ReadOnlyCredentials, url: str, body: bytes) -> str:
    request = AWSRequest("POST", url, headers=dict(HEADERS), data=body)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        SigV4Auth(keys, "sqs", "eu-central-1").add_auth(request)
    return str(request.headers["Authorization"])


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize(
    "url", ["https://sqs.eu-central-1.amazonaws.com/", "http://127.0.0.1:4566/", "http://[::1]:4566/some/path"]
)
@pytest.mark.parametrize("body", [b"{}", '{"QueueUrl":"é"}'.encode()])
def test_signature_is_the_one_botocore_makes(url: str, token: str | None, body: bytes) -> None:
    keys = ReadOnlyCredentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    headers = dict(HEADERS)
    SigV4("eu-central-1", "sqs").sign(keys, URL(url), headers, body, NOW)
    assert headers["Authorization"] == signed_by_botocore(keys, url, body)
    assert headers.get("X-Amz-Security-Token") == token


def test_renewed_keys_and_the_next_day_are_signed_with_a_new_key() -> None:
    signer = SigV4("eu-central-1", "sqs")

    def signature(secret: str, now: datetime) -> str:
        headers = dict(HEADERS)
        signer.sign(ReadOnlyCredentials("AKID", secret, None), URL("https://sqs/"), headers, b"{}", now)
        found = re.search(r"Signature=(\w+)", headers["Authorization"])
        assert found
        return found[1]

    first = signature("one", NOW)
    assert len({first, signature("two", NOW), signature("one", NOW.replace(day=4))}) == 3
    assert signature("one", NOW) == first


def test_answer_is_its_json() -> None:
    answer, parsed = read(200, b'{"Messages":[]}')
    assert answer.status_code == 200
    assert parsed["Messages"] == []


@pytest.mark.parametrize("kind", ["com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"])
def test_error_has_its_code_and_message(kind: str) -> None:
    answer, parsed = read(400, b'{"__type":"%s","message":"gone"}' % kind.encode())
    assert answer.status_code == 400
    assert parsed["Error"] == {"Code": "QueueDoesNotExist", "Message": "gone"}


@pytest.mark.parametrize("body", [b"<html>maintenance</html>", b'"text"', b"\xff"])
@pytest.mark.parametrize("status", [200, 503])
def test_what_is_not_sqs_is_a_failure_of_the_gateway(status: int, body: bytes) -> None:
    answer, parsed = read(status, body)
    assert answer.status_code >= 502
    assert parsed["Error"]["Code"] == str(answer.status_code)


def test_error_without_a_body_has_its_status_for_a_code() -> None:
    assert read(403, b"")[1]["Error"]["Code"] == "403"
