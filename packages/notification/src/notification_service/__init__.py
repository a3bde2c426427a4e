"""The notification service: stores notifications of orders in a feed and pushes them over SSE and WebSocket."""

from __future__ import annotations

__all__ = ["NAME"]

NAME = "notification-service"
