"""What cfn-lint can't see in the templates of a stage: each check returns what is wrong, as sentences."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from notification_service.push import PushLimits
from orderstream_local.layout import COMPOSE, SERVICES
from service_common.config import ConfigError
from service_common.http_server.connection_limits import ConnectionLimits
from tests.support.template import read_template

__all__ = ["CHECKS", "FILES", "ROOT_TEMPLATE", "SERVICES", "Templates", "forwarded", "read_stage"]

Templates: TypeAlias = dict[str, dict[str, Any]]
Check: TypeAlias = Callable[[Templates], list[str]]

ROOT_TEMPLATE = "stage.yaml"
FILES = sorted(path.name for path in (COMPOSE / "aws").glob("*.yaml"))
LIMIT_OF_FARGATE_S = 120
KEEPALIVE_S = ConnectionLimits(files=1024, head_s=1, body_s=1).keepalive_s
# variables of a task that its service does not read by itself
NOT_OF_CONFIG = {"PGPASSWORD": "libpq's"}
SECRET = {"OTEL_EXPORTER_OTLP_HEADERS", "OTHER_SERVICE_TOKEN", "PGPASSWORD", "SERVICE_TOKEN"}
OWN_SECRET = {"notification": {"FEED_BUS_URL"}}
OF_TRACES = {
    f"OTEL_{name}"
    for name in (
        "EXPORTER_OTLP_ENDPOINT",
        "EXPORTER_OTLP_HEADERS",
        "RESOURCE_ATTRIBUTES",
        "TRACES_SAMPLER",
        "TRACES_SAMPLER_ARG",
    )
}
# statements that may name every resource
EVERYTHING = {
    "SignInToRegistry": "ecr:GetAuthorizationToken has no resource",
    "NotOfAResource": "GetMetricStatistics and GetQueryResults have none",
    "FindLogs": "DescribeLogGroups asks by the beginning of a name",
    "ReadByCloudFront": "all files of the page's own bucket",
}
# outputs that no other template reads: for people and for those who use a template by itself
FOR_PEOPLE = {
    "template.yaml": re.compile(r".*QueueUrl|SignInUrl"),
    "database.yaml": re.compile(r"ServerName"),
    ROOT_TEMPLATE: re.compile(r".*"),
}
NAMES = {
    "AlarmName", "BucketName", "ClusterName", "DBInstanceIdentifier", "DBSubnetGroupName", "Family", "GroupName",
    "LogGroupName", "Name", "PolicyName", "QueueName", "RepositoryName", "RoleName", "UserPoolName",
}  # fmt: skip
STAGED = {"Stage", "Prefix", "AWS::StackName"}
# their names are within something that has the stage in its name
WITHIN = {
    "AWS::ECS::Service", "AWS::ServiceDiscovery::Service", "AWS::Cognito::UserPoolGroup", "AWS::Route53::RecordSet",
    "AWS::RDS::DBParameterGroup",
}  # fmt: skip


def read_stage() -> Templates:
    """Return all templates by file."""
    return {name: read_template(name) for name in FILES}


def of_type(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of a type, by logical id."""
    return {name: each["Properties"] for name, each in template["Resources"].items() if each["Type"] == kind}


def nested(templates: Templates) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return the file and the parameters of each nested stack, by logical id."""
    stacks = of_type(templates[ROOT_TEMPLATE], "AWS::CloudFormation::Stack")
    return {name: (each["TemplateURL"]["Sub"].rpartition("/")[2], each["Parameters"]) for name, each in stacks.items()}


def references(node: Any) -> Iterator[str]:
    """Yield what a value refers to: names of parameters and resources, and `Name.Attribute`."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name in {"Ref", "GetAtt", "Condition"} and isinstance(value, str):
                yield value
            elif name == "Sub":
                yield from re.findall(r"\$\{([\w.]+)\}", value)
            elif name == "If":
                yield value[0]
                yield from references(value[1:])
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def task(templates: Templates, service: str) -> dict[str, Any]:
    """Return the task definition of a service."""
    properties: dict[str, Any] = templates["services.yaml"]["Resources"][f"{service.title()}Task"]["Properties"]
    return properties


