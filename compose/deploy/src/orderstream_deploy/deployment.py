"""The steps of a deployment, in the order that images, databases and page need."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orderstream_local.layout import SERVICES

from .clients import Aws
from .databases import make_databases
from .errors import DeployError
from .images import Builder, Images, find_builder
from .page import config_of_page, empty_bucket, index_parameter, upload_page
from .stack import POLL_S, Change, Stack
from .templates import ROOT_TEMPLATE, upload_templates

__all__ = ["Deployment", "Step"]

_PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"
_QUEUE = re.compile(r"(\w+)QueueName: ")
_IMAGE = re.compile(r"RepositoryName: .*/(\w+)\"")
_DATABASES = "databases"
_NEEDED = ("OriginDomain", "Certificate")
_CERTIFICATE = re.compile(r"arn:[\w-]+:acm:([\w-]+):")
_REGION_OF_CLOUDFRONT = "us-east-1"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it does, for a person, and how."""

    what: str
    run: Callable[[], object]


@dataclass(slots=True)
class Deployment:
    """A deployment of one stage.

    Attributes:
        given: parameters of stage.yaml; the others stay as they are.
        tag: of the images.
        templates: by name.
        page: builds the page and returns its folder; None leaves the page as it is, and builds no images.
        agree: asks whether the changes of the stack are to be made.
        builder: finds what builds images.
        databases: runs the task that makes the databases.
        poll_s: between two looks at the stack, in seconds.
    """

    aws: Aws
    stage: str
    given: Mapping[str, str]
    tag: str
    templates: Mapping[str, str]
    page: Callable[[], Path] | None
    agree: Callable[[list[Change]], bool]
    builder: Callable[[], Builder] = find_builder
    databases: Callable[[Any, Mapping[str, str]], None] = make_databases
    poll_s: float = POLL_S
    stack: Stack = field(init=False)
    images: Images = field(init=False)
    _url: str = ""
    _folder: Path | None = None

    def __post_init__(self) -> None:
        self.stack = Stack(self.aws.client("cloudformation"), f"orderstream-{self.stage}", poll_s=self.poll_s)
        self.images = Images(self.aws.client("ecr"), self.stage, _IMAGE.findall(self.templates["registry.yaml"]))

    def check(self) -> None:
        """Find what would fail much later.

        Raises:
            DeployError: a parameter is missing or unknown, a certificate is of another region, or there are no images
                with the tag.
        """
        known = {**self.stack.parameters(), **self.given}
        unknown = [name for name in self.given if f"\n  {name}:\n" not in self.templates[ROOT_TEMPLATE]]
        if unknown:
            raise DeployError(f"{ROOT_TEMPLATE} has no parameter {', '.join(unknown)}")
        needed = (*_NEEDED, "PageCertificate") if known.get("PageDomain") else _NEEDED
        missing = [name for name in needed if not known.get(name)]
        if not known.get("SignInDomain"):
            missing += [name for name in ("AuthIssuer", "AuthAudience") if not known.get(name)]
        if missing:
            hint = " (or SignInDomain, for a user pool)" if "AuthIssuer" in missing else ""
            raise DeployError(f"the stage needs --set for {', '.join(missing)}{hint}")
        for name, region in (("Certificate", self.aws.region), ("PageCertificate", _REGION_OF_CLOUDFRONT)):
            found = _CERTIFICATE.match(known.get(name, ""))
            if found and found[1] != region:
                raise DeployError(f"{name} is of {found[1]}, and has to be of {region}")
        if self.page is None and _DATABASES not in self.images.tagged(self.tag):
            raise DeployError(f"no images have the tag {self.tag}")

    def steps(self) -> list[Step]:
        """Return what is to be done."""
        parameters = self.stack.parameters()
        steps = [Step("put the templates into S3", self._upload)]
        if not parameters:
            steps.append(
                Step(
                    f"create the stack {self.stack.name} without services; a database takes a quarter of an hour",
                    lambda: self._apply({"CloudFrontPrefixList": self._prefix_list()}),
                )
            )
        elif self.page and (new := ", ".join(self.images.without_repository())):
            steps.append(Step(f"make the repository of {new} and what else it needs to run", lambda: self._apply({})))
        if self.page:
            names = ", ".join(self.images.names)
            steps.append(
                Step(f"build and push the images that are not there with the tag {self.tag}: {names}", self._push)
            )
        steps += [
            Step(f"give the task that makes the databases its image {self.tag}", self._apply_databases),
            Step("run that task", self._make_databases),
        ]
        if self.page:
            steps.append(Step("build the page and put its files into S3", self._upload_page))
        steps.append(Step(self._replacement(parameters), self._apply_services))
        if self.page:
            steps.append(Step("have CloudFront forget the old page", self._invalidate))
        return steps

    def _services(self) -> list[str]:
        """Return the services of which there is, or will be, an image with the tag."""
        found = self.images.names if self.page else self.images.tagged(self.tag)
        return [name for name in found if name != _DATABASES]

    def _replacement(self, parameters: Mapping[str, str]) -> str:
        services = self._services()
        before = ", ".join(sorted({parameters.get(_tag_of(each)) or "none" for each in services}))
        kept = ", ".join(each for each in self.images.names if each not in {_DATABASES, *services})
        stays = f"; {kept} stays as it is, without an image of that release" if kept else ""
        return f"replace the services, {before} by {self.tag}, task by task{stays}"

    def _upload(self) -> None:
        self._url = upload_templates(self.aws, self.templates)

    def _prefix_list(self) -> str:
        found = self.aws.client("ec2").describe_managed_prefix_lists(
            Filters=[{"Name": "prefix-list-name", "Values": [_PREFIX_LIST]}]
        )["PrefixLists"]
        if not found:
            raise DeployError(f"the region has no prefix list {_PREFIX_LIST}")
        return str(found[0]["PrefixListId"])

    def _apply(self, changed: Mapping[str, str]) -> None:
        fixed = {"Stage": self.stage, "TemplatesUrl": self._url}
        self.stack.deploy(f"{self._url}/{ROOT_TEMPLATE}", {**self.given, **fixed, **changed}, self.agree)

    def _push(self) -> None:
        architecture = {**self.stack.parameters(), **self.given}.get("Architecture", "X86_64")
        self.images.push_missing(self.tag, architecture, self.builder)

    def _apply_databases(self) -> None:
        self._apply({"DatabasesTag": self.tag})

    def _make_databases(self) -> None:
        self.databases(self.aws.client("ecs"), self.stack.outputs())

    def _upload_page(self) -> None:
        assert self.page is not None
        outputs = self.stack.outputs()
        self._folder = self.page()
        upload_page(self.aws.client("s3"), outputs["FilesBucket"], self._folder, config_of_page(outputs))

    def _apply_services(self) -> None:
        page = {"IndexPage": index_parameter(self._folder)} if self._folder else {}
        self._apply({_tag_of(service): self.tag for service in self._services()} | page)

    def _invalidate(self) -> None:
        self.aws.client("cloudfront").create_invalidation(
            DistributionId=self.stack.outputs()["DistributionId"],
            InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())},
        )

    def addresses(self) -> dict[str, str]:
        """Return where the stage is, and what its people need."""
        outputs, parameters = self.stack.outputs(), self.stack.parameters()
        found = {"page": outputs["Page"], "sign-in issuer": outputs["AuthIssuer"]}
        if not parameters.get("HostedZone"):
            found[f"point {parameters['OriginDomain']} to"] = outputs["BalancerAddress"]
        if parameters.get("PageDomain"):
            found[f"point {parameters['PageDomain']} to"] = outputs["DistributionDomain"]
        return found | {"policy of operators": outputs["OperatorPolicyArn"]}

    def command_environment(self) -> dict[str, str]:
        """Return the variables with which the command `orderstream` finds what can be reached from outside."""
        prefix = f"orderstream-{self.stage}-"
        consumers = sorted(set(_QUEUE.findall(self.templates[ROOT_TEMPLATE])))
        return {
            "AWS_REGION": self.aws.region,
            **{f"{name.upper()}_QUEUE": f"{prefix}{name.lower()}-queue" for name in consumers},
            **{f"{name.upper()}_LOG_GROUP": f"{prefix}{name}-service-logs" for name in SERVICES},
            "PROCESSING_URL": f"{self.stack.outputs()['Page']}/api",
        }

    def deletion(self) -> list[Step]:
        """Return the steps that delete the stage.

        Raises:
            DeployError: there is none, or its database is protected.
        """
        outputs, parameters = self.stack.outputs(), self.stack.parameters()
        if not parameters:
            raise DeployError(f"there is no stack {self.stack.name}")
        if parameters.get("DatabasesTag") and parameters.get("DeletionProtection") == "true":
            raise DeployError("the database is protected: deploy with --set DeletionProtection=false first")
        kept = "the database leaves a snapshot, the user pool stays"
        steps = []
        if bucket := outputs.get("FilesBucket"):
            steps.append(Step(f"empty the bucket {bucket}", lambda: empty_bucket(self.aws.client("s3"), bucket)))
        return [*steps, Step(f"delete the stack {self.stack.name}; {kept}", self.stack.delete)]


def _tag_of(service: str) -> str:
    """Return the parameter of stage.yaml with the tag of a service's image."""
    return f"{service.capitalize()}Tag"
