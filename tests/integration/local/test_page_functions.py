"""The functions of compose/aws/page.yaml do what nginx.conf does, run by Node.js as CloudFront runs them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import pytest_asyncio

from orderstream_local.layout import ROOT
from orderstream_local.node import Node, find_node
from orderstream_local.process import run_command
from tests.support.template import read_template

FUNCTIONS = {
    name: each["Properties"]["FunctionCode"]
    for name, each in read_template("page.yaml")["Resources"].items()
    if each["Type"] == "AWS::CloudFront::Function"
}
INDEX = '<app-root ngCspNonce="CSP_NONCE"></app-root><p>"quoted"</p>'
SIGN_IN = "https://cognito-idp.us-east-1.amazonaws.com"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node() -> Node:
    return await find_node(json.loads((ROOT / "web" / "package.json").read_bytes())["engines"]["node"])


async def call(node: Node, name: str, **event: Any) -> Any:
    code = FUNCTIONS[name]
    if isinstance(code, dict):
        code = code["Sub"].replace("${IndexPage}", json.dumps(INDEX)).replace("${ConnectSources}", SIGN_IN)
    script = f"{code}\nprocess.stdout.write(JSON.stringify(handler({json.dumps(event)})));"
    return json.loads(await run_command(("node", "--eval", script), environment={"PATH": node.path}))


def request(uri: str, **headers: str) -> dict[str, Any]:
    return {"method": "GET", "uri": uri, "headers": {name: {"value": value} for name, value in headers.items()}}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("uri", ["/", "/orders/7", "/index.html"])
async def test_page_and_policy_share_a_nonce_of_the_request(node: Node, uri: str) -> None:
    answers = [
        await call(node, "PageFunction", request=request(uri), context={"requestId": each}) for each in ("one", "two")
    ]
    nonces = [re.findall(r'ngCspNonce="([0-9a-f]{32})"', each["body"]["data"])[0] for each in answers]
    assert nonces[0] != nonces[1]
    for nonce, answer in zip(nonces, answers, strict=True):
        assert f"'nonce-{nonce}'" in answer["headers"]["content-security-policy"]["value"]
        assert f"connect-src 'self' {SIGN_IN};" in answer["headers"]["content-security-policy"]["value"]
        assert answer["body"]["data"] == INDEX.replace("CSP_NONCE", nonce)


async def test_files_come_from_the_bucket(node: Node) -> None:
    asked = request("/main-ABCD1234.js")
    assert await call(node, "PageFunction", request=asked, context={"requestId": "one"}) == asked


@pytest.mark.parametrize(
    ("uri", "passed", "service"),
    [
        ("/api/orders/7", "/orders/7", None),
        ("/api/health/order", "/health/ready", "order"),
        ("/api/metrics/notification", "/metrics", "notification"),
        ("/api/openapi/processing", "/openapi.json", "processing"),
        ("/api/dead-letters/processing", "/dead-letters", "processing"),
        ("/api/dead-letters/notification/2a-7", "/dead-letters/2a-7", "notification"),
        ("/api/dead-letters/order/../order/close", "/dead-letters/order/../order/close", None),
        ("/api/dead-letters/order/%2e%2e", "/dead-letters/order/%2e%2e", None),
        ("/api/dead-letters", "/dead-letters", None),
        ("/api/health/nginx", "/health/nginx", None),
        ("/api/metrics", "/metrics", None),
    ],
)
async def test_api_is_taken_from_the_path_and_a_client_names_no_service(
    node: Node, uri: str, passed: str, service: str | None
) -> None:
    found = await call(node, "ApiFunction", request=request(uri, **{"x-orderstream-service": "inventory"}))
    assert found["uri"] == passed
    assert found["headers"].get("x-orderstream-service", {}).get("value") == service


async def test_location_leads_to_what_was_created(node: Node) -> None:
    created = {"statusCode": 201, "headers": {"location": {"value": "/orders/7"}}}
    assert (await call(node, "LocationFunction", response=created))["headers"]["location"]["value"] == "/api/orders/7"
    plain: dict[str, Any] = {"statusCode": 200, "headers": {}}
    assert await call(node, "LocationFunction", response=plain) == plain
