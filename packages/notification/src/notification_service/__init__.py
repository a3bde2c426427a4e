"""The notification service: keeps the feed and pushes it live over SSE and WebSocket."""
