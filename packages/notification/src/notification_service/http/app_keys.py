"""Keys of what the handlers take from the application."""

from __future__ import annotations

from aiohttp import web

from ..access import Disconnector
from ..feed import History
from ..push import Broadcaster

__all__ = ["BROADCASTER", "DISCONNECTOR", "HISTORY"]

BROADCASTER = web.AppKey("broadcaster", Broadcaster)
DISCONNECTOR = web.AppKey("disconnector", Disconnector)
HISTORY = web.AppKey("history", History)
