"""Where the application keeps what its handlers need."""

from __future__ import annotations

from aiohttp import web

from .broadcaster import Broadcaster
from .config import Config
from .service import History

__all__ = ["ALLOWED_ORIGINS", "BROADCASTER", "CONFIG", "HISTORY"]

CONFIG = web.AppKey("config", Config)
ALLOWED_ORIGINS: web.AppKey[tuple[str, ...]] = web.AppKey("allowed_origins", tuple)
BROADCASTER = web.AppKey("broadcaster", Broadcaster)
HISTORY = web.AppKey("history", History)
