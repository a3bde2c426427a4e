"""The HTTP endpoints: ``/notifications`` (history), ``/stream`` (SSE), ``/ws`` (WebSocket), and who may connect.

Handlers translate between aiohttp and the rooms feed and push; a stream leaves aiohttp after its handshake.
Exported are the interface, for its routes, and the keys of what the handlers take from the application.
"""

from __future__ import annotations

from .api import API
from .app_keys import BROADCASTER, DISCONNECTOR, HISTORY

__all__ = ["API", "BROADCASTER", "DISCONNECTOR", "HISTORY"]
