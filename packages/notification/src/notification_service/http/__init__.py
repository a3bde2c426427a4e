"""The HTTP endpoints: ``/stream`` (SSE), ``/ws`` (WebSocket) and ``/notifications`` (history).

Handlers translate between aiohttp and the push room; schemas and the OpenAPI description are here as well.
"""

from __future__ import annotations

from .app_keys import ALLOWED_ORIGINS, BROADCASTER, CONFIG, DATABASE, HISTORY, NOTIFIER, POLLER
from .history import ROUTES
from .openapi import API

__all__ = ["ALLOWED_ORIGINS", "API", "BROADCASTER", "CONFIG", "DATABASE", "HISTORY", "NOTIFIER", "POLLER", "ROUTES"]
