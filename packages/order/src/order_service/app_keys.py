"""Typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from .config import Config
from .service import OrderService

__all__ = ["CONFIG", "SERVICE"]

CONFIG = web.AppKey("config", Config)
SERVICE = web.AppKey("service", OrderService)
