"""Install each package alone, with nothing but what its own pyproject.toml declares, and import all of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "orderstream-common": "service_common",
    "orderstream-inventory": "inventory_service",
    "orderstream-local": "orderstream_local",
    "orderstream-notification": "notification_service",
    "orderstream-order": "order_service",
    "orderstream-processing": "processing_service",
}
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
sys.stdout.write(f"{sys.argv[1]}: {len(names)} modules\\n")
"""


def check(distribution: str, package: str) -> None:
    """Raise CalledProcessError when *package* needs something that *distribution* does not declare."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"UV_PROJECT_ENVIRONMENT": folder}
        environment.pop("VIRTUAL_ENV", None)
        sync = ["uv", "sync", "--quiet", "--frozen", "--no-dev", "--package", distribution, "--python", sys.executable]
        subprocess.run(sync, cwd=ROOT, env=environment, check=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-W", "ignore::RuntimeWarning", "-c", IMPORT_ALL, package], cwd=folder, check=True)


if __name__ == "__main__":
    for distribution, package in PACKAGES.items():
        check(distribution, package)
