"""Builds the images of compose.yaml with buildah, as `docker compose build` does, and reads their metadata."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from orderstream_local.compose import read_services
from orderstream_local.layout import COMPOSE, ROOT
from tests.containers.builds import on_the_hub, run

__all__ = [
    "OBSERVERS",
    "SECRETS",
    "SERVICES",
    "TARGETS_ON_AWS",
    "VARIABLES",
    "Image",
    "base_tags",
    "build_images",
    "image",
    "on_aws",
    "reference",
]

VARIABLES = {"AUTH_MODE": "open", "SERVICE_TOKEN": "the-token-of-the-test"}
SERVICES = read_services(COMPOSE / "compose.yaml", VARIABLES)
OBSERVERS = {"prometheus": read_services(COMPOSE / "compose.yaml", VARIABLES, {"observability"})["prometheus"]}
SECRETS = {
    name: VARIABLES[each["environment"]]
    for name, each in yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))["secrets"].items()
}
# of a deployment on AWS only
TARGETS_ON_AWS = ("databases",)


@dataclass(frozen=True, slots=True)
class Image:
    """An image's metadata: its *config* as Docker names the fields, and its size in bytes."""

    config: Mapping[str, Any]
    size: int

    @property
    def health_check(self) -> Mapping[str, Any]:
        """The HEALTHCHECK of the Dockerfile; empty when there is none."""
        check: Mapping[str, Any] = self.config.get("Healthcheck") or {}
        return check


def reference(name: str) -> str:
    """Return the image of a service of compose.yaml, with its registry."""
    service = (SERVICES | OBSERVERS)[name]
    return f"localhost/{service['image']}" if "build" in service else on_the_hub(service["image"])


def on_aws(target: str) -> str:
    """Return the image of a target of the Dockerfile that compose.yaml does not have."""
    return f"localhost/orderstream/{target}"


def base_tags() -> list[str]:
    """Return the images that the Dockerfile and compose.yaml take from the Docker Hub."""
    lines = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", lines, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+) AS \S+$", lines, re.MULTILINE)) - stages
    return sorted(bases | {each["image"] for each in (SERVICES | OBSERVERS).values() if "build" not in each})


def build_images(environment: Mapping[str, str]) -> None:
    """Build each target that compose.yaml names, and those of AWS; layers of earlier builds are reused.

    Raises:
        BuildError: a build failed.
    """
    targets = {reference(name): each["build"]["target"] for name, each in SERVICES.items() if "build" in each}
    targets |= {on_aws(target): target for target in TARGETS_ON_AWS}
    for name, target in targets.items():
        command = ["buildah", "bud", "--format=docker", "--isolation=chroot", "--layers", "--pull-never"]
        command += ["--target", target, "--tag", name, "--file", str(COMPOSE / "Dockerfile"), str(ROOT)]
        run(name, command, environment)


def image(name: str) -> Image:
    """Return the metadata of an image in the storage."""
    inspect = ["buildah", "inspect", "--type=image", name]
    config = json.loads(subprocess.run(inspect, capture_output=True, check=True).stdout)
    size = ["podman", "image", "inspect", "--format={{.Size}}", name]
    return Image(
        config=config["Docker"]["config"],
        size=int(subprocess.run(size, capture_output=True, check=True).stdout),
    )
