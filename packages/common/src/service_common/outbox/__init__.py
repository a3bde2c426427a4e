"""The transactional outbox: events are committed with their cause and sent afterwards, at least once.

`OutboxRelay` claims committed events, sends them to SQS and marks them; `relaying` runs it as part of an application.
The table is created by the migrations in ``service_common.outbox.migrations``.
"""

from __future__ import annotations

from .lifespan import relaying
from .relay import OutboxRelay
from .sender import OutboxPublisher

__all__ = ["OutboxPublisher", "OutboxRelay", "relaying"]
