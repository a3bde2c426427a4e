"""The transactional outbox: events are committed with the change they announce and sent afterwards, at least once.

`OutboxRelay` claims committed events, sends them to SQS and marks them; its `running` makes it part of an application.
The table is created by the migrations in ``service_common.outbox.migrations``.
"""

from __future__ import annotations

from .relay import OutboxRelay
from .sender import OutboxPublisher
from .table import OutboxTable

__all__ = ["OutboxPublisher", "OutboxRelay", "OutboxTable"]
