"""What the alarms read is in the lines of a running system, and their stack is applied to its emulator."""

from __future__ import annotations

import asyncio
from typing import Any

import boto3
import orjson
import pytest

from tests.support.cloudwatch.filter_pattern import LogLine, pattern, value_of
from tests.support.cloudwatch.watch import Template
from tests.support.system import System
from tests.support.template import read_template

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEMPLATE = Template(read_template("alarms.yaml"))
FILTERS = TEMPLATE.of_type("AWS::Logs::MetricFilter")
READ = {
    name: each
    for name, each in FILTERS.items()
    if each["MetricTransformations"][0]["MetricValue"].startswith("$.metrics.")
}


@pytest.mark.parametrize("name", READ)
async def test_value_of_a_filter_is_in_a_line_that_it_matches(name: str, system: System) -> None:
    service = READ[name]["LogGroupName"].removesuffix("-service-logs")
    selector = READ[name]["MetricTransformations"][0]["MetricValue"]
    line = await system.logged(service, message="service measured")
    if selector.endswith("_total"):  # a counter with labels is there when it has counted
        exposed = (await system.call(service, "GET", "/metrics")).body.decode()
        assert f"# TYPE orderstream_{selector.removeprefix('$.metrics.')} counter" in exposed
    else:
        found = LogLine(orjson.dumps(line))
        assert pattern(READ[name]["FilterPattern"])(found)
        assert isinstance(value_of(selector, found), float)


@pytest.mark.parametrize("service", ["order", "inventory", "processing", "notification"])
async def test_line_says_whether_the_database_answers(service: str, system: System) -> None:
    line = await system.logged(service, message="service measured")
    assert line["checks"]["database"] == "ok"
    assert not pattern(FILTERS[f"{service.title()}DatabaseAway"]["FilterPattern"])(LogLine(orjson.dumps(line)))


async def test_emulator_has_the_alarms(system: System) -> None:
    def look() -> tuple[str, Any]:
        client = boto3.client("cloudformation", endpoint_url=system.stack.aws_endpoint, region_name="us-east-1")
        stack = client.describe_stacks(StackName="orderstream-alarms")["Stacks"][0]
        pages = client.get_paginator("list_stack_resources").paginate(StackName="orderstream-alarms")
        return stack["StackStatus"], {
            each["LogicalResourceId"] for page in pages for each in page["StackResourceSummaries"]
        }

    status, resources = await asyncio.to_thread(look)
    assert status == "CREATE_COMPLETE"
    simple = {name for name, each in TEMPLATE.of_type("AWS::CloudWatch::Alarm").items() if "Metrics" not in each}
    assert resources == simple | set(FILTERS) | {"AlarmTopic", "PagerTopic", "Dashboard"}
