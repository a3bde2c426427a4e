"""Typed keys of the application."""

from __future__ import annotations

from aiohttp import web

from .config import Config
from .service import InventoryService

__all__ = ["CONFIG", "INVENTORY"]

CONFIG = web.AppKey("config", Config)
INVENTORY = web.AppKey("inventory", InventoryService)
