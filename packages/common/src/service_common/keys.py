"""Where every application of the system keeps what it shares with the common handlers."""

from __future__ import annotations

from aiohttp import web

from service_common.metrics import METRICS
from service_common.readiness import READINESS

__all__ = ["METRICS", "NAME", "READINESS", "SERVICE_TOKEN", "VERSION"]

NAME = web.AppKey("name", str)
VERSION = web.AppKey("version", str)
SERVICE_TOKEN = web.AppKey("service_token", str)
