"""Starts the notification service: ``python -m notification_service``."""

from __future__ import annotations

from service_common.http_server import run

from . import NAME
from .app import create_app
from .config import Config

if __name__ == "__main__":
    run(NAME, Config.from_environ, create_app)
