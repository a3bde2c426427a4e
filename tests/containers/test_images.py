"""What the images are: who runs in them, what is in them and what is not."""

from __future__ import annotations

import re

import pytest

from orderstream_local.layout import ROOT
from tests.containers.builds import on_the_hub
from tests.containers.deployment import Deployment
from tests.containers.images import SERVICES, TARGETS_ON_AWS, Image, base_tags, image, on_aws, reference

BUILT = [name for name, service in SERVICES.items() if "build" in service]
ALL = [*map(reference, BUILT), *map(on_aws, TARGETS_ON_AWS)]
DOCUMENTED = (ROOT / "docs" / "reference" / "images.md").read_text(encoding="utf-8")
LABELS = {"title", "description", "licenses"}
# of the Dockerfile's other stages, and of any compiler
BUILD_TOOLS = ("uv", "npm", "node", "gcc", "cc", "make", "git")


def described(name: str) -> Image:
    return image(reference(name))


@pytest.mark.parametrize("name", ALL)
def test_an_image_runs_as_a_user_who_is_not_root(name: str) -> None:
    assert image(name).config["User"] in {"10001:10001", "nginx", "postgres"}


@pytest.mark.parametrize("name", ALL)
def test_an_image_says_what_it_is(name: str) -> None:
    labels = {each.removeprefix("org.opencontainers.image.") for each in image(name).config["Labels"]}
    assert labels >= LABELS


@pytest.mark.parametrize("name", BUILT)
def test_an_image_has_a_health_check(name: str) -> None:
    assert described(name).health_check["Test"][0] == "CMD"


@pytest.mark.parametrize("name", BUILT)
def test_what_the_layers_add_to_the_base_is_as_large_as_the_documentation_says(name: str) -> None:
    base = next(tag for tag in base_tags() if tag.startswith("nginx" if name == "web" else "python"))
    added = (described(name).size - image(on_the_hub(base)).size) / 1e6
    documented = re.search(rf"\| `orderstream/{name}` \|.*\| (\d+) MB \|", DOCUMENTED)
    assert documented is not None
    assert int(documented[1]) == pytest.approx(added, rel=0.1, abs=1), f"{name} adds {added:.1f} MB"


@pytest.mark.parametrize("name", BUILT)
def test_an_image_has_no_build_tools_and_no_sources(name: str, system: Deployment) -> None:
    container = system.containers(name)[0]
    found = system.run_in(container, "sh", "-c", f"command -v {' '.join(BUILD_TOOLS)}; ls -d /src /root/.cache")
    assert found.stdout == ""


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_root_process_no_capability_and_no_writable_root(name: str, system: Deployment) -> None:
    for container in system.containers(name):
        processes = system.processes(container)
        assert {uid for uid, _, _ in processes} & {"0"} == set()
        assert {capabilities for _, capabilities, _ in processes} == {0}
        assert {gains for _, _, gains in processes} == {"1"}, "without no_new_privs"
        assert system.run_in(container, "touch", "/written").returncode != 0
        assert system.run_in(container, "touch", "/tmp/written").returncode == 0  # noqa: S108 - its tmpfs
