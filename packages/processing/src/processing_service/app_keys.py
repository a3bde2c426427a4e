"""Typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from .config import Config
from .ports import SagaReader

__all__ = ["CONFIG", "SAGAS"]

CONFIG = web.AppKey("config", Config)
SAGAS: web.AppKey[SagaReader] = web.AppKey("sagas")
