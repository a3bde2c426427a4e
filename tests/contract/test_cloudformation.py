"""The CloudFormation templates and what the services expect of AWS are the same thing."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from orderstream_local.layout import COMPOSE, SERVICES
from tests.support.template import read_template

FILES = sorted((COMPOSE / "aws").glob("*.yaml"))
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
MAX_BODY_BYTES = 51_200
MAX_OBJECT_BYTES = 1_000_000
TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_template_fits_into_s3_from_where_it_is_deployed(path: Path) -> None:
    assert path.stat().st_size <= MAX_OBJECT_BYTES


def test_template_of_queues_fits_into_a_request() -> None:
    assert (COMPOSE / "aws" / "template.yaml").stat().st_size <= MAX_BODY_BYTES


def test_emulator_is_given_all_but_what_it_refuses() -> None:
    document, text = read_template("alarms.yaml"), (COMPOSE / "aws" / "alarms.yaml").read_text(encoding="utf-8")
    given, left_out = resources().supported(text)
    assert set(left_out) == {
        name
        for name, each in document["Resources"].items()
        if each["Type"] in {"AWS::CloudWatch::CompositeAlarm", "AWS::Logs::QueryDefinition"}
        or "Metrics" in each["Properties"]
    }
    assert len(text.splitlines()) - len(given.splitlines()) > 2 * len(left_out)
    assert [name for name in left_out if f"  {name}:" in given] == []
    assert resources().supported((COMPOSE / "aws" / "template.yaml").read_text(encoding="utf-8"))[1] == []


def resources() -> ModuleType:
    """Return the program that the emulator runs, which is in no package."""
    spec = importlib.util.spec_from_file_location("resources", COMPOSE / "emulator" / "resources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_queue_redrives_to_its_own_dead_letter_queue() -> None:
    for name in ("Processing", "Notification"):
        policy = RESOURCES[f"{name}Queue"]["Properties"]["RedrivePolicy"]
        assert policy["deadLetterTargetArn"] == {"GetAtt": f"{name}DeadLetterQueue.Arn"}
        assert RESOURCES[f"{name}DeadLetterQueue"]["Properties"]["QueueName"] == {
            "Sub": f"${{Prefix}}${{{name}QueueName}}-dlq"
        }


def test_dead_letters_are_kept_longer_than_messages_wait() -> None:
    retention = {name: properties["MessageRetentionPeriod"] for name, properties in of_type("AWS::SQS::Queue").items()}
    assert retention["ProcessingDeadLetterQueue"] == retention["NotificationDeadLetterQueue"] == 14 * 86400
    assert max(retention["ProcessingQueue"], retention["NotificationQueue"]) < 14 * 86400


def test_a_log_group_a_service_has_retention() -> None:
    groups = {each["LogGroupName"]["Sub"]: each["RetentionInDays"] for each in of_type("AWS::Logs::LogGroup").values()}
    assert set(groups) == {f"${{Prefix}}{name}-service-logs" for name in SERVICES}
    assert all(groups.values())


@pytest.mark.parametrize("name", ["template.yaml", "alarms.yaml"])
def test_template_that_is_used_by_itself_has_a_default_for_each_parameter(name: str) -> None:
    assert all("Default" in parameter for parameter in read_template(name)["Parameters"].values())


def test_a_service_may_only_write_to_queues_it_produces_for_or_consumes_and_its_own_dead_letters() -> None:
    writable = {
        name: {
            resource["GetAtt"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "sqs:SendMessage" in statement["Action"]
            for resource in (
                statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            )
        }
        for name, policy in of_type("AWS::IAM::ManagedPolicy").items()
        if not name.endswith("LogsPolicy")
    }
    queues = {f"{name}.Arn" for name in of_type("AWS::SQS::Queue")}
    of_all_events = {each for each in queues if not re.match("Processing|.*DeadLetter", each)}
    own = {
        f"{name}Policy": {f"{name}DeadLetterQueue.Arn", f"{name}Queue.Arn"} & queues
        for name in map(str.title, SERVICES)
    }
    assert writable == {name: targets for name, targets in own.items() if targets} | {
        "OperatorPolicy": {"ProcessingQueue.Arn", *of_all_events},
        "OrderPolicy": {"ProcessingQueue.Arn", *of_all_events},
        "ProcessingPolicy": {"ProcessingDeadLetterQueue.Arn", "ProcessingQueue.Arn", *of_all_events},
    }


def test_user_pool_is_created_on_request_alone() -> None:
    kinds = {each["Type"]: each.get("Condition") for each in RESOURCES.values() if "Cognito" in each["Type"]}
    assert set(kinds) == {
        "AWS::Cognito::UserPool",
        "AWS::Cognito::UserPoolClient",
        "AWS::Cognito::UserPoolDomain",
        "AWS::Cognito::UserPoolGroup",
    }
    assert set(kinds.values()) == {"SignsIn"}
    assert TEMPLATE["Parameters"]["SignInDomain"]["Default"] == ""


def test_the_page_signs_in_with_a_code_and_without_a_secret() -> None:
    [client] = of_type("AWS::Cognito::UserPoolClient").values()
    assert client["GenerateSecret"] is False
    assert client["AllowedOAuthFlows"] == ["code"]
    assert not {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"} & set(client["ExplicitAuthFlows"])


def test_the_groups_are_the_roles_that_the_services_know() -> None:
    groups = [each["GroupName"] for each in of_type("AWS::Cognito::UserPoolGroup").values()]
    assert groups == ["operator", "viewer"]
