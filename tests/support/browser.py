"""Browsers without a screen: which ones this machine has, how to start them, and how CI gets them.

``python -m tests.support.browser`` installs it where nobody minds: in CI, as root, on a Debian.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable

__all__ = ["ABSENT", "FLAGS", "chromium", "firefox", "whole_chromium"]

# the shell takes a third of the CPU time for a page: 0.5 s instead of 1.6
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
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
INSTALL = (
    ("apt-get", "update", "-qq"),
    ("apt-get", "install", "-y", "-qq", "--no-install-recommends", CHROMIUM[0], FIREFOX[0]),
)


def chromium() -> str | None:
    """Return the path of Chromium; None when there is none."""
    return _first(CHROMIUM)


def whole_chromium() -> str | None:
    """Return the path of a Chromium that has a profile with settings, which the shell has not; None without one."""
    return _first(CHROMIUM[1:])


def _first(names: Iterable[str]) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def firefox() -> str | None:
    """Return the path of Firefox; None when there is none."""
    return _first(FIREFOX)


def main() -> None:
    """Install the browsers where one is missing and may be installed; elsewhere the tests say that they are skipped."""
    may = os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get")
    missing = chromium() is None or firefox() is None
    if may and (missing or shutil.which(CHROMIUM[0]) is None):
        for command in INSTALL:  # with another Chromium the tests only take longer
            subprocess.run(command, check=missing, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


if __name__ == "__main__":
    main()