def container(templates: Templates, service: str) -> dict[str, Any]:
    """Return the container of a service."""
    found: dict[str, Any]
    [found] = task(templates, service)["ContainerDefinitions"]
    return found


def environment(templates: Templates, service: str) -> dict[str, Any]:
    """Return the variables of a service, secrets too, with their values in the template."""
    plain = {each["Name"]: each["Value"] for each in container(templates, service)["Environment"]}
    return plain | {each["Name"]: each["ValueFrom"] for each in secrets_of(templates, service)}


def secrets_of(templates: Templates, service: str) -> list[dict[str, Any]]:
    """Return the secrets of a service's container, as where all are given."""
    return [each["If"][1] if "If" in each else each for each in container(templates, service)["Secrets"]]


def attribute(attributes: list[dict[str, str]], key: str) -> str:
    """Return the value of a key of a load balancer or target group."""
    return next((each["Value"] for each in attributes if each["Key"] == key), "")


def ports(templates: Templates) -> list[str]:
    """A service listens where the load balancer, the health check, the other services and the firewalls have it."""
    wrong = []
    groups = of_type(templates["network.yaml"], "AWS::EC2::SecurityGroup")
    for service in SERVICES:
        default = importlib.import_module(f"{service}_service.config").PORT
        found = container(templates, service)
        [mapped] = found["PortMappings"]
        [balanced] = templates["services.yaml"]["Resources"][f"{service.title()}Service"]["Properties"]["LoadBalancers"]
        target = templates["balancer.yaml"]["Resources"][f"{service.title()}Targets"]["Properties"]
        checked = re.search(r"127\.0\.0\.1:(\d+)/", found["HealthCheck"]["Command"][-1])
        callers = [environment(templates, each).get(f"{service.upper()}_URL") for each in SERVICES]
        called = [re.search(r":(\d+)$", each["Sub"]) for each in callers if each]
        has = {
            "the container": mapped["ContainerPort"],
            "PORT": int(environment(templates, service)["PORT"]),
            "the health check": int(checked[1]) if checked else None,
            "the service": balanced["ContainerPort"],
            "the target group": target["Port"],
            "a caller": int(called[0][1]) if called and called[0] else default,
        }
        wrong += [
            f"{service}: {what} has port {port}, the code {default}" for what, port in has.items() if port != default
        ]
        for group in ("TaskGroup", *(["CalledGroup"] if called else [])):
            [rule] = groups[group]["SecurityGroupIngress"]
            if not rule["FromPort"] <= default <= rule["ToPort"]:
                wrong.append(f"{service}: {group} does not let port {default} in")
        if balanced["ContainerName"] != found["Name"]:
            wrong.append(f"{service}: the load balancer has another container")
    return wrong


def times(templates: Templates) -> list[str]:
    """Times of load balancer, CloudFront, ECS and services fit one another."""
    balancer = templates["balancer.yaml"]["Resources"]
    idle_s = int(
        attribute(balancer["Balancer"]["Properties"]["LoadBalancerAttributes"], "idle_timeout.timeout_seconds")
    )
    [distribution] = of_type(templates["page.yaml"], "AWS::CloudFront::Distribution").values()
    [origin] = (
        each["CustomOriginConfig"]
        for each in distribution["DistributionConfig"]["Origins"]
        if "CustomOriginConfig" in each
    )
    heartbeats_s = 2 * PushLimits().heartbeat_s
    rules = {
        "the load balancer's idle time-out has to exceed two heartbeats": idle_s > heartbeats_s,
        "CloudFront's read time-out has to exceed two heartbeats": origin["OriginReadTimeout"] > heartbeats_s,
        "the load balancer has to give up idle connections before the services": idle_s < KEEPALIVE_S,
        "CloudFront has to give up idle connections before the load balancer": origin["OriginKeepaliveTimeout"]
        < idle_s,
    }
    for service in SERVICES:
        grace_s = float(environment(templates, service)["SHUTDOWN_GRACE_S"])
        stop_s = container(templates, service)["StopTimeout"]
        attributes = balancer[f"{service.title()}Targets"]["Properties"]["TargetGroupAttributes"]
        drain_s = int(attribute(attributes, "deregistration_delay.timeout_seconds"))
        rules |= {
            f"{service}: ECS has to wait longer than the service takes to stop": grace_s < stop_s <= LIMIT_OF_FARGATE_S,
            f"{service}: the load balancer has to drain for as long as the service does": drain_s >= grace_s,
        }
    return [rule for rule, holds in rules.items() if not holds]


