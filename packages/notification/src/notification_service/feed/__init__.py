"""The feed of notifications: stored in PostgreSQL in commit order, appended from the queue, followed by every replica.

`SqlFeed` is the table, `Notifier` and `History` the use cases, `Tail` reads what any replica appended.
"""

from __future__ import annotations

from .channels import LogChannel
from .consumer import NotificationConsumer
from .listen_notify import Wakeup
from .ports import Source
from .postgres import SqlFeed
from .retention import Retention
from .tailer import Tail
from .use_cases import History, HistoryPage, Notifier

__all__ = [
    "History",
    "HistoryPage",
    "LogChannel",
    "NotificationConsumer",
    "Notifier",
    "Retention",
    "Source",
    "SqlFeed",
    "Tail",
    "Wakeup",
]
