"""Typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from service_common.outbox import OutboxTable

from .config import Config
from .ports import SagaReader

__all__ = ["CONFIG", "OUTBOX", "SAGAS"]

CONFIG = web.AppKey("config", Config)
OUTBOX = web.AppKey("outbox", OutboxTable)
SAGAS: web.AppKey[SagaReader] = web.AppKey("sagas")
