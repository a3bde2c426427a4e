"""The queues that dead letters are read from and sent to, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from service_common.sqs import Attribute, Message, Outgoing, Queue, QueueDepth, Received
from service_common.sqs.messages import Refusal

__all__ = ["InMemorySqs"]


@dataclass
class InMemorySqs:
    """What `DeadLetterQueue` calls of `Sqs`; a queue's dead-letter queue has its name with ``-dlq``."""

    messages: dict[str, dict[str, Message]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    with_dead_letters: bool = True
    ids: count[int] = field(default_factory=lambda: count(1))

    def bury(self, name: str, body: str, attributes: Mapping[str, Attribute]) -> str:
        return self._put(f"{name}-dlq", body, attributes)

    async def url(self, name: str) -> str:
        return name

    async def queue(self, name: str) -> Queue:
        dead_letters = f"{name}-dlq" if self.with_dead_letters and not name.endswith("-dlq") else None
        return Queue(name, name, dead_letters, 30)

    async def depth(self, name: str) -> QueueDepth:
        present = self.messages.get(name, {}).keys()
        return QueueDepth(len(present - self.hidden), len(present & self.hidden), 0)

    async def receive(self, queue: Queue, limit: int, _wait_s: int) -> list[Received]:
        stored = self.messages.setdefault(queue.name, {})
        taken = [each for each in stored if each not in self.hidden][:limit]
        self.hidden.update(taken)
        for each in taken:
            stored[each] = replace(stored[each], receive_count=stored[each].receive_count + 1)
        return [Received(stored[each], each) for each in taken]

    async def delete(self, queue: Queue, handles: Sequence[str]) -> dict[int, Refusal]:
        for each in handles:
            del self.messages[queue.name][each]
        return {}

    async def change_visibility(self, _queue: Queue, timeouts: Sequence[tuple[str, int]]) -> dict[int, Refusal]:
        self.hidden.difference_update(handle for handle, _ in timeouts)
        return {}

    async def send(self, name: str, _url: str, batch: Sequence[Outgoing]) -> dict[int, str | Refusal]:
        return {place: self._put(name, each.body, each.attributes) for place, each in enumerate(batch)}

    def _put(self, name: str, body: str, attributes: Mapping[str, Attribute]) -> str:
        message = Message(f"m{next(self.ids)}", body, 0, attributes, datetime.now(UTC))
        self.messages.setdefault(name, {})[message.id] = message
        return message.id
