"""Where the application keeps what its handlers need."""

from __future__ import annotations

from aiohttp import web

from service_common.postgres import Database
from service_common.sqs import Poller

from ..config import Config
from ..feed import History, Notifier
from ..push import Broadcaster

__all__ = ["ALLOWED_ORIGINS", "BROADCASTER", "CONFIG", "DATABASE", "HISTORY", "NOTIFIER", "POLLER"]

CONFIG = web.AppKey("config", Config)
ALLOWED_ORIGINS: web.AppKey[tuple[str, ...]] = web.AppKey("allowed_origins", tuple)
BROADCASTER = web.AppKey("broadcaster", Broadcaster)
DATABASE = web.AppKey("database", Database)
HISTORY = web.AppKey("history", History)
NOTIFIER = web.AppKey("notifier", Notifier)
POLLER = web.AppKey("poller", Poller)