def deployments(templates: Templates) -> list[str]:
    """New tasks come before old ones go, a deployment that fails goes back, and what is away replaces no task.

    Without a tag of its image a service is not there.
    """
    wrong = [
        f"{name} is there without an image"
        for file in ("services.yaml", "scaling.yaml")
        for name, each in templates[file]["Resources"].items()
        if each["Type"].startswith(("AWS::ECS::", "AWS::ApplicationAutoScaling::"))
        and not any(
            each.get("Condition") == f"{service.title()}Runs"
            for service in SERVICES
            if name.startswith(service.title())
        )
    ]
    for name, each in of_type(templates["services.yaml"], "AWS::ECS::Service").items():
        how = each["DeploymentConfiguration"]
        if how["MinimumHealthyPercent"] < 100 or how["MaximumPercent"] < 200:
            wrong.append(f"{name}: fewer tasks during a deployment")
        if how["DeploymentCircuitBreaker"] != {"Enable": True, "Rollback": True}:
            wrong.append(f"{name}: no way back")
        if "DesiredCount" in each:
            wrong.append(f"{name}: an update undoes the scaling")
    for name, each in of_type(templates["balancer.yaml"], "AWS::ElasticLoadBalancingV2::TargetGroup").items():
        if each["HealthCheckPath"] != "/health/live":
            wrong.append(f"{name}: a task is replaced because something else is away")
    return wrong


