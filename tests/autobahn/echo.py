"""The notification service with a ``/ws`` that sends back what it gets, as the suite's cases want it.

Everything else is the real service: the application, its handshake, the parsing of frames, the transport, the closing.
Replaced are the handling of messages, the welcome frame, and the limits on size and number of messages, which would end
many cases by design.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from aiohttp import web

from notification_service.app import create_app
from notification_service.config import Config
from notification_service.http import BROADCASTER, websocket
from notification_service.http.websocket import WebSocketConnection
from notification_service.http.websocket_reader import BinaryMessage, TextMessage
from notification_service.push import Broadcaster, PushConnection, PushCounters, PushLimits, encoding
from notification_service.push.hub import Hub
from notification_service.push.replay_buffer import ReplayBuffer
from service_common.config import AuthConfig, AwsConfig
from service_common.http_server import METRICS
from tests.support.in_memory.notification import InMemoryFeed

__all__ = ["echo_app"]

# the longest message of the suite
MAX_MESSAGE_BYTES = 16 << 20
BINARY_FRAME = 0x82


class _EchoConnection(WebSocketConnection):
    def _handle_message(self, message: TextMessage | BinaryMessage) -> bytes:
        if isinstance(message, TextMessage):
            return encoding._ws_frame(message.text.encode())
        return encoding._ws_frame(message.data, BINARY_FRAME)


class _Silent(Broadcaster):
    """A broadcaster without welcome frames: a client of the suite takes any frame for the answer to its own."""

    def _send_welcome(self, connection: PushConnection, *, resumed: bool) -> None:
        pass


async def _pushing_nothing(app: web.Application) -> AsyncIterator[None]:
    limits, feed = PushLimits(message_burst=1_000_000), InMemoryFeed()
    buffer = ReplayBuffer(0, max_bytes=limits.ring_bytes, max_age_s=limits.ring_age_s)
    broadcaster = _Silent(Hub(await feed.state(), buffer), feed, limits, PushCounters(app[METRICS]))
    app[BROADCASTER] = broadcaster
    yield
    await broadcaster.close()


@contextmanager
def echo_app() -> Iterator[web.Application]:
    """Yield the application, which echoes inside of this context."""
    config = Config(
        host="127.0.0.1",
        port=0,
        database_url="postgresql://nowhere/none",
        pool_size=1,
        service_token="of nobody",
        auth=AuthConfig(issuer=None),
        aws=AwsConfig("us-east-1", None),
        log_level="WARNING",
        cloudwatch=False,
        log_group="none",
        shutdown_grace_s=2.0,
        allowed_origins=(),
        notification_queue="none",
    )
    with patch.multiple(websocket, WebSocketConnection=_EchoConnection, MAX_MESSAGE_BYTES=MAX_MESSAGE_BYTES):
        yield create_app(config, (_pushing_nothing,))
