"""Typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from service_common.outbox import OutboxTable

from .config import Config
from .service import OrderService

__all__ = ["CONFIG", "OUTBOX", "SERVICE"]

CONFIG = web.AppKey("config", Config)
SERVICE = web.AppKey("service", OrderService)
OUTBOX = web.AppKey("outbox", OutboxTable)
