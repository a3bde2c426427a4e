"""The templates of a stage fit one another and the services: what cfn-lint can't see."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from orderstream_local.layout import COMPOSE
from service_common.auth import Caller
from tests.contract.test_page_headers import NGINX, said_by_nginx
from tests.support.api_documents import api_of
from tests.support.stage import CHECKS, SERVICES, Templates, forwarded, of_type, read_stage

TEMPLATES = read_stage()
OPERATIONS = [(service, each) for service in SERVICES for each in api_of(service).operations]
ADDED_BY_TLS = {"Strict-Transport-Security"}


REMOVED = object()
TASK = "services/OrderTask/ContainerDefinitions/0"
START = "services/OrderStartRole/Policies/0/PolicyDocument/Statement"
BALANCER = "balancer/Balancer/LoadBalancerAttributes"
ORIGIN = "page/Distribution/DistributionConfig/Origins/Id=services/CustomOriginConfig"
IDLE = f"{BALANCER}/Key=idle_timeout.timeout_seconds/Value"

# check, where to plant what, and words of what is found
FAULTS: list[tuple[str, str, object, str]] = [
    ("ports", f"{TASK}/PortMappings/0/ContainerPort", 9000, "the container has"),
    ("ports", f"{TASK}/Environment/Name=PORT/Value", "9000", "PORT has"),
    ("ports", f"{TASK}/HealthCheck/Command/3", "http://127.0.0.1:1/", "the health check has"),
    ("ports", f"{TASK}/Environment/Name=INVENTORY_URL/Value", {"Sub": "http://x:1"}, "a caller has"),
    ("ports", "balancer/OrderTargets/Port", 8081, "the target group has"),
    ("ports", "network/TaskGroup/SecurityGroupIngress/0/ToPort", 8082, "TaskGroup does not let"),
    ("ports", "services/OrderService/LoadBalancers/0/ContainerName", "x", "another container"),
    ("times", IDLE, "30", "exceed two heartbeats"),
    ("times", IDLE, "90", "before the services"),
    ("times", f"{ORIGIN}/OriginReadTimeout", 30, "read time-out"),
    ("times", f"{ORIGIN}/OriginKeepaliveTimeout", 60, "CloudFront has to give up"),
    ("times", f"{TASK}/StopTimeout", 20, "ECS has to wait"),
    ("times", f"{TASK}/Environment/Name=SHUTDOWN_GRACE_S/Value", "28", "has to drain"),
    ("deployments", "services/OrderService/DeploymentConfiguration/MinimumHealthyPercent", 50, "fewer tasks"),
    (
        "deployments",
        "services/OrderService/DeploymentConfiguration/DeploymentCircuitBreaker/Rollback",
        False,
        "way back",
    ),
    ("deployments", "services/OrderService/DesiredCount", 2, "undoes the scaling"),
    ("deployments", "services//Resources/OrderService/Condition", REMOVED, "OrderService is there without an image"),
    ("deployments", "scaling//Resources/OrderCpu/Condition", "InventoryRuns", "OrderCpu is there without an image"),
    ("deployments", "balancer/OrderTargets/HealthCheckPath", "/health/ready", "something else is away"),
    ("uses", "network//Parameters/Spare", {"Type": "String"}, "parameter Spare"),
    ("uses", "egress//Conditions/Spare", {"Equals": [1, 1]}, "condition Spare"),
    ("uses", "network//Outputs/Spare", {"Value": "x"}, "output Spare"),
    ("uses", "secrets//Resources/Spare", {"Type": "AWS::SecretsManager::Secret"}, "Spare is not used"),
    ("uses", "services/OrderTask/TaskRoleArn", "x", "OrderRole is not used"),
    ("uses", "stage/Database/Parameters/TwoZones", REMOVED, "is not given TwoZones"),
    ("uses", "stage/Database/Parameters/Wrong", "x", "does not know it"),
    ("variables", f"{TASK}/Environment/9", {"Name": "AUTH_ISSUERS", "Value": "x"}, "does not know AUTH_ISSUERS"),
    ("variables", f"{TASK}/Environment/Name=INVENTORY_URL", REMOVED, "INVENTORY_URL"),
    ("variables", f"{TASK}/Environment/Name=PORT/Value", "http", "PORT"),
    ("variables", f"{TASK}/Environment/Name=CLOUDWATCH/Value", "true", "twice"),
    ("variables", f"{TASK}/Environment/Name=OTEL_TRACES_SAMPLER/Value", "sometimes", "OTEL_TRACES_SAMPLER"),
    ("variables", f"{TASK}/Environment/Name=OTEL_RESOURCE_ATTRIBUTES", REMOVED, "OTEL_RESOURCE_ATTRIBUTES"),
    ("variables", f"{TASK}/Environment/Name=SUBSCRIBER_QUEUES/Value", "https://sqs/q", "SUBSCRIBER_QUEUES"),
    ("variables", f"{TASK}/Secrets/1", REMOVED, "its secrets"),
    ("variables", "services/NotificationTask/ContainerDefinitions/0/Secrets/4", REMOVED, "its secrets"),
    ("secrets", f"{TASK}/Secrets/2", REMOVED, "may read"),
    ("secrets", f"{START}/Sid=ReadSecrets/Resource/1", REMOVED, "may read"),
    ("secrets", f"{START}/Sid=ReadSecrets/Resource/1", {"Ref": "InventoryPasswordArn"}, "may read"),
    ("secrets", "services/OrderTask/ExecutionRoleArn", {"GetAtt": "InventoryStartRole.Arn"}, "another role"),
    ("names", "tasks/Cluster/ClusterName", "orderstream", "ClusterName of Cluster"),
    ("names", "template/OrderLogGroup/LogGroupName", "order-service-logs", "OrderLogGroup"),
    ("names", "template/ProcessingQueue/QueueName", {"Ref": "ProcessingQueueName"}, "ProcessingQueue"),
    ("names", "page/FilesAccess/OriginAccessControlConfig/Name", "x", "FilesAccess"),
    ("permissions", f"{START}/Sid=ReadImage/Action", "ecr:*", "ecr:*"),
    ("permissions", f"{START}/Sid=ReadImage/Resource", "*", "not restricted"),
    ("permissions", "services/OrderRole/AssumeRolePolicyDocument/Statement/0/Condition", REMOVED, "any account"),
    ("protection", "database//Resources/Server/DeletionPolicy", "Delete", "snapshot"),
    ("protection", "database/Server/StorageEncrypted", False, "not encrypted"),
    ("protection", "database/Server/PubliclyAccessible", True, "database is public"),
    ("protection", "database/Server/DeletionProtection", False, "no protection"),
    ("protection", "page/Files/PublicAccessBlockConfiguration/BlockPublicPolicy", False, "bucket is public"),
    ("protection", f"{BALANCER}/Key=routing.http.xff_header_processing.mode/Value", "append", "X-Forwarded-For"),
    ("protection", "balancer/SagasRule/Conditions/0", REMOVED, "CloudFront's secret"),
    ("protection", f"{TASK}/Environment/Name=TRUSTED_PROXIES/Value", "0.0.0.0/0", "other addresses"),
    ("protection", "page/Distribution/DistributionConfig/CustomErrorResponses/0/ErrorCachingMinTTL", 9, "keeps errors"),
]


def plant(templates: Templates, path: str, value: object) -> None:
    """Set or remove what *path* leads to: a file, a resource (or nothing), then keys, positions, and `key=value`."""
    file, logical, *steps = path.split("/")
    node: Any = templates[f"{file}.yaml"]
    if logical:
        node = node["Resources"][logical]["Properties"]
    for step in steps[:-1]:
        node = node[key_of(node, step)]
    last = key_of(node, steps[-1])
    if value is REMOVED:
        del node[last]
    else:
        node[last] = value


def key_of(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return step
    name, is_match, wanted = step.partition("=")
    return next(at for at, each in enumerate(node) if each[name] == wanted) if is_match else int(step)


def resource(file: str, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = TEMPLATES[file]["Resources"][name]["Properties"]
    return properties


@pytest.mark.parametrize("check", CHECKS)
def test_nothing_is_wrong(check: str) -> None:
    assert CHECKS[check](TEMPLATES) == []


@pytest.mark.parametrize(("check", "path", "value", "found"), FAULTS, ids=[f"{each[0]}: {each[3]}" for each in FAULTS])
def test_a_planted_fault_is_found(check: str, path: str, value: object, found: str) -> None:
    broken = copy.deepcopy(TEMPLATES)
    plant(broken, path, value)
    assert any(found in each for each in CHECKS[check](broken))


def test_each_check_has_a_planted_fault() -> None:
    assert {each[0] for each in FAULTS} == set(CHECKS)


def published_by_nginx(path: str) -> str | None:
    """Return the service to which nginx passes a path below /api, None for a 404."""
    page = NGINX.split("listen 4200;")[1].split("listen 8080;")[0]
    places = re.findall(r"^ {8}location (= |~ |)(\S+) \{\n(.*?)^ {8}\}", page, re.MULTILINE | re.DOTALL)
    for how, pattern, body in places:
        # PCRE has no P in named groups
        if how == "~ " and (match := re.search(pattern.replace("(?<", "(?P<").replace("(?P<!", "(?<!"), path)):
            return passed_by(body, match.groupdict())
    prefixes = [(pattern, body) for how, pattern, body in places if how == "" and path.startswith(pattern)]
    return passed_by(max(prefixes, key=lambda each: len(each[0]))[1], {})


def passed_by(location: str, variables: dict[str, str]) -> str | None:
    """Return the service to which a location passes requests, None for a 404."""
    passed = re.search(r"proxy_pass http://\$?(\w+);", location)
    return variables.get(passed[1], passed[1]) if passed else None


@pytest.mark.parametrize(
    ("service", "operation"), OPERATIONS, ids=[f"{service}-{each.method}-{each.path}" for service, each in OPERATIONS]
)
def test_load_balancer_publishes_what_nginx_publishes(service: str, operation: Any) -> None:
    path = re.sub(r"\{\w+\}", "7", operation.path)
    published = forwarded(TEMPLATES, operation.method, path)
    assert published == published_by_nginx(f"/api{path}")
    assert published in {service, None}
    if operation.access == Caller.SERVICE:
        assert published is None


@pytest.mark.parametrize(
    "path", ["/inventory/%64ecrement", "/inventory/decrement/", "/inventory//decrement", "/inventory/./release"]
)
def test_an_internal_endpoint_is_not_reached_by_another_spelling(path: str) -> None:
    assert forwarded(TEMPLATES, "POST", path) is None


def test_a_rule_has_no_more_values_than_the_load_balancer_takes() -> None:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    for rule in of_type(TEMPLATES["balancer.yaml"], "AWS::ElasticLoadBalancingV2::ListenerRule").values():
        values = [
            value
            for each in rule["Conditions"]
            for part in each.values()
            if isinstance(part, dict)
            for value in part["Values"]
        ]
        assert len(values) <= 5


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("path", ["/health/ready", "/metrics", "/openapi.json", "/dead-letters"])
def test_what_every_service_has_is_that_of_the_service_that_is_asked_for(service: str, path: str) -> None:
    kinds = re.search(r"map \$what \$of_every_service \{\n(.*?)\}", NGINX, re.DOTALL)
    assert kinds
    [kind] = re.findall(rf"([\w-]+) +{path};", kinds[1])
    assert published_by_nginx(f"/api/{kind}/{service}") == service
    code = resource("page.yaml", "ApiFunction")["FunctionCode"]
    assert re.search(rf"'?{kind}'?: '{path}'", code)
    assert re.search(rf"asked = .*[(|]{kind}[|)].*[(|]{service}[|)]", code)
    assert forwarded(TEMPLATES, "GET", path, service) == service
    assert forwarded(TEMPLATES, "GET", path) is None


def headers_of_the_page() -> dict[str, str]:
    code = resource("page.yaml", "PageFunction")["FunctionCode"]["Sub"]
    found = re.findall(r"^ +'([\w-]+)': \{ value: (.+) \},$", code, re.MULTILINE)
    return {name.title(): value.strip("'\"").replace('" + nonce + "', "$request_id") for name, value in found}


def test_page_has_the_headers_of_nginx() -> None:
    said = headers_of_the_page()
    assert said.pop("Content-Type") == "text/html; charset=utf-8"
    assert {name for name in said if name not in said_by_nginx("/")} == ADDED_BY_TLS
    said["Content-Security-Policy"] = said["Content-Security-Policy"].replace(" ${ConnectSources}", "")
    assert {name: value for name, value in said.items() if name not in ADDED_BY_TLS} == said_by_nginx("/")


def test_files_have_the_headers_of_nginx_without_a_nonce() -> None:
    policy = resource("page.yaml", "FileHeaders")["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    said = {each["Header"]: each["Value"] for each in policy["CustomHeadersConfig"]["Items"]} | {
        "Content-Security-Policy": security["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Sub"].replace(
            " ${ConnectSources}", ""
        ),
        "Referrer-Policy": security["ReferrerPolicy"]["ReferrerPolicy"],
        "X-Content-Type-Options": "nosniff",
    }
    assert "ContentTypeOptions" in security
    expected = {
        name: value.replace(" 'nonce-$request_id'", "") for name, value in said_by_nginx("/favicon.svg").items()
    }
    assert said == {name: value for name, value in expected.items() if name != "Cache-Control"}  # of S3's objects


def test_function_code_fits_into_a_function() -> None:
    # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-function-restrictions.html
    for each in of_type(TEMPLATES["page.yaml"], "AWS::CloudFront::Function").values():
        code = each["FunctionCode"]
        text = code["Sub"] if isinstance(code, dict) else code
        assert len(text) + 4096 < 10_240


def test_each_image_has_a_repository_and_a_target() -> None:
    dockerfile = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    repositories = of_type(TEMPLATES["registry.yaml"], "AWS::ECR::Repository")
    images = {each["RepositoryName"]["Sub"].rpartition("/")[2] for each in repositories.values()}
    assert images == {*SERVICES, "databases"}
    assert [each for each in images if f" AS {each}\n" not in dockerfile] == []
