"""The HTTP endpoints: ``/notifications`` (history), ``/stream`` (SSE), ``/ws`` (WebSocket), and who may connect.

Handlers translate between aiohttp and the rooms feed and push; a stream leaves aiohttp after its handshake.
Exported are the interface, for its routes, and the keys of what the handlers take from the application.
"""

from __future__ import annotations

from .api import API
from .app_keys import ALLOWED_ORIGINS, BROADCASTER, DISCONNECTOR, HISTORY

__all__ = ["ALLOWED_ORIGINS", "API", "BROADCASTER", "DISCONNECTOR", "HISTORY"]
