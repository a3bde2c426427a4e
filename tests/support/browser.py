"""Chromium without a screen: which one this machine has, how to start it, and how CI gets one.

``python -m tests.support.browser`` installs it where nobody minds: in CI, as root, on a Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess

__all__ = ["ABSENT", "FLAGS", "chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
ABSENT = "Chromium is not installed"
FLAGS = (
    "--no-sandbox",
    "--no-zygote",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
)
INSTALL = (("apt-get", "update", "-qq"), ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"))


def chromium() -> str | None:
    """Return the path of the browser; None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Install the browser where it is missing and may be installed; elsewhere the tests say that they are skipped."""
    may = os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get")
    if may and chromium() is None:
        for command in INSTALL:
            subprocess.run(command, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


if __name__ == "__main__":
    main()
