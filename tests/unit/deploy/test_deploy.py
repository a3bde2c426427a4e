"""What `./run deploy` decides: images, the task of the databases, the page's files, and changes that lose data."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orderstream_deploy import cli, images
from orderstream_deploy.databases import make_databases
from orderstream_deploy.errors import DeployError
from orderstream_deploy.images import Builder, Images, find_builder, tag_of_checkout
from orderstream_deploy.page import config_of_page, index_parameter, objects_of_page
from orderstream_deploy.stack import Change
from orderstream_deploy.templates import read_templates

OUTPUTS = {
    "ClusterArn": "cluster",
    "DatabasesTask": "databases:1",
    "PrivateSubnets": "subnet-a,subnet-b",
    "TaskGroup": "sg-tasks",
}


class Registry:
    """ECR with the images that were pushed before."""

    class exceptions:  # noqa: N801 - as boto has it
        class ImageNotFoundException(Exception): ...  # noqa: N818

        class RepositoryNotFoundException(Exception): ...  # noqa: N818

    def __init__(self, *pushed: str) -> None:
        self.pushed = pushed

    def describe_images(self, *, repositoryName: str, imageIds: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        if f"{repositoryName}:{imageIds[0]['imageTag']}" not in self.pushed:
            raise self.exceptions.ImageNotFoundException
        return {"imageDetails": [{}]}

    def get_authorization_token(self) -> dict[str, Any]:
        token = base64.b64encode(b"AWS:secret").decode()
        return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": "https://registry.example.com"}]}

    def describe_repositories(self, *, repositoryNames: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"repositories": [{"repositoryUri": f"registry.example.com/{repositoryNames[0]}"}]}


class Ecs:
    """ECS with one task and how it goes on."""

    def __init__(self, *states: dict[str, Any], failures: Sequence[dict[str, str]] = ()) -> None:
        self.states = iter(states)
        self.failures = failures
        self.started: dict[str, Any] = {}

    def run_task(self, **asked: Any) -> dict[str, Any]:
        self.started = asked
        return {"failures": list(self.failures), "tasks": [{"taskArn": "task"}]}

    def describe_tasks(self, **_: Any) -> dict[str, Any]:
        return {"tasks": [next(self.states)]}


def stopped(**container: Any) -> dict[str, Any]:
    return {"lastStatus": "STOPPED", "containers": [container]}


def answering(answers: dict[str, str], seen: list[tuple[Sequence[str], bytes | None]]) -> images.Runner:
    def runner(command: Sequence[str], stdin: bytes | None) -> str:
        seen.append((command, stdin))
        return answers.get(command[1], "")

    return runner


def test_images_that_are_there_are_not_built_again() -> None:
    seen: list[tuple[Sequence[str], bytes | None]] = []
    builder = Builder("buildah", answering({}, seen))
    found = Images(Registry("orderstream-prod/databases:v1"), "prod", ("databases", "order"))
    assert found.push_missing("v1", "ARM64", lambda: builder) == ["order"]
    (sign_in, password), (build, _), (push, _) = seen
    assert (sign_in[-1], password) == ("registry.example.com", b"secret")
    assert "secret" not in " ".join(sign_in)  # where other users would see it
    assert build[build.index("--platform") + 1] == "linux/arm64"
    assert "--ignorefile" in build
    assert push == ("buildah", "push", "registry.example.com/orderstream-prod/order:v1")


def test_no_builder_is_needed_when_all_images_are_there() -> None:
    def fail() -> Builder:
        raise DeployError("none")

    assert Images(Registry("orderstream-a/order:1"), "a", ("order",)).push_missing("1", "X86_64", fail) == []


def test_docker_or_buildah_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployError, match="neither is there"):
        find_builder()
    (tmp_path / "buildah").touch(mode=0o755)
    assert find_builder().program == "buildah"
    (tmp_path / "docker").touch(mode=0o755)
    assert find_builder().program == "docker"


def test_tag_is_the_commit_and_a_changed_checkout_has_none() -> None:
    assert tag_of_checkout(answering({"rev-parse": "0123456789ab\n"}, [])) == "0123456789ab"
    with pytest.raises(DeployError, match="2 files differ"):
        tag_of_checkout(answering({"status": " M run\n M tox.ini\n"}, []))


def test_databases_are_made_inside_the_network() -> None:
    ecs = Ecs({"lastStatus": "PENDING"}, stopped(exitCode=0))
    make_databases(ecs, OUTPUTS, poll_s=0)
    network = ecs.started["networkConfiguration"]["awsvpcConfiguration"]
    assert network == {
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-tasks"],
        "assignPublicIp": "DISABLED",
    }


@pytest.mark.parametrize(
    ("ecs", "reason"),
    [
        (Ecs(stopped(exitCode=3)), "status 3"),
        (Ecs(stopped(reason="CannotPullContainerError")), "CannotPullContainerError"),
        (Ecs(failures=[{"reason": "RESOURCE:FARGATE"}]), "RESOURCE:FARGATE"),
    ],
)
def test_databases_that_were_not_made_end_the_deployment(ecs: Ecs, reason: str) -> None:
    with pytest.raises(DeployError, match=reason):
        make_databases(ecs, OUTPUTS, poll_s=0)


def test_files_of_the_page_have_their_types_and_lifetimes(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    for name in ("index.html", "main-ABCD1234.js", "main-ABCD1234.js.br", "favicon.svg", "media/font-ABCD1234.woff2"):
        (tmp_path / name).write_text("x")
    found = {key: (headers["CacheControl"], headers["ContentType"]) for key, _, headers in objects_of_page(tmp_path)}
    forever = "public, max-age=31536000, immutable"
    assert found == {
        "favicon.svg": ("no-cache", "image/svg+xml"),
        "main-ABCD1234.js": (forever, "text/javascript"),
        "media/font-ABCD1234.woff2": (forever, "font/woff2"),
    }


def test_index_is_a_string_of_javascript_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text('<p title="a">\n\\ ü</p>', encoding="utf-8")
    given = index_parameter(tmp_path)
    assert given.isascii()
    assert json.loads(given) == '<p title="a">\n\\ ü</p>'


def test_page_signs_in_as_the_first_audience() -> None:
    config = config_of_page({"AuthIssuer": "https://issuer.example.com", "AuthAudience": "page,api"})
    assert config["auth"]["clientId"] == "page"
    assert config["notification"] == "/api"


@pytest.mark.parametrize(
    ("change", "loses"),
    [
        (Change("s", "Add", "Server", "AWS::RDS::DBInstance", "False"), False),
        (Change("s", "Modify", "Server", "AWS::RDS::DBInstance", "False"), False),
        (Change("s", "Modify", "Server", "AWS::RDS::DBInstance", "Conditional"), True),
        (Change("s", "Modify", "Queue", "AWS::SQS::Queue", "True"), True),
        (Change("s", "Remove", "Pool", "AWS::Cognito::UserPool", "False"), True),
        (Change("s", "Modify", "Task", "AWS::ECS::TaskDefinition", "True"), False),
    ],
)
def test_changes_that_may_lose_data_are_marked_and_refused_without_a_person(change: Change, loses: bool) -> None:
    assert change.loses_data is loses
    assert ("! data" in str(change)) is loses
    assert cli._agreed([change], yes=True) is not loses


@pytest.mark.parametrize("stage", ["", "a", "A_B", "1st", "prod-", "a-name-of-thirteen"])
def test_name_that_no_stage_can_have_is_a_wrong_command_line(stage: str) -> None:
    result = CliRunner().invoke(cli.deploy, ["--stage", stage, "--dry-run"])
    assert result.exit_code == 2
    assert "2 to 12 of a-z, 0-9 and -" in result.output


def test_pattern_of_a_stage_is_that_of_the_template() -> None:
    assert cli._STAGE.pattern in read_templates()["stage.yaml"]


@pytest.fixture
def aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of AWS's profiles, which is not there yet; nothing else says who or where."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path / "config"


@pytest.mark.usefixtures("aws_config")
def test_missing_region_and_credentials_are_told_with_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["--stage", "prod", "--tag", "v1", "--dry-run"]
    result = CliRunner().invoke(cli.deploy, arguments)
    assert (result.exit_code, "set AWS_REGION" in result.output) == (1, True)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    result = CliRunner().invoke(cli.deploy, arguments)
    assert (result.exit_code, "set AWS_PROFILE" in result.output) == (1, True)
    monkeypatch.setenv("AWS_PROFILE", "misspelt")
    result = CliRunner().invoke(cli.deploy, arguments)
    assert (result.exit_code, "misspelt" in result.output) == (1, True)


def test_region_is_that_of_the_environment_or_else_of_the_profile(
    aws_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws_config.write_text("[profile shop]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "shop")
    assert cli._region() == "eu-west-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert cli._region() == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    assert cli._region() == "eu-west-3"


def test_parameter_without_a_value_is_a_wrong_command_line() -> None:
    result = CliRunner().invoke(cli.deploy, ["--stage", "prod", "--set", "Certificate", "--tag", "v1"])
    assert result.exit_code == 2
    assert "Certificate has no value" in result.output
