"""The rules of Prometheus are the alarms of CloudWatch on metrics: checked and tested by promtool, where it is.

On Debian it is in the package *prometheus*.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderstream_local.layout import COMPOSE, SERVICES
from tests.support.cloudwatch.watch import Template
from tests.support.pages import REFERENCE, inline_code, rows, section
from tests.support.template import read_template

FOLDER = COMPOSE / "prometheus"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alarms.yaml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD = json.loads((COMPOSE / "grafana" / "orderstream.json").read_text("utf-8"))
PROMTOOL = shutil.which("promtool")
# what every metric of a histogram or counter may be asked for as
_SUFFIX = re.compile(r"_(?:bucket|count|sum)$")

needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="promtool is not there (on Debian: apt install prometheus)"
)

ORDERS = 'orderstream_http_request_seconds_count{job="order", method="POST", route="/orders", status="201"}'
# A system that is well, a value every 15 s. What goes wrong does so after ten minutes.
WELL = {
    **{f'up{{job="{name}"}}': "1x200" for name in SERVICES},
    ORDERS: "0+5x200",
    'orderstream_readiness_check_passed{job="order", check="database"}': "1x200",
    'orderstream_sqs_messages{job="processing", queue="processing-queue", state="visible"}': "0x200",
    'orderstream_sqs_messages{job="processing", queue="processing-queue-dlq", state="visible"}': "0x200",
    'orderstream_sqs_acknowledged_total{job="processing", queue="processing-queue"}': "0+5x200",
    'orderstream_sagas_late{job="processing"}': "0x200",
    'orderstream_outbox_oldest_pending_seconds{job="order"}': "0x200",
    'orderstream_outbox_failed_total{job="order", queue="processing-queue"}': "0x200",
    'orderstream_push_feed_lag{job="notification"}': "0x200",
    'orderstream_client_circuit_state{job="order", client="inventory-service"}': "0x200",
    'process_start_time_seconds{job="notification"}': "1000x200",
    'orderstream_log_errors_total{job="inventory"}': "0x200",
}
NO_ORDERS = {ORDERS: "0+5x40 200x160"}
REFUSED_ORDERS = NO_ORDERS | {ORDERS.replace("201", "503"): "0x40 0+5x160"}
FAULTS: dict[str, tuple[Mapping[str, str], set[str]]] = {
    "nothing": ({}, set()),
    "inventory hangs": (
        REFUSED_ORDERS
        | {
            'up{job="inventory"}': "1x40 0x160",
            'orderstream_client_circuit_state{job="order", client="inventory-service"}': "0x40 2x160",
            'orderstream_client_call_seconds_count{client="inventory-service", outcome="unavailable"}': "0x40 0+5x160",
        },
        {"ServerErrors", "InventorySilent", "CircuitOpen", "CustomersHurt"},
    ),
    "an open circuit is half open whenever it is scraped": (
        {
            'orderstream_client_circuit_state{job="order", client="inventory-service"}': "0x40 1x160",
            'orderstream_client_call_seconds_count{client="inventory-service", outcome="unavailable"}': "0x40 0+5x160",
        },
        {"CircuitOpen"},
    ),
    "a circuit that nobody uses stays open": (
        {'orderstream_client_circuit_state{job="order", client="inventory-service"}': "0x40 2x160"},
        set(),
    ),
    "calls among the services fail": (
        {ORDERS.replace("/orders", "/order/close/{id}").replace("201", "503"): "0x40 0+9x160"},
        set(),
    ),
    "operators can't read letters": (
        {ORDERS.replace("/orders", "/dead-letters/{letter_id}").replace("201", "503"): "0x40 0+9x160"},
        set(),
    ),
    "PostgreSQL hangs": (
        REFUSED_ORDERS | {'orderstream_readiness_check_passed{job="order", check="database"}': "1x40 0x160"},
        {"ServerErrors", "DatabaseAway", "CustomersHurt"},
    ),
    "SQS hangs": (
        {
            'orderstream_outbox_oldest_pending_seconds{job="order"}': "0x40 0+15x160",
            'orderstream_outbox_failed_total{job="order", queue="processing-queue"}': "0x40 0+2x160",
        },
        {"OutboxAge", "EventsNotPublished", "CustomersHurt"},
    ),
    "processing consumes nothing": (
        {
            'orderstream_sqs_messages{job="processing", queue="processing-queue", state="visible"}': "0x40 5+5x160",
            'orderstream_sqs_acknowledged_total{job="processing", queue="processing-queue"}': "0+5x40 200x160",
        },
        {"ProcessingOldestMessage", "CustomersHurt"},
    ),
    "order is gone": ({'up{job="order"}': "1x40 stale"}, {"OrderSilent", "CustomersHurt"}),
    "a lock holds stock": ({'orderstream_sagas_late{job="processing"}': "0x40 3x160"}, {"LateSagas", "CustomersHurt"}),
    "the feed is not read": (
        {'orderstream_push_feed_lag{job="notification"}': "0x40 0+30x160"},
        {"FeedLag", "CustomersHurt"},
    ),
    "a lag of a minute": ({'orderstream_push_feed_lag{job="notification"}': "0x52 150x4 0x140"}, set()),
    "poison": (
        {'orderstream_sqs_messages{job="processing", queue="processing-queue-dlq", state="visible"}': "0x40 1x160"},
        {"ProcessingDeadLetters"},
    ),
    "notification crashes again and again": (
        {'process_start_time_seconds{job="notification"}': "1000x40 1600x3 1650x3 1700x3 1750x3 1800x148"},
        {"NotificationRestarts"},
    ),
    "a deployment": ({'process_start_time_seconds{job="notification"}': "1000x40 1600x160"}, set()),
    "an error": ({'orderstream_log_errors_total{job="inventory"}': "0x50 1x150"}, {"InventoryErrors"}),
}


@needs_promtool
@pytest.mark.parametrize("fault", FAULTS)
def test_the_right_alarms_fire_five_minutes_after_the_fault_and_no_other(fault: str, tmp_path: Path) -> None:
    changed, alarms = FAULTS[fault]
    promtool("test", "rules", unit_test(tmp_path, changed, alarms, "15m"))


@needs_promtool
@pytest.mark.parametrize(("at", "alarms"), [("35m", set()), ("45m", {"NoOrders", "CustomersHurt"})])
def test_no_orders_fires_after_half_an_hour(at: str, alarms: set[str], tmp_path: Path) -> None:
    promtool("test", "rules", unit_test(tmp_path, NO_ORDERS, alarms, at))


@needs_promtool
def test_rules_and_configuration_are_valid() -> None:
    promtool("check", "rules", FOLDER / "alarms.yaml")
    promtool("check", "config", "--syntax-only", FOLDER / "prometheus.yaml")


def test_the_alarms_are_those_of_cloudwatch_with_the_same_sections_of_the_runbook() -> None:
    template = Template(read_template("alarms.yaml"))
    there = template.of_type("AWS::CloudWatch::Alarm") | template.of_type("AWS::CloudWatch::CompositeAlarm")
    here = {each["alert"]: each["annotations"]["runbook"] for each in RULES}
    assert here == {name: each["AlarmDescription"].rpartition(" ")[2] for name, each in there.items()}


def test_customers_are_hurt_by_the_same_alarms_as_in_cloudwatch() -> None:
    template = Template(read_template("alarms.yaml"))
    rule = template.of_type("AWS::CloudWatch::CompositeAlarm")["CustomersHurt"]["AlarmRule"]
    assert {each["alert"] for each in RULES if each["labels"]["severity"] == "symptom"} == set(
        re.findall(r'ALARM\("(\w+)"\)', rule)
    )


def test_rules_and_dashboard_ask_for_metrics_that_exist() -> None:
    metrics = section((REFERENCE / "observability.md").read_text("utf-8"), "## Metrics")
    exposed = {name for cell, *_ in rows(metrics) for name in inline_code(cell)}
    asked = {
        "rules": " ".join(each["expr"] for each in RULES),
        "dashboard": " ".join(target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())),
    }
    for where, expressions in asked.items():
        names = set(re.findall(r"\borderstream_\w+", expressions))
        assert names, where
        assert {name for name in names if name not in exposed and _SUFFIX.sub("", name) not in exposed} == set(), where


def test_dashboard_shows_the_golden_signals_from_the_provisioned_source() -> None:
    titles = {panel["title"].partition(":")[0] for panel in DASHBOARD["panels"] if panel["type"] == "row"}
    assert titles == {"Alarms", "Traffic", "Errors", "Latency", "Saturation"}
    provisioned = yaml.safe_load((COMPOSE / "grafana" / "datasources.yaml").read_text("utf-8"))["datasources"]
    used = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    assert used == {each["uid"] for each in provisioned if each["type"] == "prometheus"}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_requests_on_the_dashboard_are_neither_scrapes_nor_health_checks() -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    selectors = re.findall(r"\borderstream_http_request_seconds_\w+(?:\{(.*?)\})?", " ".join(asked))
    assert selectors
    assert [each for each in selectors if 'route="' not in each and 'route!~"/health/.*|/metrics"' not in each] == []


def test_every_service_is_scraped_at_its_port_with_the_token() -> None:
    compose = yaml.safe_load((COMPOSE / "compose.yaml").read_text("utf-8"))
    jobs = yaml.safe_load((FOLDER / "prometheus.yaml").read_text("utf-8"))["scrape_configs"]
    assert {each["job_name"] for each in jobs} == set(SERVICES)
    for each in jobs:
        [discovery] = each["dns_sd_configs"]
        assert discovery["names"] == [each["job_name"]]
        assert compose["services"][each["job_name"]]["expose"] == [str(discovery["port"])]
        secret = each["authorization"]["credentials_file"].removeprefix("/run/secrets/")
        assert secret in compose["services"]["prometheus"]["secrets"]
        assert compose["secrets"][secret] == {"environment": "SERVICE_TOKEN"}


def promtool(*arguments: str | Path) -> None:
    """Run promtool; what it complains of is the failure."""
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def unit_test(folder: Path, changed: Mapping[str, str], alarms: set[str], at: str) -> Path:
    """Write a unit test for promtool: all that fires at a time in a system that is well but for *changed*."""
    test = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in {**WELL, **changed}.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(alarms)],
            }
        ],
    }
    document = {"rule_files": [str(FOLDER / "alarms.yaml")], "evaluation_interval": "15s", "tests": [test]}
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path
