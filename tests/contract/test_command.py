"""What the command asks of the services is there, for operators and, where it only reads, for viewers."""

from __future__ import annotations

import pytest

import orderstream_command.services
from orderstream_command.services import Request
from service_common.auth import Caller
from tests.support.api_documents import APIS

REQUESTS = [each for each in vars(orderstream_command.services).values() if isinstance(each, Request)]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: f"{request.method} {request.path}")
def test_request_of_the_command_is_an_operation_for_those_who_run_it(request_: Request) -> None:
    [operation] = [
        each
        for each in APIS[request_.service].operations
        if (each.method, each.path) == (request_.method, request_.path)
    ]
    assert Caller.OPERATOR in operation.access
    assert (Caller.VIEWER in operation.access) == (request_.method == "GET")
