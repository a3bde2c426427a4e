"""The feed: notifications stored in PostgreSQL in commit order.

Events of the queue are appended (`NotificationConsumer`, `Notifier`, `FeedAppender`); `AntiEntropy` restores those that
the queue lost, from what the order service lists (`HttpChangedOrders`). Every replica follows the table (`FeedTailer`),
woken by NOTIFY (`ListenNotify`), or gets what others append over a bus (`BusExchange` on `RedisStream`). `History`
reads it page by page.
"""

from __future__ import annotations

from .anti_entropy import AntiEntropy
from .appender import FeedAppender
from .bus_exchange import BusCounters, BusExchange
from .channels import LogChannel
from .consumer import NotificationConsumer
from .listen_notify import ListenNotify
from .order_client import HttpChangedOrders
from .postgres import SqlFeed
from .redis_stream import RedisStream
from .tailer import FeedTailer
from .use_cases import History, HistoryPage, Notifier

__all__ = [
    "AntiEntropy",
    "BusCounters",
    "BusExchange",
    "FeedAppender",
    "FeedTailer",
    "History",
    "HistoryPage",
    "HttpChangedOrders",
    "ListenNotify",
    "LogChannel",
    "NotificationConsumer",
    "Notifier",
    "RedisStream",
    "SqlFeed",
]
