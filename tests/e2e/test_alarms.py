"""What the alarms read is in the lines of a running system, and their stack is applied to its emulator."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import boto3
import orjson
import pytest

from orderstream_local.layout import SERVICES
from tests.support.cloudwatch.filter_pattern import LogLine, pattern, value_of
from tests.support.cloudwatch.watch import Template
from tests.support.system import System
from tests.support.template import read_template
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

TEMPLATE = Template(read_template("alarms.yaml"))
FILTERS = TEMPLATE.of_type("AWS::Logs::MetricFilter")
READ = {
    name: each
    for name, each in FILTERS.items()
    if each["MetricTransformations"][0]["MetricValue"].startswith("$.metrics.")
}
# those of lines that are there while all is well
COUNTED = [
    each for name, each in FILTERS.items() if re.search(r"(Starts|Measurements|Requests|Milliseconds|Accepted)$", name)
]


def _service(metric_filter: dict[str, Any]) -> str:
    return str(metric_filter["LogGroupName"]).removesuffix("-service-logs")


@pytest.mark.parametrize("name", READ)
async def test_value_of_a_filter_is_in_a_line_that_it_matches(name: str, system: System) -> None:
    service = _service(READ[name])
    selector = READ[name]["MetricTransformations"][0]["MetricValue"]
    line = await system.logged(service, message="service measured")
    if selector.endswith("_total"):  # a counter with labels is there when it has counted
        exposed = (await system.call(service, "GET", "/metrics")).body.decode()
        assert f"# TYPE orderstream_{selector.removeprefix('$.metrics.')} counter" in exposed
    else:
        found = LogLine(orjson.dumps(line))
        assert pattern(READ[name]["FilterPattern"])(found)
        assert isinstance(value_of(selector, found), float)


async def test_lines_that_filters_count_are_in_the_log(system: System) -> None:
    order_id = (await system.place({"123": 1})).json["id"]
    await system.ended(order_id)
    for service in SERVICES:
        assert (await system.call(service, "GET", "/no-such-path")).status == 404

    async def all_logged() -> bool | None:
        logged = {name: [LogLine(orjson.dumps(line)) for line in await system.lines(name)] for name in SERVICES}
        return all(any(map(pattern(each["FilterPattern"]), logged[_service(each)])) for each in COUNTED) or None

    await eventually(all_logged, "a line for each filter")


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
