"""Two queues with their dead-letter queues, behind the proxy of the toolkit's tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.common.conftest import FaultySqs, TestQueue, faulty, make_queue, sqs_admin
from tests.support.command import Done, Forked

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

__all__ = ["Queues", "faulty", "make_queue", "sqs_admin"]

HELD_BY_NOBODY = 0


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of both consumers, as an operator with the command and as a test without it sees them."""

    both: tuple[TestQueue, TestQueue]
    proxy: FaultySqs
    admin: SQSClient

    @property
    def environ(self) -> dict[str, str]:
        processing, notification = self.both
        return {
            "AWS_ENDPOINT_URL": self.proxy.url,
            "PROCESSING_QUEUE": processing.name,
            "NOTIFICATION_QUEUE": notification.name,
        }

    def start(self, *arguments: str) -> Forked:
        return Forked(self.environ, *arguments)

    async def command(self, *arguments: str, status: int = 0) -> Done:
        return await self.start(*arguments).end(status)

    def bury(self, queue: TestQueue, body: str, attributes: Any = None) -> str:
        """Put a message into the dead-letter queue of *queue* and return its id."""
        sent = self.admin.send_message(
            QueueUrl=queue.dead_letter_url, MessageBody=body, MessageAttributes=attributes or {}
        )
        return sent["MessageId"]

    async def show_all(self) -> None:
        """End the visibility timeout of whatever the command has received, as time would."""
        await self.proxy.until(lambda: not self.proxy.under_way("ReceiveMessage"))
        urls = {queue.dead_letter_url.rpartition("/")[2]: queue.dead_letter_url for queue in self.both}
        for call in self.proxy.of("ReceiveMessage"):
            for message in (call.answer or (0, {}))[1].get("Messages") or ():
                try:
                    self.admin.change_message_visibility(
                        QueueUrl=urls[call.body["QueueUrl"].rpartition("/")[2]],
                        ReceiptHandle=message["ReceiptHandle"],
                        VisibilityTimeout=HELD_BY_NOBODY,
                    )
                except self.admin.exceptions.ClientError:
                    continue  # deleted, or visible already

    def contents(self, url: str) -> Counter[tuple[str, str]]:
        """Return what is visible in a queue, each as body and attributes; it stays visible."""
        found: dict[str, tuple[str, str]] = {}
        handles: list[str] = []
        while messages := self._receive(url):
            for each in messages:
                attributes = {
                    name: {key: value for key, value in attribute.items() if key.endswith(("Value", "Type"))}
                    for name, attribute in sorted(each.get("MessageAttributes", {}).items())
                }
                found[each["MessageId"]] = each["Body"], repr(attributes)
                handles.append(each["ReceiptHandle"])
        for handle in handles:
            self.admin.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=HELD_BY_NOBODY)
        return Counter(found.values())

    def _receive(self, url: str) -> Sequence[Any]:
        answer = self.admin.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=30
        )
        return answer.get("Messages") or ()


@pytest.fixture
def queues(faulty: FaultySqs, sqs_admin: SQSClient, make_queue: Callable[..., TestQueue]) -> Queues:
    faulty.carries_on = True
    return Queues((make_queue(), make_queue()), faulty, sqs_admin)
