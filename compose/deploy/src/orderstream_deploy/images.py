"""The images of the services and of the databases' task: built by docker or buildah, whichever is there, and pushed."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from orderstream_local.layout import COMPOSE, ROOT

from .errors import DeployError

__all__ = ["Builder", "Images", "find_builder", "tag_of_checkout"]

_PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}

Runner = Callable[[Sequence[str], bytes | None], str]


def run(command: Sequence[str], stdin: bytes | None = None) -> str:
    """Run a command in the checkout, its stderr on ours, and return its stdout.

    Raises:
        DeployError: it failed.
    """
    done = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, cwd=ROOT, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise DeployError(f"{' '.join(command[:3])} … failed with status {done.returncode}")
    return done.stdout.decode()


def tag_of_checkout(runner: Runner = run) -> str:
    """Return the tag of the images: that of the commit.

    Raises:
        DeployError: there are changes that are in no commit; nobody could tell what runs.
    """
    if changed := runner(("git", "status", "--porcelain"), None).strip():
        raise DeployError(
            f"commit first, or name a --tag that was pushed: {len(changed.splitlines())} files differ from the commit"
        )
    return runner(("git", "rev-parse", "--short=12", "HEAD"), None).strip()


@dataclass(frozen=True, slots=True)
class Builder:
    """docker or buildah: the same three verbs."""

    program: str
    runner: Runner = run

    def build(self, target: str, reference: str, architecture: str) -> None:
        """Build a *target* of compose/Dockerfile as *reference*."""
        command = [self.program, "build", "--file", str(COMPOSE / "Dockerfile"), "--target", target]
        command += ["--platform", _PLATFORMS[architecture], "--tag", reference]
        if self.program == "buildah":  # docker finds it by itself; ECS takes both formats, health checks only this one
            command += ["--format", "docker", "--ignorefile", str(COMPOSE / "Dockerfile.dockerignore")]
        self.runner((*command, str(ROOT)), None)

    def push(self, reference: str) -> None:
        """Push an image to its registry."""
        self.runner((self.program, "push", reference), None)

    def sign_in(self, registry: str, password: str) -> None:
        """Sign in to a registry of ECR."""
        self.runner((self.program, "login", "--username", "AWS", "--password-stdin", registry), password.encode())


def find_builder() -> Builder:
    """Return docker or buildah.

    Raises:
        DeployError: neither is there.
    """
    for program in ("docker", "buildah"):
        if shutil.which(program):
            return Builder(program)
    raise DeployError("images are built by docker or buildah, and neither is there; or name a --tag that was pushed")


@dataclass(frozen=True, slots=True)
class Images:
    """The images in the repositories of a stage, by *names*."""

    ecr: Any
    stage: str
    names: Iterable[str]

    def without_repository(self) -> list[str]:
        """Return the names of those that can't be pushed yet."""
        pages = self.ecr.get_paginator("describe_repositories").paginate()
        there = {each["repositoryName"] for page in pages for each in page["repositories"]}
        return [name for name in self.names if self._repository(name) not in there]

    def tagged(self, tag: str) -> list[str]:
        """Return the names of those that are there with this *tag*."""
        return [name for name in self.names if self._is_tagged(name, tag)]

    def push_missing(self, tag: str, architecture: str, builder: Callable[[], Builder]) -> list[str]:
        """Build and push each image that is not there with this *tag*, and return their names."""
        there = self.tagged(tag)
        missing = [name for name in self.names if name not in there]
        if not missing:
            return []
        found = builder()
        [token] = self.ecr.get_authorization_token()["authorizationData"]
        password = base64.b64decode(token["authorizationToken"]).decode().removeprefix("AWS:")
        found.sign_in(token["proxyEndpoint"].removeprefix("https://"), password)
        for name in missing:
            [repository] = self.ecr.describe_repositories(repositoryNames=[self._repository(name)])["repositories"]
            reference = f"{repository['repositoryUri']}:{tag}"
            found.build(name, reference, architecture)
            found.push(reference)
        return missing

    def _repository(self, name: str) -> str:
        return f"orderstream-{self.stage}/{name}"

    def _is_tagged(self, name: str, tag: str) -> bool:
        asked = {"repositoryName": self._repository(name), "imageIds": [{"imageTag": tag}]}
        try:
            return bool(self.ecr.describe_images(**asked)["imageDetails"])
        except (self.ecr.exceptions.ImageNotFoundException, self.ecr.exceptions.RepositoryNotFoundException):
            return False
