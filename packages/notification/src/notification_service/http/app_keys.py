"""Keys of what the handlers take from the application."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from ..access import Disconnector
from ..feed import History
from ..push import Broadcaster

__all__ = ["ALLOWED_ORIGINS", "BROADCASTER", "DISCONNECTOR", "HISTORY"]

ALLOWED_ORIGINS: web.AppKey[Sequence[str]] = web.AppKey("allowed_origins", Sequence)
BROADCASTER = web.AppKey("broadcaster", Broadcaster)
DISCONNECTOR = web.AppKey("disconnector", Disconnector)
HISTORY = web.AppKey("history", History)
