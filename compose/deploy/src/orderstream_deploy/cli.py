"""The command line of `./run deploy`."""

from __future__ import annotations

import asyncio
import os
import re
from contextlib import closing
from pathlib import Path

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from orderstream_local.process import CommandFailedError
from orderstream_local.web_build import PageBuilder

from .clients import Aws
from .deployment import Deployment, Step
from .errors import DeployError
from .images import tag_of_checkout
from .stack import Change
from .templates import read_templates

__all__ = ["deploy"]

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,10}[a-z0-9]")  # as in compose/aws/stage.yaml


def _stage(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not _STAGE.fullmatch(name):
        raise click.BadParameter(f"{name!r} is none: 2 to 12 of a-z, 0-9 and -, a letter first, no - last")
    return name


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--stage",
    required=True,
    metavar="NAME",
    callback=_stage,
    help="Name of the deployment, 2-12 of a-z, 0-9 and -.",
)
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of compose/aws/stage.yaml; the others stay as they are.",
)
@click.option(
    "--tag",
    metavar="TAG",
    help="Images that were pushed before, to go back to them; the page stays as it is. Default: those of this commit.",
)
@click.option("--dry-run", is_flag=True, help="Print the steps and change nothing.")
@click.option("--delete", "is_deletion", is_flag=True, help="Delete the stage; its database leaves a snapshot.")
@click.option("--yes", is_flag=True, help="Do not ask, for CI; changes that may lose data are refused then.")
def deploy(*, stage: str, given: tuple[str, ...], tag: str | None, dry_run: bool, is_deletion: bool, yes: bool) -> None:
    """Deploy a stage of Orderstream to AWS, or delete it.

    AWS_REGION, or the region of the profile, and boto's own credentials say where. Exit status: 0 done, 1 not done,
    2 a wrong command line.
    """
    try:
        with closing(Aws(_region(), os.environ.get("AWS_ENDPOINT_URL") or None)) as aws:
            deployment = Deployment(
                aws,
                stage,
                _parameters(given),
                tag=tag or ("" if is_deletion else tag_of_checkout()),
                templates=read_templates(),
                page=None if tag else _built_page,
                agree=lambda changes: _agreed(changes, yes=yes),
            )
            steps = _deletion(deployment, confirmed=yes or dry_run) if is_deletion else _steps(deployment)
            click.echo(f"{deployment.stack.name}, account {aws.account}, {aws.region}")
            for number, step in enumerate(steps, 1):
                click.echo(f"[{number}/{len(steps)}] {step.what}")
                if not dry_run:
                    step.run()
            if not is_deletion and not dry_run:
                _print_addresses(deployment)
    except NoCredentialsError as error:
        text = "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise click.ClickException(text) from error
    except (DeployError, CommandFailedError, ClientError, BotoCoreError) as error:
        raise click.ClickException(str(error)) from error


def _region() -> str:
    region = os.environ.get("AWS_REGION") or boto3.Session().region_name  # AWS_DEFAULT_REGION, or the profile's
    if not region:
        raise DeployError("no AWS region: set AWS_REGION, or AWS_PROFILE to a profile that has one")
    return region


def _steps(deployment: Deployment) -> list[Step]:
    deployment.check()
    return deployment.steps()


def _deletion(deployment: Deployment, *, confirmed: bool) -> list[Step]:
    steps = deployment.deletion()
    if not confirmed and click.prompt("This deletes the stage. Its name, to confirm") != deployment.stage:
        raise DeployError("declined; nothing was changed")
    return steps


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    pairs = [each.partition("=") for each in given]
    if wrong := [name for name, is_pair, _ in pairs if not is_pair]:
        raise click.BadParameter(f"{wrong[0]} has no value", param_hint="--set")
    return {name: value for name, _, value in pairs}


def _built_page() -> Path:
    return asyncio.run(PageBuilder(click.echo).page())


def _agreed(changes: list[Change], *, yes: bool) -> bool:
    for each in changes:
        click.echo(f"    {each}")
    if yes:
        return not any(each.loses_data for each in changes)
    return click.confirm("Make these changes?")


def _print_addresses(deployment: Deployment) -> None:
    for name, value in deployment.addresses().items():
        click.echo(f"{name}: {value}")
    click.echo("\nFor the command orderstream:")
    for name, value in deployment.command_environment().items():
        click.echo(f"export {name}={value}")
