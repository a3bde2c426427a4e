"""Install each package, and each extra of the toolkit, with nothing but what it declares, and import all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLKIT = "orderstream-common"
# distribution to the package in it, but for the toolkit's
PACKAGES = {
    tomllib.loads((each / "pyproject.toml").read_text("utf-8"))["project"]["name"]: next((each / "src").iterdir()).name
    for each in sorted([*ROOT.glob("packages/*"), ROOT / "compose" / "deploy", ROOT / "compose" / "local"])
    if each.name != "common"
}
# the rooms of the toolkit that work with each set of its extras; without any, the rest
ROOMS = {
    (): (
        *("call_batcher", "config", "errors", "events", "fields", "gathering"),
        *("lifecycle", "observability", "timestamps"),
    ),
    ("http",): ("auth", "http_client", "http_server", "openapi"),
    ("logs",): ("logs",),
    ("postgres",): ("postgres",),
    ("sqs",): ("sqs",),
    ("traces",): ("otlp",),
    ("http", "sqs"): ("dead_letters",),
    ("postgres", "sqs"): ("outbox",),
}
IMPORT_ALL = """
import importlib, pkgutil, sys
for root in sys.argv[1:]:
    package = importlib.import_module(root)
    names = [module.name for module in pkgutil.walk_packages(getattr(package, "__path__", ()), root + ".")]
    for name in names:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    sys.stdout.write(f"{root}: {len(names)} modules\\n")
"""


def check(folder: str, distribution: str, *roots: str, extras: Sequence[str] = ()) -> None:
    """Make *folder* an environment of *distribution* with *extras*, and nothing else, and import *roots* in it.

    Raises:
        CalledProcessError: one of them needs what *distribution*, with *extras*, does not declare.
    """
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": folder}
    environment.pop("VIRTUAL_ENV", None)
    sync = ["uv", "sync", "--quiet", "--frozen", "--no-dev", "--package", distribution, "--python", sys.executable]
    wanted = [f"--extra={extra}" for extra in extras]
    subprocess.run([*sync, *wanted], cwd=ROOT, env=environment, check=True)
    python = Path(folder) / "bin" / "python"
    subprocess.run([python, "-W", "ignore::RuntimeWarning", "-c", IMPORT_ALL, *roots], cwd=folder, check=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:  # one for all: what is compiled for one is there for the next
        for needed, rooms in ROOMS.items():
            check(folder, TOOLKIT, *(f"service_common.{room}" for room in rooms), extras=needed)
        for package, root in PACKAGES.items():
            check(folder, package, root)
