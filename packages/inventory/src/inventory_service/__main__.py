"""Runs the inventory service."""

from __future__ import annotations

from service_common.run import run

from .app import create_app
from .config import Config

run("inventory-service", Config.from_environ, create_app)
