"""The transactional outbox: events are committed with their cause and sent afterwards, at least once."""

from __future__ import annotations

from service_common.outbox.relay import OutboxRelay
from service_common.outbox.relaying import relaying
from service_common.outbox.sender import Publisher

__all__ = ["OutboxRelay", "Publisher", "relaying"]