def uses(templates: Templates) -> list[str]:
    """Each parameter, output, secret and role is used; what the root gives a template is what that asks for."""
    wrong = []
    read = set(references(templates[ROOT_TEMPLATE]["Resources"])) | set(references(templates[ROOT_TEMPLATE]["Outputs"]))
    for file, template in templates.items():
        parts = (template.get("Resources"), template.get("Conditions"), template.get("Outputs"))
        used = {each.partition(".")[0] for each in references(list(parts))}
        wrong += [f"{file}: parameter {each} is not used" for each in template["Parameters"] if each not in used]
        wrong += [
            f"{file}: {name} is not used"
            for name, each in template["Resources"].items()
            if each["Type"]
            in {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::SecretsManager::Secret", "AWS::EC2::SecurityGroup"}
            and name not in used
        ]
        wrong += [
            f"{file}: condition {each} is not used"
            for each in template.get("Conditions", {})
            if each not in _conditions(template)
        ]
    for stack, (file, given) in nested(templates).items():
        parameters = templates[file]["Parameters"]
        wrong += [f"{stack}: {each} is given, and {file} does not know it" for each in given if each not in parameters]
        wrong += [
            f"{stack}: {file} is not given {name}"
            for name, each in parameters.items()
            if name not in given and "Default" not in each
        ]
        for output in templates[file].get("Outputs", {}):
            people = FOR_PEOPLE.get(file)
            if f"{stack}.Outputs.{output}" not in read and not (people and people.fullmatch(output)):
                wrong.append(f"{file}: output {output} is not used")
    return wrong


def _conditions(template: Mapping[str, Any]) -> set[str]:
    named = {
        each["Condition"]
        for part in ("Resources", "Outputs")
        for each in template.get(part, {}).values()
        if "Condition" in each
    }
    return named | set(references(template["Resources"])) | set(references(template.get("Outputs", {})))


class _Recording(dict[str, str]):
    """An environment that knows which variables were asked for."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(given)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


def variables(templates: Templates) -> list[str]:
    """A task has the variables that its service requires, values that it accepts, and none that it does not know."""
    wrong = []
    samples = {
        "PublicAddresses": "10.64.0.0/24,10.64.1.0/24",
        "Origin": "https://shop.example.com",
        "AuthIssuer": "https://issuer.example.com",
        "DatabasePort": "5432",
        "SeedProducts": "false",
        "EventsPerMessage": "50",
        "OtlpEndpoint": "https://collector.example.com:4318",
        "OtlpHeadersArn": "authorization=key",
        "FeedBusUrlArn": "rediss://user:password@cache.example.com:6379/0",
        "TracesSampler": "parentbased_traceidratio",
        "TracesRatio": "0.1",
    }
    for service in SERVICES:
        given = {name: _sample(value, samples) for name, value in environment(templates, service).items()}
        recording = _Recording(given)
        try:
            config = importlib.import_module(f"{service}_service.config").Config.from_environ(recording)
        except ConfigError as error:
            wrong += [f"{service}: {name}: {what}" for name, what in error.problems.items()]
        else:
            if config.cloudwatch == (container(templates, service)["LogConfiguration"]["LogDriver"] == "awslogs"):
                wrong.append(f"{service}: its log is written twice, or not at all")
        wrong += [
            f"{service}: does not know {name}" for name in given if name not in recording.asked | set(NOT_OF_CONFIG)
        ]
        secret = SECRET | OWN_SECRET.get(service, set())
        if {each["Name"] for each in secrets_of(templates, service)} != secret:
            wrong.append(f"{service}: its secrets are not {', '.join(sorted(secret))}")
        if not environment(templates, service).keys() >= OF_TRACES:
            wrong.append(f"{service}: has no {', '.join(sorted(OF_TRACES - environment(templates, service).keys()))}")
    return wrong


def _sample(value: Any, samples: Mapping[str, str]) -> str:
    if isinstance(value, str):
        return value
    if "Sub" in value:
        return re.sub(r"\$\{(\w+)\}", lambda name: samples.get(name[1], "x"), value["Sub"])
    if "Join" in value:
        separator, parts = value["Join"]
        return str(separator).join(_sample(each, samples) for each in parts)
    return samples.get(value["Ref"], "x")


def secrets(templates: Templates) -> list[str]:
    """What starts a task may read the secrets that the task has, and no others."""
    wrong = []
    for file, logical, of in (
        *(("services.yaml", f"{service.title()}Task", f"{service.title()}StartRole") for service in SERVICES),
        ("tasks.yaml", "DatabasesTask", "DatabasesStartRole"),
    ):
        resources = templates[file]["Resources"]
        [found] = resources[logical]["Properties"]["ContainerDefinitions"]
        given = {name for each in found["Secrets"] for name in references(each)}
        statements = [
            each for policy in resources[of]["Properties"]["Policies"] for each in policy["PolicyDocument"]["Statement"]
        ]
        readable = {
            name
            for each in statements
            if each["Action"] == "secretsmanager:GetSecretValue"
            for name in references(each["Resource"])
        }
        if given != readable:
            wrong.append(f"{logical}: has {sorted(given)}, may read {sorted(readable)}")
        if resources[logical]["Properties"]["ExecutionRoleArn"] != {"GetAtt": f"{of}.Arn"}:
            wrong.append(f"{logical}: is started by another role")
    return wrong


def names(templates: Templates) -> list[str]:
    """Whatever has a name has the stage in it, so that two stages live in one account and region."""
    return [
        f"{file}: {name} of {logical} is the same in every stage"
        for file, template in templates.items()
        for logical, each in template["Resources"].items()
        for name, value in _names_in(each)
        if not STAGED & _named(value, template)
    ]


def _names_in(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if resource["Type"] not in WITHIN:
        properties = resource.get("Properties", {})
        configurations = [value for name, value in properties.items() if name.endswith("Config")]
        for each in (properties, *configurations):
            yield from ((name, value) for name, value in each.items() if name in NAMES)


def _named(value: Any, template: Mapping[str, Any]) -> set[str]:
    found = set(references(value)) | set(re.findall(r"\$\{([\w:]+)\}", json.dumps(value)))
    for each in list(found):  # the name of another resource
        properties = template["Resources"].get(each, {}).get("Properties", {})
        found |= set(references([properties.get(name) for name in NAMES]))
    return found


def permissions(templates: Templates) -> list[str]:
    """No statement allows everything of anything, but for those that AWS has no narrower form of."""
    wrong = []
    for file, template in templates.items():
        for logical, statement in _statements(template):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            wrong += [f"{file}: {logical} allows {each}" for each in actions if "*" in each]
            if (
                "Resource" in statement
                and "*" in json.dumps(statement["Resource"])
                and statement.get("Sid") not in EVERYTHING
            ):
                wrong.append(f"{file}: {logical}: {statement.get('Sid')} is not restricted to a resource")
            if "Principal" in statement and "Condition" not in statement:
                wrong.append(f"{file}: {logical} trusts {statement['Principal']} of any account")
    return wrong


def _statements(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical, each in template["Resources"].items():
        if each["Type"].partition("::")[2].partition("::")[0] not in {"IAM", "S3"}:
            continue
        properties = each.get("Properties", {})
        documents = [properties.get("PolicyDocument"), properties.get("AssumeRolePolicyDocument")]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", ())]
        for document in filter(None, documents):
            yield from ((logical, statement) for statement in document["Statement"])


def protection(templates: Templates) -> list[str]:
    """What can't be made again is kept, encrypted and not public; addresses of clients are CloudFront's word alone."""
    server = templates["database.yaml"]["Resources"]["Server"]
    properties = server["Properties"]
    attributes = templates["balancer.yaml"]["Resources"]["Balancer"]["Properties"]["LoadBalancerAttributes"]
    listener = of_type(templates["balancer.yaml"], "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    [bucket] = of_type(templates["page.yaml"], "AWS::S3::Bucket").values()
    proxies = {json.dumps(environment(templates, service)["TRUSTED_PROXIES"]) for service in SERVICES}
    public = templates["network.yaml"]["Outputs"]["PublicAddresses"]["Value"]["Sub"].split(",")
    subnets = of_type(templates["network.yaml"], "AWS::EC2::Subnet")
    [distribution] = of_type(templates["page.yaml"], "AWS::CloudFront::Distribution").values()
    rules = {
        "the database leaves no snapshot": {server["DeletionPolicy"], server["UpdateReplacePolicy"]} == {"Snapshot"},
        "the database is not encrypted": properties["StorageEncrypted"] is True,
        "the database is public": properties["PubliclyAccessible"] is False,
        "the database has no protection": properties["DeletionProtection"] == {"Ref": "DeletionProtection"},
        "the bucket is public": set(bucket["PublicAccessBlockConfiguration"].values()) == {True},
        "the load balancer changes X-Forwarded-For": attribute(attributes, "routing.http.xff_header_processing.mode")
        == "preserve",
        "a rule does not ask for CloudFront's secret": all(
            "X-Origin-Secret" in json.dumps(each["Conditions"]) for each in listener
        ),
        "the services trust other addresses than the load balancer's": proxies
        == {json.dumps({"Ref": "PublicAddresses"})}
        and public == [subnets[name]["CidrBlock"]["Sub"] for name in ("PublicSubnetA", "PublicSubnetB")],
        "CloudFront keeps errors": {
            each["ErrorCachingMinTTL"] for each in distribution["DistributionConfig"]["CustomErrorResponses"]
        }
        == {0},
    }
    return [rule for rule, holds in rules.items() if not holds]


def forwarded(templates: Templates, method: str, path: str, service: str = "") -> str | None:
    """Return the service to which the load balancer forwards a request of CloudFront, None for a 404.

    *service* is the header that page.yaml's function sets.
    """
    resources = of_type(templates["balancer.yaml"], "AWS::ElasticLoadBalancingV2::ListenerRule").values()
    for rule in sorted(resources, key=lambda each: int(each["Priority"])):
        if all(_meets(condition, method, path, service) for condition in rule["Conditions"]):
            [action] = rule["Actions"]
            return str(action["TargetGroupArn"]["Ref"]).removesuffix("Targets").lower()
    return None


def _meets(condition: Mapping[str, Any], method: str, path: str, service: str) -> bool:
    match condition:
        case {"Field": "path-pattern", "PathPatternConfig": {"Values": patterns}}:
            return any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), path) for each in patterns)
        case {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": methods}}:
            return method in methods
        case {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Origin-Secret"}}:
            return True
        case {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-Orderstream-Service", "Values": values},
        }:
            return service in values
    raise AssertionError(condition)


CHECKS: dict[str, Check] = {
    each.__name__: each
    for each in (ports, times, deployments, uses, variables, secrets, names, permissions, protection)
}
