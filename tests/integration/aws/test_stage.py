"""The templates of a stage, applied to the emulator by the steps of `./run deploy`; services and command run on it.

What the emulator refuses is left out: `LEFT_OUT` in tests/support/emulated_stage.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

import orderstream_command
import service_common.sqs
from orderstream_deploy.clients import Aws
from orderstream_deploy.deployment import Deployment
from orderstream_deploy.errors import DeployError
from orderstream_deploy.images import Builder
from orderstream_deploy.templates import read_templates
from orderstream_local.emulator import emulator_python
from scaffold.registration import register
from tests.integration.aws.test_policies import (
    SELDOM,
    SERVICES,
    _found,
    _letters,
    _measured,
    _told,
    databases,
    running,
)
from tests.support.emulated_stage import LEFT_OUT, as_emulated
from tests.support.ports import free_port
from tests.support.recorded_calls import Call, Recorder
from tests.support.waiting import eventually

__all__ = ["databases"]

REGION = "us-east-1"
NOTHING: Mapping[str, str] = {}
MENDED_EMULATOR = Path(__file__).parents[2] / "support" / "mended_emulator.py"
TEMPLATES, LEFT = as_emulated(read_templates())
OPERATOR = "OperatorPolicyArn"
# of the command, by --follow, which streams for as long as somebody looks
FOLLOWING = {"logs:StartLiveTail", "logs:DescribeLogGroups"}
# of an Insights query, which the emulator can't do, so that the command reads the lines instead
INSIGHTS = {"logs:StartQuery", "logs:GetQueryResults"}


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    """The URL of an emulator with all services of AWS that it has."""
    port = free_port()
    python = asyncio.run(emulator_python())
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "PERSIST_STATE": "0",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "ERROR",
        "MINISTACK_REGION": REGION,
    }
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([python, MENDED_EMULATOR], env=environment, cwd=folder)
        url = f"http://127.0.0.1:{port}"
        try:
            _wait_for(f"{url}/_ministack/health")
            yield url
        finally:
            process.terminate()
            process.wait()


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(url, timeout=1):  # noqa: S310 - the emulator's
            return
        time.sleep(0.1)
    raise TimeoutError(url)


@pytest.fixture(scope="module")
def aws(emulator: str) -> Iterator[Aws]:
    aws = Aws(REGION, emulator)
    yield aws
    aws.close()


class Deployer:
    """`./run deploy` without what the emulator lacks: a registry to push to, and containers."""

    def __init__(self, aws: Aws, page: Path) -> None:
        self.aws = aws
        self.page = page
        self.commands: list[Sequence[str]] = []
        self.tasks: list[str] = []
        self.changes = 0
        self.templates = TEMPLATES

    def deployment(
        self, stage: str, tag: str, given: Mapping[str, str] = NOTHING, *, with_page: bool = True
    ) -> Deployment:
        deployment = Deployment(
            self.aws,
            stage,
            given,
            tag,
            self.templates,
            (lambda: self.page) if with_page else None,
            self._agree,
            builder=lambda: Builder("docker", self._run),
            databases=lambda _, outputs: self.tasks.append(outputs["DatabasesTask"]),
            poll_s=0.05,
        )
        deployment.check()
        return deployment

    def deploy(self, stage: str, tag: str, given: Mapping[str, str] = NOTHING, *, with_page: bool = True) -> Deployment:
        deployment = self.deployment(stage, tag, given, with_page=with_page)
        for step in deployment.steps():
            step.run()
            assert self.images(stage).items() <= self.pushed(stage), step.what
        return deployment

    def images(self, stage: str) -> dict[str, str]:
        """Return the tag of the image that each service of a stage runs."""
        ecs, cluster, found = self.aws.client("ecs"), f"orderstream-{stage}", {}
        if not ecs.describe_clusters(clusters=[cluster])["clusters"]:
            return {}
        for arn in ecs.list_services(cluster=cluster)["serviceArns"]:
            [service] = ecs.describe_services(cluster=cluster, services=[arn])["services"]
            task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
            name, _, tag = task["containerDefinitions"][0]["image"].rpartition("/")[2].partition(":")
            found[name] = tag
        return found

    def pushed(self, stage: str) -> set[tuple[str, str]]:
        """Return name and tag of each image in the repositories of a stage."""
        ecr, prefix = self.aws.client("ecr"), f"orderstream-{stage}/"
        names = [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]]
        return {
            (name.removeprefix(prefix), image["imageTag"])
            for name in names
            if name.startswith(prefix)
            for image in ecr.list_images(repositoryName=name)["imageIds"]
        }

    def _run(self, command: Sequence[str], _stdin: bytes | None) -> str:
        self.commands.append(command)
        if command[1] == "push":
            repository, _, tag = command[2].partition("/")[2].partition(":")
            self.aws.client("ecr").put_image(repositoryName=repository, imageTag=tag, imageManifest=command[2])
        return ""

    def _agree(self, changes: list[Any]) -> bool:
        self.changes += len(changes)
        return True


def first(stage: str) -> dict[str, str]:
    """What a first deployment has to be told."""
    return {
        "OriginDomain": f"origin.{stage}.example.com",
        "Certificate": "arn:aws:acm:us-east-1:000000000000:certificate/1",
        "SignInDomain": f"shop-{stage}",
        "DeletionProtection": "false",
    }


@pytest.fixture(scope="module")
def deployer(aws: Aws) -> Iterator[Deployer]:
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder)
        (page / "index.html").write_text('<app-root ngCspNonce="CSP_NONCE"></app-root>')
        (page / "main-ABCD1234.js").write_text("1")
        (page / "favicon.svg").write_text("<svg/>")
        yield Deployer(aws, page)


@pytest.fixture(scope="module")
def prod(deployer: Deployer) -> Deployment:
    return deployer.deploy("prod", "v1", first("prod"))


def resources(aws: Aws, stack: str) -> dict[str, str]:
    """Return type and physical id of all that a stack has, nested stacks resolved."""
    found: dict[str, str] = {}
    pages = aws.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for each in (each for page in pages for each in page["StackResourceSummaries"]):
        if each["ResourceType"] == "AWS::CloudFormation::Stack":
            found |= resources(aws, each["PhysicalResourceId"])
        elif each["ResourceType"] != "AWS::Cognito::UserPoolGroup":  # its name is one of its pool's
            found[each["PhysicalResourceId"]] = each["ResourceType"]
    return found


def test_only_what_is_listed_is_left_out() -> None:
    assert LEFT == LEFT_OUT


def test_a_first_deployment_says_what_it_needs(deployer: Deployer) -> None:
    with pytest.raises(DeployError, match="OriginDomain, Certificate, AuthIssuer, AuthAudience"):
        deployer.deployment("new", "v1")
    with pytest.raises(DeployError, match="no parameter Databaseclass"):
        deployer.deployment("new", "v1", {**first("new"), "Databaseclass": "db.r8g.large"})
    with pytest.raises(DeployError, match="no images have the tag v1"):
        deployer.deployment("new", "v1", first("new"), with_page=False)
    with pytest.raises(DeployError, match="needs --set for PageCertificate"):
        deployer.deployment("new", "v1", {**first("new"), "PageDomain": "shop.example.com"})
    with pytest.raises(DeployError, match="Certificate is of eu-west-1, and has to be of us-east-1"):
        deployer.deployment("new", "v1", {**first("new"), "Certificate": "arn:aws:acm:eu-west-1:1:certificate/1"})


@pytest.mark.usefixtures("prod")
def test_images_are_built_and_pushed_for_the_stage(deployer: Deployer) -> None:
    pushed = [
        command[2] for command in deployer.commands if command[:2] == ("docker", "push") and "prod/" in command[2]
    ]
    assert pushed == [
        f"000000000000.dkr.ecr.us-east-1.amazonaws.com/orderstream-prod/{name}:v1"
        for name in ("order", "inventory", "processing", "notification", "databases")
    ]


def test_page_is_in_the_bucket_with_its_headers_and_knows_how_to_sign_in(prod: Deployment, aws: Aws) -> None:
    outputs = prod.stack.outputs()
    s3, bucket = aws.client("s3"), outputs["FilesBucket"]
    kept = {key: s3.head_object(Bucket=bucket, Key=key)["CacheControl"] for key in ("main-ABCD1234.js", "favicon.svg")}
    assert kept == {"main-ABCD1234.js": "public, max-age=31536000, immutable", "favicon.svg": "no-cache"}
    config = json.loads(s3.get_object(Bucket=bucket, Key="config.json")["Body"].read())
    assert config["order"] == "/api"
    assert config["auth"]["issuer"] == outputs["AuthIssuer"]
    assert config["auth"]["clientId"] == outputs["AuthAudience"]


def test_two_stages_share_nothing_and_one_is_deleted_without_the_other(
    prod: Deployment, deployer: Deployer, aws: Aws
) -> None:
    other = deployer.deploy("test", "v1", first("test"))
    mine, others = resources(aws, prod.stack.name), resources(aws, other.stack.name)
    assert len(mine) > 100
    assert {name: mine[name] for name in set(mine) & set(others)} == {}
    for step in other.deletion():
        step.run()
    assert other.stack.description() is None
    assert resources(aws, prod.stack.name) == mine


def test_another_release_and_back_leave_parameters_as_they_are(prod: Deployment, deployer: Deployer) -> None:
    before = prod.stack.parameters()
    deployer.deploy("prod", "v2")
    tags = (f"{name.capitalize()}Tag" for name in ("databases", *SERVICES))
    assert prod.stack.parameters() == before | dict.fromkeys(tags, "v2")
    deployer.deploy("prod", "v1", with_page=False)
    assert prod.stack.parameters() == before


@pytest.mark.usefixtures("prod")
def test_images_are_built_for_the_architecture_that_is_asked_for(deployer: Deployer) -> None:
    before = len(deployer.commands)
    deployer.deploy("prod", "arm", {"Architecture": "ARM64"})
    builds = [command for command in deployer.commands[before:] if command[1] == "build"]
    assert {command[command.index("--platform") + 1] for command in builds} == {"linux/arm64"}
    deployer.deploy("prod", "v1", {"Architecture": "X86_64"}, with_page=False)


@pytest.fixture
def with_audit(deployer: Deployer, tmp_path: Path) -> Iterator[None]:
    """A checkout in which `./run new audit` has made a service."""
    register(tmp_path, {"name": "audit", "port": 8084})
    deployer.templates, _ = as_emulated(read_templates() | read_templates(tmp_path / "compose" / "aws"))
    yield
    deployer.templates = TEMPLATES


def test_a_service_comes_to_a_stage_that_is_there_and_stays_when_the_others_go_back(
    deployer: Deployer, request: pytest.FixtureRequest
) -> None:
    deployer.deploy("grown", "v1", first("grown"))
    request.getfixturevalue("with_audit")
    again = deployer.deployment("grown", "v2")
    assert "make the repository of audit and what else it needs to run" in [step.what for step in again.steps()]
    deployer.deploy("grown", "v2")
    assert deployer.images("grown") == dict.fromkeys([*SERVICES, "audit"], "v2")
    commands = len(deployer.commands)
    deployer.deploy("grown", "v1", with_page=False)
    assert deployer.images("grown") == dict.fromkeys(SERVICES, "v1") | {"audit": "v2"}
    assert len(deployer.commands) == commands


def test_a_protected_database_is_not_deleted(prod: Deployment, deployer: Deployer) -> None:
    deployer.deploy("prod", "v1", {"DeletionProtection": "true"})
    with pytest.raises(DeployError, match="DeletionProtection=false"):
        prod.deletion()
    deployer.deploy("prod", "v1", {"DeletionProtection": "false"})


def is_protected(aws: Aws, stage: str) -> bool:
    """Whether RDS refuses to delete the database of a stage."""
    asked = {"DBInstanceIdentifier": f"orderstream-{stage}"}
    return bool(aws.client("rds").describe_db_instances(**asked)["DBInstances"][0]["DeletionProtection"])


def test_a_stage_is_protected_from_its_databases_on_and_can_be_deleted_before(deployer: Deployer, aws: Aws) -> None:
    deployment = deployer.deployment("half", "v1", {**first("half"), "DeletionProtection": "true"})
    steps = deployment.steps()
    for step in steps[:2]:
        step.run()
    assert not is_protected(aws, "half")
    assert deployment.deletion()
    for step in steps[2:]:
        step.run()
    assert is_protected(aws, "half")
    with pytest.raises(DeployError, match="DeletionProtection=false"):
        deployment.deletion()


def tasks(aws: Aws) -> dict[str, dict[str, str]]:
    """Return the environment of each service as ECS has it."""
    ecs, found = aws.client("ecs"), {}
    for service in SERVICES:
        [container] = ecs.describe_task_definition(taskDefinition=f"orderstream-prod-{service}")["taskDefinition"][
            "containerDefinitions"
        ]
        found[service] = {each["name"]: each["value"] for each in container["environment"]}
    return found


def policies(aws: Aws, service: str) -> list[str]:
    """Return the documents of the policies that the role of a service has."""
    iam = aws.client("iam")
    attached = iam.list_attached_role_policies(RoleName=f"orderstream-prod-{REGION}-{service}")["AttachedPolicies"]
    return [document(aws, each["PolicyArn"]) for each in attached]


def document(aws: Aws, arn: str) -> str:
    iam = aws.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return json.dumps(iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])


def refused(aws: Aws, documents: list[str], calls: set[Call]) -> set[Call]:
    """Return the calls that IAM does not allow with these policies."""
    if not documents:
        return calls
    simulate = aws.client("iam").simulate_custom_policy
    return {
        (action, resource)
        for action, resource in calls
        if simulate(PolicyInputList=documents, ActionNames=[action], ResourceArns=[resource])["EvaluationResults"][0][
            "EvalDecision"
        ]
        != "allowed"
    }


def allowed(documents: list[str]) -> set[Call]:
    """Return all pairs of action and resource that policies without wildcards allow."""
    return {
        (action, resource)
        for each in documents
        for statement in json.loads(each)["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
    }


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


@pytest.mark.usefixtures("prod")
async def test_services_of_a_stage_work_on_it_with_the_rights_of_their_roles_and_need_them(
    aws: Aws, emulator: str, databases: dict[str, str]
) -> None:
    recorders = {service: Recorder(emulator) for service in SERVICES}
    ports = {service: free_port() for service in SERVICES}
    elsewhere = {
        **{name: os.environ[name] for name in ("PATH", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")},
        "SERVICE_TOKEN": "secret",
        "AUTH_MODE": "open",
        "HOST": "127.0.0.1",
        "TRUSTED_PROXIES": "",
        **{f"{name.upper()}_URL": f"http://127.0.0.1:{ports[name]}" for name in ("inventory", "order")},
        "RECONCILE_AFTER_S": "30",
    }
    environments = await asyncio.to_thread(tasks, aws)
    queues = {each["PROCESSING_QUEUE"] for each in environments.values() if "PROCESSING_QUEUE" in each}
    assert queues == {"orderstream-prod-processing-queue"}
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            own = {
                "PORT": str(ports[service]),
                "DATABASE_URL": databases[service],
                "AWS_ENDPOINT_URL": await stack.enter_async_context(recorders[service].running()),
                "SHUTDOWN_GRACE_S": "6",
            }
            await stack.enter_async_context(running(service, environments[service] | elsewhere | own))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
        for service in SERVICES:
            await eventually(partial(_found, http, f"{urls[service]}/health/ready"), f"{service} ready")
        await http.post(f"{urls['inventory']}/inventory", json={"productId": "a", "stock": 5})
        await http.post(f"{urls['order']}/orders", json={"orderItems": [{"productId": "a", "quantity": 1}]})
        await eventually(partial(_told, http, f"{urls['notification']}/notifications", "CLOSED"), "the order closed")
        for queue in ("processing", "notification"):
            await asyncio.to_thread(send_poison, aws, f"orderstream-prod-{queue}-queue")
            waiting = partial(asyncio.to_thread, dead_letters, aws, f"orderstream-prod-{queue}-queue-dlq")
            await eventually(waiting, f"dead letter of {queue}")
            depth = f'orderstream_sqs_messages{{queue="orderstream-prod-{queue}-queue-dlq"'
            await eventually(
                partial(_measured, http, f"{urls[queue]}/metrics", depth), f"dead letters of {queue} counted"
            )
            for verb in ("redrive", "discard"):
                letters = f"{urls[queue]}/dead-letters"
                found = await eventually(partial(_letters, http, letters), f"dead letters to {verb} of {queue}")
                async with http.post(f"{letters}/{verb}", json={"ids": found}) as response:
                    assert (await response.json())["done"] == found

    for service in SERVICES:
        documents = await asyncio.to_thread(policies, aws, service)
        assert refused(aws, documents, recorders[service].calls) == set()
        unused = allowed(documents) - recorders[service].calls
        assert {action for action, _ in unused} <= {SELDOM}
    assert refused(aws, policies(aws, "order"), recorders["processing"].calls) != set()


def send_poison(aws: Aws, queue: str) -> None:
    sqs = aws.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody="poison")


def dead_letters(aws: Aws, queue: str) -> bool | None:
    sqs = aws.client("sqs")
    asked = {
        "QueueUrl": sqs.get_queue_url(QueueName=queue)["QueueUrl"],
        "AttributeNames": ["ApproximateNumberOfMessages"],
    }
    return int(sqs.get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"]) > 0 or None


async def test_command_works_with_the_policy_of_operators_and_needs_all_of_it(
    prod: Deployment, aws: Aws, emulator: str
) -> None:
    recorder, environment = Recorder(emulator), prod.command_environment()
    dead = environment["PROCESSING_QUEUE"] + "-dlq"
    await asyncio.to_thread(send_poison, aws, dead)
    await asyncio.to_thread(send_poison, aws, environment["NOTIFICATION_QUEUE"] + "-dlq")
    async with recorder.running() as url:
        variables = {**environment, "AWS_ENDPOINT_URL": url, "AUTH_MODE": "open", "PATH": os.environ["PATH"]}
        variables |= {name: os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        for arguments in (
            ("dlq", "list"),
            ("dlq", "redrive", "--yes"),
            ("logs", "tail", "--since", "1h"),
            ("status",),
        ):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "orderstream_command", *arguments),
                env=variables,
                stdout=asyncio.subprocess.DEVNULL,
            )
            assert await process.wait() in {0, 1, 3}  # no service is there to be asked
    documents = [document(aws, prod.stack.outputs()[OPERATOR])]
    assert refused(aws, documents, recorder.calls) == set()
    used = {action for action, _ in recorder.calls}
    assert {action for action, _ in allowed(documents)} - used == FOLLOWING | INSIGHTS


def test_policies_name_each_operation_that_the_code_asks_for(prod: Deployment, aws: Aws) -> None:
    document_of_operators = document(aws, prod.stack.outputs()[OPERATOR])
    for package in (orderstream_command, service_common.sqs):
        for file in Path(str(package.__file__)).parent.glob("*.py"):
            for method in re.findall(r"_(?:client|cloudwatch)\.([a-z_]+)\(", file.read_text(encoding="utf-8")):
                operation = "".join(each.title() for each in method.removesuffix("_batch").split("_"))
                assert f":{operation}" in document_of_operators, f"{file.name}: {method}"
