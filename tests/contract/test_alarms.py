"""The alarms ring for what they are for, and for nothing else: on the log lines of recorded runs with real faults.

The runs take twelve minutes each and are recorded on request: `./run test -e alarms`. Fault by fault they are in
tests/alarms/scenarios.py; what none of them raises is tried here with a line of a run in which one number is another.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson
import pytest
import yaml

from orderstream_command.queries import QUERIES
from orderstream_local.layout import COMPOSE, ROOT
from tests.alarms.evaluation import RECORDINGS, evaluate, watching
from tests.alarms.scenarios import SCENARIOS
from tests.support.cloudwatch.watch import MINUTE_S, CloudWatch, Template
from tests.support.pages import REFERENCE, anchors, inline_code, rows, section
from tests.support.template import read_template

DOCUMENT = read_template("alarms.yaml")
TEMPLATE = Template(DOCUMENT)
ALARMS = TEMPLATE.of_type("AWS::CloudWatch::Alarm") | TEMPLATE.of_type("AWS::CloudWatch::CompositeAlarm")
PROMETHEUS = yaml.safe_load((COMPOSE / "prometheus" / "alarms.yaml").read_text("utf-8"))["groups"][0]["rules"]
FILTERS = TEMPLATE.of_type("AWS::Logs::MetricFilter")
RUNBOOK = ROOT / "docs" / "operations" / "alarms.md"
SERVICES = ("order", "inventory", "processing", "notification")
# with all of them, the template and a fifth service exceed what one request may have
SAVED = {name: each for name, each in QUERIES.items() if name != "warnings"}
# these ring beyond a recording: until somebody has redriven the letters, and for the 15 minutes that are counted
LASTING = {"ProcessingDeadLetters", "NotificationDeadLetters"} | {f"{each.title()}Restarts" for each in SERVICES}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_right_alarms_ring_within_five_minutes_and_no_other_and_are_ok_again_soon(name: str) -> None:
    outcome = evaluate(name)
    assert set(outcome.rang) == SCENARIOS[name].alarms
    assert [each for each, minutes in outcome.rang.items() if not 0 <= minutes <= 5] == []
    assert outcome.ringing - LASTING == set()


def test_all_is_quiet_while_nothing_goes_wrong() -> None:
    states = evaluate("nothing").states
    assert set(states) == set(ALARMS)
    assert {name for name, each in states.items() if set(each) != {"OK"}} == set()


class Minutes:
    """CloudWatch, fed with the same lines in each of some minutes."""

    def __init__(self, **parameters: object) -> None:
        self.cloudwatch: CloudWatch = watching(**parameters)
        self.now = 1_000_000

    def log(self, service: str, *lines: dict[str, Any], minutes: int = 1) -> Minutes:
        """Have a service log these lines in each of the next minutes."""
        for _ in range(minutes):
            self.now += 1
            for line in lines:
                self.cloudwatch.ingest(f"{service}-service-logs", orjson.dumps(line), self.now * MINUTE_S)
        return self

    def rings(self, name: str) -> bool:
        """Return whether an alarm rings at the end."""
        history = self.cloudwatch.history(range(self.now, self.now + 1), from_minute=1_000_001)
        return history[name][-1] == "ALARM"


@cache
def recorded(service: str, message: str) -> dict[str, Any]:
    """Return the last line with that message that a service logged while nothing went wrong."""
    found = [each for each in _lines("nothing") if (each.get("service"), each.get("message")) == (service, message)]
    return found[-1]


def _lines(name: str) -> Iterator[dict[str, Any]]:
    yield from map(orjson.loads, lzma.decompress((RECORDINGS / f"{name}.jsonl.xz").read_bytes()).splitlines())


def measured(service: str, **metrics: float) -> dict[str, Any]:
    line = recorded(f"{service}-service", "service measured")
    assert set(metrics) <= {*line["metrics"], "outbox_failed_total"}  # a counter with labels is there when it counts
    return line | {"metrics": line["metrics"] | metrics}


def answered(path: str, status: int) -> dict[str, Any]:
    return recorded("order-service", "request handled") | {"path": path, "status": status}


def test_feed_lag_rings_above_its_threshold_for_three_minutes() -> None:
    assert Minutes().log("notification", measured("notification", push_feed_lag=101), minutes=3).rings("FeedLag")
    assert not Minutes().log("notification", measured("notification", push_feed_lag=100), minutes=3).rings("FeedLag")


def test_late_sagas_ring_in_the_second_of_three_minutes() -> None:
    late, none = measured("processing", sagas_late=1), measured("processing", sagas_late=0)
    assert Minutes().log("processing", late).log("processing", none).log("processing", late).rings("LateSagas")
    assert not Minutes().log("processing", late).log("processing", none, minutes=2).rings("LateSagas")


def test_outbox_age_rings_for_either_outbox() -> None:
    for service in ("order", "processing"):
        assert Minutes().log(service, measured(service, outbox_oldest_pending_seconds=61), minutes=2).rings("OutboxAge")
    assert not Minutes().log("order", measured("order", outbox_oldest_pending_seconds=60), minutes=3).rings("OutboxAge")


def test_one_minute_of_failed_sends_is_no_alarm_and_three_are() -> None:
    failed = measured("order", outbox_failed_total=4)
    assert not Minutes().log("order", failed).log("order", measured("order"), minutes=2).rings("EventsNotPublished")
    assert Minutes().log("order", failed, minutes=3).rings("EventsNotPublished")


def test_share_of_5xx_rings_when_it_is_large_and_not_of_few_requests() -> None:
    good, bad = answered("/orders", 201), answered("/orders", 503)
    assert Minutes().log("order", *[good] * 47, *[bad] * 3, minutes=3).rings("ServerErrors")
    assert not Minutes().log("order", *[good] * 57, *[bad] * 3, minutes=3).rings("ServerErrors")
    assert not Minutes().log("order", good, bad, bad, minutes=3).rings("ServerErrors")


@pytest.mark.parametrize("service", SERVICES)
def test_calls_of_services_and_operators_are_no_requests_of_customers_here_and_in_prometheus(
    service: str,
) -> None:
    table = section((REFERENCE / "access.md").read_text("utf-8"), f"## {service.title()} service")
    routes = {name.split()[1] for cell, *_ in rows(table) for name in inline_code(cell)}
    inside = re.compile(r"/(order/|inventory/(decrement|release|forget)|stock-operations|dead-letters|connections/)")
    customers = {route for route in routes if not inside.match(route) and service != "processing"}

    failed = {
        route: Minutes().log(service, *[answered(route.replace("{", "").replace("}", ""), 503)] * 10, minutes=3)
        for route in routes
    }

    assert {route for route, minutes in failed.items() if minutes.rings("ServerErrors")} == customers
    [rule] = [each["expr"] for each in PROMETHEUS if each["alert"] == "ServerErrors"]
    [left_out] = set(re.findall(r'route!~"([^"]*)", job!="processing"', rule))
    assert {each for each in routes if not re.fullmatch(left_out, each) and service != "processing"} == customers


def test_no_orders_rings_when_half_an_hour_brought_none() -> None:
    accepted = recorded("order-service", "order accepted")
    quiet = measured("order")
    assert Minutes().log("order", quiet, minutes=30).rings("NoOrders")
    assert not Minutes().log("order", accepted).log("order", quiet, minutes=29).rings("NoOrders")


def test_no_orders_is_no_alarm_where_none_are_expected() -> None:
    without = Template(DOCUMENT, NoOrdersSeconds=0)
    assert "NoOrders" not in without.of_type("AWS::CloudWatch::Alarm")
    assert "NoOrders" not in without.of_type("AWS::CloudWatch::CompositeAlarm")["CustomersHurt"]["AlarmRule"]
    assert "NoOrders" in ALARMS["CustomersHurt"]["AlarmRule"]


@pytest.mark.parametrize("service", SERVICES)
def test_an_error_line_rings(service: str) -> None:
    name = f"{service.title()}Errors"
    line = recorded(f"{service}-service", "service measured")
    for level in ("ERROR", "CRITICAL"):
        assert Minutes().log(service, line | {"level": level}).rings(name)
    assert not Minutes().log(service, line | {"level": "WARNING"}, minutes=5).rings(name)


@pytest.mark.parametrize("service", SERVICES)
def test_starts_without_an_orderly_stop_ring_and_a_rolling_deployment_does_not(service: str) -> None:
    name = f"{service.title()}Restarts"
    started, stopped = {"message": "service starting"}, {"message": "service stopped"}
    assert Minutes().log(service, started, minutes=4).rings(name)
    assert not Minutes().log(service, started, stopped, minutes=8).rings(name)
    assert not Minutes().log(service, started, minutes=3).rings(name)


@pytest.mark.parametrize("service", SERVICES)
def test_three_silent_minutes_of_one_service_ring_its_alarm(service: str) -> None:
    line = measured(service)
    name = f"{service.title()}Silent"
    assert Minutes().log(service, line).log(service, minutes=3).rings(name)
    assert not Minutes().log(service, line, minutes=2).log(service, minutes=2).rings(name)


@pytest.mark.parametrize("alarm", ALARMS)
def test_each_alarm_tells_its_topic_both_ways_and_leads_to_its_section(alarm: str) -> None:
    properties = ALARMS[alarm]
    topic = "PagerTopic" if alarm == "CustomersHurt" else "AlarmTopic"
    assert properties["AlarmActions"] == properties["OKActions"] == [topic]
    assert properties["AlarmName"] == f"AWS::StackName-{alarm}"
    address, _, anchor = properties["AlarmDescription"].rpartition(" ")[2].partition("#")
    assert ROOT / address == RUNBOOK
    assert anchor in anchors(RUNBOOK)


def test_the_runbook_says_of_each_alarm_what_it_means_how_to_look_and_how_to_mend() -> None:
    title, *sections = re.split(r"^### ", RUNBOOK.read_text("utf-8"), flags=re.MULTILINE)
    described = {each["AlarmDescription"].rpartition("#")[2] for each in ALARMS.values()}
    assert {each.splitlines()[0].lower() for each in sections} == described
    for each in sections:
        assert re.findall(r"^\*\*(\w+)\.\*\*", each, re.MULTILINE) == ["Means", "Look", "Mend"], each
    assert [name for name in ALARMS if f"`{name}`" not in title] == []


def test_filter_watches_for_what_the_reference_of_the_log_lists() -> None:
    reference = (REFERENCE / "observability.md").read_text("utf-8")
    filtered = {each for filt in FILTERS.values() for each in re.findall(r'message = "([^"]+)"', filt["FilterPattern"])}
    metrics = set(re.findall(r"\$\.metrics\.(\w+)", json.dumps(FILTERS)))
    assert filtered
    assert metrics
    assert [each for each in filtered if f"`{each}`" not in reference] == []
    assert [each for each in metrics if f"`orderstream_{each}`" not in reference] == []


def test_saved_queries_are_those_of_the_command() -> None:
    saved = TEMPLATE.of_type("AWS::Logs::QueryDefinition").values()
    assert {each["Name"].rpartition("/")[2]: each["QueryString"].rstrip() for each in saved} == {
        name: each.about(123, "4bf92f3577b34da6a3ce929d0e0e4736").text() for name, each in SAVED.items()
    }


def test_the_runbook_names_queries_that_exist_and_every_one_of_them() -> None:
    text = RUNBOOK.read_text("utf-8")
    assert set(re.findall(r"`logs query ([\w-]+)", text)) <= set(QUERIES)
    [listed] = re.findall(r"^The saved queries .*? Insights:(.*?)\. ", text, re.MULTILINE | re.DOTALL)
    assert inline_code(listed) == list(SAVED)


def test_each_metric_of_an_alarm_is_made_by_a_filter_or_by_sqs() -> None:
    made = {("Orderstream", to["MetricName"]) for each in FILTERS.values() for to in each["MetricTransformations"]}
    watched = set()
    for each in TEMPLATE.of_type("AWS::CloudWatch::Alarm").values():
        parts = [part["MetricStat"]["Metric"] for part in each.get("Metrics", ()) if "MetricStat" in part] or [each]
        watched |= {(part["Namespace"], part["MetricName"]) for part in parts}
    shown = json.loads(TEMPLATE.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"])
    drawn = {(row[0], row[1]) for widget in shown["widgets"] for row in widget["properties"].get("metrics", ())}
    assert {each for each in watched | drawn if each[0] == "Orderstream"} - made == set()
    assert made - watched - drawn == set()


def test_dashboard_shows_the_golden_signals_and_alarms_that_exist() -> None:
    shown = json.loads(TEMPLATE.of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"])["widgets"]
    titles = {widget["properties"]["title"].partition(":")[0].partition(" of ")[0] for widget in shown}
    assert {"Traffic", "Errors", "Latency", "Saturation"} <= titles
    arns = next(widget["properties"]["alarms"] for widget in shown if widget["type"] == "alarm")
    assert {arn.rpartition("StackName-")[2] for arn in arns} <= set(ALARMS)


def test_subscriptions_are_there_with_an_address_only() -> None:
    assert TEMPLATE.of_type("AWS::SNS::Subscription") == {}
    with_address = Template(DOCUMENT, AlarmEmail="on-call@example.com").of_type("AWS::SNS::Subscription")
    assert {each["TopicArn"]: each["Endpoint"] for each in with_address.values()} == dict.fromkeys(
        ["AlarmTopic", "PagerTopic"], "on-call@example.com"
    )
